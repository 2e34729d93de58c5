"""What the commands cost beside the least that anybody could pay: bare Python, and a bare Polars group-by.

    python benchmarks/time_commands.py [--lines 1e6] [--customers 5e4] [--rounds 3]
    python benchmarks/time_commands.py --lines 3e5 --customers 1e5 --rounds 1    # score with training: 60 s, 1 GB

Every figure is the median over the rounds of one whole process, taken in turn (A B C A B C). Machines are shared and
noisy: compare the ratios of one run, never the seconds of two.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

CUTOFF, FIRST_DAY, DAYS = date(2025, 10, 1), date(2023, 12, 1), 730
CHURNKIT = [sys.executable, "-m", "churnkit"]
BARE_POLARS = f"""
import datetime, sys, polars as pl
pl.scan_parquet(sys.argv[1]).filter(pl.col("ordered_at") < datetime.date.fromisoformat("{CUTOFF}")).group_by(
    "customer_id").agg(pl.len(), pl.col("ordered_at").max(), pl.col("amount").sum()).collect()
"""


def write_orders(path: Path, lines: int, customers: int, seed: int = 7) -> None:
    """Two years of orders, at least one a customer; one order in thirty is given back.

    With twenty lines a customer there are twelve orders; with three or fewer every line is an order.
    """
    rng = np.random.default_rng(seed)
    orders = max(lines * 3 // 5, min(lines, 3 * customers))
    pace = rng.gamma(0.8, size=customers)
    buyer = np.concatenate([np.arange(customers), rng.choice(customers, size=orders - customers, p=pace / pace.sum())])
    started = rng.uniform(0.0, 0.6, size=customers)
    stopped = np.minimum(started + rng.exponential(0.7, size=customers), 1.0)
    share = started[buyer] + (stopped - started)[buyer] * rng.uniform(size=orders)
    of_order = np.concatenate([np.arange(orders), rng.integers(orders, size=lines - orders)])
    sign = np.where(rng.uniform(size=orders) < 1 / 30, -1, 1)[of_order]
    seconds = (share * DAYS * 86_400).astype(np.int64)
    frame = pl.DataFrame(
        {
            "order_id": of_order,
            "customer_id": buyer[of_order] + 100_000,
            "ordered_at": seconds[of_order],
            "product": pl.Series(rng.zipf(1.5, size=lines) % 5_000).cast(pl.String),
            "amount": (sign * rng.lognormal(3, 0.6, size=lines)).round(2),
        }
    )
    since = pl.lit(FIRST_DAY).cast(pl.Datetime("us"))
    moments = (since + pl.duration(seconds="ordered_at")).alias("ordered_at")
    frame.with_columns(moments).sort("ordered_at").write_parquet(path)


def measured(command: list[str]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak memory in MB of one process."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    if status:
        sys.exit(f"this failed: {' '.join(command)}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1e3


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--lines", type=float, default=1e6)
    ask.add_argument("--customers", type=float, help="one for 20 lines where not given")
    ask.add_argument("--rounds", type=int, default=3)
    given = ask.parse_args()
    lines = int(given.lines)
    customers = int(given.customers or max(lines // 20, 1))
    with tempfile.TemporaryDirectory() as folder:
        orders, model, out = (str(Path(folder) / name) for name in ("orders.parquet", "churn.model", "out.parquet"))
        write_orders(Path(orders), lines, customers)
        common = [orders, "--cutoff", CUTOFF.isoformat(), "--quiet"]
        once = {
            "churnkit train": measured([*CHURNKIT, "train", *common, "--output", model]),
            "churnkit score, training too": measured(
                [*CHURNKIT, "score", *common, "--population", "all", "--output", out]
            ),
        }
        tasks = {
            "bare Python": [sys.executable, "-c", "pass"],
            "churnkit --help": [*CHURNKIT, "--help"],
            "bare Polars group_by": [sys.executable, "-c", BARE_POLARS, orders],
            "churnkit features": [*CHURNKIT, "features", *common, "--output", out],
            "churnkit score --model": [*CHURNKIT, "score", *common, "--model", model, "--output", out],
        }
        runs = [{name: measured(command) for name, command in tasks.items()} for _ in range(given.rounds)]
    medians = {name: tuple(map(statistics.median, zip(*(run[name] for run in runs), strict=True))) for name in tasks}
    python, polars = medians["bare Python"][1], medians["bare Polars group_by"][1]
    print(
        f"{lines:,} lines, {customers:,} customers, median of {given.rounds} rounds (of one for those that train), "
        f"{os.cpu_count()} CPUs\n"
    )
    print(f"{'':29}{'wall s':>9}{'CPU s':>9}{'x Python':>10}{'x Polars':>10}{'peak MB':>9}   (CPU ratios)")
    for name, (wall, cpu, peak) in (medians | once).items():
        print(f"{name:29}{wall:9.2f}{cpu:9.2f}{cpu / python:10.1f}{cpu / polars:10.1f}{peak:9.0f}")


if __name__ == "__main__":
    main()
