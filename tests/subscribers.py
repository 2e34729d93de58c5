"""A made-up table of subscribers with a label, as hosting companies export them. `examples/subscribers.csv` is one."""

import numpy as np
import polars as pl

PLANS, PAYMENTS = ("monthly", "yearly", "two years"), ("card", "direct debit", "invoice", "wallet")


def subscribers(n: int = 400, seed: int = 7) -> pl.DataFrame:
    """One row a subscriber, text as in a CSV file. Who churned follows from plan, months, tickets and payment."""
    random = np.random.default_rng(seed)
    months = np.floor(random.gamma(1.5, 14.0, n)).astype(int) + 1
    plan = random.choice(3, n, p=(0.55, 0.3, 0.15))
    payment = random.choice(4, n, p=(0.45, 0.3, 0.2, 0.05))
    tickets = random.poisson(0.8 + 0.5 * (payment == 2), n)
    fee = np.round(random.uniform(9, 15, n) + 12 * random.integers(0, 3, n) - 2 * plan, 2)
    log_odds = 0.6 - 1.5 * plan - 0.45 * np.log(months) + 0.5 * tickets + 0.03 * (fee - 20) + 0.8 * (payment == 2)
    churned = random.uniform(size=n) < 1 / (1 + np.exp(-log_odds))
    return pl.DataFrame(
        {
            "subscriber_id": [f"S{1001 + 7 * row:05d}" for row in range(n)],
            "plan": np.array(PLANS)[plan],
            "months": months.astype(str),
            "monthly_fee": [f"{value:.2f}" for value in fee],
            "total_paid": ["" if m == 1 else f"{value * (m - 1):.2f}" for value, m in zip(fee, months, strict=True)],
            "tickets": tickets.astype(str),
            "payment": np.array(PAYMENTS)[payment],
            "newsletter": np.where(random.uniform(size=n) < 0.4, "yes", "no"),
            "currency": ["EUR"] * n,
            "churned": np.where(churned, "yes", "no"),
        }
    )
