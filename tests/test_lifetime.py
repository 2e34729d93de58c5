"""Discounted orders: against sums over days, closed forms, and the discounted transactions of the Pareto/NBD."""

import math

import numpy as np
import pytest
from scipy.special import gammaln, hyperu

from churnkit.models.btyd import MBGNBD
from churnkit.models.lifetime import YEAR_DAYS, discounted_orders
from churnkit.models.pareto import ParetoNBD

HISTORIES = (np.array([0.0, 3.0, 20.0]), np.array([0.0, 150.0, 260.0]), np.array([200.0, 220.0, 270.0]))


def test_an_order_every_hundred_days_forever_has_the_value_of_a_perpetuity() -> None:
    decay = math.log(1.1) / YEAR_DAYS
    forever = discounted_orders(lambda days: np.array([days / 100]), 0, 36_500, 0.1)
    assert forever == pytest.approx([(1 - math.exp(-decay * 36_500)) / (100 * decay)], rel=1e-9)


@pytest.mark.parametrize(("first", "last"), [(0.0, 90.0), (90.0, 1_095.0), (0.0, 3_650.0)])
def test_a_few_times_give_the_sum_over_hundreds_of_days(first: float, last: float) -> None:
    model = MBGNBD(r=0.525, alpha=43.3, a=0.891, b=1.614)
    decay = math.log(1.1) / YEAR_DAYS
    ends = np.linspace(first, last, 401)
    until = np.array([model.expected_orders(*HISTORIES, end) for end in ends])
    daily = (np.diff(until, axis=0) * np.exp(-decay * (ends[:-1] + ends[1:]) / 2)[:, None]).sum(axis=0)
    found = discounted_orders(lambda days: model.expected_orders(*HISTORIES, days), first, last, 0.1)
    assert found == pytest.approx(daily, rel=2e-5)


def test_without_a_discount_the_orders_are_counted() -> None:
    model = MBGNBD(r=0.525, alpha=43.3, a=0.891, b=1.614)
    found = discounted_orders(lambda days: model.expected_orders(*HISTORIES, days), 30, 400, 0.0)
    assert found == pytest.approx(model.expected_orders(*HISTORIES, 400) - model.expected_orders(*HISTORIES, 30))


def test_a_very_long_lifetime_is_the_published_one_of_the_pareto_nbd() -> None:
    """Fader, Hardie and Lee (2005), equation (2), with Tricomi's function."""
    model = ParetoNBD(r=0.55, alpha=74.0, s=0.61, beta=82.0)
    x, t_x, T = HISTORIES
    decay = math.log(1.15) / YEAR_DAYS
    log_published = (
        model.r * math.log(model.alpha)
        + model.s * math.log(model.beta)
        + (model.s - 1) * math.log(decay)
        + gammaln(model.r + x + 1)
        + np.log(hyperu(model.s, model.s, decay * (model.beta + T)))
        - gammaln(model.r)
        - (model.r + x + 1) * np.log(model.alpha + T)
        - model.log_likelihood(x, t_x, T)
    )
    found = discounted_orders(lambda days: model.expected_orders(x, t_x, T, days), 0, 36_500, 0.15)
    assert found == pytest.approx(np.exp(log_published), rel=1e-5)
