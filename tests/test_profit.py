"""What a list earns, against brute force and, where it is installed, the reference implementation of the field."""

import numpy as np
import pytest
from numpy.typing import NDArray

from churnkit.errors import UsageError
from churnkit.evaluate.profit import (
    Costs,
    expected_max_profit,
    expected_profit,
    max_profit,
    profit_curve,
    profit_if_contacted,
)

World = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], Costs]


def world(seed: int, *, worth: float | None = None) -> World:
    """Outcomes, probabilities, values and costs; every other world has tied probabilities."""
    rng = np.random.default_rng(seed)
    y = (rng.random(300) < rng.choice([0.05, 0.3, 0.7])).astype(float)
    p = np.clip(0.3 * y + 0.7 * rng.random(300), 0, 1)
    value = rng.gamma(1.0, 200.0, 300) if worth is None else np.full(300, worth)
    drawn = (rng.choice(choices) for choices in ([0.0, 1.0, 9.0], [5.0, 40.0], [0.1, 0.3, 0.6]))
    costs = Costs(*(float(number) for number in drawn))
    return y, p.round(1) if seed % 2 else p, value, costs


def profits_of_thresholds(y: object, p: object, value: object, costs: Costs, rate: float) -> list[float]:
    """The profit of every list that a threshold on the expected profit gives, one by one."""
    expected = expected_profit(np.asarray(p), np.asarray(value), costs)
    each = profit_if_contacted(np.asarray(y), np.asarray(value), Costs(costs.contact, costs.offer, rate))
    return [0.0, *(float(each[expected >= threshold].sum()) for threshold in np.unique(expected))]


@pytest.mark.parametrize("seed", range(6))
def test_the_maximum_profit_is_that_of_the_best_threshold(seed: int) -> None:
    y, p, value, costs = world(seed)
    best = max(profits_of_thresholds(y, p, value, costs, costs.success_rate))
    assert max_profit(y, p, value, costs) == pytest.approx(best)


@pytest.mark.parametrize("seed", range(6))
def test_the_expected_maximum_profit_is_the_mean_over_success_rates(seed: int) -> None:
    y, p, value, costs = world(seed)
    a, b = 20 * costs.success_rate, 20 * (1 - costs.success_rate)
    rates = np.random.default_rng(seed).beta(a, b, 3_000)
    low, high = (profits_of_thresholds(y, p, value, costs, rate) for rate in (0.25, 0.75))
    slope = (np.array(high) - low) / 0.5  # the profit of a list is a straight line in the rate
    drawn = (slope[:, None] * (rates - 0.25) + np.array(low)[:, None]).max(axis=0)
    error = drawn.std() / np.sqrt(len(drawn))
    assert expected_max_profit(y, p, value, costs) == pytest.approx(drawn.mean(), abs=4 * error + 1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_both_are_those_of_the_reference_implementation(seed: int) -> None:
    metrics = pytest.importorskip("empulse.metrics", reason="empulse is not installed; it is an oracle only")
    y, p, value, costs = world(seed, worth=150.0)
    told = {"clv": 150.0, "incentive_cost": costs.offer, "contact_cost": costs.contact}
    alpha, beta = 20 * costs.success_rate, 20 * (1 - costs.success_rate)
    mpc = metrics.mpc_score(y, p, accept_rate=costs.success_rate, **told)
    empc = metrics.empc_score(y, p, alpha=alpha, beta=beta, **told)
    assert max_profit(y, p, value, costs) / len(y) == pytest.approx(mpc)
    assert expected_max_profit(y, p, value, costs) / len(y) == pytest.approx(empc)


def test_not_knowing_the_success_rate_costs_nothing_when_the_best_list_may_follow_it() -> None:
    for seed in range(6):
        y, p, value, costs = world(seed)
        assert expected_max_profit(y, p, value, costs) >= max_profit(y, p, value, costs) - 1e-9


def test_the_curve_ends_where_everybody_is_contacted_and_peaks_at_the_maximum() -> None:
    y, p, value, costs = world(2)
    curve = profit_curve(y, p, value, costs)
    assert len(curve) == len(y) + 1
    assert curve[-1] == pytest.approx(profit_if_contacted(y, value, costs).sum())
    assert curve.max() == pytest.approx(max_profit(y, p, value, costs))


def test_with_true_probabilities_what_is_expected_is_what_is_earned() -> None:
    rng = np.random.default_rng(0)
    p, value, costs = rng.random(50_000), rng.gamma(1.0, 200.0, 50_000), Costs(2.0, 10.0)
    y = (rng.random(50_000) < p).astype(float)
    earned, expected = profit_if_contacted(y, value, costs), expected_profit(p, value, costs)
    assert earned.sum() == pytest.approx(expected.sum(), rel=0.02)


def test_where_the_offer_costs_more_than_a_customer_is_worth_nobody_is_contacted() -> None:
    y, p, _, _ = world(4)
    assert max_profit(y, p, np.full(300, 5.0), Costs(1.0, 10.0)) == 0.0
    assert expected_max_profit(y, p, np.full(300, 5.0), Costs(1.0, 10.0)) == 0.0


@pytest.mark.parametrize("wrong", [{"contact": -1.0}, {"offer": -0.1}, {"success_rate": 0.0}, {"value": -5.0}])
def test_impossible_costs_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="no campaign"):
        Costs(**wrong)
