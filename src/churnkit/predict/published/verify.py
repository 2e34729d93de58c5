"""Refits published results and puts ours beside them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import numpy as np
import polars as pl

from churnkit.customers.holdout import holdout_histories
from churnkit.customers.snapshot import order_book
from churnkit.errors import DataError
from churnkit.models.btyd import BuyTillYouDie, fit_bgnbd, fit_mbgnbd
from churnkit.models.gamma_gamma import GammaGamma, fit_gamma_gamma
from churnkit.models.histories import FloatArray
from churnkit.models.pareto import ParetoNBD, fit_pareto_nbd
from churnkit.predict.published.results import (
    CALIBRATED_UNTIL,
    COHORT,
    HOLDOUT_DAYS,
    PUBLISHED,
    SAMPLE,
    History,
    Published,
    Shop,
)

Model = BuyTillYouDie | ParetoNBD | GammaGamma

SCHEMA = {
    "model": pl.String,
    "quantity": pl.String,
    "published": pl.Float64,
    "ours": pl.Float64,
    "difference": pl.Float64,
    "agrees": pl.Boolean,
    "history": pl.String,
    "source": pl.String,
}
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Verification:
    """Our figures beside the published ones.

    Attributes:
        data: `cdnow_sample` or `cdnow_master`.
        rows: One row a figure (`terms.VERIFY`).
        verdict: How many agree, in words.
        notes: What the figures rest on, as sentences.
    """

    data: str
    rows: pl.DataFrame = field(repr=False, compare=False)
    verdict: str
    notes: tuple[str, ...]

    @property
    def compared(self) -> int:
        """How many figures have a published one to stand beside."""
        return self.rows["agrees"].count()

    @property
    def agree(self) -> int:
        """How many of these agree to every digit that was published."""
        return int(self.rows["agrees"].sum())


class Calibration:
    """Histories in weeks, as the papers count them, each with the customers that have it.

    The papers count up to the last day of the calibration, where a cutoff is the day after it.
    """

    def __init__(self, histories: pl.DataFrame) -> None:
        days = {name: histories[name].to_numpy().astype(np.float64) for name in histories.columns}
        self.x, self.t_x = days["x"], days["active_days"] / _WEEK
        self.T = (days["tenure_days"] - 1) / _WEEK
        self.later, self.cents, self.customers = days["later"], days["cents"], days["customers"]
        self.fits: Mapping[str, Callable[[], Model]] = {
            "bgnbd": lambda: fit_bgnbd(self.x, self.t_x, self.T, self.customers),
            "pareto_nbd": lambda: fit_pareto_nbd(self.x, self.t_x, self.T, self.customers),
            "mbgnbd": lambda: fit_mbgnbd(self.x, self.t_x, self.T, self.customers),
            "gamma_gamma": self._fit_spend,
        }

    def _fit_spend(self) -> GammaGamma:
        each = np.repeat(np.arange(len(self.x)), (self.customers * (self.cents > 0)).astype(np.int64))
        return fit_gamma_gamma(self.x[each], self.cents[each] / 100 / self.x[each])

    def log_likelihood(self, model: BuyTillYouDie | ParetoNBD) -> float:
        """Summed over the customers."""
        return float((self.customers * model.log_likelihood(self.x, self.t_x, self.T)).sum())

    def correlation(self, model: BuyTillYouDie | ParetoNBD) -> float:
        """Between the orders that are expected in the holdout and those that came, over customers."""
        expected = model.expected_orders(self.x, self.t_x, self.T, HOLDOUT_DAYS / _WEEK)
        share = self.customers / self.customers.sum()
        expected, later = (_centred(values, share) for values in (expected, self.later))
        spread = (share * expected**2).sum() * (share * later**2).sum()
        return float((share * expected * later).sum() / np.sqrt(spread))


def verify(orders: pl.DataFrame | None = None) -> Verification:
    """Refits what has been published about the CDNOW data, and compares to every digit that was printed.

    Args:
        orders: Clean order lines of the CDNOW sample, which go the whole way, or of the whole cohort, about which
            nothing is published to compare with. Without any, the summary of the sample that ships with the package.

    Raises:
        DataError: These are other orders.
        MissingColumnError: These are no clean order lines.

    Example:
        >>> verification = verify()
        >>> verification.verdict
        'All 25 published figures are reproduced to every digit that was printed.'
        >>> verification.rows.row(6)[:6]
        ('bgnbd', 'log_likelihood', -9582.43, -9582.429207, 0.000793, True)
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    shop, histories = (SAMPLE, shipped_histories()) if orders is None else _histories_of(orders)
    seen = Calibration(histories)
    with threadpool_limits(1):
        models = {name: fit() for name, fit in seen.fits.items()}
        ours = [_ours(figure, seen, models) for figure in PUBLISHED]
    comparable = shop is SAMPLE
    rows = pl.DataFrame(
        [_row(figure, value, comparable=comparable) for figure, value in zip(PUBLISHED, ours, strict=True)],
        schema=SCHEMA,
        orient="row",
    )
    return Verification(shop.data, rows, _verdict(rows, shop), _notes(orders, shop))


def shipped_histories() -> pl.DataFrame:
    """The histories of the CDNOW sample that ship with the package, as `holdout_histories` makes them.

    Example:
        >>> shipped_histories()["customers"].sum()
        2357
    """
    return pl.read_csv(files("churnkit.predict.published").joinpath("cdnow_sample.csv").read_bytes())


def _histories_of(orders: pl.DataFrame) -> tuple[Shop, pl.DataFrame]:
    book = order_book(orders)
    return _shop_of(orders), holdout_histories(book, cutoff=CALIBRATED_UNTIL, holdout_days=HOLDOUT_DAYS)


def _shop_of(orders: pl.DataFrame) -> Shop:
    found = (orders["customer_id"].n_unique(), orders.height, int(orders["amount_cents"].sum()))
    for shop in (SAMPLE, COHORT):
        if found == (shop.customers, shop.lines, shop.cents):
            return shop
    raise DataError(
        f"these are not the CDNOW orders: {found[0]:,} customers, {found[1]:,} lines and {found[2] / 100:,.2f} in all, "
        f"where the sample has {SAMPLE.customers:,}, {SAMPLE.lines:,} and {SAMPLE.cents / 100:,.2f}",
        hint="nothing is published about other orders; how good the models are on these: churnkit backtest ORDERS",
    )


def _ours(figure: Published, seen: Calibration, models: Mapping[str, Model]) -> float:
    model = models.get(figure.model)
    if model is None:
        counted = seen.customers if figure.quantity == "customers" else seen.customers[seen.x == 0]
        return float(counted.sum())
    if isinstance(model, GammaGamma) or figure.quantity in model.to_manifest():
        return float(getattr(model, figure.quantity))
    if figure.history is not None:
        return _of_one(model, figure.quantity, figure.history)
    measured = {"log_likelihood": seen.log_likelihood, "correlation": seen.correlation}
    return measured[figure.quantity](model)


def _of_one(model: BuyTillYouDie | ParetoNBD, quantity: str, history: History) -> float:
    one = ([history.x], [history.active_days / _WEEK], [history.seen_days / _WEEK])
    answer = (
        model.alive_probability(*one) if quantity == "alive_probability" else model.expected_orders(*one, history.weeks)
    )
    return float(answer[0])


def _row(figure: Published, ours: float, *, comparable: bool) -> tuple[Any, ...]:
    history = None if figure.history is None else str(figure.history)
    ours = round(ours, 6)
    if not comparable:
        return figure.model, figure.quantity, None, ours, None, None, history, None
    difference = round(ours - figure.value, 6)
    agrees = figure.agrees(ours)
    return figure.model, figure.quantity, figure.value, ours, difference, agrees, history, figure.source


def _verdict(rows: pl.DataFrame, shop: Shop) -> str:
    compared, agree = rows["agrees"].count(), int(rows["agrees"].sum())
    if not compared:
        return f"Nothing is published about {shop.title} to compare with: these figures are ours alone."
    if agree == compared:
        return f"All {compared} published figures are reproduced to every digit that was printed."
    different = compared - agree
    return f"{different} of {compared} published figures {'is' if different == 1 else 'are'} not reproduced."


def _notes(orders: pl.DataFrame | None, shop: Shop) -> tuple[str, ...]:
    if orders is None:
        return ("from the summary of the CDNOW sample that ships with churnkit; from its orders: churnkit verify FILE",)
    if shop is COHORT:
        return (
            f"the published fits are those of the 1/10 sample of {SAMPLE.customers:,} customers (CDNOW_sample.txt)",
        )
    return ()


def _centred(values: FloatArray, share: FloatArray) -> FloatArray:
    return np.asarray(values - (share * values).sum())
