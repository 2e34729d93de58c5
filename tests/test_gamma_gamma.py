"""The Gamma-Gamma against published figures and against customers whose mean spend is known."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad

from churnkit.errors import ModelFileError, ShortHistoryError
from churnkit.models.gamma_gamma import GammaGamma, fit_gamma_gamma

FloatArray = NDArray[np.float64]

CDNOW = GammaGamma(p=6.25, q=3.74, v=15.44)


def repeat_spend(real_data: Path) -> tuple[FloatArray, FloatArray]:
    """Repeat order days to 1997-09-30 and their mean amount, where it is above 0."""
    days = (
        pl.read_parquet(real_data / "cdnow_sample.parquet")
        .filter(pl.col("date") <= date(1997, 9, 30))
        .group_by("sample_id", "date")
        .agg(pl.col("dollar_value").sum())
        .sort("sample_id", "date")
        .filter(pl.col("date") > pl.col("date").min().over("sample_id"))
    )
    customers = days.group_by("sample_id").agg(n=pl.len(), mean=pl.col("dollar_value").mean()).sort("sample_id")
    customers = customers.filter(pl.col("mean") > 0)
    return customers["n"].cast(pl.Float64).to_numpy(), customers["mean"].to_numpy()


def test_the_published_fit_of_cdnow_is_reproduced(real_data: Path) -> None:
    n, mean = repeat_spend(real_data)
    model = fit_gamma_gamma(n, mean)
    assert len(n) == 946
    assert [round(value, 2) for value in (model.p, model.q, model.v)] == [6.25, 3.74, 15.44]
    assert model.mean_amount() == pytest.approx(35.2, abs=0.1)
    assert not model.at_bound


def test_the_likelihood_is_a_density() -> None:
    area = quad(lambda mean: np.exp(CDNOW.log_likelihood([3], [mean])[0]), 0, np.inf)[0]
    assert area == pytest.approx(1)


def test_known_customers_are_found_and_their_means_foreseen() -> None:
    rng = np.random.default_rng(1)
    n = rng.integers(1, 12, 20_000).astype(np.float64)
    scale = rng.gamma(CDNOW.q, 1 / CDNOW.v, len(n))
    mean = rng.gamma(CDNOW.p * n) / scale / n
    model = fit_gamma_gamma(n, mean)
    assert (model.p, model.q, model.v) == pytest.approx((CDNOW.p, CDNOW.q, CDNOW.v), rel=0.12)
    true = CDNOW.p / scale
    foreseen = model.expected_amount(n, mean)
    for low, high in ((0, 25), (25, 40), (40, 80), (80, 1e9)):
        group = (foreseen >= low) & (foreseen < high)
        assert foreseen[group].mean() == pytest.approx(true[group].mean(), rel=0.03)
    assert ((foreseen - true) ** 2).mean() < ((mean - true) ** 2).mean()


def test_money_in_another_unit_gives_the_same_model() -> None:
    rng = np.random.default_rng(2)
    n, mean = rng.integers(1, 9, 500).astype(np.float64), rng.gamma(3.0, 20.0, 500)
    euros, cents = fit_gamma_gamma(n, mean), fit_gamma_gamma(n[::-1], mean[::-1] * 100)
    assert (cents.p, cents.q, cents.v / 100) == pytest.approx((euros.p, euros.q, euros.v), rel=1e-4)


def test_who_has_no_order_gets_the_mean_and_more_orders_weigh_more() -> None:
    none, one, many = CDNOW.expected_amount([0, 1, 100], [np.nan, 200, 200])
    assert none == pytest.approx(CDNOW.mean_amount())
    assert none < one < many < 200
    no_mean = GammaGamma(p=2.0, q=0.8, v=10.0)
    assert no_mean.expected_amount([3], [50]).tolist() == [50]
    assert no_mean.mean_amount() == np.inf


def test_customers_without_amounts_are_left_out_and_nobody_is_refused() -> None:
    rng = np.random.default_rng(3)
    n, mean = rng.integers(1, 9, 300).astype(np.float64), rng.gamma(3.0, 20.0, 300)
    assert fit_gamma_gamma([*n, 0], [*mean, 0]) == fit_gamma_gamma(n, mean)
    with pytest.raises(ShortHistoryError, match="amount"):
        fit_gamma_gamma([0, 0], [0, 0])
    alike = fit_gamma_gamma([1, 2, 3], [10, 10, 10])
    assert alike.at_bound
    assert alike.expected_amount([2], [10]) == pytest.approx([10], rel=0.05)


@pytest.mark.parametrize(("n", "mean"), [([1], [0]), ([1], [np.nan]), ([-1], [5]), ([np.inf], [5]), ([1, 2], [5])])
def test_impossible_spends_are_a_bug_of_the_caller(n: list[float], mean: list[float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        CDNOW.expected_amount(n, mean)


def test_a_manifest_gives_the_same_model_back() -> None:
    assert GammaGamma.from_manifest(json.loads(json.dumps(CDNOW.to_manifest()))) == CDNOW


@pytest.mark.parametrize("change", [{"p": 0}, {"q": float("nan")}, {"v": "1"}, {"at_bound": 0}, {"extra": 1.0}])
def test_a_crafted_manifest_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ModelFileError):
        GammaGamma.from_manifest({**CDNOW.to_manifest(), **change})
