"""The level of a forecast: how many will leave in all, which is the hardest part to know.

The learned members saw outcomes that are up to one horizon old; the buy-till-you-die layer is fitted up to the cutoff
and has no such lag, but may be wrong in the same way again and again. So the mean of a blend moves part of the way to
the layer's, and where the layer was far out one horizon ago, most of that miss is carried over.
"""

import numpy as np

from churnkit.models.blend import FloatArray, log_odds_of, probability_of

_ANCHOR_SHORT, _ANCHOR_LONG = 1.0, 0.4
_SHORT, _LONG = 2.25, 2.75  # horizons of history
_HALF_CARRIED = 0.4  # log odds; months come and go with misses of a fifth, shops that change make them of a half
_STANDARD_ERRORS = 2.0  # of a miss are taken for chance
_TOO_SHORT, _ENOUGH = 1.5, 2.0  # horizons of history: before, the layer has hardly seen anybody come back
_BOUND = 8.0


def anchor_strength(history_horizons: float) -> float:
    """How far the mean forecast moves towards that of the buy-till-you-die layer.

    With two horizons of history the learned members have seen newcomers only, so the move is whole; with three and more
    they know older customers too.

    Example:
        >>> [round(anchor_strength(h), 2) for h in (2.0, 2.5, 4.0)]
        [1.0, 0.7, 0.4]
    """
    return float(np.interp(history_horizons, [_SHORT, _LONG], [_ANCHOR_SHORT, _ANCHOR_LONG]))


def carried_miss(foretold: float, came: float, customers: int, history_horizons: float) -> float:
    """The part of the layer's miss one horizon ago that is expected again, in log odds.

    Small misses come and go with the months and are not carried; a large one says that the shop is changing.

    Args:
        foretold: Mean probability of no order by the layer, one horizon ago.
        came: Share of the customers that then had none.
        customers: How many they were.
        history_horizons: How many horizons of history the layer had seen then.

    Example:
        >>> [round(carried_miss(0.60, came, 5_000, 6.0), 2) for came in (0.58, 0.54, 0.48, 0.66)]
        [-0.0, -0.03, -0.33, 0.03]
    """
    share = (came * customers + 0.5) / (customers + 1)
    miss = float(log_odds_of(np.array(share)) - log_odds_of(np.array(foretold)))
    chance = _STANDARD_ERRORS**2 / ((customers + 1) * share * (1 - share))
    size = max(miss * miss - chance, 0.0) ** 2
    seen = float(np.interp(history_horizons, [_TOO_SHORT, _ENOUGH], [0.0, 1.0]))
    return seen * miss * size / (size + _HALF_CARRIED**4)


def level_shift(log_odds: FloatArray, forecast_mean: float, strength: float, miss: float = 0.0) -> float:
    """The shift that moves the log odds of the mean probability part of the way to a forecast of it, and by a miss.

    Args:
        log_odds: Blended log odds of the customers known at the cutoff.
        forecast_mean: Mean probability of the layer without label lag.
        strength: The part of the way, from 0 to 1.
        miss: What is carried over of an earlier miss (`carried_miss`).
    """
    now = float(log_odds_of(np.array(probability_of(log_odds).mean())))
    goal = now + strength * (float(log_odds_of(np.array(forecast_mean))) - now) + miss
    wanted = float(probability_of(np.array(goal)))
    low, high = -_BOUND, _BOUND
    for _ in range(60):  # the mean grows with the shift: halving finds it to the last bit that matters
        middle = (low + high) / 2
        low, high = (middle, high) if probability_of(log_odds + middle).mean() < wanted else (low, middle)
    return (low + high) / 2
