"""The seasonal clock against shops whose seasons are known, and against shops without one."""

import json
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from churnkit.errors import ModelFileError
from churnkit.models import seasonal
from churnkit.models.btyd import MBGNBD, fit_mbgnbd
from churnkit.models.seasonal import Season, believed_share, fit_season

FloatArray = NDArray[np.float64]

YEAR = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
CHRISTMAS = np.array([0.7, 0.8, 0.9, 1.0, 1.0, 0.8, 0.6, 0.6, 0.9, 1.0, 1.4, 3.0])
BUSY = Season(tuple(CHRISTMAS / ((CHRISTMAS * YEAR).sum() / YEAR.sum())), 1.0)
EVEN = Season()
HABITS = MBGNBD(r=0.8, alpha=35.0, a=0.8, b=2.5)
CUTOFF = int(np.datetime64("2023-11-15").astype(int))


class Shop(NamedTuple):
    x: FloatArray
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    order_day: NDArray[np.int64]
    orders: NDArray[np.int64]
    oracle: FloatArray


def shop(season: Season, customers: int, history_days: int, seed: int, horizon: int = 60) -> Shop:
    """An MBG/NBD shop on the clock of a season; the oracle knows the exact times and the true parameters."""
    rng = np.random.default_rng(seed)
    calendar = np.arange(CUTOFF - history_days, CUTOFF + 1)
    clock = season.clock(calendar)
    begin = np.interp(rng.uniform(CUTOFF - history_days, CUTOFF, customers), calendar, clock)
    rate, dropout = rng.gamma(HABITS.r, 1 / HABITS.alpha, customers), rng.beta(HABITS.a, HABITS.b, customers)
    orders, now = [begin], begin
    alive = rng.random(customers) > dropout
    while alive.any():
        now = now + rng.exponential(1 / rate)
        alive &= now < clock[-1]
        orders.append(np.where(alive, now, np.nan))
        alive &= rng.random(customers) > dropout
    times = np.column_stack(orders)
    x, t_x = np.isfinite(times).sum(axis=1) - 1.0, np.nanmax(times, axis=1) - begin
    oracle = HABITS.no_order_probability(x, t_x, clock[-1] - begin, season.horizon(CUTOFF, horizon))
    day = np.where(np.isfinite(times), np.interp(times, clock, calendar), -1).astype(np.int64)
    days = [np.unique(row[row >= 0]) for row in day]
    order_day, counts = np.unique(np.concatenate(days), return_counts=True)
    return Shop(
        np.array([len(row) - 1.0 for row in days]),
        np.array([row[0] for row in days]),
        np.array([row[-1] for row in days]),
        order_day,
        counts,
        oracle,
    )


def found_in(place: Shop) -> Season:
    return fit_season(place.x, place.first, place.last, CUTOFF, place.order_day, place.orders)


def regret(place: Shop, season: Season, horizon: int = 60) -> float:
    """Expected log loss of an MBG/NBD on the clock, between that of the oracle and that of the base rate."""
    t_x, T = season.habit(place.first, place.last, CUTOFF)
    p = fit_mbgnbd(place.x, t_x, T).no_order_probability(place.x, t_x, T, season.horizon(CUTOFF, horizon))

    def loss(p: FloatArray) -> float:
        p = np.clip(p, 1e-9, 1 - 1e-9)
        return -float((place.oracle * np.log(p) + (1 - place.oracle) * np.log1p(-p)).mean())

    least, base = loss(place.oracle), loss(np.full_like(place.oracle, place.oracle.mean()))
    return (loss(p) - least) / (base - least)


def test_an_even_clock_shows_the_calendar() -> None:
    days = np.array([-40_000, -1, 0, 1, 19_000])
    assert EVEN.clock(days).tolist() == days.tolist()
    assert EVEN.horizon(19_000, 90) == 90


def test_a_year_on_the_clock_is_a_year_and_time_runs_forward() -> None:
    days = np.arange(CUTOFF - 2000, CUTOFF + 2000)
    assert (np.diff(BUSY.clock(days)) > 0).all()
    assert BUSY.clock([365 * 4 + 1])[0] == pytest.approx(365.25 * 4, rel=1e-3)
    assert BUSY.clock([-30])[0] == pytest.approx(-30 * BUSY.months[11])  # 1969-12-02
    december = int(np.datetime64("2022-12-01").astype(int))
    assert BUSY.horizon(december, 31) == pytest.approx(31 * BUSY.months[11])


def test_the_slopes_are_those_of_differences() -> None:
    place = shop(BUSY, 200, 500, seed=1)
    repeats = np.arange(1.0, 13.0)
    seen = seasonal._seen(place.x, place.first, place.last, CUTOFF, repeats)
    at = np.random.default_rng(2).uniform(0.5, 2.0, 16)
    steps = 1e-6 * np.eye(16)
    values = [[seasonal._mean_log_likelihood(at + side * step, seen, 0.3)[0] for side in (1, -1)] for step in steps]
    assert seasonal._mean_log_likelihood(at, seen, 0.3)[1] == pytest.approx(
        [(up - down) / 2e-6 for up, down in values], abs=1e-6
    )


def test_a_strong_season_is_found_in_two_years_and_the_regret_goes_away() -> None:
    place = shop(BUSY, 3000, 800, seed=3)
    season = found_in(place)
    assert season.weight == 1
    assert np.log(season.months) == pytest.approx(np.log(BUSY.months), abs=0.15)
    assert regret(place, EVEN) > 0.1
    assert regret(place, season) < 0.01


def test_one_year_is_believed_by_half() -> None:
    place = shop(BUSY, 3000, 410, seed=4)
    season = found_in(place)
    assert season.weight == pytest.approx(0.52, abs=0.01)
    assert 1 < season.months[11] < BUSY.months[11]
    assert regret(place, season) < 0.6 * regret(place, EVEN)
    assert found_in(shop(BUSY, 500, 390, seed=5)) == Season()


def test_a_shop_without_a_season_gets_next_to_none() -> None:
    for customers, most in ((3000, 0.06), (300, 0.15)):
        place = shop(EVEN, customers, 800, seed=6)
        season = found_in(place)
        assert np.abs(np.log(season.months)).max() < most
        assert regret(place, season) < regret(place, EVEN) + 0.005


def test_row_order_changes_no_bit() -> None:
    place = shop(BUSY, 400, 760, seed=7)
    turned = place._replace(x=place.x[::-1], first=place.first[::-1], last=place.last[::-1])
    assert found_in(turned) == found_in(place)


def test_nobody_returning_is_no_season() -> None:
    first = np.arange(CUTOFF - 800, CUTOFF)
    assert fit_season(np.zeros(800), first, first, CUTOFF, first, np.ones(800)) == Season()


def test_belief_grows_from_thirteen_months_to_two_years() -> None:
    assert believed_share(395) == 0
    assert believed_share(396) == 0.5
    assert 0.5 < believed_share(500) < believed_share(700) < believed_share(730) == 1


def test_fractions_of_days_and_negative_orders_are_a_bug_of_the_caller() -> None:
    with pytest.raises(ValueError, match="whole"):
        EVEN.clock([0.5])
    with pytest.raises(ValueError, match="not negative"):
        fit_season([0], [CUTOFF - 500], [CUTOFF - 500], CUTOFF, [CUTOFF - 500], [-1])


def test_a_manifest_gives_the_same_season_back() -> None:
    assert Season.from_manifest(json.loads(json.dumps(BUSY.to_manifest()))) == BUSY


@pytest.mark.parametrize("change", [
    {"months": [1.0] * 11}, {"months": [2.0] * 12}, {"months": [0.0] + [1.0] * 11}, {"months": "123456789012"},
    {"months": [float("nan")] * 12}, {"weight": 1.5}, {"weight": True}, {"weight": float("nan")}, {"extra": 1},
])  # fmt: skip
def test_a_crafted_manifest_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ModelFileError):
        Season.from_manifest({**BUSY.to_manifest(), **change})
