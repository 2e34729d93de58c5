"""The weights of a blend, told by outcomes."""

import numpy as np
import pytest

from churnkit.models.weighing import FloatArray, fit_weights

START = np.array([0.25, 0.25, 0.5])


def a_world(customers: int, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Log odds by three members, of which the second knows the truth, and what came of it."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 1.5, customers)
    churned = (rng.random(customers) < 1 / (1 + np.exp(-truth))).astype(float)
    return np.column_stack([truth + rng.normal(0, 3, customers), truth, rng.normal(0, 1, customers)]), churned


def test_with_many_outcomes_the_member_that_knows_gets_the_weight() -> None:
    weights = fit_weights(*a_world(20_000), START)
    assert weights.sum() == pytest.approx(1)
    assert weights[1] > 0.95


def test_with_few_outcomes_the_weights_stay_near_the_start() -> None:
    assert np.abs(fit_weights(*a_world(10), START) - START).max() < 0.4
    assert fit_weights(*a_world(50), START)[1] < fit_weights(*a_world(5_000), START)[1]


def test_they_minimise_what_they_say_they_do() -> None:
    log_odds, churned = a_world(400)
    found = fit_weights(log_odds, churned, START)

    def loss(weights: FloatArray) -> float:
        from churnkit.models.weighing import PRIOR_WORTH

        constants = np.linspace(-2, 2, 801)
        z = (log_odds @ weights)[:, None] + constants
        fit = (np.logaddexp(0, z) - churned[:, None] * z).mean(axis=0).min()
        return float(fit + PRIOR_WORTH / len(churned) * (weights * np.log(weights / START)).sum())

    rng = np.random.default_rng(1)
    assert all(loss(found) <= loss(other) + 1e-6 for other in rng.dirichlet([1, 1, 1], 300))


def test_a_level_that_is_off_moves_no_weight() -> None:
    log_odds, churned = a_world(2_000)
    shifted = log_odds + np.array([0.0, 4.0, 0.0])
    assert fit_weights(shifted, churned, START) == pytest.approx(fit_weights(log_odds, churned, START), abs=1e-3)


def test_a_member_that_could_not_be_judged_keeps_its_start() -> None:
    log_odds, churned = a_world(2_000)
    log_odds[:, 2] = np.nan
    weights = fit_weights(log_odds, churned, START)
    assert weights[2] == START[2]
    assert weights[1] > weights[0]
