"""Whether intervals mean what they say, judged by outcomes only."""

import numpy as np
import pytest

from churnkit.evaluate.coverage import FloatArray, interval_coverage
from churnkit.models.blend import probability_of
from churnkit.models.spread import Spread

LEVEL_ERROR = 0.25  # standard deviation, in log odds, of what a whole horizon is off by


def mean_coverage(times: float, horizons: int = 300) -> float:
    """Coverage over many horizons whose level moves, by intervals so many times as long as they must be."""
    rng = np.random.default_rng(17)
    shares = []
    for _ in range(horizons):
        log_odds = rng.normal(0.5, 1.2, 3_000)
        disagreement = 0.3 * rng.integers(0, 2, 3_000).astype(np.float64)
        truth = probability_of(log_odds + rng.normal(0.0, LEVEL_ERROR))
        low, high = Spread(times * LEVEL_ERROR, 0.0, 0.0).interval(log_odds, disagreement)
        churned = rng.random(3_000) < truth
        shares.append(interval_coverage(churned, probability_of(log_odds), low, high).share)
    return float(np.mean(shares))


def test_true_intervals_cover_nine_of_ten_groups_and_others_do_not() -> None:
    assert mean_coverage(1.0) == pytest.approx(0.9, abs=0.03)
    assert mean_coverage(0.0) < 0.5
    assert mean_coverage(2.0) > 0.97


def groups_by_hand(rates: list[float]) -> tuple[FloatArray, FloatArray]:
    """Five groups of 200 customers with probabilities .1 .3 .5 .7 .9 and these rates."""
    y = np.concatenate([np.arange(200) < round(200 * rate) for rate in rates]).astype(float)
    return y, np.repeat([0.1, 0.3, 0.5, 0.7, 0.9], 200)


def test_a_group_is_covered_whose_rate_the_interval_and_chance_allow() -> None:
    # of 200 tosses with probability .5 chance alone allows .5 +- .058, and with .1 on either side .5 +- .116
    y, p = groups_by_hand([0.1, 0.3, 0.555, 0.7, 0.9])
    assert interval_coverage(y, p, p, p) == (5, 1.0)
    y, p = groups_by_hand([0.1, 0.3, 0.565, 0.7, 0.9])
    assert interval_coverage(y, p, p, p) == (5, 0.8)
    y, p = groups_by_hand([0.1, 0.3, 0.615, 0.7, 0.9])
    assert interval_coverage(y, p, p - 0.1, p + 0.1) == (5, 1.0)
    y, p = groups_by_hand([0.1, 0.3, 0.62, 0.7, 0.9])
    assert interval_coverage(y, p, p - 0.1, p + 0.1) == (5, 0.8)


def test_each_side_of_an_interval_counts_for_itself() -> None:
    y, p = groups_by_hand([0.1, 0.3, 0.6, 0.7, 0.9])
    assert interval_coverage(y, p, p - 0.1, p).share == 0.8
    assert interval_coverage(y, p, p, p + 0.1).share == 1.0


def test_customers_with_long_intervals_are_not_mixed_with_those_with_short_ones() -> None:
    p = np.full(2_000, 0.5)
    reach = np.repeat([0.02, 0.2], 1_000)
    y = np.concatenate([np.arange(1_000) < 500, np.arange(1_000) < 650]).astype(float)
    assert interval_coverage(y, p, p - reach, p + reach) == (2, 1.0)
    assert interval_coverage(y, p, p - reach[::-1], p + reach[::-1]) == (2, 0.5)


def test_the_order_of_the_customers_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    p = np.round(rng.uniform(0.1, 0.9, 1_500), 2)
    y, reach = rng.random(1_500) < p, np.round(rng.uniform(0.0, 0.1, 1_500), 2)
    rows = rng.permutation(1_500)
    shuffled = interval_coverage(y[rows], p[rows], (p - reach)[rows], (p + reach)[rows])
    assert shuffled == interval_coverage(y, p, p - reach, p + reach)


def test_few_customers_tell_nothing() -> None:
    p = np.full(199, 0.5)
    found = interval_coverage(np.ones(199), p, p, p)
    assert found.groups == 0
    assert np.isnan(found.share)
