"""Attributes in the model: what they are worth, what they cost, how they are told, and that no future leaks in."""

import copy
import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from churnkit.act.ranking import score
from churnkit.cli.app import run
from churnkit.customers.snapshot import order_book, snapshot
from churnkit.errors import DataError, ModelFileError
from churnkit.models.container import read_container, write_container
from churnkit.orders.attributes import AttributeTable, clean_attributes
from churnkit.predict.attributes import Attribute, attribute_matrix, choose_attributes, statement_of, suspects
from churnkit.predict.columns import TableColumn
from churnkit.predict.explain import explain
from churnkit.predict.export import export_sklearn
from churnkit.predict.model import ChurnModel
from churnkit.predict.model_file import model_bytes, model_card
from churnkit.predict.pushes import families_of, family_pushes
from churnkit.predict.saved import load_model
from churnkit.predict.scoring import model_habit, score_customers
from churnkit.predict.stack import feature_matrix, horizon_rows, model_features
from churnkit.predict.training import train
from worlds import START, shop_with_plans

HORIZON = 45
ORDERS, PLANS = shop_with_plans(400, 360)
CUTOFF = START.date() + timedelta(days=360)


def trained(orders: pl.DataFrame = ORDERS, attributes: Any = None) -> ChurnModel:
    return train(orders, attributes=attributes, horizon_days=HORIZON, cutoff=CUTOFF)


@pytest.fixture(scope="module")
def plans() -> AttributeTable:
    return clean_attributes(PLANS, ORDERS)


@pytest.fixture(scope="module")
def survey() -> AttributeTable:
    """Answers that tell nothing, at days all over the history and after it."""
    rng = np.random.default_rng(11)
    days = rng.integers(0, 420, 500)
    frame = pl.DataFrame(
        {
            "customer": [f"c{n:05d}" for n in rng.integers(0, 400, 500)],
            "answered_on": [START.date() + timedelta(days=int(day)) for day in days],
            "nps": rng.integers(0, 11, 500),
        }
    )
    return clean_attributes(frame, ORDERS)


@pytest.fixture(scope="module")
def without() -> ChurnModel:
    return trained()


@pytest.fixture(scope="module")
def model(plans: AttributeTable, survey: AttributeTable) -> ChurnModel:
    return trained(attributes=[plans, survey])


def test_an_attribute_that_drives_churn_is_worth_its_file_and_is_named(
    plans: AttributeTable, survey: AttributeTable, without: ChurnModel, model: ChurnModel
) -> None:
    assert model.figures["log_loss"] < 0.95 * without.figures["log_loss"]
    listed = score(ORDERS, model, cutoff=CUTOFF, attributes=[plans, survey])
    basic = PLANS.filter(pl.col("plan") == "basic")["customer"]
    told = listed.filter(pl.col("customer_id").is_in(basic.implode()), pl.col("churn_probability") > 0.5)
    assert told.height > 20
    assert (told["reasons"].list.contains("plan is basic")).mean() == pytest.approx(1.0, abs=0.15)
    assert not listed["reasons"].explode().is_in(["plan is missing"]).any()


def test_a_noise_attribute_costs_next_to_nothing(without: ChurnModel) -> None:
    noise = PLANS.with_columns(plan=pl.Series(np.random.default_rng(77).choice(["a", "b", "c", "d"], PLANS.height)))
    noisy = trained(attributes=clean_attributes(noise, ORDERS))
    assert noisy.attributes
    assert noisy.figures["log_loss"] < 1.005 * without.figures["log_loss"]


def test_an_attribute_that_is_the_same_everywhere_changes_no_number(without: ChurnModel) -> None:
    same = clean_attributes(PLANS.with_columns(plan=pl.lit("one"), empty=pl.lit(None, pl.String)), ORDERS)
    model = trained(attributes=same)
    assert model.notes[-3] == "Attributes left out: empty (empty), plan (the same everywhere)."
    manifest, arrays = read_container(model_bytes(model))
    expected, numbers = read_container(model_bytes(without))
    manifest["notes"] = expected["notes"]
    assert manifest == expected
    assert all(np.array_equal(arrays[name], numbers[name]) for name in numbers)
    assert b'"attributes"' not in model_bytes(without)


def test_what_is_said_after_the_cutoff_the_order_of_files_and_the_ids_change_no_byte(
    plans: AttributeTable, survey: AttributeTable, model: ChurnModel
) -> None:
    before = survey.rows.filter(pl.col("known_at").dt.date() < CUTOFF)
    assert before.height < survey.rows.height
    ids = sorted(PLANS["customer"])
    other = dict(zip(ids, np.random.default_rng(5).permutation([f"x{name}" for name in ids]).tolist(), strict=True))
    orders = ORDERS.with_columns(pl.col("customer_id").cast(pl.String).replace_strict(other).cast(pl.Categorical()))
    cut, moved = (
        replace(table, rows=rows.reverse().with_columns(pl.col("customer_id").replace_strict(other)))
        for table, rows in ((survey, before), (plans, plans.rows))
    )
    assert model_bytes(trained(orders, attributes=[cut, moved])) == model_bytes(model)


def test_training_rows_know_only_what_was_said_before_their_cutoff(survey: AttributeTable) -> None:
    book = order_book(ORDERS, survey)
    chosen, _ = choose_attributes(book, snapshot(book, cutoff=CUTOFF))
    rows = horizon_rows(book, CUTOFF, HORIZON, model_features(), 1.0, chosen)
    assert rows is not None
    counted = [attribute.column.name for attribute in chosen].index("n_nps")
    counts = rows.X[:, len(model_features()) + counted]
    expected = 0
    for cutoff in rows.cutoffs:
        known = snapshot(ORDERS, cutoff=cutoff)["customer_id"]
        said = survey.rows.filter(pl.col("known_at").dt.date() < cutoff, pl.col("customer_id").is_in(known.implode()))
        expected += said.height
    assert counts.sum() == expected


def test_the_pushes_of_the_attributes_add_up_with_those_of_the_families(
    plans: AttributeTable, survey: AttributeTable, model: ChurnModel
) -> None:
    book = order_book(ORDERS, [plans, survey])
    customers = score_customers(book, model, cutoff=CUTOFF)
    habit = model_habit(book, customers, model, CUTOFF)
    assert families_of(model)[-3:] == ("nps answers", "nps", "plan")
    p = customers["churn_probability"].to_numpy()
    rest = np.log(p / (1 - p)) - family_pushes(model, customers, habit).sum(axis=1)
    assert np.ptp(rest) < 1e-6


def test_an_explanation_tells_an_attribute_in_the_words_of_the_list(
    plans: AttributeTable, survey: AttributeTable, model: ChurnModel
) -> None:
    listed = score(ORDERS, model, cutoff=CUTOFF, attributes=[plans, survey])
    who = listed.filter(pl.col("reasons").list.contains("plan is basic"))["customer_id"][0]
    explained = explain(ORDERS, model, [who], cutoff=CUTOFF, attributes=[plans, survey])
    rows = explained.rows.filter(pl.col("family") == "plan")
    assert rows["statement"].to_list() == ["plan is basic"]
    assert explained.customers[0]["reasons"] == listed.filter(customer_id=who)["reasons"][0].to_list()
    answered = survey.rows.filter(pl.col("known_at").dt.date() < CUTOFF).row(0, named=True)
    told = explain(ORDERS, model, [answered["customer_id"]], cutoff=CUTOFF, attributes=[plans, survey]).rows
    latest = survey.rows.filter(
        pl.col("customer_id") == answered["customer_id"], pl.col("known_at").dt.date() < CUTOFF
    ).row(-1, named=True)
    said = dict(told.select("family", "statement").iter_rows())
    usual = next(each.column.usual for each in model.attributes if each.column.name == "nps")
    day = latest["known_at"].date()
    assert said["nps"] == ("" if latest["nps"] == usual else f"nps {latest['nps']} on {day} (usual is {usual:.0f})")
    assert said["nps answers"].endswith(f" {(CUTOFF - day).days} days ago")


def test_a_saved_model_keeps_what_it_reads(plans: AttributeTable, survey: AttributeTable, model: ChurnModel) -> None:
    loaded = load_model(model_bytes(model))
    assert isinstance(loaded, ChurnModel)
    assert loaded.attributes == model.attributes
    known = [plans, survey]
    assert score(ORDERS, loaded, attributes=known).equals(score(ORDERS, model, attributes=known))
    assert model_card(model)["attributes"] == ["nps", "plan"]
    assert b"c00" not in model_bytes(model)


def test_a_model_that_reads_attributes_asks_for_them(plans: AttributeTable, model: ChurnModel) -> None:
    with pytest.raises(DataError, match="trained with the attributes nps, plan, and there is no nps") as caught:
        score(ORDERS, model, attributes=plans)
    assert "--attributes" in caught.value.hint
    with pytest.raises(DataError, match="there is no nps now"):
        score(ORDERS, model)


def test_a_value_that_the_training_never_had_counts_as_missing(survey: AttributeTable, model: ChurnModel) -> None:
    unseen = clean_attributes(PLANS.with_columns(plan=pl.lit("gold")), ORDERS)
    empty = clean_attributes(PLANS.with_columns(plan=pl.lit(None, pl.String)), ORDERS)
    listed = score(ORDERS, model, attributes=[unseen, survey])
    expected = score(ORDERS, model, attributes=[empty, survey])
    assert listed["churn_probability"].equals(expected["churn_probability"])


@pytest.mark.parametrize(
    "spoilt",
    [
        [],
        {},
        ["plan"],
        [{"name": "plan", "kind": "category", "levels": ["a", "b"], "usual": 0.0}],
        [{"name": "plan", "kind": "oracle", "levels": [], "usual": 0.0, "of": "plan"}],
        [{"name": "nps", "kind": "number", "levels": [], "usual": "8", "of": "nps"}],
        [{"name": "nps", "kind": "number", "levels": [], "usual": 8.0, "of": "nps"}] * 2,
        [{"name": "nps", "kind": "number", "levels": [], "usual": 8.0, "of": "nps"}],
    ],
)
def test_a_file_whose_attributes_no_training_wrote_is_refused(model: ChurnModel, spoilt: object) -> None:
    manifest, arrays = read_container(model_bytes(model))
    manifest = copy.deepcopy(manifest) | {"attributes": spoilt}
    with pytest.raises(ModelFileError):
        load_model(write_container(manifest, arrays))


def test_an_undated_attribute_that_foretells_everything_is_named(plans: AttributeTable) -> None:
    last = ORDERS.group_by("customer_id").agg(pl.col("ordered_at").max()).cast({"customer_id": pl.String})
    gone = last.select("customer_id", cancelled=pl.col("ordered_at").dt.date() < CUTOFF - timedelta(days=HORIZON))
    leak = clean_attributes(gone, ORDERS)
    book = order_book(ORDERS, [leak, plans])
    chosen, _ = choose_attributes(book, snapshot(book, cutoff=CUTOFF))
    assert suspects(book, chosen, cutoff=CUTOFF, horizon_days=HORIZON) == {"cancelled": 1.0}
    notes = trained(attributes=[leak, plans]).notes
    assert any("cancelled (AUC 1.00) alone tells who left" in note and "--ignore cancelled" in note for note in notes)


def test_categories_are_pooled_by_how_many_customers_have_them() -> None:
    names = ["de"] * 200 + ["fr"] * 150 + ["it"] * 48 + ["xx", "yy"]
    table = clean_attributes(PLANS.select("customer", country=pl.Series(names)), ORDERS)
    book = order_book(ORDERS, table)
    customers = snapshot(book, cutoff=CUTOFF)
    chosen, _ = choose_attributes(book, customers)
    assert chosen[0].column.levels == ("de", "fr", "it")
    X = attribute_matrix(customers, chosen)
    rare = customers["country"].is_in(["xx", "yy"]).to_numpy()
    assert np.isnan(X[rare]).all()
    assert statement_of("country", chosen, {"country": "xx"}, CUTOFF) == "country is xx (rare)"
    assert statement_of("country", chosen, {"country": "de"}, CUTOFF) == "country is de"
    assert statement_of("country", chosen, {"country": None}, CUTOFF) == "country is missing"
    assert (X[~rare].sum(axis=1) == 1).all()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("shop")
    lines = ORDERS.select(
        customer_id=pl.col("customer_id").cast(pl.String),
        order_date=pl.col("ordered_at").dt.date(),
        amount=pl.col("amount_cents") / 100,
    )
    lines.write_csv(folder / "orders.csv")
    PLANS.rename({"customer": "Kunde"}).write_csv(folder / "plans.csv", separator=";")
    return {"orders": str(folder / "orders.csv"), "plans": str(folder / "plans.csv"), "model": str(folder / "m.model")}


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = run(list(words))
    out, err = capsys.readouterr()
    return code, out, err


def test_the_commands_read_attributes(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    orders, known = files["orders"], ("--attributes", files["plans"])
    code, _, err = answer(capsys, "train", orders, *known, "--horizon", "45", "-o", files["model"])
    assert code == 0
    assert "plans.csv tells plan of 400 of 400 customers (100 %), matched by Kunde" in err
    with_model = (orders, "--model", files["model"])
    code, out, _ = answer(capsys, "score", *with_model, *known, "-f", "json", "--top", "30")
    reasons = [reason for row in json.loads(out)["rows"] for reason in row["reasons"]]
    assert code == 0
    assert "plan is basic" in reasons
    code, out, _ = answer(capsys, "explain", *with_model, *known, "-f", "json", "--id", "c00001")
    assert {row["family"] for row in json.loads(out)["rows"]} >= {"plan", "silence"}
    code, out, _ = answer(capsys, "model", files["model"], "-f", "json")
    assert json.loads(out)["summary"]["attributes"] == ["plan"]
    code, out, err = answer(capsys, "score", *with_model)
    assert (code, out) == (65, "")
    assert "--attributes FILE" in err


def test_the_customer_table_and_the_segments_gain_the_columns(
    files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    orders, known = files["orders"], ("--attributes", files["plans"])
    _, out, _ = answer(capsys, "features", orders, *known, "-f", "csv", "--columns", "customer_id,plan")
    assert out.splitlines()[:2] == ["customer_id,plan", f"c00000,{PLANS['plan'][0]}"]
    _, out, _ = answer(capsys, "segment", orders, *known, "--list", "-f", "ndjson", "--top", "1")
    assert list(json.loads(out))[-1] == "plan"
    _, out, _ = answer(capsys, "segment", orders, *known, "--by", "plan", "-f", "json")
    rows = json.loads(out)["rows"]
    assert list(rows[0])[:3] == ["segment", "plan", "customers"]
    assert sum(row["customers"] for row in rows) == 400
    assert [row["plan"] for row in rows if row["segment"] == "Champions"] == ["plus", "premium"]
    for words, said in (
        (("--by", "plan"), "no attribute 'plan'"),
        (("--by", "plam", *known), "there are plan"),
        (("--by", "plan", "--list", *known), "leave out one"),
        (("--attributes-date", "day"), "--attributes-date is for a table of attributes"),
        (("--columns", "nothing", *known), "no column 'nothing'"),
    ):
        code, out, err = answer(capsys, "segment", orders, *words)
        assert (code, out) == (2, "")
        assert said in err


def test_a_model_without_attributes_says_that_it_does_not_read_them(
    files: dict[str, str], without: ChurnModel, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "plain.model").write_bytes(model_bytes(without))
    words = ("score", files["orders"], "--model", str(tmp_path / "plain.model"), "-f", "csv")
    code, plain, _ = answer(capsys, *words)
    assert code == 0
    code, out, err = answer(capsys, *words, "--attributes", files["plans"])
    assert (code, out) == (0, plain)
    assert "was trained without attributes" in err


def test_attributes_can_stand_in_the_environment(
    files: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHURNKIT_ATTRIBUTES", files["plans"])
    _, out, _ = answer(capsys, "features", files["orders"], "-f", "csv", "--top", "1")
    assert out.splitlines()[0].endswith(",plan")


def test_the_exported_estimators_read_the_attributes(
    plans: AttributeTable, survey: AttributeTable, model: ChurnModel, tmp_path: Path
) -> None:
    import joblib

    export_sklearn(ORDERS, model, tmp_path / "m.joblib", [plans, survey])
    kept = joblib.load(tmp_path / "m.joblib")
    customers = score_customers(ORDERS, model, cutoff=CUTOFF, attributes=[plans, survey])
    X = feature_matrix(customers, model.features, model.money_unit, model.attributes)
    assert np.allclose(kept["boosting"].decision_function(X), model.blend.learned["boosting"].log_odds(X), atol=1e-12)
    assert [each["name"] for each in kept["attributes"]] == ["n_nps", "nps", "nps_age_days", "plan"]


def test_a_labelled_table_takes_no_attributes(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = answer(capsys, "score", files["plans"], "--label", "plan", "--attributes", files["plans"])
    assert code == 2
    assert "--attributes is for orders" in err


def test_dates_of_the_world() -> None:
    assert date(2022, 12, 27) == CUTOFF


def test_a_number_is_told_with_its_day_and_with_what_is_usual() -> None:
    read = tuple(
        Attribute(TableColumn(name, "number", usual=usual), "nps")
        for name, usual in (("nps", 8.0), ("n_nps", 2.0), ("nps_age_days", 30.0))
    )
    row = {"nps": 2, "n_nps": 3, "nps_age_days": 26}
    assert statement_of("nps", read, row, CUTOFF) == "nps 2 on 2022-12-01 (usual is 8)"
    assert statement_of("nps", read, row | {"nps": 8}, CUTOFF) == ""
    assert statement_of("nps answers", read, row, CUTOFF) == "nps stated 3 times, last 26 days ago"
    assert statement_of("nps answers", read, row | {"n_nps": 1}, CUTOFF) == "nps stated once, 26 days ago"
    never = {"nps": None, "n_nps": 0, "nps_age_days": None}
    assert statement_of("nps", read, never, CUTOFF) == "nps is missing"
    assert statement_of("nps answers", read, never, CUTOFF) == ""
    assert statement_of("nps", read[:1], {"nps": 8}, CUTOFF) == ""
    assert statement_of("nps", read[:1], {"nps": 2.5}, CUTOFF) == "nps 2.5 (usual is 8)"
