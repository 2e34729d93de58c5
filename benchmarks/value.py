"""Held-out orders, spend and next orders: how well does `value` foretell them, and who does better?

    python benchmarks/value.py [--data FOLDER] [SHOP ...]

Per shop and cutoff, with nothing but the past of the cutoff:

- the orders and the net spend of the horizon after it, by `value`, by the buy-till-you-die layer alone (what `value`
  would be without the churn probability), by BG/NBD, by the customer's own pace of the last two horizons, and by
  boosted regressors of the customer table, fitted to the horizon before the cutoff: sum over the true sum, root mean
  squared error, mean absolute error and correlation, and the mean Poisson deviance of the orders;
- the share of last orders before the cutoff, foretold without them, and of first orders after it, that fall between
  `next_order_from` and `next_order_to`.

Real files (CDNOW, Online Retail) are taken from a folder, worlds from `benchmarks/worlds.py`.
"""

import argparse
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars import col
from sklearn.ensemble import HistGradientBoostingRegressor

import churnkit as ck
import worlds
from churnkit.customers.snapshot import order_book, snapshot, spend_within
from churnkit.models.btyd import fit_bgnbd
from churnkit.predict.expected import expected_mean_order
from churnkit.predict.model import ChurnModel
from churnkit.predict.rhythm import spans_of
from churnkit.predict.scoring import model_habit, score_customers
from churnkit.predict.stack import feature_matrix, model_features

FloatArray = NDArray[np.float64]

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
FILES = {"cdnow": "cdnow_master.parquet", "online_retail": "online_retail.parquet"}
CUTOFFS = {"cdnow": ("1997-10-01", "1998-01-01", "1998-04-01"), "online_retail": ("2011-06-12", "2011-09-10")}
WORLDS = {make.__name__: make for make in worlds.WORLDS}
HORIZON_DAYS = 90


def foretold(orders: pl.DataFrame, model: ChurnModel, cutoff: date) -> dict[str, dict[str, FloatArray]]:
    """Orders and spend of the horizon by each forecaster, one value per customer known at the cutoff."""
    days = model.horizon_days
    told = ck.value(orders, model, cutoff=cutoff).sort("customer_id")
    known = score_customers(orders, model, cutoff=cutoff)
    layer = model.blend.btyd.expected_orders(*model_habit(orders, known, model, cutoff))
    mean_order = expected_mean_order(known, model).to_numpy()
    a_day = (known["frequency"] / known["n_order_days"]).to_numpy()
    spans = spans_of(known)
    bgnbd = fit_bgnbd(*spans).expected_orders(*spans, days)
    pace = spend_within(orders, cutoff=cutoff, days=2 * days)
    answers = {
        "value": (told["expected_orders"].to_numpy(), told["expected_spend"].to_numpy()),
        "layer alone": (layer * a_day, layer * a_day * mean_order),
        "BG/NBD": (bgnbd * a_day, bgnbd * a_day * mean_order),
        "own pace": tuple(pace[name].to_numpy() / 2 for name in ("orders", "spend")),
        "regressors": _regressed(orders, model, cutoff),
    }
    return {name: {"orders": counts, "spend": spend} for name, (counts, spend) in answers.items()}


def _regressed(orders: pl.DataFrame, model: ChurnModel, cutoff: date) -> tuple[FloatArray, FloatArray]:
    """Boosted trees fitted to what customers did in the horizon before the cutoff; they know no process."""
    earlier = cutoff - timedelta(days=model.horizon_days)
    X, later = (
        feature_matrix(snapshot(orders, cutoff=day), model_features(), model.money_unit) for day in (earlier, cutoff)
    )
    truth = _truth(orders, earlier, model.horizon_days)
    X, later = (np.where(np.isnan(part).all(axis=0), 0.0, part) for part in (X, later))
    counts, spend = (
        HistGradientBoostingRegressor(
            loss=loss, max_iter=120, learning_rate=0.05, max_leaf_nodes=8, l2_regularization=5.0, random_state=0
        )
        .fit(X, truth[name])
        .predict(later)
        for name, loss in (("orders", "poisson"), ("spend", "squared_error"))
    )
    return counts, np.maximum(spend, 0.0)


def _truth(orders: pl.DataFrame, cutoff: date, days: int) -> Mapping[str, FloatArray]:
    """Orders and net spend of the horizon, of the customers known at the cutoff, sorted by id."""
    known = snapshot(orders, cutoff=cutoff).select("customer_id")
    later = spend_within(orders, cutoff=cutoff + timedelta(days=days), days=days)
    found = known.join(later, on="customer_id", how="left", maintain_order="left")
    return {name: found[name].cast(pl.Float64).to_numpy() for name in ("orders", "spend")}


def covered(orders: pl.DataFrame, model: ChurnModel, cutoff: date) -> tuple[float, float]:
    """Share of last orders before the cutoff, and of first orders after it, within the range told without them."""
    book = order_book(orders).orders.filter(col("new_day"))
    days = book.select(col("customer_id").cast(pl.String), on=col("day").cast(pl.Int32).cast(pl.Date))
    last = days.filter(col("on") < cutoff).group_by("customer_id").agg(truth=col("on").max())
    after = days.filter(col("on") >= cutoff).group_by("customer_id").agg(truth=col("on").min())
    day = col("ordered_at").dt.date()
    id_of = orders.with_columns(id=col("customer_id").cast(pl.String)).join(
        last, left_on="id", right_on="customer_id", how="left"
    )
    before = id_of.filter(day < col("truth")).drop("id", "truth")
    return _within(before, model, cutoff, last), _within(orders, model, cutoff, after)


def _within(orders: pl.DataFrame, model: ChurnModel, cutoff: date, truth: pl.DataFrame) -> float:
    told = ck.value(orders, model, cutoff=cutoff).filter(col("next_order_on").is_not_null())
    both = told.join(truth, on="customer_id")
    return float(both.select(col("truth").is_between("next_order_from", "next_order_to").mean()).item())


def show(name: str, orders: pl.DataFrame, cutoff: date, horizon_days: int) -> None:
    """Prints the figures of one cutoff."""
    model = ck.train(orders, cutoff=cutoff, horizon_days=horizon_days)
    truth = _truth(orders, cutoff, horizon_days)
    print(f"\n{name} {cutoff}, {horizon_days} days, {len(truth['orders']):,} customers, {model.kind}")
    for forecaster, answers in foretold(orders, model, cutoff).items():
        for what, answer in answers.items():
            print(f"  {forecaster:12} {what:6} {_figures(answer, truth[what], counts=what == 'orders')}")
    last, after = covered(orders, model, cutoff)
    print(f"  within the range: {last:.3f} of last orders held out, {after:.3f} of first orders after", flush=True)


def _figures(answer: FloatArray, truth: FloatArray, *, counts: bool) -> str:
    error = answer - truth
    text = f"sum {answer.sum() / truth.sum():.3f}  rmse {np.sqrt((error**2).mean()):9.3f}"
    text += f"  mae {np.abs(error).mean():8.3f}  correlation {np.corrcoef(answer, truth)[0, 1]:.3f}"
    if not counts:
        return text
    safe = np.maximum(answer, 1e-3)
    logs = np.where(truth > 0, truth * np.log(np.maximum(truth, 1) / safe), 0.0)
    return f"{text}  deviance {2 * (logs - truth + safe).mean():.4f}"


def main() -> None:
    """Prints the figures of the shops that were named; of all for none."""
    parser = argparse.ArgumentParser(description="Held-out orders, spend and next orders, foretold.")
    parser.add_argument("shops", nargs="*", help=", ".join([*FILES, *WORLDS]))
    parser.add_argument("--data", type=Path, default=DATA)
    chosen = parser.parse_args()
    for name in chosen.shops or [*FILES, *WORLDS]:
        if name in WORLDS:
            world = WORLDS[name](1)
            show(world.name, world.orders, world.cutoff, world.horizon_days)
            continue
        orders, _ = ck.clean_orders(ck.read_orders(chosen.data / FILES[name]))
        for cutoff in CUTOFFS[name]:
            show(name, orders, date.fromisoformat(cutoff), HORIZON_DAYS)


if __name__ == "__main__":
    main()
