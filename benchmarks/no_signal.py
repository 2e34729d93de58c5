"""Where the history tells nothing, do the probabilities stay by the base rate, and is it said?

    python benchmarks/no_signal.py [ORDERS...] [--seeds 3] [--customers 300 1000 4000 23000]

Every order file (a world of `worlds.py` where none is given) is spoilt in two ways, by seed:

shuffled   The days of all orders are dealt out anew among the orders, and so are the amounts. Rhythm, silence and spend
           then mean nothing, but each customer still has as many orders as before: whoever bought often will buy again,
           so something is left to learn.
redealt    Every order goes to a customer drawn at random. Nothing is left at all.

At several cutoffs a model is trained on the past and scores everybody known, as `churnkit score --population all` does.
Its log loss is shown in % above that of the base rate known at the cutoff (that of the horizon just over), and above
that of the rate of the window itself, which nobody can know before.
"""

import argparse
from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

import churnkit as ck
from churnkit.customers.snapshot import default_cutoff, first_order_on, order_book, outcomes
from churnkit.predict.model import ChurnModel
from churnkit.predict.scoring import score_customers
from worlds import mbg_nbd

FloatArray = NDArray[np.float64]

SIZES = (300, 1_000, 4_000, 23_000)
CUTOFFS = 2


def spoilt(orders: pl.DataFrame, how: str, customers: int, seed: int) -> pl.DataFrame:
    """Orders of some customers, whose history tells nothing (`redealt`) or nothing but how often they buy (`shuffled`).

    Args:
        orders: Clean order lines.
        how: `shuffled` or `redealt`.
        customers: At most so many.
        seed: Of the choice and of the deal.
    """
    rng = np.random.default_rng(seed)
    ids = orders["customer_id"].cast(pl.String).unique().sort()
    some = ids.gather(np.sort(rng.permutation(len(ids))[:customers]))
    lines = orders.filter(pl.col("customer_id").cast(pl.String).is_in(some.implode()))
    whole = order_book(lines).orders.select("customer_id", "second", "cents")
    who = whole["customer_id"].cast(pl.String)
    if how == "redealt":
        who = some.gather(rng.integers(len(some), size=len(who)))
    return pl.DataFrame(
        {
            "customer_id": who.cast(pl.Categorical()),
            "order_key": np.arange(len(who)),
            "ordered_at": pl.from_epoch(whole["second"].gather(rng.permutation(len(who)))).cast(pl.Datetime("us")),
            "amount_cents": whole["cents"].gather(rng.permutation(len(who))),
        }
    ).with_columns(
        pl.lit(None, pl.Int64).alias("quantity_milli"),
        pl.lit(None, pl.Categorical()).alias("product"),
        pl.lit(None, pl.Categorical()).alias("market"),
    )


def cutoffs_of(orders: pl.DataFrame, horizon_days: int) -> Iterator[date]:
    """The latest cutoffs whose horizons are over, one horizon apart."""
    for back in range(1, CUTOFFS + 1):
        cutoff = default_cutoff(orders) - timedelta(days=back * horizon_days)
        if cutoff >= first_order_on(orders) + timedelta(days=2 * horizon_days):
            yield cutoff


def judged(orders: pl.DataFrame, cutoff: date, horizon_days: int) -> tuple[ChurnModel, FloatArray, FloatArray, float]:
    """A model of the past, its probabilities for everybody known, who then had no order, and the last rate known."""
    past = orders.filter(pl.col("ordered_at").dt.date() < cutoff)
    model = ck.train(past, cutoff=cutoff, horizon_days=horizon_days)
    p = score_customers(past, model, cutoff=cutoff)["churn_probability"].to_numpy()
    churned = outcomes(orders, cutoff=cutoff, horizon_days=horizon_days)["churned"].cast(pl.Float64).to_numpy()
    known = outcomes(past, cutoff=cutoff - timedelta(days=horizon_days), horizon_days=horizon_days)["churned"]
    return model, p, churned, float(known.mean())


def log_loss(churned: FloatArray, p: FloatArray | float) -> float:
    """Mean log loss of probabilities, or of one for everybody."""
    p = np.clip(np.broadcast_to(p, churned.shape), 1e-5, 1 - 1e-5)
    return -float((churned * np.log(p) + (1 - churned) * np.log1p(-p)).mean())


def show(name: str, orders: pl.DataFrame, how: str, size: int, seed: int, horizon_days: int) -> Iterator[float]:
    """Prints a line for each cutoff; gives the log loss in % above that of the base rate known then."""
    dealt = spoilt(orders, how, size, seed)
    for cutoff in cutoffs_of(dealt, horizon_days):
        model, p, churned, before = judged(dealt, cutoff, horizon_days)
        ours, known, itself = (log_loss(churned, q) for q in (p, before, churned.mean()))
        above = 100 * (ours / known - 1)
        said = "said" if any(note.startswith("No signal") for note in model.notes) else ""
        print(
            f"{name:16.16}{how:9}{len(churned):7,}{seed:5}  {cutoff}{churned.mean():7.3f}{before:7.3f}"
            f"{ours:9.4f}{above:9.2f}{100 * (ours / itself - 1):9.2f}  {model.kind:16} {said}",
            flush=True,
        )
        yield above


def main() -> None:
    """Prints the table, and the worst of it."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("orders", nargs="*", help="order files that churnkit can read")
    ask.add_argument("--seeds", type=int, default=3)
    ask.add_argument("--customers", type=int, nargs="+", default=SIZES)
    ask.add_argument("--horizon", type=int, default=60)
    given = ask.parse_args()
    books = {path.rsplit("/", 1)[-1]: ck.clean_orders(ck.read_orders(path))[0] for path in given.orders}
    books = books or {"MBG/NBD": mbg_nbd(1, max(given.customers)).orders}
    print(f"{'':68}% above that of the rate")
    names = f"{'left':>7}{'before':>7}{'log loss':>9}{'before':>9}{'itself':>9}"
    print(f"{'':25}{'known':>7}{'seed':>5}  {'cutoff':10}{names}")
    worst = {"shuffled": -np.inf, "redealt": -np.inf}
    for name, orders in books.items():
        sizes = [size for size in given.customers if size <= 1.2 * orders["customer_id"].n_unique()]
        for how in worst:
            for size in sizes:
                for seed in range(given.seeds):
                    worst[how] = max(worst[how], *show(name, orders, how, size, seed, given.horizon), -np.inf)
    print("\n" + ", ".join(f"worst {how}: {above:+.2f} % above the rate known" for how, above in worst.items()))


if __name__ == "__main__":
    main()
