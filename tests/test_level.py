"""The level of a forecast."""

import numpy as np
import pytest

from churnkit.models.blend import log_odds_of, probability_of
from churnkit.models.level import anchor_strength, carried_miss, level_shift

LOG_ODDS = np.random.default_rng(5).normal(0.4, 1.2, 2_000)
MEAN = float(probability_of(LOG_ODDS).mean())


def in_log_odds(probability: float) -> float:
    return float(log_odds_of(np.array(probability)))


def mean_after(shift: float) -> float:
    return float(probability_of(LOG_ODDS + shift).mean())


def test_no_strength_and_no_miss_leave_the_forecast_alone() -> None:
    assert level_shift(LOG_ODDS, 0.9, 0.0) == pytest.approx(0.0, abs=1e-12)


def test_full_strength_takes_the_mean_of_the_layer() -> None:
    assert mean_after(level_shift(LOG_ODDS, 0.9, 1.0)) == pytest.approx(0.9, abs=1e-12)


def test_part_of_the_way_is_walked_in_log_odds_and_the_miss_is_added() -> None:
    after = mean_after(level_shift(LOG_ODDS, 0.8, 0.4, miss=-0.3))
    assert in_log_odds(after) == pytest.approx(0.6 * in_log_odds(MEAN) + 0.4 * in_log_odds(0.8) - 0.3, abs=1e-9)


@pytest.mark.parametrize("mean", [0.0, 1.0])
def test_a_layer_that_is_certain_still_gives_a_finite_shift(mean: float) -> None:
    assert np.isfinite(level_shift(LOG_ODDS, mean, 1.0))


def test_a_large_miss_is_carried_over_and_a_small_one_is_not() -> None:
    large = carried_miss(0.68, 0.57, 5_000, 10.0)
    whole = in_log_odds(0.57) - in_log_odds(0.68)
    assert whole < large < 0.5 * whole < 0
    assert abs(carried_miss(0.85, 0.83, 20_000, 10.0)) < 0.02


def test_the_more_the_layer_missed_the_more_of_it_is_carried() -> None:
    parts = [carried_miss(0.7, came, 10_000, 10.0) for came in (0.65, 0.6, 0.5, 0.4)]
    whole = [in_log_odds(came) - in_log_odds(0.7) for came in (0.65, 0.6, 0.5, 0.4)]
    shares = [part / miss for part, miss in zip(parts, whole, strict=True)]
    assert shares == sorted(shares)
    assert shares[-1] > 0.9


def test_what_chance_alone_can_do_is_not_carried() -> None:
    assert carried_miss(0.7, 0.6, 60, 10.0) == 0.0
    assert carried_miss(0.7, 0.6, 60_000, 10.0) < -0.1


def test_a_layer_that_had_seen_too_little_is_not_blamed() -> None:
    assert carried_miss(0.7, 0.4, 10_000, 1.5) == 0.0


@pytest.mark.parametrize("came", [0.0, 1.0])
def test_everybody_or_nobody_leaving_is_a_finite_miss(came: float) -> None:
    assert np.isfinite(carried_miss(0.7, came, 500, 10.0))


def test_the_anchor_loosens_as_the_history_grows() -> None:
    strengths = [anchor_strength(horizons) for horizons in (0.5, 2.0, 2.25, 2.5, 2.75, 9.0)]
    assert strengths == sorted(strengths, reverse=True)
    assert (strengths[0], strengths[-1]) == (1.0, 0.4)
