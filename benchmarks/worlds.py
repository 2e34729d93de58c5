"""Synthetic shops whose truth is known: how close to it do the probabilities come?

    python benchmarks/worlds.py [--customers 4000] [--seeds 1 2 3]

Each world draws customers from a model with known parameters and gives clean order lines up to the end of the horizon,
and for every customer known at the cutoff the oracle: P(no order within the horizon | the exact times of their orders,
the true parameters). Nobody who sees the history only can do better on average. The regret of probabilities is

    (their log loss - that of the oracle) / (that of the base rate - that of the oracle)

with the log loss expected under the oracle's probabilities, so that luck with the outcomes does not blur it.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnkit.customers.snapshot import log_gaps, order_book, snapshot
from churnkit.models.btyd import BGNBD, MBGNBD, fit_bgnbd, fit_mbgnbd
from churnkit.models.btyd_average import fit_average
from churnkit.models.erlang import ErlangMixture, fit_erlang_mixture
from churnkit.models.pareto import ParetoNBD, fit_pareto_nbd
from churnkit.models.seasonal import Season, fit_season
from churnkit.predict.scoring import score_customers
from churnkit.predict.training import train

FloatArray = NDArray[np.float64]

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - clean order lines are naive, in the zone that was stated
CUTOFF = date(2023, 11, 15)
HORIZON_DAYS = 60
HISTORY_DAYS, SEASON_HISTORY_DAYS = 730, 960
CUSTOMERS, FEW_CUSTOMERS = 4_000, 500
MOST_ORDERS = 2_000  # of one customer

_CHRISTMAS = np.array([0.7, 0.75, 0.9, 1.0, 1.0, 0.8, 0.6, 0.6, 0.9, 1.0, 1.4, 3.0])


@dataclass(frozen=True, slots=True)
class World:
    """A shop whose truth is known.

    Attributes:
        name: What it is made of.
        orders: Clean order lines (`terms.ORDERS`) up to the end of the horizon.
        cutoff: The first day that is not history.
        horizon_days: Length of the horizon.
        customer_id: The customers known at the cutoff, sorted.
        oracle: P(no order within the horizon | history, true parameters) of each of them.
        churned: Whether they had no order within the horizon.
    """

    name: str
    orders: pl.DataFrame
    cutoff: date
    horizon_days: int
    customer_id: tuple[str, ...]
    oracle: FloatArray
    churned: FloatArray


@dataclass(frozen=True, slots=True)
class _Histories:
    """Exact times since the first order, on the clock of the world."""

    x: FloatArray
    t_x: FloatArray
    T: FloatArray
    log_gaps: FloatArray


@dataclass(frozen=True, slots=True)
class _Buyers:
    """Customers of a world: how fast they order, how evenly, and when they leave."""

    rate: FloatArray  # orders a day
    shape: NDArray[np.int64]
    dropout: FloatArray  # after each order
    lifetime: FloatArray  # days from the first order
    gone_after_first: bool  # whether the first order may be the last


Oracle = Callable[[_Histories, float], FloatArray]


def bg_nbd(seed: int = 1, customers: int = CUSTOMERS) -> World:
    """The BG/NBD: nobody leaves before the first repeat order."""
    truth, rng = BGNBD(r=0.8, alpha=35.0, a=0.8, b=2.5), np.random.default_rng(seed)
    buyers = _random_buyers(
        rng, customers, truth.r, truth.alpha, dropout=rng.beta(truth.a, truth.b, customers), first=False
    )
    return _world("BG/NBD", rng, buyers, lambda h, horizon: truth.no_order_probability(h.x, h.t_x, h.T, horizon))


def mbg_nbd(seed: int = 1, customers: int = CUSTOMERS) -> World:
    """The MBG/NBD: any order may be the last."""
    truth, rng = MBGNBD(r=0.8, alpha=35.0, a=0.8, b=2.5), np.random.default_rng(seed)
    buyers = _random_buyers(rng, customers, truth.r, truth.alpha, dropout=rng.beta(truth.a, truth.b, customers))
    return _world("MBG/NBD", rng, buyers, lambda h, horizon: truth.no_order_probability(h.x, h.t_x, h.T, horizon))


def pareto_nbd(seed: int = 1, customers: int = CUSTOMERS) -> World:
    """The Pareto/NBD: customers leave after a time of their own."""
    truth, rng = ParetoNBD(r=0.8, alpha=35.0, s=0.7, beta=120.0), np.random.default_rng(seed)
    lifetime = rng.exponential(1 / rng.gamma(truth.s, 1 / truth.beta, customers))
    buyers = _random_buyers(rng, customers, truth.r, truth.alpha, lifetime=lifetime)
    return _world("Pareto/NBD", rng, buyers, lambda h, horizon: truth.no_order_probability(h.x, h.t_x, h.T, horizon))


def regular_buyers(seed: int = 1, customers: int = CUSTOMERS) -> World:
    """Three in ten order at random, the others like clockwork, more or less."""
    truth, rng = (
        ErlangMixture((1, 3, 9), (0.3, 0.4, 0.3), 1.2, (60.0, 50.0, 45.0), 0.8, 4.0),
        np.random.default_rng(seed),
    )
    kind = rng.choice(3, customers, p=truth.shares)
    buyers = _Buyers(
        rate=rng.gamma(truth.r, 1 / np.array(truth.alpha)[kind]),
        shape=np.array(truth.shapes)[kind],
        dropout=rng.beta(truth.a, truth.b, customers),
        lifetime=np.full(customers, np.inf),
        gone_after_first=True,
    )

    def oracle(h: _Histories, horizon: float) -> FloatArray:
        return truth.no_order_probability(h.x, h.t_x, h.T, h.log_gaps, horizon)

    return _world("regular buyers", rng, buyers, oracle)


def strong_season(seed: int = 1, customers: int = CUSTOMERS) -> World:
    """The MBG/NBD in a shop that lives on Christmas, with the cutoff before it: December is three times as busy."""
    truth, rng = MBGNBD(r=0.8, alpha=35.0, a=0.8, b=2.5), np.random.default_rng(seed)
    days = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    season = Season(tuple(_CHRISTMAS / ((_CHRISTMAS * days).sum() / days.sum())), 1.0)
    buyers = _random_buyers(rng, customers, truth.r, truth.alpha, dropout=rng.beta(truth.a, truth.b, customers))

    def oracle(h: _Histories, horizon: float) -> FloatArray:
        return truth.no_order_probability(h.x, h.t_x, h.T, horizon)

    return _world("strong season", rng, buyers, oracle, season, SEASON_HISTORY_DAYS)


def few_customers(seed: int = 1, customers: int = FEW_CUSTOMERS) -> World:
    """The MBG/NBD with 500 customers."""
    world = mbg_nbd(seed, customers)
    return World("500 customers", *(getattr(world, name) for name in World.__slots__[1:]))


WORLDS: tuple[Callable[..., World], ...] = (
    bg_nbd,
    mbg_nbd,
    pareto_nbd,
    regular_buyers,
    strong_season,
    few_customers,
)


def regret(probability: FloatArray, world: World) -> float:
    """(log loss - that of the oracle) / (that of the base rate - that of the oracle), expected under the oracle."""
    least = _expected_loss(world.oracle, world.oracle)
    base = _expected_loss(np.full_like(world.oracle, world.oracle.mean()), world.oracle)
    return (_expected_loss(probability, world.oracle) - least) / (base - least)


def _expected_loss(probability: FloatArray, true: FloatArray) -> float:
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    return -float((true * np.log(p) + (1 - true) * np.log1p(-p)).mean())


def _random_buyers(
    rng: np.random.Generator,
    customers: int,
    r: float,
    alpha: float,
    *,
    dropout: FloatArray | None = None,
    lifetime: FloatArray | None = None,
    first: bool = True,
) -> _Buyers:
    return _Buyers(
        rate=rng.gamma(r, 1 / alpha, customers),
        shape=np.ones(customers, dtype=np.int64),
        dropout=np.zeros(customers) if dropout is None else dropout,
        lifetime=np.full(customers, np.inf) if lifetime is None else lifetime,
        gone_after_first=first,
    )


def _world(
    name: str,
    rng: np.random.Generator,
    buyers: _Buyers,
    oracle: Oracle,
    season: Season | None = None,
    history_days: int = HISTORY_DAYS,
) -> World:
    """Customers arrive evenly over the history and order on the clock of the season until the end of the horizon."""
    season = season or Season()
    cutoff = (CUTOFF - EPOCH.date()).days
    calendar = np.arange(cutoff - history_days, cutoff + HORIZON_DAYS + 1)
    clock = season.clock(calendar)
    now, end = season.clock([cutoff, cutoff + HORIZON_DAYS])
    begin = np.interp(rng.uniform(cutoff - history_days, cutoff, len(buyers.rate)), calendar, clock)
    times = _order_times(rng, buyers, begin, end)
    p = oracle(_seen(times, begin, now), float(end - now))
    who, nth = np.nonzero(times < end)
    day = np.interp(times[who, nth], clock, calendar)
    spend = rng.gamma(4.0, 900.0, len(begin))
    cents = np.maximum(rng.gamma(3.0, spend[who] / 3.0), 50).astype(np.int64)
    ids = [f"c{n:06d}" for n in range(len(begin))]
    churned = ~((times >= now) & (times < end)).any(axis=1)
    return World(name, _lines([ids[n] for n in who], day, cents), CUTOFF, HORIZON_DAYS, tuple(ids), p, churned * 1.0)


def _order_times(rng: np.random.Generator, buyers: _Buyers, begin: FloatArray, end: float) -> FloatArray:
    """Per customer a row of order times on the clock, infinite after the last."""
    many = len(begin)
    columns = [begin]
    alive = rng.random(many) > buyers.dropout if buyers.gone_after_first else np.ones(many, dtype=bool)
    now = begin
    while alive.any() and len(columns) < MOST_ORDERS:
        now = now + rng.gamma(buyers.shape, 1 / (buyers.rate * buyers.shape))
        alive = alive & (now - begin < buyers.lifetime) & (now < end)
        columns.append(np.where(alive, now, np.inf))
        alive = alive & (rng.random(many) > buyers.dropout)
    return np.column_stack(columns)


def _seen(times: FloatArray, begin: FloatArray, now: float) -> _Histories:
    past = np.where(times < now, times, np.nan)
    gaps = np.diff(past, axis=1)
    return _Histories(
        x=np.isfinite(past).sum(axis=1) - 1.0,
        t_x=np.nanmax(past, axis=1) - begin,
        T=now - begin,
        log_gaps=np.log(np.where(np.isfinite(gaps), gaps, 1.0)).sum(axis=1),
    )


def _lines(who: list[str], day: FloatArray, cents: NDArray[np.int64]) -> pl.DataFrame:
    when = [EPOCH + timedelta(seconds=int(value * 86_400)) for value in day]
    return pl.DataFrame(
        {
            "customer_id": pl.Series(who, dtype=pl.String).cast(pl.Categorical()),
            "order_key": np.arange(1, len(who) + 1),
            "ordered_at": pl.Series(when, dtype=pl.Datetime("us")),
            "amount_cents": cents,
        }
    ).with_columns(
        pl.lit(None, pl.Int64).alias("quantity_milli"),
        pl.lit(None, pl.Categorical()).alias("product"),
        pl.lit(None, pl.Categorical()).alias("market"),
    )


def layer(world: World) -> dict[str, FloatArray]:
    """The probabilities of each buy-till-you-die model, on the calendar and on the clock of the season it finds."""
    book = order_book(world.orders)
    table = snapshot(book, cutoff=world.cutoff)
    x = table["n_order_days"].to_numpy() - 1.0
    cutoff = (world.cutoff - EPOCH.date()).days
    last = cutoff - table["recency_days"].to_numpy()
    first = cutoff - table["tenure_days"].to_numpy()
    days = book.orders.filter(pl.col("new_day") & (pl.col("day") < cutoff)).group_by("day").len().sort("day")
    season = fit_season(x, first, last, cutoff, days["day"].to_numpy(), days["len"].to_numpy())
    answers = {}
    for name, clock in (("", Season()), ("+season", season)):
        t_x, T = clock.habit(first, last, cutoff)
        horizon = clock.horizon(cutoff, world.horizon_days)
        sums = log_gaps(book, cutoff=world.cutoff, clock=clock.clock)["log_gaps"].to_numpy()
        for fit in (fit_bgnbd, fit_mbgnbd, fit_pareto_nbd):
            answers[fit.__name__.split("_")[1] + name] = fit(x, t_x, T).no_order_probability(x, t_x, T, horizon)
        for fit_with_gaps in (fit_erlang_mixture, fit_average):
            model = fit_with_gaps(x, t_x, T, sums)
            answers[fit_with_gaps.__name__.split("_")[1] + name] = model.no_order_probability(x, t_x, T, sums, horizon)
    return answers


def churnkit(world: World) -> FloatArray:
    """The probabilities of the whole way: a model trained on the orders before the cutoff, and its scores."""
    model = train(world.orders, cutoff=world.cutoff, horizon_days=world.horizon_days)
    return score_customers(world.orders, model, cutoff=world.cutoff)["churn_probability"].to_numpy()


def main() -> None:
    """Prints the regret of churnkit, and of every buy-till-you-die model alone, in every world."""
    parser = argparse.ArgumentParser(description="Regret to the truth in shops whose truth is known.")
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    chosen = parser.parse_args()
    for make in WORLDS:
        for seed in chosen.seeds:
            world = make(seed, FEW_CUSTOMERS if make is few_customers else chosen.customers)
            answers = {"churnkit": churnkit(world), **layer(world)}
            regrets = {name: 100 * regret(probability, world) for name, probability in answers.items()}
            if make is WORLDS[0] and seed == chosen.seeds[0]:
                print(f"{'regret in %':15} seed", *(f"{name:>{max(len(name), 6)}}" for name in regrets))
            print(
                f"{world.name:15} {seed:4}",
                *(f"{value:{max(len(name), 6)}.2f}" for name, value in regrets.items()),
                flush=True,
            )


if __name__ == "__main__":
    main()
