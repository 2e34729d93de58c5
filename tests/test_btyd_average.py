"""The average of the buy-till-you-die models: who leads where, and files that cannot come from a fit."""

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from churnkit.errors import ModelFileError, ShortHistoryError
from churnkit.models.btyd import BGNBD, MBGNBD
from churnkit.models.btyd_average import EVEN_SHARE, BuyTillYouDieAverage, _weights, fit_average
from churnkit.models.erlang import ErlangMixture
from churnkit.models.pareto import ParetoNBD

FloatArray = NDArray[np.float64]
History = tuple[FloatArray, FloatArray, FloatArray, FloatArray]

MBG, PARETO = MBGNBD(0.6, 40.0, 0.8, 2.5), ParetoNBD(0.6, 40.0, 0.7, 150.0)
ERLANG = ErlangMixture((1, 4), (0.5, 0.5), 1.2, (60.0, 40.0), 0.8, 4.0, at_bound=True)
AVERAGE = BuyTillYouDieAverage((MBG, PARETO, ERLANG), (0.3, 0.2, 0.5))


def shop(customers: int, seed: int, *, shape: int = 1, before_repeat: bool = True, lifetime: float = 0.0) -> History:
    """Customers who order at gamma rates, evenly or not, and leave after an order or after a time."""
    rng = np.random.default_rng(seed)
    T, rate = rng.uniform(30, 700, customers), rng.gamma(0.8, 1 / 35.0, customers)
    dropout = np.zeros(customers) if lifetime else rng.beta(0.8, 2.5, customers)
    leaves = rng.exponential(1 / rng.gamma(0.7, 1 / lifetime, customers)) if lifetime else np.full(customers, np.inf)
    x, t_x, logs, now = (np.zeros(customers) for _ in range(4))
    alive = rng.random(customers) > dropout if before_repeat else np.ones(customers, dtype=bool)
    while alive.any():
        gap = rng.gamma(shape, 1 / (rate * shape))
        now = now + gap
        alive &= now < np.minimum(T, leaves)
        x[alive] += 1
        t_x[alive] = now[alive]
        logs[alive] += np.log(gap[alive])
        alive &= rng.random(customers) > dropout
    return x, t_x, T, logs


@pytest.mark.parametrize(("leader", "made_of"), [
    (BGNBD, {"before_repeat": False}), (MBGNBD, {}), (ParetoNBD, {"lifetime": 120.0}), (ErlangMixture, {"shape": 6}),
])  # fmt: skip
def test_the_model_that_made_the_shop_leads(leader: type, made_of: dict[str, Any]) -> None:
    average = fit_average(*shop(3000, 1, **made_of))
    assert type(average.members[int(np.argmax(average.weights))]) is leader
    assert sum(average.weights) == pytest.approx(1)


def test_answers_are_the_weighted_answers_of_the_models() -> None:
    x, t_x, T, logs = shop(200, 2)
    silent = AVERAGE.no_order_probability(x, t_x, T, logs, 60)
    alone = (
        0.3 * MBG.no_order_probability(x, t_x, T, 60)
        + 0.2 * PARETO.no_order_probability(x, t_x, T, 60)
        + 0.5 * ERLANG.no_order_probability(x, t_x, T, logs, 60)
    )
    assert silent == pytest.approx(alone, rel=1e-12)
    alive, orders = AVERAGE.alive_probability(x, t_x, T, logs), AVERAGE.expected_orders(x, t_x, T, logs, 60)
    assert ((alive >= 1 - silent - 1e-9) & (alive <= 1)).all()
    assert (orders >= 1 - silent - 1e-9).all()
    assert AVERAGE.at_bound


def test_row_order_changes_no_bit() -> None:
    history = shop(300, 3)
    turned = fit_average(*(part[::-1] for part in history))
    assert turned == fit_average(*history)


def test_many_customers_do_not_make_a_small_difference_large() -> None:
    few, many = (_weights(np.array([0.0, -0.01 * n, -1.0 * n, 0.0]), n) for n in (300, 300_000))
    assert few == pytest.approx(many)
    assert few[2] == pytest.approx(EVEN_SHARE / 4)
    assert few[0] > few[1] > 0


def test_nobody_is_refused_and_one_customer_is_no_trouble() -> None:
    with pytest.raises(ShortHistoryError, match="no customers"):
        fit_average([], [], [], [])
    one = ([3], [60], [80], [3 * np.log(20)])
    assert np.isfinite(fit_average(*one).no_order_probability(*one, 90)).all()


def test_a_manifest_gives_the_same_average_back() -> None:
    assert BuyTillYouDieAverage.from_manifest(json.loads(json.dumps(AVERAGE.to_manifest()))) == AVERAGE


@pytest.mark.parametrize("change", [
    {"mbgnbd": {"weight": 0.3}}, {"mbgnbd": {"weight": 0.4, "parameters": MBG.to_manifest()}}, {"Other": {}},
    {"mbgnbd": {"weight": -0.3, "parameters": MBG.to_manifest()}}, {"mbgnbd": {"weight": 0.3, "parameters": {}}},
    {"mbgnbd": {"weight": True, "parameters": MBG.to_manifest()}}, {"mbgnbd": 1},
])  # fmt: skip
def test_a_crafted_manifest_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ModelFileError):
        BuyTillYouDieAverage.from_manifest({**AVERAGE.to_manifest(), **change})
    with pytest.raises(ModelFileError):
        BuyTillYouDieAverage.from_manifest({})
