"""A table with a column that says who churned: what is read from it, what is learned, and how honestly it is judged."""

import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from churnkit.cli.app import run
from churnkit.errors import DataError, MissingColumnError, ModelFileError, ShortHistoryError, UsageError
from churnkit.evaluate.metrics import auc
from churnkit.models.container import read_container, write_container
from churnkit.models.folds import stratified_folds
from churnkit.models.learned_blend import calibration, fit_learned_blend
from churnkit.orders.read import read_orders
from churnkit.output.models import save_model
from churnkit.predict.columns import choose_columns, groups_of, matrix_of
from churnkit.predict.labelled.labels import read_labels
from churnkit.predict.labelled.listing import explain_rows, list_customers, score_labelled
from churnkit.predict.labelled.model import LabelledModel, predict
from churnkit.predict.labelled.table import customer_table
from churnkit.predict.labelled.training import Trained, train_labelled
from churnkit.predict.saved import load_model, model_bytes, model_card
from churnkit.terms import EXPLAIN, SCORE
from subscribers import subscribers
from transcripts import ROOT


def trained_on(frame: pl.DataFrame, **how: Any) -> Trained:
    return train_labelled(customer_table(frame, label="churned", **how), folds=3)


@pytest.fixture(scope="module")
def trained() -> Trained:
    return trained_on(subscribers())


@pytest.fixture(scope="module")
def model(trained: Trained) -> LabelledModel:
    return trained.model


def labels_of(*values: object, name: str = "churned", churned: str | None = None) -> list[float | None]:
    return read_labels(pl.Series(name, values), churned).churned.to_list()


def test_plain_words_numbers_and_truth_values_are_labels() -> None:
    assert labels_of("Yes", " no ", None, "") == [1.0, 0.0, None, None]
    assert labels_of(1, 0) == labels_of(1.0, 0.0) == labels_of(True, False) == labels_of("1", "0") == [1.0, 0.0]
    assert labels_of("Churned", "Active") == labels_of("Attrited Customer", "Existing Customer") == [1.0, 0.0]


@pytest.mark.parametrize(
    ("values", "name", "said"),
    [
        (("left", "left"), "churned", "holds only 'left'"),
        (("blue", "red"), "churned", "not plain"),
        (("Stayed", "Churned", "Joined"), "status", "3 values"),
        ((1, 0), "is_active", "the opposite of churn"),
        (tuple(range(30)), "months", "it is no label"),
    ],
)
def test_a_label_that_is_not_plain_is_asked_about(values: tuple[object, ...], name: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        labels_of(*values, name=name)
    assert "--label" in caught.value.hint


def test_the_value_that_means_churned_can_be_named() -> None:
    assert labels_of("Stayed", "Churned", "Joined", churned="churned") == [0.0, 1.0, 0.0]
    assert labels_of(1, 0, name="is_active", churned="0") == [0.0, 1.0]
    with pytest.raises(DataError, match="no value 'gone'"):
        labels_of("Stayed", "Churned", churned="gone")


def test_the_note_of_a_label_says_its_values_and_counts() -> None:
    assert read_labels(pl.Series("Churn", ["Yes", "No", "No", ""])).note == (
        "Churn says churned: Yes (1); stayed: No (2) (--label-churned); without a label: 1"
    )


def test_the_columns_are_judged_by_type_and_values(trained: Trained) -> None:
    kinds = {column.name: column.kind for column in trained.model.columns}
    assert kinds == {
        "monthly_fee": "number",
        "months": "number",
        "newsletter": "category",
        "payment": "category",
        "plan": "category",
        "tickets": "number",
        "total_paid": "number",
    }
    notes = " ".join(trained.model.notes)
    assert "left out: currency (the same everywhere)" in notes
    assert "total_paid: " in notes
    assert "hold no number: taken as missing" in notes


def test_ids_dates_names_and_row_numbers_are_left_out_and_said() -> None:
    n = 60
    chosen = choose_columns(
        pl.DataFrame(
            {
                "row": range(1, n + 1),
                "phone": [4930000 + 37 * k for k in range(n)],
                "name": [f"customer {k}" for k in range(n)],
                "since": [f"2023-01-{k % 28 + 1:02d}" for k in range(n)],
                "nothing": [None] * n,
                "size": [k % 7 for k in range(n)],
            }
        )
    )
    assert [column.name for column in chosen.columns] == ["size"]
    (note,) = chosen.notes
    for name in ("row (numbers", "phone (numbers", "name (60 different", "since (a date", "nothing (empty"):
        assert name in note


def test_a_table_without_anything_to_learn_from_is_refused() -> None:
    with pytest.raises(DataError, match="no column is left"):
        choose_columns(pl.DataFrame({"currency": ["EUR"] * 60}))


def test_a_category_is_one_column_a_value_and_an_unknown_value_is_missing_and_counted() -> None:
    cells = pl.DataFrame({"plan": ["a", "b", "c"] * 20, "yes": ["0", "1", "1"] * 20})
    columns = choose_columns(cells).columns
    assert groups_of(columns).tolist() == [0, 0, 0, 1]
    X, notes = matrix_of(pl.DataFrame({"plan": ["c", "z", None], "yes": ["1", "0", "2"]}), columns)
    assert np.array_equal(X[0], [0, 0, 1, 1])
    assert np.isnan(X[1, :3]).all()
    assert np.isnan(X[2]).all()
    assert [note.split(" a value")[0] for note in notes] == ["plan: 1 row holds", "yes: 1 row holds"]


def test_the_id_is_found_by_name_or_by_content_else_rows_are_numbered() -> None:
    frame = subscribers(60)
    assert customer_table(frame, label="churned").id_column == "subscriber_id"
    by_content = frame.rename({"subscriber_id": "x"})
    assert customer_table(by_content, label="churned").id_column == "x"
    nameless = customer_table(frame.drop("subscriber_id"), label="churned")
    assert nameless.customer_ids.head(2).to_list() == ["row 1", "row 2"]
    assert "--customer" in nameless.notes[-1]


def test_a_column_of_decimal_commas_is_no_id_though_each_value_stands_once() -> None:
    frame = subscribers(60).with_columns(
        subscriber_id=pl.Series([f"{row},{row % 10}1" for row in range(60)]),
    )
    table = customer_table(frame.rename({"subscriber_id": "area"}), label="churned")
    assert table.id_column is None
    assert choose_columns(table.cells).columns[0].kind == "number"


def test_a_column_of_two_decimal_signs_is_named() -> None:
    with pytest.raises(DataError, match=r"^area: some numbers have a decimal point"):
        choose_columns(pl.DataFrame({"area": ["1.25", "2,75", "3.5", "4,5"] * 10}))


def test_orders_are_no_table_of_customers() -> None:
    for label in ("product", "Churn"):
        with pytest.raises(UsageError, match=r"holds order lines: .* for 400 customers"):
            customer_table(read_orders(ROOT / "examples" / "orders.csv"), label=label)


def test_a_label_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(MissingColumnError) as caught:
        customer_table(subscribers(60), label="Churn")
    assert "did you mean 'churned'?" in caught.value.hint


def test_too_few_rows_or_too_few_of_an_outcome_are_refused_honestly() -> None:
    with pytest.raises(ShortHistoryError, match="40 customers with a label"):
        trained_on(subscribers(40))
    few = subscribers(200).with_columns(churned=pl.Series(["yes"] * 9 + ["no"] * 191))
    with pytest.raises(ShortHistoryError, match="9 of them churned"):
        trained_on(few)


def test_every_customer_is_judged_by_a_model_that_had_not_seen_them(trained: Trained) -> None:
    table = customer_table(subscribers(), label="churned")
    seen = predict(trained.model, table.cells).probability
    assert table.labels is not None
    y = table.labels.churned.to_numpy()
    assert auc(y, trained.unseen.probability) == pytest.approx(trained.model.figures["auc"], abs=1e-12)
    assert auc(y, seen) > trained.model.figures["auc"] + 0.01
    assert trained.model.figures["log_loss"] < trained.model.figures["base_rate_log_loss"] - 0.05


def test_row_order_column_order_and_threads_change_nothing(trained: Trained) -> None:
    frame = subscribers()
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=3).select(sorted(frame.columns, reverse=True))
    other = train_labelled(customer_table(shuffled, label="churned"), folds=3, jobs=2)
    assert model_bytes(other.model) == model_bytes(trained.model)
    lists = [
        score_labelled(customer_table(rows, label="churned"), result).drop("rank")
        for rows, result in ((frame, trained), (shuffled, other))
    ]
    assert lists[0].equals(lists[1])


def test_other_ids_give_the_same_model(trained: Trained) -> None:
    renamed = subscribers().with_columns(subscriber_id=pl.format("X{}", pl.col("subscriber_id").str.reverse()))
    assert model_bytes(trained_on(renamed).model) == model_bytes(trained.model)


def test_a_model_without_signal_gives_everybody_the_base_rate() -> None:
    frame = subscribers(300)
    noise = frame.with_columns(churned=frame["churned"].shuffle(seed=5))
    result = trained_on(noise)
    loss, base = (result.model.figures[name] for name in ("log_loss", "base_rate_log_loss"))
    assert loss < base * 1.02, "the calibration takes back what was learned from noise"
    assert result.model.figures["has_signal"] == (loss < base)
    if loss >= base:
        assert result.model.kind == "labelled-base-rate"
        assert set(result.unseen.probability) == {result.model.base_rate}
        assert str(result.model.guards["no_signal"]).startswith("No signal")
        assert result.model.notes.count(str(result.model.guards["no_signal"])) == 1
    else:
        assert set(result.model.guards.values()) == {None}


def test_a_column_that_tells_all_is_suspected_and_can_be_ignored() -> None:
    frame = subscribers(200)
    leak = frame.with_columns(closed_after=pl.when(pl.col("churned") == "yes").then(pl.col("months").str.len_chars()))
    warned = [note for note in trained_on(leak).model.notes if note.startswith("Warning")]
    assert len(warned) == 1
    assert "closed_after (AUC 1.000)" in warned[0]
    assert "--ignore closed_after" in warned[0]
    without = trained_on(leak, ignore=["closed_after"])
    assert "closed_after" not in [column.name for column in without.model.columns]
    assert not [note for note in without.model.notes if note.startswith("Warning")]


def test_rows_without_a_label_are_scored_and_not_learned_from(trained: Trained) -> None:
    frame = subscribers(120)
    unlabelled = frame.with_row_index().with_columns(
        churned=pl.when(pl.col("index") < 100).then(pl.col("churned")).otherwise(pl.lit(""))
    )
    result = trained_on(unlabelled.drop("index"))
    assert result.model.figures["customers"] == 100
    assert len(result.unseen.probability) == 120
    assert trained_on(frame.head(100)).model.fingerprint == result.model.fingerprint


def test_saving_and_loading_gives_the_same_bytes_and_scores(model: LabelledModel, tmp_path: Path) -> None:
    save_model(model, tmp_path / "t.model")
    loaded = load_model(tmp_path / "t.model")
    assert isinstance(loaded, LabelledModel)
    assert model_bytes(loaded) == model_bytes(model)
    fresh = customer_table(subscribers(50, seed=9).drop("churned"))
    assert score_labelled(fresh, loaded).equals(score_labelled(fresh, model))


def test_no_customer_is_in_the_model_file(model: LabelledModel) -> None:
    content = model_bytes(model)
    assert not [name for name in subscribers()["subscriber_id"] if name.encode() in content]


def test_the_card_of_a_labelled_model_has_the_keys_of_one_of_orders(model: LabelledModel) -> None:
    card = model_card(model)
    assert json.dumps(card)
    assert (card["kind"], card["cutoff"], card["buy_till_you_die"]) == ("labelled", None, None)
    assert card["label"] == {"column": "churned", "churned": ["yes"], "stayed": ["no"]}


def broken(name: str, change: Callable[[Any], Any]) -> Callable[[dict[str, Any]], None]:
    def apply(manifest: dict[str, Any]) -> None:
        manifest[name] = change(manifest[name])

    return apply


@pytest.mark.parametrize(
    "change",
    [
        broken("kind", lambda _: "magic"),
        broken("label", lambda _: "churned"),
        broken("label", lambda _: {"column": "churned", "churned": [1], "stayed": []}),
        broken("columns", lambda _: []),
        broken("columns", lambda columns: columns[:-1]),
        broken("columns", lambda columns: [*columns, columns[0]]),
        broken("columns", lambda columns: [{**columns[0], "kind": "date"}, *columns[1:]]),
        broken("columns", lambda columns: [{**columns[0], "usual": "much"}, *columns[1:]]),
        broken("columns", lambda columns: [*columns[:-1], "total_paid"]),
        broken("slope", lambda _: -1.0),
        broken("trees_weight", lambda _: 1.5),
        broken("shift", lambda _: None),
        broken("figures", lambda _: []),
        broken("notes", lambda _: [1]),
    ],
)
def test_a_file_that_holds_what_no_model_can_hold_is_refused(
    model: LabelledModel, change: Callable[[dict[str, Any]], None]
) -> None:
    manifest, arrays = read_container(model_bytes(model))
    change(manifest)
    with pytest.raises(ModelFileError):
        load_model(write_container(manifest, arrays))


def test_a_table_that_lacks_a_column_of_the_model_is_refused(model: LabelledModel) -> None:
    with pytest.raises(MissingColumnError, match="lacks plan"):
        score_labelled(customer_table(subscribers(20).drop("plan", "churned")), model)


def test_the_list_has_the_columns_of_score_and_nothing_that_needs_time(trained: Trained) -> None:
    table = customer_table(subscribers(), label="churned")
    rows = score_labelled(table, trained)
    assert rows.columns == [term.name for term in SCORE]
    filled = [name for name in rows.columns if rows[name].null_count() == 0]
    assert filled == ["rank", "customer_id", "churn_probability", "risk", "reasons"]
    assert rows["churn_probability"].is_sorted(descending=True)
    assert rows["reasons"].list.len().max() == 3


def test_with_an_amount_the_list_is_ranked_by_what_is_at_stake(trained: Trained) -> None:
    table = customer_table(subscribers(), label="churned", amount="monthly_fee")
    listed = list_customers(table, trained.unseen, min_risk=0.2, top=10)
    rows = listed.rows
    assert rows.height == listed.summary["listed"] == 10
    assert rows["value_at_risk"].is_sorted(descending=True)
    product = rows["churn_probability"] * rows["spend_if_retained"]
    assert np.allclose(product.to_numpy(), rows["value_at_risk"].to_numpy())
    assert listed.summary["spend_if_retained"] == pytest.approx(subscribers()["monthly_fee"].cast(pl.Float64).sum())


def test_reasons_are_told_in_the_customers_own_values(model: LabelledModel) -> None:
    one = subscribers(60).drop("churned").head(1)
    risky = one.with_columns(plan=pl.lit("monthly"), months=pl.lit("1"), tickets=pl.lit("6"), payment=pl.lit("invoice"))
    safe = one.with_columns(plan=pl.lit("two years"), months=pl.lit("90"), tickets=pl.lit("0"), payment=pl.lit("card"))
    told = [score_labelled(customer_table(row), model)["reasons"].to_list()[0] for row in (risky, safe)]
    assert "tickets 6 (usual is 1)" in told[0]
    assert set(told[0]) <= {
        "tickets 6 (usual is 1)",
        "plan is monthly",
        "payment is invoice",
        "months 1 (usual is 15)",
        *(reason for reason in told[0] if reason.startswith(("total_paid", "monthly_fee"))),
    }
    assert "plan is two years" in told[1]


def test_an_explanation_adds_up_to_the_log_odds(model: LabelledModel) -> None:
    table = customer_table(subscribers(60).drop("churned"))
    prediction = predict(model, table.cells)
    log_odds = np.log(prediction.probability / (1 - prediction.probability))
    base = log_odds - prediction.pushes.sum(axis=1)
    assert np.ptp(base) < 1e-9
    wanted = table.customer_ids[3]
    customers, rows = explain_rows(table, prediction, [wanted])
    assert rows.columns == [term.name for term in EXPLAIN]
    assert rows["push"].sum() == pytest.approx(prediction.pushes[3].sum())
    assert customers[0]["customer_id"] == wanted
    with pytest.raises(DataError, match="no customer 'nobody'"):
        explain_rows(table, prediction, ["nobody"])


def test_scoring_with_a_saved_model_does_not_load_scikit_learn(model: LabelledModel, tmp_path: Path) -> None:
    save_model(model, tmp_path / "t.model")
    subscribers(20).drop("churned").write_csv(tmp_path / "new.csv")
    code = (
        "import sys, churnkit as ck; t = ck.customer_table(ck.read_orders('new.csv'));"
        "assert ck.score_labelled(t, ck.load_model('t.model')).height == 20;"
        "sys.exit(bool({'sklearn', 'scipy', 'joblib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0


def test_folds_hold_out_each_row_once_and_each_outcome_evenly() -> None:
    y = np.repeat([0, 1], [47, 16])
    fold = stratified_folds(y, 10, seed=1)
    for outcome in (0, 1):
        counts = np.bincount(fold[y == outcome], minlength=10)
        assert counts.max() - counts.min() <= 1
    assert np.ptp(np.bincount(fold)) <= 1


def test_the_blend_finds_what_straight_lines_cannot_and_does_not_lose_where_they_suffice() -> None:
    random = np.random.default_rng(2)
    X = random.normal(size=(1500, 3))
    crossed = (random.uniform(size=1500) < np.where((X[:, 0] > 0) == (X[:, 1] > 0), 0.8, 0.2)).astype(float)
    straight = (random.uniform(size=1500) < 1 / (1 + np.exp(-2 * X[:, 0]))).astype(float)
    blends = [fit_learned_blend(X[:1000], y[:1000], spline_columns=range(3), seed=0) for y in (crossed, straight)]
    assert blends[0].trees_weight == 1.0
    assert auc(crossed[1000:], blends[0].probability(X[1000:])) > 0.75
    assert blends[1].trees_weight <= 0.5
    assert auc(straight[1000:], blends[1].probability(X[1000:])) > 0.84


def test_a_calibration_of_true_log_odds_changes_little() -> None:
    random = np.random.default_rng(0)
    log_odds = random.normal(size=20_000) * 2
    y = (random.uniform(size=20_000) < 1 / (1 + np.exp(-log_odds))).astype(float)
    assert calibration(log_odds, y) == pytest.approx((1.0, 0.0), abs=0.05)
    slope, shift = calibration(log_odds * 2 + 1, y)
    assert (slope, shift) == pytest.approx((0.5, -0.5), abs=0.05)


def test_the_shipped_subscribers_are_the_ones_of_the_tests(request: pytest.FixtureRequest) -> None:
    path = ROOT / "examples" / "subscribers.csv"
    text = subscribers().write_csv()
    if request.config.getoption("--update"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text("utf-8") == text


def test_telco_is_forecast_better_than_by_one_hot_logistic_regression(real_data: Path) -> None:
    """Ten stratified folds: AUC at least .849 and log loss at most .412."""
    csv = customer_table(read_orders(real_data / "Telco-Customer-Churn.csv"), label="Churn")
    typed = customer_table(read_orders(real_data / "telco_customer_churn.parquet"), label="Churn")
    assert csv.id_column == typed.id_column == "customerID"
    result = train_labelled(csv, jobs=2)
    figures = result.model.figures
    assert figures["folds"] == 10
    assert figures["auc"] >= 0.849
    assert figures["log_loss"] <= 0.412
    assert figures["calibration_error"] <= 0.02
    assert figures["one_hot_logistic"]["auc"] == pytest.approx(0.8454, abs=0.002)
    assert figures["one_hot_logistic"]["log_loss"] == pytest.approx(0.4172, abs=0.002)
    assert np.array_equal(
        matrix_of(csv.cells, result.model.columns)[0], matrix_of(typed.cells, result.model.columns)[0], equal_nan=True
    )


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Ran]:
    """The command line, in a folder with a table of subscribers, a newer one without its label, and a model."""
    folder = tmp_path_factory.mktemp("subscribers")
    subscribers().write_csv(folder / "table.csv")
    subscribers(30, seed=9).drop("churned").write_csv(folder / "new.csv")

    def run_there(*arguments: str) -> Ran:
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            patch.setenv("HOME", str(folder))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            code = run(list(arguments))
        texts = [stream.buffer.getvalue().decode() for stream in (out, err) if isinstance(stream.buffer, io.BytesIO)]
        return Ran(int(code), *texts)

    trained = run_there("train", "table.csv", "--label", "churned", "-o", "t.model")
    assert trained.code == 0, trained.err
    assert "Judged by 10-fold cross-validation" in trained.err
    return run_there


def test_the_answers_are_as_the_schemas_say(shell: Callable[..., Ran]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    lines = {
        "score": ("score", "new.csv", "-m", "t.model", "--amount", "monthly_fee"),
        "model": ("model", "t.model"),
        "explain": ("explain", "new.csv", "-m", "t.model", "--id", "S01001"),
    }
    for name, line in lines.items():
        answered = shell(*line, "-f", "json")
        assert answered.code == 0, answered.err
        schema = json.loads(shell("schema", name).out)
        jsonschema.validate(json.loads(answered.out), schema, format_checker=jsonschema.FormatChecker())


def test_score_with_a_label_judges_itself_and_with_a_model_only_scores(shell: Callable[..., Ran]) -> None:
    both = shell("score", "table.csv", "--label", "churned", "-f", "json")
    answer = json.loads(both.out)
    assert answer["schema"] == "churnkit/score/1"
    assert (answer["cutoff"], answer["horizon_days"]) == (None, None)
    assert answer["model"]["check"]["folds"] == 10
    assert answer["summary"]["scored"] == len(answer["rows"]) == 400
    assert set(answer["rows"][0]) == {term.name for term in SCORE}
    again = shell("score", "table.csv", "-m", "t.model", "-f", "json")
    assert json.loads(again.out)["rows"] != answer["rows"], "the model of the file has seen these customers"
    assert "Judged" not in again.err


def test_the_label_of_a_table_that_is_scored_is_not_looked_at(shell: Callable[..., Ran], tmp_path: Path) -> None:
    fresh = subscribers(40, seed=8)
    fresh.write_csv(tmp_path / "with.csv")
    fresh.drop("churned").write_csv(tmp_path / "without.csv")
    outs = [
        shell("score", str(tmp_path / f"{name}.csv"), "-m", "t.model", "-f", "csv").out for name in ("with", "without")
    ]
    assert outs[0] == outs[1] != ""


def test_a_table_leaves_out_the_columns_that_need_time(shell: Callable[..., Ran]) -> None:
    header = shell("score", "new.csv", "-m", "t.model").out.splitlines()[2]
    assert header.split() == ["rank", "customer_id", "churn_probability", "risk", "reasons"]
    asked = shell("score", "new.csv", "-m", "t.model", "--columns", "customer_id,recency_days").out.splitlines()[2]
    assert asked.split() == ["customer_id", "recency_days"]


def test_min_risk_top_and_fail_if_any_work_on_tables_too(shell: Callable[..., Ran]) -> None:
    line = ("score", "new.csv", "-m", "t.model", "-f", "ndjson")
    rows = [json.loads(row) for row in shell(*line, "--min-risk", "0.3", "--top", "2").out.splitlines()]
    assert len(rows) == 2
    assert shell(*line, "--fail-if-any").code == 1
    assert shell(*line, "--min-risk", "1", "--fail-if-any").code == 0


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("score table.csv --label churned --cutoff 2024-01-01", 2, "--cutoff is for orders"),
        ("score table.csv --label churned --date months", 2, "--date is for orders"),
        ("score new.csv -m t.model --label plan", 2, "trained on the label churned, not on plan"),
        ("score new.csv --ignore plan", 2, "without --label"),
        ("score table.csv --label churn", 65, "did you mean 'churned'?"),
        ("score table.csv --label churned --amount plan", 65, "plan holds no amount"),
        ("segment table.csv -m t.model", 2, "is a model of a labelled table"),
        ("backtest table.csv", 65, "holds no orders"),
        ("explain new.csv -m t.model --id nobody", 65, "no customer 'nobody'"),
        ("train table.csv --label churned -o x.model --export-sklearn x.joblib", 2, "--export-sklearn is for models"),
    ],
)
def test_what_makes_no_sense_is_said(shell: Callable[..., Ran], line: str, code: int, said: str) -> None:
    ran = shell(*line.split())
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err


def test_the_python_of_the_page_gives_what_the_shell_gives(
    shell: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs" / "labelled.md").read_text("utf-8"), re.M | re.S)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(block, names)
    asked = shell("score", "table.csv", "--label", "churned", "-f", "ndjson")
    assert [json.loads(row)["customer_id"] for row in asked.out.splitlines()] == names["scored"][
        "customer_id"
    ].to_list()
    assert (tmp_path / "subscribers.model").exists()
