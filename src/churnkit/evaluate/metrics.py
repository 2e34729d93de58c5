"""How good churn probabilities are: whether they rank, whether they are true, and what the top of the list holds.

All functions take `y` (1.0 or True: churned) and `p` (the churn probability, or any score where only the ranking
counts). Rows of equal score are treated alike: each counts as the mean of its ties, so no figure depends on the order
of the rows. A figure that is not defined (one class only, nobody churned) is NaN.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

PROBABILITY_CLIP = 1e-5


def auc(y: ArrayLike, p: ArrayLike) -> float:
    """P(a random churner has a higher score than a random customer who stayed); ties count half.

    Example:
        >>> auc([1, 0, 1, 0], [0.9, 0.2, 0.4, 0.4])
        0.875

    Source: Hanley and McNeil (1982), Radiology 143(1): the Mann-Whitney statistic by midranks.
    """
    churned, score = _checked(y, p)
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    midrank = np.cumsum(count) - (count - 1) / 2
    n_churned = churned.sum()
    pairs = n_churned * (len(churned) - n_churned)
    above = midrank[place][churned == 1].sum() - n_churned * (n_churned + 1) / 2
    return float(above / pairs) if pairs else float("nan")


def average_precision(y: ArrayLike, p: ArrayLike) -> float:
    """Precision averaged over the churners, from the top of the list down (area under the precision-recall steps).

    Example:
        >>> round(average_precision([1, 0, 1], [0.9, 0.5, 0.2]), 4)
        0.8333
    """
    churned, score = _checked(y, p)
    _, place, count = np.unique(-score, return_inverse=True, return_counts=True)
    hits = np.bincount(place, churned)
    precision = np.cumsum(hits) / np.cumsum(count)
    return float((hits * precision).sum() / hits.sum()) if hits.any() else float("nan")


def log_loss(y: ArrayLike, p: ArrayLike, clip: float = PROBABILITY_CLIP) -> float:
    """Mean of -log(probability given to what happened); lower is better.

    Probabilities are clipped to `clip` .. 1 - `clip` first, so that one certain error does not cost infinitely much.

    Example:
        >>> round(log_loss([1, 0], [0.8, 0.4]), 4)
        0.367
    """
    churned, probability = _checked(y, p)
    probability = np.clip(probability, clip, 1 - clip)
    return -float(np.mean(np.where(churned == 1, np.log(probability), np.log1p(-probability))))


def brier(y: ArrayLike, p: ArrayLike) -> float:
    """Mean squared distance between probability and outcome; lower is better.

    Example:
        >>> round(brier([1, 0], [0.8, 0.4]), 4)
        0.1

    Source: Brier (1950), Verification of forecasts expressed in terms of probability, Monthly Weather Review 78(1).
    """
    churned, probability = _checked(y, p)
    return float(np.mean((probability - churned) ** 2))


def calibration_error(y: ArrayLike, p: ArrayLike, bins: int = 10) -> float:
    """Mean distance between forecast and observed share over bins of equally many customers; lower is better.

    Example:
        >>> round(calibration_error([0, 1, 1, 1], [0.5, 0.5, 0.9, 0.9], bins=2), 4)
        0.05

    Source: Naeini, Cooper and Hauskrecht (2015), AAAI: the expected calibration error, here with equal-sized bins.
    """
    churned, probability = _checked(y, p)
    order, place = _equal_bins(probability, bins)
    gap = (probability - tie_means(churned, probability))[order]
    return float(np.abs(np.bincount(place, gap)).sum() / len(order)) if len(order) else float("nan")


def calibration_floor(p: ArrayLike, bins: int = 10) -> float:
    """The calibration error to expect of these probabilities if they were true: what chance alone leaves.

    The gap of a bin then has mean 0 and the variance of a sum of coin tosses, and the mean distance of a normal number
    from its mean is sqrt(2 / pi) of its deviation. Where hardly anybody is expected to churn, or nearly everybody,
    twice the rarer outcome's expected number is less and takes its place.

    Example:
        >>> round(calibration_floor([0.5] * 1_000), 4)
        0.0126
    """
    probability = np.asarray(p, dtype=np.float64)
    if not len(probability):
        return float("nan")
    order, bin_of = _equal_bins(probability, bins)
    values, place, count = np.unique(probability, return_inverse=True, return_counts=True)
    pair, shared = np.unique(bin_of * len(count) + place[order], return_counts=True)  # a tie may lie in several bins
    bin_of, tie = np.divmod(pair, len(count))
    value = values[tie]
    spread = np.bincount(bin_of, shared**2 / count[tie] * value * (1 - value))
    rarer = np.minimum(np.bincount(bin_of, shared * value), np.bincount(bin_of, shared * (1 - value)))
    return float(np.minimum(np.sqrt(2 / np.pi * spread), 2 * rarer).sum() / len(probability))


def lift_at(y: ArrayLike, p: ArrayLike, share: float = 0.1) -> float:
    """Share that churned within the top of the list over the base rate.

    Args:
        y: Whether each customer churned.
        p: Score to rank by.
        share: How much of the list its top is: the next lower whole number of customers, at least one.

    Example:
        >>> lift_at([1, 0, 1, 0], [0.9, 0.2, 0.4, 0.3], share=0.5)
        2.0
    """
    churned, score = _checked(y, p)
    top = in_top(score, share)
    return float((top * churned).sum() / top.sum() / churned.mean()) if churned.any() else float("nan")


def captured_at(y: ArrayLike, p: ArrayLike, share: float = 0.1) -> float:
    """Share of all churners who are within the top of the list. Arguments as in `lift_at`.

    Example:
        >>> captured_at([1, 0, 1, 1], [0.9, 0.2, 0.4, 0.3], share=0.5)
        0.6666666666666666
    """
    churned, score = _checked(y, p)
    return captured_money_at(churned, score, np.ones_like(churned), share)


def captured_money_at(y: ArrayLike, p: ArrayLike, money: ArrayLike, share: float = 0.1) -> float:
    """Share of all money lost with churners that is within the top of the list.

    Args:
        y: Whether each customer churned.
        p: Score to rank by.
        money: What each customer would have spent, not negative.
        share: As in `lift_at`.

    Example:
        >>> captured_money_at([1, 0, 1], [0.9, 0.2, 0.4], [10, 500, 30], share=0.34)
        0.25
    """
    churned, score = _checked(y, p)
    lost = churned * np.asarray(money, dtype=np.float64)
    return float((in_top(score, share) * lost).sum() / lost.sum()) if lost.any() else float("nan")


def in_top(score: FloatArray, share: float) -> FloatArray:
    """How much of each row is within the top of the list: 1, 0, or a fraction where ties lie across its end.

    Example:
        >>> in_top(np.array([0.9, 0.2, 0.4, 0.4]), share=0.5).tolist()
        [1.0, 0.0, 0.5, 0.5]
    """
    if not 0 < share <= 1:
        raise ValueError(f"the top of a list is a share above 0 and up to 1, not {share}")
    n_top = max(1, int(share * len(score) + 1e-9))
    inside = np.zeros(len(score))
    inside[np.argsort(-score, kind="stable")[:n_top]] = 1
    return tie_means(inside, score)


def tie_means(values: FloatArray, score: FloatArray) -> FloatArray:
    """Each value replaced by the mean over the rows of equal score."""
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    means: FloatArray = (np.bincount(place, values, minlength=len(count)) / count)[place]
    return means


def _checked(y: ArrayLike, p: ArrayLike) -> tuple[FloatArray, FloatArray]:
    churned, score = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    if churned.ndim != 1 or churned.shape != score.shape:
        raise ValueError(f"y of shape {churned.shape} and p of shape {score.shape} are not two lists of one length")
    if not np.isin(churned, (0, 1)).all() or np.isnan(score).any():
        raise ValueError("y must be 0 or 1, and p must not be NaN")
    return churned, score


def _equal_bins(probability: FloatArray, bins: int) -> tuple[IntArray, IntArray]:
    """The rows in rising order, and the bin of each place in it: equally many rows a bin."""
    order = np.argsort(probability, kind="stable")
    return order, np.arange(len(order)) * bins // max(len(order), 1)
