"""Seeded worlds: clean order lines of customers whose habits are known."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl

START = datetime(2022, 1, 1)


def lines_of(rows: list[tuple[str, datetime, int | None]]) -> pl.DataFrame:
    """Clean order lines from (customer, when, cents)."""
    return pl.DataFrame(
        {
            "customer_id": pl.Series([who for who, _, _ in rows], dtype=pl.String).cast(pl.Categorical()),
            "order_key": pl.Series([0] * len(rows), dtype=pl.Int64),
            "ordered_at": pl.Series([when for _, when, _ in rows], dtype=pl.Datetime("us")),
            "amount_cents": pl.Series([cents for _, _, cents in rows], dtype=pl.Int64),
        }
    ).with_columns(
        pl.lit(None, pl.Int64).alias("quantity_milli"),
        pl.lit(None, pl.Categorical()).alias("product"),
        pl.lit(None, pl.Categorical()).alias("market"),
    )


def shop(
    customers: int = 600, days: int = 540, seed: int = 1, *, dropout: float = 0.15, amounts: bool = True
) -> pl.DataFrame:
    """Customers who buy at gamma rates and leave after each order with a probability (an MBG/NBD world)."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[str, datetime, int | None]] = []
    for n in range(customers):
        rate, spend = rng.gamma(1.2, 1 / 40), rng.gamma(4.0, 900.0)
        day = float(rng.uniform(0, days * 0.7))
        while day < days:
            cents = max(50, int(rng.gamma(3.0, spend / 3.0))) if amounts else None
            rows.append((f"c{n:05d}", START + timedelta(days=int(day)), cents))
            if rng.random() < dropout:
                break
            day += float(rng.exponential(1 / rate)) + 1.0
    return lines_of(rows)


def coin_toss_shop(customers: int = 400, seed: int = 3) -> pl.DataFrame:
    """Everybody orders every 30 days or not, by the toss of a coin: the history tells nothing about the future."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[str, datetime, int | None]] = []
    for n in range(customers):
        for month in range(18):
            first = month == 0
            if first or rng.random() < 0.5:
                when = START + timedelta(days=30 * month + (0 if first else int(rng.integers(0, 30))))
                rows.append((f"c{n:05d}", when, 1000))
    return lines_of(rows)


PLANS = {"basic": 0.45, "plus": 0.15, "premium": 0.03}  # how likely a customer leaves after each order


def shop_with_plans(customers: int = 700, days: int = 540, seed: int = 5) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A shop whose customers leave by their plan, and the table of plans; the orders alone tell it late."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[str, datetime, int | None]] = []
    plans = rng.choice(sorted(PLANS), customers)
    for n in range(customers):
        day = float(rng.uniform(0, days - 60))
        while day < days:
            rows.append((f"c{n:05d}", START + timedelta(days=int(day)), int(rng.integers(500, 5000))))
            if rng.random() < PLANS[plans[n]]:
                break
            day += float(rng.exponential(25)) + 1.0
    return lines_of(rows), pl.DataFrame({"customer": [f"c{n:05d}" for n in range(customers)], "plan": plans})
