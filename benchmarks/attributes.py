"""What is an attribute worth, and what does one cost that tells nothing?

    python benchmarks/attributes.py [--seeds 2] [--customers 700]

A made-up shop whose customers leave by their plan and by how satisfied they are at the time. Both can be given as
tables: the plan without dates, the answers to a survey with the day of each. Beside them stands a table of noise: a
category and a number drawn at random. Each row is a backtest with the same orders: the mean log loss over its cutoffs,
of all known customers and of the active ones, and what it is above (+) or below (-) that without attributes.
"""

import argparse
from datetime import date, timedelta

import numpy as np
import polars as pl

import churnkit as ck
from churnkit.orders.attributes import AttributeTable

DAYS, HORIZON_DAYS = 540, 60
START = date(2022, 1, 1)
LEAVES = {"basic": 0.30, "plus": 0.12, "premium": 0.03}  # after each order, of a customer who is satisfied
UNHAPPY = 4.0  # times as likely
TURNS_EVERY, ANSWERS_EVERY = 200.0, 90.0  # days, on average


def world(customers: int, seed: int) -> tuple[pl.DataFrame, dict[str, AttributeTable]]:
    """Clean order lines, and the tables by name."""
    rng = np.random.default_rng(seed)
    plans = rng.choice(sorted(LEAVES), customers)
    orders: list[tuple[str, date, float]] = []
    answers: list[tuple[str, date, int]] = []
    for number, plan in enumerate(plans):
        name = f"c{number:05d}"
        day = float(rng.uniform(0, DAYS - 60))
        unhappy_from = day + float(rng.exponential(TURNS_EVERY))
        asked = day + float(rng.exponential(ANSWERS_EVERY))
        while day < DAYS:
            orders.append((name, START + timedelta(days=int(day)), float(rng.integers(5, 50))))
            while asked < day:
                score = rng.normal(3.0 if asked > unhappy_from else 8.0, 1.2)
                answers.append((name, START + timedelta(days=int(asked)), int(np.clip(round(score), 0, 10))))
                asked += float(rng.exponential(ANSWERS_EVERY))
            if rng.random() < min(LEAVES[str(plan)] * (UNHAPPY if day > unhappy_from else 1.0), 0.9):
                break
            day += float(rng.exponential(25.0)) + 1.0
    lines = pl.DataFrame(orders, schema=["customer", "date", "amount"], orient="row")
    clean, _ = ck.clean_orders(lines)
    known = pl.DataFrame({"customer": [f"c{number:05d}" for number in range(customers)]})
    tables = {
        "plan": known.with_columns(plan=pl.Series(plans)),
        "survey": pl.DataFrame(answers, schema=["customer", "answered_on", "satisfaction"], orient="row"),
        "noise": known.with_columns(
            hair=pl.Series(rng.choice(["black", "brown", "fair", "red"], customers)), lucky=rng.normal(size=customers)
        ),
    }
    return clean, {name: ck.clean_attributes(table, clean) for name, table in tables.items()}


def log_losses(orders: pl.DataFrame, attributes: list[AttributeTable]) -> tuple[float, float]:
    """Mean over the cutoffs: of all known customers, and of the active ones."""
    rows = ck.backtest(orders, horizon_days=HORIZON_DAYS, attributes=attributes or None).rows
    ours = rows.filter(model="churnkit")
    everybody, active = (ours.filter(population=population)["log_loss"].to_numpy() for population in ("all", "active"))
    return float(everybody.mean()), float(active.mean())


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--customers", type=int, default=700)
    asked = parser.parse_args()
    print("seed  attributes      log loss, all          active")
    for seed in range(1, asked.seeds + 1):
        orders, tables = world(asked.customers, seed)
        base = log_losses(orders, [])
        print(f"{seed:4}  {'none':12}  {base[0]:8.4f}         {base[1]:8.4f}", flush=True)
        for names in (["plan"], ["survey"], ["plan", "survey"], ["noise"]):
            loss = log_losses(orders, [tables[name] for name in names])
            shares = [f"{value:8.4f} {value / before - 1:+7.2%}" for value, before in zip(loss, base, strict=True)]
            print(f"{seed:4}  {', '.join(names):12}  {'  '.join(shares)}", flush=True)


if __name__ == "__main__":
    main()
