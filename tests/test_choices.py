"""What each choice of a window costs, beside a recomputation in plain Python and in SQL."""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import polars as pl
import pytest

import churnkit as ck
from churnkit.cli.app import run
from churnkit.cli.window import shape
from churnkit.customers.choices import WindowCosts
from churnkit.customers.snapshot import default_cutoff
from churnkit.output.json_schema import json_schema
from churnkit.terms import ACTIVITY_CHOICES, HORIZON_CHOICES
from hand_lines import Line, lines_of, orders_of
from worlds import shop

Row = Mapping[str, Any]
START = date(2022, 1, 1)


def weighed(orders: pl.DataFrame, cutoff: date, **given: int) -> WindowCosts:
    return ck.weigh_windows(orders, ck.advise_windows(orders, cutoff=cutoff, **given), cutoff=cutoff)


def small_shop(seed: int) -> pl.DataFrame:
    """Forty customers, several orders on some days, refunds, order ids that repeat, and lines without an amount."""
    rng = np.random.default_rng(seed)
    rows: list[Line] = []
    for n in range(40):
        day = int(rng.integers(0, 250))
        while day < 300:
            when = pl.Series([START]).cast(pl.Datetime("us"))[0] + timedelta(
                days=day, seconds=int(rng.integers(0, 80_000))
            )
            cents = [int(rng.integers(-900, 4_000)), 0, None][int(rng.choice(3, p=[0.9, 0.05, 0.05]))]
            rows.append((f"c{n}", int(rng.integers(0, 3)), when, cents, None, None))
            day += int(rng.choice([0, 1, 5, 14, 30, 60, 61]))
            if rng.random() < 0.15:
                break
    return lines_of(rows)


class Plain:
    """Order days and money by customer, counted line by line, without the order book."""

    def __init__(self, orders: pl.DataFrame, cutoff: date) -> None:
        nets: dict[tuple[str, int, date], list[int]] = defaultdict(list)
        for who, key, at, cents in orders.select("customer_id", "order_key", "ordered_at", "amount_cents").iter_rows():
            if at.date() < cutoff:
                nets[who, key, at.date()] += [] if cents is None else [cents]
        self.cutoff = cutoff
        self.money: dict[str, dict[date, int]] = defaultdict(dict)
        days: dict[str, set[date]] = defaultdict(set)
        for (who, _, day), cents in nets.items():
            self.money[who][day] = self.money[who].get(day, 0) + sum(cents)
            if sum(cents) >= 0:
                days[who].add(day)
        self.days: dict[str, list[date]] = {who: sorted(seen) for who, seen in days.items()}

    def cost(self, silent: int, horizon: int, window: int) -> Row:
        then = self.cutoff - timedelta(days=horizon)
        gone = back = cents = active = active_then = churned = 0
        for who, days in self.days.items():
            active += (self.cutoff - days[-1]).days <= window
            before = [day for day in days if day < then]
            if before and (then - before[-1]).days <= window:
                active_then += 1
                churned += days[-1] < then
            for day, following in zip(days, [*days[1:], None], strict=True):
                begin = day + timedelta(days=silent)
                end = begin + timedelta(days=horizon)
                if end <= self.cutoff and (following is None or following >= begin):
                    gone += 1
                    if following is not None and following < end:
                        back += 1
                        cents += sum(net for on, net in self.money[who].items() if begin <= on < end)
        return {
            "active": active,
            "base_rate": churned / active_then if active_then else None,
            "gone": gone,
            "returned": back,
            "false_alarm_share": back / gone if gone else None,
            "revenue_mistaken": cents / 100,
        }


def assert_as_counted(orders: pl.DataFrame, cutoff: date, **given: int) -> None:
    costs, plain = weighed(orders, cutoff, **given), Plain(orders, cutoff)
    horizon = costs.horizons.row(by_predicate=pl.col("taken"), named=True)["horizon_days"]
    for row in costs.horizons.iter_rows(named=True):
        days = row["horizon_days"]
        expected = plain.cost(days, days, 2 * days)
        assert {name: row[name] for name in expected} == expected
        assert row["days_to_know"] == 2 * days
    for row in costs.activity_windows.iter_rows(named=True):
        days = row["activity_window_days"]
        expected = plain.cost(days, horizon, days)
        assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize("seed", range(6))
def test_a_small_shop_costs_what_plain_python_counts(seed: int) -> None:
    orders = small_shop(seed)
    assert_as_counted(orders, default_cutoff(orders))
    assert_as_counted(orders, START + timedelta(days=200), horizon_days=21, activity_window_days=50)


def test_cdnow_costs_what_plain_python_counts(real_data: Path) -> None:
    orders = ck.clean_orders(ck.read_orders(real_data / "CDNOW_sample.txt"))[0]
    assert_as_counted(orders, date(1998, 7, 1))


def test_cdnow_costs_what_sql_counts(real_data: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    costs = weighed(ck.clean_orders(ck.read_orders(real_data / "cdnow_sample.parquet"))[0], date(1998, 7, 1))
    with duckdb.connect() as database:
        database.execute(
            "create table silences as select id, day, lead(day) over (partition by id order by day) as following from "
            f"(select distinct sample_id as id, date as day from '{real_data / 'cdnow_sample.parquet'}')"
        )
        counted = [
            database.execute(
                "select count(*), count(*) filter (following < day + 2 * $h) from silences "
                "where day + 2 * $h <= date '1998-07-01' and (following is null or following >= day + $h)",
                {"h": days},
            ).fetchone()
            for days in (14, 30, 60, 90, 180)
        ]
    assert costs.horizons.select("gone", "returned").rows() == counted


def test_the_columns_are_those_of_the_glossary_and_one_choice_is_taken() -> None:
    costs = weighed(shop(), date(2023, 6, 1), horizon_days=45)
    assert costs.horizons.columns == [term.name for term in HORIZON_CHOICES]
    assert costs.activity_windows.columns == [term.name for term in ACTIVITY_CHOICES]
    assert costs.horizons.filter("taken")["horizon_days"].to_list() == [45]
    assert costs.horizons["advised"].sum() == 1
    assert costs.activity_windows["activity_window_days"].to_list() == [45, 90, 135, 180]
    assert costs.activity_windows.filter("taken", "advised")["activity_window_days"].to_list() == [90]


def test_the_longer_one_waits_the_fewer_come_back_at_all() -> None:
    costs = weighed(shop(2000), date(2023, 6, 1))
    shares = costs.horizons["ever_returned_share"].to_list()
    assert shares == sorted(shares, reverse=True)
    # who comes back within one more horizon comes back at all
    assert (costs.horizons["false_alarm_share"] <= costs.horizons["ever_returned_share"] + 0.05).all()


def test_who_comes_back_at_all_is_counted_by_hand() -> None:
    """Forty days: a comes back after 5 and after 25, b after 15, c only on the day of the cutoff, d never."""
    orders = orders_of(
        [
            *(("a", "2024-01-01", 100), ("a", "2024-01-06", 200), ("a", "2024-01-31", 300)),
            *(("b", "2024-01-06", 100), ("b", "2024-01-21", 700)),
            *(("c", "2024-01-29", 100), ("c", "2024-02-10", 50), ("d", "2024-01-01", 100)),
        ]
    )
    row = weighed(orders, date(2024, 2, 10), horizon_days=10).horizons.row(by_predicate=pl.col("taken"), named=True)
    # silent for ten days, with ten more seen: a's second silence, both of b and that of d; b's first ended in time
    assert (row["gone"], row["returned"], row["revenue_mistaken"]) == (4, 1, 7.0)
    # 26 days are watched: b's first ends on day 15 as one of four left, a's second on day 25 as one of two
    assert row["ever_returned_share"] == pytest.approx(1 - 3 / 4 * 1 / 2)
    # a, b and c are active; ten days before b and c were, and have not ordered since
    assert (row["active"], row["base_rate"]) == (3, 1.0)


def test_without_amounts_no_money_is_mistaken_and_without_silences_nothing_is_known() -> None:
    costs = weighed(shop(amounts=False), date(2023, 6, 1))
    assert costs.horizons["revenue_mistaken"].null_count() == costs.horizons.height
    one = weighed(orders_of([("a", "2024-01-01", 100)]), date(2024, 1, 2))
    assert one.horizons.rows() == [(14, True, True, 1, None, 0, 0, None, None, 0.0, 28)]
    assert one.activity_windows.rows() == [(28, True, True, 1, None, 0, 0, None, None, 0.0)]


def test_ids_and_row_order_change_nothing() -> None:
    orders = shop(seed=2)
    other = orders.sample(fraction=1, shuffle=True, seed=5).with_columns(
        pl.col("customer_id").cast(pl.String).str.reverse().cast(pl.Categorical)
    )
    a, b = (weighed(each, date(2023, 6, 1)) for each in (orders, other))
    assert a.horizons.equals(b.horizons)
    assert a.activity_windows.equals(b.activity_windows)


@pytest.fixture
def example(tmp_path: Path) -> str:
    file = str(tmp_path / "orders.csv")
    assert run(["sample", "--quiet", "--output", file]) == 0
    return file


def test_the_answer_in_json_is_the_one_of_the_schema(example: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["window", example, "--format", "json", "--quiet"]) == 0
    document = json.loads(capsysbinary.readouterr().out)
    schema = json_schema(shape(), document["churnkit"])
    jsonschema.validate(document, schema)
    described = schema["properties"]["choices"]["items"]["properties"]
    assert set(described) == set(document["choices"][0]) == {term.name for term in HORIZON_CHOICES}
    assert [row["horizon_days"] for row in document["choices"] if row["taken"]] == [document["horizon_days"]]
    assert document["summary"]["agreeing_share"] == document["stability"]["agreeing_share"]


def test_the_table_shows_what_each_choice_costs_and_columns_only_the_rows(
    example: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(["window", example, "--quiet", "--horizon", "45"]) == 0
    shown = capsysbinary.readouterr().out.decode()
    assert "What each horizon costs\n" in shown
    assert "\n          45  given       " in shown
    assert "\n          60  advised     " in shown
    assert " of 200 resamples of the customers" in shown
    assert run(["window", example, "--quiet", "--columns", "silent_days,returned"]) == 0
    rows = capsysbinary.readouterr().out.decode()
    assert "What each" not in rows
    assert "silent_days  returned" in rows
