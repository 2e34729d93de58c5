"""One customer whole: rhythm, similar customers' fate, the line of time and the bars."""

import random
from datetime import date, datetime, time, timedelta

import numpy as np
import polars as pl
import pytest

from churnkit.cli.portraits import EXPLAINED, SIMILAR
from churnkit.customers.gaps import gaps_of
from churnkit.customers.similar import MOST_SIMILAR, earlier_customers
from churnkit.customers.snapshot import default_cutoff, history_of, order_book, outcomes, snapshot
from churnkit.output.display import plain_marks, width
from churnkit.output.document import Fact, Portrait, Push
from churnkit.output.pictures import PIPE_WIDTH, push_bars, timeline
from churnkit.output.portrait import portrait_blocks
from churnkit.predict.explain import explain
from churnkit.predict.model import ChurnModel
from churnkit.predict.training import train
from worlds import lines_of, shop

CUTOFF = date(2024, 1, 1)
Order = dict[str, object]


@pytest.fixture(scope="module")
def orders() -> pl.DataFrame:
    return shop(1200, 480, seed=21)


@pytest.fixture(scope="module")
def model(orders: pl.DataFrame) -> ChurnModel:
    return train(orders, horizon_days=60)


def history(*days: date, refunds: tuple[date, ...] = ()) -> pl.DataFrame:
    rows = sorted([(day, False) for day in days] + [(day, True) for day in refunds])
    return pl.DataFrame(rows, schema=["ordered_on", "refund"], orient="row")


def ago(*days: int) -> tuple[date, ...]:
    return tuple(CUTOFF - timedelta(days=count) for count in days)


def order(days_ago: int, amount: float | None = 10.0) -> Order:
    refund = amount is not None and amount < 0
    return {"ordered_on": CUTOFF - timedelta(days=days_ago), "amount": amount, "lines": 1, "refund": refund}


def text_of(lines: list[list[tuple[str, str]]]) -> list[str]:
    return ["".join(text for text, _ in line).rstrip() for line in lines]


def test_the_rhythm_is_that_of_the_order_days() -> None:
    gaps = gaps_of(history(*ago(100, 90, 70, 40, 38, 20), refunds=ago(1)), cutoff=CUTOFF)  # 10 20 30 2 18
    assert gaps.mean_gap_days == 16.0
    assert gaps.median_gap_days == 18.0
    assert (gaps.usual_gap_from_days, gaps.usual_gap_to_days, gaps.max_gap_days) == (10, 20, 30)
    assert gaps.silent_days == 20
    assert gaps.silent_gaps == pytest.approx(20 / 18)
    assert "silent for 20 days now, 1.1 usual gaps" in gaps.sentence()
    assert "half of the gaps are 10 to 20 days, the longest 30" in gaps.sentence()


def test_one_order_day_is_no_rhythm() -> None:
    gaps = gaps_of(history(*ago(9, 9)), cutoff=CUTOFF)
    assert (gaps.mean_gap_days, gaps.silent_gaps) == (None, None)
    assert gaps.sentence() == "One order day only, so no rhythm yet; silent for 9 days now."


def test_the_rhythm_agrees_with_the_customer_table(orders: pl.DataFrame) -> None:
    cutoff = default_cutoff(orders)
    for row in snapshot(orders, cutoff=cutoff).head(60).iter_rows(named=True):
        own = history_of(orders, customer_id=row["customer_id"], cutoff=cutoff)
        gaps = gaps_of(own, cutoff=cutoff)
        assert gaps.mean_gap_days == pytest.approx(row["mean_gap_days"])
        assert (gaps.max_gap_days, gaps.silent_days) == (row["max_gap_days"], row["recency_days"])


def test_the_fate_of_similar_customers_is_that_of_the_nearest_by_hand(orders: pl.DataFrame) -> None:
    cutoff = default_cutoff(orders)
    book, then = order_book(orders), cutoff - timedelta(days=60)
    earlier = earlier_customers(book, cutoff=cutoff, horizon_days=60)
    assert earlier is not None
    assert earlier.cutoffs == (then,)
    one = snapshot(book, cutoff=cutoff).head(1)
    found = earlier.similar_to(one)
    assert found is not None

    pool = snapshot(book, cutoff=then)
    after = outcomes(book, cutoff=then, horizon_days=60)
    unit = float(np.median(pool["mean_order"].to_numpy()))

    def place(row: dict[str, float | None]) -> list[float]:
        rhythm = row["recency_over_mean_gap"]
        numbers = [row[name] or 0.0 for name in ("recency_days", "frequency", "tenure_days")]
        logs = [float(np.log1p(number)) for number in numbers]
        return [
            *logs,
            float(np.log1p(rhythm or 0.0)),
            float(np.log1p((row["monetary"] or 0.0) / unit)),
            float(rhythm is None),
        ]

    places = np.array([place(row) for row in pool.iter_rows(named=True)])
    spread = places.std(axis=0)
    distance = (((places - np.array(place(one.row(0, named=True)))) / spread) ** 2).sum(axis=1)
    distance[(pool["customer_id"] == one["customer_id"][0]).to_numpy()] = np.inf
    nearest = np.argsort(distance, kind="stable")[:MOST_SIMILAR]
    left = after["churned"].to_numpy()[nearest]
    assert found.customers == MOST_SIMILAR
    assert found.left == int(left.sum())
    assert found.median_spend == pytest.approx(np.median(after["spend"].to_numpy()[nearest][~left]), abs=0.005)
    assert 0 < found.median_return_days < 60  # type: ignore[operator]


def test_similar_customers_leave_as_often_as_the_customers_whom_they_resemble(orders: pl.DataFrame) -> None:
    now = default_cutoff(orders) - timedelta(days=60)
    book = order_book(orders)
    earlier = earlier_customers(book, cutoff=now, horizon_days=60)
    assert earlier is not None
    known, after = snapshot(book, cutoff=now), outcomes(book, cutoff=now, horizon_days=60)["churned"].to_numpy()
    found = [earlier.similar_to(one) for one in known.iter_slices(1)]
    rates = np.array([similar.churn_rate for similar in found if similar is not None])
    assert len(rates) == known.height
    low, high = rates <= np.quantile(rates, 0.3), rates >= np.quantile(rates, 0.7)
    assert after[low].mean() < after[high].mean() - 0.3
    assert after.mean() == pytest.approx(rates.mean(), abs=0.1)


def test_neither_ids_nor_row_order_nor_currency_nor_the_future_change_the_fate(orders: pl.DataFrame) -> None:
    cutoff = default_cutoff(orders) - timedelta(days=30)
    names = orders["customer_id"].cast(pl.String).unique().sort().to_list()
    other = list(names)
    random.Random(7).shuffle(other)
    to_other = dict(zip(names, other, strict=True))
    renamed = orders.with_columns(pl.col("customer_id").cast(pl.String).replace_strict(to_other).cast(pl.Categorical()))
    variants = {
        "as it is": (orders, names[5]),
        "shuffled": (orders.sample(fraction=1.0, shuffle=True, seed=1), names[5]),
        "renamed": (renamed, to_other[names[5]]),
        "past": (orders.filter(pl.col("ordered_at") < datetime.combine(cutoff, time())), names[5]),
        "cents": (orders.with_columns(pl.col("amount_cents") * 100), names[5]),
    }
    fates = {}
    for name, (lines, wanted) in variants.items():
        earlier = earlier_customers(order_book(lines), cutoff=cutoff, horizon_days=60)
        assert earlier is not None
        one = snapshot(lines, cutoff=cutoff).filter(pl.col("customer_id") == wanted)
        fates[name] = earlier.similar_to(one)
    first = fates["as it is"]
    assert first is not None
    assert fates["shuffled"] == fates["renamed"] == fates["past"] == first
    cents = fates["cents"]
    assert cents is not None
    assert (cents.customers, cents.left) == (first.customers, first.left)
    assert cents.median_spend == pytest.approx(100 * (first.median_spend or 0.0))


def test_too_few_customers_to_be_similar_are_said_to_be_too_few() -> None:
    few = shop(30, 300, seed=4)
    model = train(few)
    one = snapshot(few, cutoff=model.cutoff)["customer_id"][0]
    told = explain(few, model, [one]).customers[0]
    assert told["similar"] is None
    assert "Too few customers" in told["told"][-1]


def test_a_small_shop_looks_for_similar_customers_at_more_cutoffs() -> None:
    orders = shop(150, 480, seed=3)
    cutoff = default_cutoff(orders)
    earlier = earlier_customers(order_book(orders), cutoff=cutoff, horizon_days=60)
    assert earlier is not None
    assert earlier.cutoffs[:2] == (cutoff - timedelta(days=60), cutoff - timedelta(days=120))
    found = earlier.similar_to(snapshot(orders, cutoff=cutoff).head(1))
    assert found is not None
    assert found.sentence().startswith("One to ")


def test_an_explanation_has_the_keys_of_the_vocabulary(orders: pl.DataFrame, model: ChurnModel) -> None:
    one = explain(orders, model, ["c00007"]).customers[0]
    assert set(one) == {term.name for term in EXPLAINED}
    assert set(one["similar"]) == {term.name for term in SIMILAR}
    rows = explain(orders, model, ["c00007"]).rows
    way = one["churn_probability"] - one["average_probability"]
    assert rows["points"].sum() == pytest.approx(100 * way)
    assert one["similar"]["customers"] >= MOST_SIMILAR
    assert one["similar"]["churn_rate"] == one["similar"]["left"] / one["similar"]["customers"]


def test_the_line_of_time_puts_every_order_in_its_place() -> None:
    lines = text_of(timeline([order(60, 10.0), order(30, 40.0), order(7, -5.0)], CUTOFF, 10, 80))
    marks, refunds, axis, labels, legend = lines
    assert marks.index("▂") == 0
    assert marks.index("█") == 30
    assert marks.index("│") == refunds.index("│") == axis.index("│") == labels.index("2024-01-01") == 60
    assert refunds.index("×") == 53
    assert axis.endswith("┄" * 10)
    assert labels[axis.index("┴")] == "2"
    assert "each mark a day; the tallest 40.00; × refund" in legend


def test_without_amounts_the_marks_count_orders() -> None:
    lines = text_of(timeline([order(20, None), order(3, None), order(3, None)], CUTOFF, 5, 80))
    assert lines[0] == "▄" + " " * 16 + "█  │"
    assert "the tallest 2 orders" in lines[-1]


@pytest.mark.parametrize("room", [40, 60, 80, 120, 200, None])
@pytest.mark.parametrize("age", [1, 6, 75, 400, 3_000, 20_000])
def test_a_line_of_time_fits_whatever_the_history(room: int | None, age: int) -> None:
    orders = [order(day, 5.0) for day in sorted({age, max(age // 2, 1), 1}, reverse=True)]
    lines = text_of(timeline(orders, CUTOFF, 90, room))
    assert max(map(width, lines[:-1] if room is None else lines)) <= (room or PIPE_WIDTH)
    assert sum(mark in "▂▄▆█" for mark in lines[0]) in (1, 2, 3)
    assert lines[0][0] in "▂▄▆█"


PUSHES = [
    Push("silence", 12.0, "buys every 23 days, silent for 61"),
    Push("spend", -6.0, "large orders (53.46, usual is 18.90)"),
    Push("refunds", -0.04, ""),
]


def test_the_bars_go_left_and_right_of_the_average_customer() -> None:
    head, silence, spend, refunds, ends = text_of(push_bars(PUSHES, 0.62, 0.68, 100))
    middle = head.index("│")
    assert silence[middle + 1 : middle + 11] == "█" * 10
    assert spend[middle - 5 : middle] == "█" * 5
    assert set(refunds[len("refunds") : middle]) == {" "}
    assert "-0.0" not in refunds
    assert silence.endswith("+12.0  buys every 23 days, silent for 61")
    assert ends == "average customer 62%, this one 68%"


@pytest.mark.parametrize("room", [40, 60, 80, 120])
def test_a_portrait_fits_the_terminal_and_says_the_same_in_ascii(room: int) -> None:
    portrait = Portrait(
        title="ångström 客户七",
        reasons=["buys every 23 days, silent for 61", "spends half as much since June"],
        facts=[Fact("churn probability", 0.81, "probability", (0.7, 0.88)), Fact("risk", "high"), Fact("orders", 12)],
        orders=[order(300), order(61, 99.0), order(61, -3.0)],
        cutoff=CUTOFF,
        horizon_days=60,
        lines=["One horizon ago 100 other customers looked most like this one: 63 of them left within 60 days."],
        pushes=PUSHES,
        average=0.6,
        probability=0.81,
    )
    lines = [line for block in portrait_blocks(portrait, room) for line in text_of(block)]
    assert max(map(width, lines)) <= room
    assert any("81% (70–88%)" in line for line in lines)
    plain = [plain_marks(line) for line in lines[1:]]
    assert all(line.isascii() for line in plain)
    assert [len(line) for line in plain] == [len(line) for line in lines[1:]]


def test_a_customer_of_a_single_day_is_explained() -> None:
    lines = shop(300, 300, seed=6)
    late = lines_of([("new", datetime(2022, 10, 27), 1500)])
    orders = pl.concat([lines, late])
    model = train(orders, horizon_days=30)
    one = explain(orders, model, ["new"]).customers[0]
    assert one["median_gap_days"] is None
    assert any(said.startswith("One order day only") for said in one["told"])
