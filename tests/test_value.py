"""What customers will bring: laws, hand-checked numbers, held-out windows of a made-up shop and of a real one."""

import io
import json
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars import col

import churnkit as ck
from churnkit.cli.app import run
from churnkit.customers.snapshot import outcomes, snapshot, spend_within
from churnkit.errors import DataError, ShortHistoryError, UsageError
from churnkit.predict.model import ChurnModel
from churnkit.predict.value import value_customers
from churnkit.terms import VALUE
from subscribers import subscribers
from worlds import lines_of, shop, shop_with_plans

Lines = list[tuple[str, datetime, int | None]]

CUTOFF, HORIZON_DAYS = date(2023, 4, 1), 60
PROMISED = ["customer_id", "expected_orders", "expected_spend", "lifetime_value"]
PROMISED += ["next_order_on", "next_order_from", "next_order_to"]


@pytest.fixture(scope="module")
def orders() -> pl.DataFrame:
    return shop(700, 540, seed=5)


@pytest.fixture(scope="module")
def model(orders: pl.DataFrame) -> ChurnModel:
    return ck.train(orders, cutoff=CUTOFF, horizon_days=HORIZON_DAYS)


@pytest.fixture(scope="module")
def rows(orders: pl.DataFrame, model: ChurnModel) -> pl.DataFrame:
    return ck.value(orders, model, cutoff=CUTOFF)


def test_the_rows_are_those_promised_most_valuable_first(rows: pl.DataFrame, orders: pl.DataFrame) -> None:
    assert rows.columns == [term.name for term in VALUE]
    assert rows.columns[:7] == PROMISED
    assert rows.height == snapshot(orders, cutoff=CUTOFF).height
    assert rows.equals(rows.sort("lifetime_value", "customer_id", descending=[True, False]))
    nullable = {term.name for term in VALUE if term.nullable}
    assert {name for name in rows.columns if rows[name].null_count()} <= nullable
    floats = rows.select(pl.selectors.float())
    assert all(floats[name].is_finite().all() and (floats[name] >= 0).all() for name in floats.columns)


def test_expected_orders_never_contradict_the_churn_probability(
    rows: pl.DataFrame, orders: pl.DataFrame, model: ChurnModel
) -> None:
    scored = ck.score(orders, model, cutoff=CUTOFF, population="all")
    both = rows.join(scored, on="customer_id", suffix="_scored")
    assert both["churn_probability"].equals(both["churn_probability_scored"])
    assert both["next_order_on"].equals(both["next_order_on_scored"])
    # who orders at all orders once or more
    assert (both["expected_orders"] >= (1 - both["churn_probability"]) * (1 - 1e-12)).all()


def test_money_is_orders_times_the_mean_order(rows: pl.DataFrame) -> None:
    product = rows["expected_orders"] * rows["expected_mean_order"]
    assert rows["expected_spend"].to_numpy() == pytest.approx(product.to_numpy(), rel=1e-12)


def test_a_lifetime_of_one_horizon_without_a_discount_is_the_expected_spend(
    orders: pl.DataFrame, model: ChurnModel
) -> None:
    rows = ck.value(orders, model, cutoff=CUTOFF, lifetime_days=HORIZON_DAYS, discount_rate=0.0)
    assert rows["lifetime_value"].to_numpy() == pytest.approx(rows["expected_spend"].to_numpy(), rel=1e-9)
    assert rows["lifetime_orders"].to_numpy() == pytest.approx(rows["expected_orders"].to_numpy(), rel=1e-9)


def test_a_longer_life_is_worth_more_a_discount_takes_off_and_a_margin_scales(
    orders: pl.DataFrame, model: ChurnModel
) -> None:
    def worth(**how: Any) -> Any:
        return ck.value(orders, model, cutoff=CUTOFF, **how).sort("customer_id")["lifetime_value"].to_numpy()

    usual = worth()
    assert (worth(lifetime_days=30) < worth(lifetime_days=HORIZON_DAYS)).all()
    assert (worth(lifetime_days=HORIZON_DAYS) < usual).all()
    assert (usual < worth(lifetime_days=3_650)).all()
    assert (worth(discount_rate=0.0) > usual).all()
    assert (worth(discount_rate=0.3) < usual).all()
    assert worth(margin=0.25) == pytest.approx(usual / 4, rel=1e-12)


def test_the_next_order_lies_within_its_range_and_one_order_day_tells_no_rhythm(rows: pl.DataFrame) -> None:
    known = rows.filter(col("next_order_on").is_not_null())
    assert (
        (known["next_order_from"] <= known["next_order_on"]) & (known["next_order_on"] <= known["next_order_to"])
    ).all()
    assert (known["next_order_from"] > known["last_order_on"]).all()
    assert known["next_order_on"].min() < CUTOFF < known["next_order_on"].max()  # type: ignore[operator]
    single = rows.filter(col("next_order_on").is_null())
    assert single.height
    assert single["next_order_from"].null_count() == single["next_order_to"].null_count() == single.height
    assert (single["frequency"] == 1).all()


def test_80_percent_of_held_out_orders_fall_within_their_range(orders: pl.DataFrame, model: ChurnModel) -> None:
    assert covered(orders, model, CUTOFF) == pytest.approx(0.8, abs=0.03)


def covered(orders: pl.DataFrame, model: ChurnModel, cutoff: date) -> float:
    """Share of the last order days before a cutoff within the range told without them, of who came back before."""
    day = col("ordered_at").dt.date()
    past = orders.filter((day < cutoff) & (col("amount_cents") >= 0).fill_null(True))
    past = past.with_columns(last=day.max().over("customer_id"))
    told = ck.value(past.filter(day < col("last")).drop("last"), model, cutoff=cutoff)
    truth = past.select(col("customer_id").cast(pl.String), "last").unique()
    both = told.join(truth, on="customer_id").filter(col("next_order_on").is_not_null())
    return float(both["last"].is_between(both["next_order_from"], both["next_order_to"]).mean())  # type: ignore[arg-type]


def test_held_out_orders_and_spend_are_foretold_better_than_by_the_own_pace(
    rows: pl.DataFrame, orders: pl.DataFrame
) -> None:
    told = rows.sort("customer_id")
    later = spend_within(orders, cutoff=CUTOFF + timedelta(days=HORIZON_DAYS), days=HORIZON_DAYS)
    later = told.select("customer_id").join(later, on="customer_id", how="left")
    before = spend_within(orders, cutoff=CUTOFF, days=2 * HORIZON_DAYS)
    for ours, name in (("expected_orders", "orders"), ("expected_spend", "spend")):
        foretold, truth, pace = told[ours].to_numpy(), later[name].to_numpy(), before[name].to_numpy() / 2
        assert foretold.sum() == pytest.approx(truth.sum(), rel=0.12)
        assert ((foretold - truth) ** 2).mean() < 0.9 * ((pace - truth) ** 2).mean()


def test_a_hand_made_rhythm_gives_its_next_order_and_its_spend() -> None:
    start = datetime(2023, 1, 1)
    punctual: Lines = [
        (f"p{gap}", start + timedelta(days=gap * n), 300 * gap) for gap in range(15, 45) for n in range(600 // gap)
    ]
    model = ck.train(pl.concat([shop(80, 300, seed=9), lines_of(punctual)]), horizon_days=30)
    clockwork: Lines = [("clock", start + timedelta(days=20 * n), 5_000) for n in range(30)]
    refunded: Lines = [("refunded", when, cents) for _, when, cents in clockwork] + [("refunded", start, -75_000)]
    twice: Lines = [("twice", when + timedelta(hours=hour), 2_500) for _, when, _ in clockwork for hour in (0, 2)]
    both = lines_of([*clockwork, *refunded, *twice]).with_columns(order_key=pl.int_range(pl.len(), dtype=pl.Int64))
    rows = ck.value(both, model, cutoff=date(2024, 8, 4)).sort("customer_id")
    assert rows["customer_id"].to_list() == ["clock", "refunded", "twice"]
    assert rows["next_order_on"].to_list() == [date(2024, 8, 23)] * 3
    clock, refund, two = rows.iter_rows(named=True)
    assert (
        date(2024, 8, 10) < clock["next_order_from"] <= date(2024, 8, 23) <= clock["next_order_to"] < date(2024, 9, 5)
    )
    assert clock["expected_mean_order"] == pytest.approx(50, rel=0.03)  # 30 orders of 50.00
    assert refund["expected_mean_order"] == pytest.approx(25, rel=0.1)  # 750.00 of them were sent back
    assert two["expected_mean_order"] == pytest.approx(25, rel=0.1)  # the same money in two orders a day
    assert two["expected_orders"] == pytest.approx(2 * clock["expected_orders"], rel=0.12)
    assert two["expected_spend"] == pytest.approx(clock["expected_spend"], rel=0.05)


def test_the_population_and_the_top_choose_rows_and_change_no_number(
    rows: pl.DataFrame, orders: pl.DataFrame, model: ChurnModel
) -> None:
    active = ck.value(orders, model, cutoff=CUTOFF, population="active")
    assert 0 < active.height < rows.height
    assert active.equals(rows.filter((CUTOFF - col("last_order_on")).dt.total_days() <= model.activity_window_days))
    valued = value_customers(orders, model, cutoff=CUTOFF, top=3)
    assert valued.rows.equals(rows.head(3))
    assert valued.summary == {
        "customers": rows.height,
        "valued": rows.height,
        "listed": 3,
        "expected_orders": pytest.approx(rows["expected_orders"].sum(), abs=0.06),
        "expected_spend": pytest.approx(rows["expected_spend"].sum(), abs=0.01),
        "lifetime_orders": pytest.approx(rows["lifetime_orders"].sum(), abs=0.06),
        "lifetime_value": pytest.approx(rows["lifetime_value"].sum(), abs=0.01),
    }


def test_row_order_other_ids_and_what_comes_later_change_nothing(
    rows: pl.DataFrame, orders: pl.DataFrame, model: ChurnModel
) -> None:
    assert ck.value(orders.sample(fraction=1, shuffle=True, seed=1), model, cutoff=CUTOFF).equals(rows)
    seen = orders.filter(col("ordered_at") < datetime(2023, 4, 1))
    assert ck.value(seen, model).equals(ck.value(seen, model, cutoff=CUTOFF))
    renamed = seen.with_columns(("z" + col("customer_id").cast(pl.String).str.reverse()).cast(pl.Categorical()))
    numbers = rows.drop("customer_id").sort(pl.all())
    assert ck.value(renamed, model, cutoff=CUTOFF).drop("customer_id").sort(pl.all()).equals(numbers)


def test_what_is_learned_of_money_and_rhythm_is_the_same_under_other_ids() -> None:
    few = shop(120, 200, seed=4)
    renamed = few.with_columns(("z" + col("customer_id").cast(pl.String).str.reverse()).cast(pl.Categorical()))
    assert ck.train(renamed, horizon_days=90).valuation == ck.train(few, horizon_days=90).valuation


def test_a_customer_added_changes_no_value_of_the_others(
    rows: pl.DataFrame, orders: pl.DataFrame, model: ChurnModel
) -> None:
    guest = orders.head(1).with_columns(pl.lit("zz guest").cast(pl.Categorical()).alias("customer_id"))
    after = ck.value(pl.concat([orders, guest]), model, cutoff=CUTOFF)
    others = after.filter(col("customer_id") != "zz guest")
    assert others.drop("segment").equals(rows.drop("segment"))  # a segment is a place among all customers


def test_money_in_another_unit_scales_money_and_no_order() -> None:
    cheap = shop(120, 200, seed=4)
    dear = cheap.with_columns(col("amount_cents") * 100)
    told = [ck.value(lines, ck.train(lines, horizon_days=90)) for lines in (cheap, dear)]
    both = told[0].join(told[1], on="customer_id", suffix="_dear")
    for name, factor in {
        "expected_orders": 1,
        "lifetime_orders": 1,
        "expected_spend": 100,
        "lifetime_value": 100,
    }.items():
        assert both[f"{name}_dear"].to_numpy() == pytest.approx(factor * both[name].to_numpy(), rel=1e-4)
    assert both["next_order_to"].equals(both["next_order_to_dear"])


def test_without_amounts_there_are_orders_and_no_money() -> None:
    orders = shop(150, 200, seed=8, amounts=False)
    valued = value_customers(orders, ck.train(orders, horizon_days=90))
    for name in ("expected_spend", "lifetime_value", "expected_mean_order", "monetary"):
        assert valued.rows[name].null_count() == valued.rows.height
    assert valued.summary["lifetime_value"] is None
    assert valued.rows["expected_orders"].min() > 0  # type: ignore[operator]
    assert valued.rows["lifetime_orders"].head(20).mean() > valued.rows["lifetime_orders"].mean()  # type: ignore[operator]
    assert any("no amounts" in note for note in valued.notes)


def test_a_saved_model_values_to_the_last_bit_and_loads_no_model_library(
    orders: pl.DataFrame, model: ChurnModel, rows: pl.DataFrame, tmp_path: Path
) -> None:
    ck.save_model(model, tmp_path / "shop.model")
    orders.write_parquet(tmp_path / "orders.parquet")
    code = f"""
import sys, polars as pl, churnkit as ck
from datetime import date
model = ck.load_model("shop.model")
rows = ck.value(pl.read_parquet("orders.parquet"), model, cutoff=date({CUTOFF.year}, {CUTOFF.month}, {CUTOFF.day}))
rows.write_parquet("rows.parquet")
print(*sorted({{"sklearn", "scipy", "joblib"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
    assert pl.read_parquet(tmp_path / "rows.parquet").equals(rows)


def test_what_else_is_known_of_customers_is_taken_into_account() -> None:
    orders, plans = shop_with_plans(200, 300)
    known = ck.clean_attributes(plans, orders)
    model = ck.train(orders, attributes=known, horizon_days=45)
    rows = ck.value(orders, model, attributes=known).sort("customer_id")
    scored = ck.score(orders, model, attributes=known, population="all").sort("customer_id")
    assert rows["churn_probability"].equals(scored["churn_probability"])
    with pytest.raises(DataError, match="attributes"):
        ck.value(orders, model)


@pytest.mark.parametrize("kind", ["base-rate", "buy-till-you-die"])
def test_the_plainer_models_value_too(orders: pl.DataFrame, model: ChurnModel, kind: str) -> None:
    from dataclasses import replace

    from churnkit.models.blend import alone

    plain = replace(model, kind=kind, blend=alone(model.blend))  # type: ignore[arg-type]
    rows = ck.value(orders, plain, cutoff=CUTOFF)
    assert rows["lifetime_value"].is_finite().all()
    assert (rows["churn_probability"].n_unique() == 1) == (kind == "base-rate")


@pytest.mark.parametrize("how", [{"margin": 0}, {"margin": 1.5}, {"discount_rate": -0.1}, {"lifetime_days": 0}])
def test_what_no_lifetime_can_be_is_refused(orders: pl.DataFrame, model: ChurnModel, how: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        ck.value(orders, model, **how)


def test_orders_that_do_not_fit_the_model_are_refused(orders: pl.DataFrame, model: ChurnModel) -> None:
    with pytest.raises(ShortHistoryError, match="no order before"):
        ck.value(orders, model, cutoff=date(2001, 1, 1))
    with pytest.raises(DataError, match="amounts"):
        ck.value(orders.with_columns(pl.lit(None, pl.Int64).alias("amount_cents")), model)


def answered(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command line."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        code = run(["value", *arguments])
    for stream in (out, err):
        stream.seek(0)
    return int(code), out.read(), err.read()


@pytest.fixture(scope="module")
def folder(model: ChurnModel, orders: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("value")
    ck.save_model(model, folder / "shop.model")
    seen = orders.filter(col("ordered_at") < datetime(2023, 4, 1))
    seen.select("customer_id", "ordered_at", amount=col("amount_cents") / 100).write_csv(folder / "orders.csv")
    return folder


def test_the_command_answers_as_its_schema_says(folder: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    assert run(["schema", "value"]) == 0
    schema = json.loads(capsysbinary.readouterr().out)
    code, out, err = answered(
        *(str(folder / "orders.csv"), "--model", str(folder / "shop.model"), "--margin", "0.4", "--lifetime", "365"),
        *("--discount-rate", "0.15", "--top", "5", "-f", "json"),
    )
    assert code == 0, err
    document = json.loads(out)
    jsonschema.validate(document, schema, format_checker=jsonschema.FormatChecker())
    assert document["schema"] == "churnkit/value/1"
    assert [document[name] for name in ("lifetime_days", "margin", "discount_rate")] == [365, 0.4, 0.15]
    assert len(document["rows"]) == 5
    assert document["summary"]["valued"] == document["summary"]["customers"] > 5
    assert any("40 % of the spend (--margin) of 365 days" in note for note in document["notes"])


def test_all_formats_and_the_columns_that_were_asked_for(folder: Path) -> None:
    asked = (
        str(folder / "orders.csv"),
        "-m",
        str(folder / "shop.model"),
        "-q",
        "--columns",
        "customer_id,lifetime_value",
    )
    code, csv, _ = answered(*asked, "-f", "csv")
    assert code == 0
    assert csv.splitlines()[0] == "customer_id,lifetime_value"
    code, table, _ = answered(*asked, "--top", "4")
    assert code == 0
    assert "What customers will bring in 60 days from 2023-04-01, and in 1,095" in table
    assert answered(*asked, "-o", str(folder / "best.parquet"))[0] == 0
    assert pl.read_parquet(folder / "best.parquet").height == len(csv.splitlines()) - 1


def test_a_lifetime_beyond_the_history_is_said_to_be_an_extrapolation(orders: pl.DataFrame, model: ChurnModel) -> None:
    assert any("extrapolation" in note for note in value_customers(orders, model).notes)
    from churnkit.predict.expected import Lifetime

    short = value_customers(orders, model, cutoff=CUTOFF, lifetime=Lifetime(180, 1.0, 0.0))
    assert not any("extrapolation" in note for note in short.notes)


def test_a_model_of_a_labelled_table_is_refused(folder: Path, tmp_path: Path) -> None:
    from churnkit.predict.labelled.training import train_labelled

    trained = train_labelled(ck.customer_table(subscribers(), label="churned"), folds=3)
    ck.save_model(trained.model, tmp_path / "labelled.model")
    code, out, err = answered(str(folder / "orders.csv"), "--model", str(tmp_path / "labelled.model"))
    assert (code, out) == (2, "")
    assert "labelled table" in err


def test_cdnow_is_foretold_and_its_ranges_hold(real_data: Path) -> None:
    lines = ck.read_orders(real_data / "cdnow_sample.parquet")
    orders, _ = ck.clean_orders(lines, columns={"customer": "sample_id"})
    cutoff, days = date(1998, 1, 1), 90
    model = ck.train(orders, cutoff=cutoff, horizon_days=days)
    assert covered(orders, model, cutoff) == pytest.approx(0.8, abs=0.03)
    told = ck.value(orders, model, cutoff=cutoff).sort("customer_id")
    later = outcomes(orders, cutoff=cutoff, horizon_days=days)
    spent, pace = later["spend"].to_numpy(), spend_within(orders, cutoff=cutoff, days=2 * days)["spend"].to_numpy() / 2
    foretold = told["expected_spend"].to_numpy()
    assert foretold.sum() == pytest.approx(spent.sum(), rel=0.2)
    assert ((foretold - spent) ** 2).mean() < ((pace - spent) ** 2).mean()
