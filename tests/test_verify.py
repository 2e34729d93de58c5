"""Published figures are reproduced, from the summary that ships and from the orders themselves."""

import json
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import churnkit as ck
from churnkit.cli.app import run
from churnkit.customers.holdout import holdout_histories
from churnkit.errors import DataError, MissingColumnError
from churnkit.predict.published.results import CALIBRATED_UNTIL, HOLDOUT_DAYS, PUBLISHED, Published
from churnkit.predict.published.verify import Verification, shipped_histories
from churnkit.terms import VERIFY
from hand_lines import orders_of
from worlds import shop

SAMPLES = ("CDNOW_sample.txt", "cdnow_sample.parquet")


def orders_in(path: Path) -> pl.DataFrame:
    return ck.clean_orders(ck.read_orders(path))[0]


@pytest.fixture(scope="module")
def shipped() -> Verification:
    return ck.verify()


def test_every_published_figure_is_reproduced(shipped: Verification) -> None:
    assert shipped.rows.columns == [term.name for term in VERIFY]
    assert shipped.rows.filter(~pl.col("agrees")).rows() == []
    assert (shipped.agree, shipped.compared) == (len(PUBLISHED), len(PUBLISHED))
    ours = {(row["model"], row["quantity"]): row["ours"] for row in shipped.rows.iter_rows(named=True)}
    assert round(ours["bgnbd", "log_likelihood"], 2) == -9582.43
    assert round(ours["pareto_nbd", "log_likelihood"], 2) == -9594.98
    assert [round(ours["gamma_gamma", name], 2) for name in "pqv"] == [6.25, 3.74, 15.44]
    assert [round(ours[model, "correlation"], 3) for model in ("bgnbd", "pareto_nbd")] == [0.626, 0.630]


@pytest.mark.parametrize(("figure", "ours", "agrees"), [
    (".243", 0.2425, False), (".243", 0.24251, True), (".243", 0.24349, True), (".243", 0.24351, False),
    ("-9582.43", -9582.4249, False), ("-9582.43", -9582.4251, True), ("2357", 2357.0, True), ("2357", 2358.0, False),
])  # fmt: skip
def test_a_figure_agrees_where_it_rounds_to_what_was_printed(figure: str, ours: float, agrees: bool) -> None:
    assert Published("bgnbd", "r", figure, "a paper").agrees(ours) is agrees


@pytest.mark.parametrize("file", SAMPLES)
def test_the_orders_give_the_summary_that_ships_and_the_same_figures(
    real_data: Path, file: str, shipped: Verification
) -> None:
    orders = orders_in(real_data / file)
    histories = holdout_histories(orders, cutoff=CALIBRATED_UNTIL, holdout_days=HOLDOUT_DAYS)
    assert histories.equals(shipped_histories())
    assert ck.verify(orders).rows.equals(shipped.rows)
    assert ck.verify(orders.sample(fraction=1, shuffle=True, seed=1)).rows.equals(shipped.rows)


def test_the_summary_that_ships_is_what_plain_python_counts(real_data: Path) -> None:
    """Straight from the text of the file, without any of our own reading, cleaning or cutting."""
    days: dict[str, dict[date, int]] = {}
    for line in (real_data / "CDNOW_sample.txt").read_text().splitlines():
        _, who, day, _, dollars = line.split()
        seen = days.setdefault(who, {})
        on = date(int(day[:4]), int(day[4:6]), int(day[6:]))
        seen[on] = seen.get(on, 0) + round(float(dollars) * 100)
    counted: dict[tuple[int, ...], int] = {}
    for cents in days.values():
        first, before = min(cents), [day for day in cents if day < date(1997, 10, 1)]
        history = (
            len(before) - 1,
            (max(before) - first).days,
            (date(1997, 10, 1) - first).days,
            len(cents) - len(before),
            sum(cents[day] for day in before if day > first),
        )
        counted[history] = counted.get(history, 0) + 1
    assert {row[:-1]: row[-1] for row in shipped_histories().iter_rows()} == counted


def test_the_summary_that_ships_is_small_and_holds_no_customer() -> None:
    histories = shipped_histories()
    assert histories.columns == ["x", "active_days", "tenure_days", "later", "cents", "customers"]
    assert histories.equals(histories.sort(pl.all()))
    assert histories.height == histories.drop("customers").unique().height == 1148
    assert histories.estimated_size() < 60_000


def test_about_the_whole_cohort_nothing_is_published_and_that_is_said(real_data: Path) -> None:
    verification = ck.verify(orders_in(real_data / "cdnow_master.parquet"))
    assert (verification.data, verification.compared, verification.agree) == ("cdnow_master", 0, 0)
    assert verification.verdict.startswith("Nothing is published about the whole CDNOW cohort")
    assert verification.rows["published"].null_count() == verification.rows.height
    by_quantity = {(row[0], row[1]): row[3] for row in verification.rows.rows()}
    assert by_quantity["data", "customers"] == 23_570
    assert by_quantity["bgnbd", "r"] == pytest.approx(0.243, abs=0.02)  # the sample is a tenth of it


def test_other_orders_are_refused_with_what_was_expected() -> None:
    with pytest.raises(
        DataError, match=r"not the CDNOW orders: .* the sample has 2,357, 6,919 and 244,091.94"
    ) as error:
        ck.verify(shop(customers=5))
    assert "backtest" in error.value.hint
    with pytest.raises(MissingColumnError, match="no column order_key"):
        ck.verify(pl.DataFrame({"customer_id": ["a"]}))


def test_histories_of_a_file_without_amounts_and_after_refunds() -> None:
    orders = orders_of([("a", "2024-01-01", 500), ("a", "2024-01-01 12:00", 300), ("a", "2024-01-05", 100),
                        ("a", "2024-01-07", -250), ("b", "2024-01-03", None), ("b", "2024-01-09", None),
                        ("c", "2024-01-10", 900)])  # fmt: skip
    histories = holdout_histories(orders, cutoff=date(2024, 1, 8), holdout_days=2)
    assert histories.rows() == [(0, 0, 5, 1, None, 1), (1, 4, 7, 0, 100, 1)]


def test_histories_add_up_to_the_customer_table() -> None:
    orders, cutoff = shop(seed=4), date(2023, 1, 1)
    histories = holdout_histories(orders, cutoff=cutoff, holdout_days=90)
    table = ck.snapshot(orders, cutoff=cutoff)
    weight = histories["customers"].to_numpy()
    for ours, theirs in (("x", table["n_order_days"] - 1), ("active_days", table["active_days"]),
                         ("tenure_days", table["tenure_days"])):  # fmt: skip
        assert np.array_equal(np.sort(np.repeat(histories[ours].to_numpy(), weight)), np.sort(theirs.to_numpy()))
    churned = ck.outcomes(orders, cutoff=cutoff, horizon_days=90)["churned"].sum()
    assert histories.filter(pl.col("later") == 0)["customers"].sum() == churned


def test_the_command_answers_in_json_and_says_where_the_data_come_from(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert run(["verify", "--format", "json", "--fail-if-different"]) == 0
    shown = capsysbinary.readouterr()
    document = json.loads(shown.out)
    assert document["schema"] == "churnkit/verify/1"
    assert document["churnkit"] == version("churnkit")
    assert (document["data"], document["file"]) == ("cdnow_sample", None)
    assert document["summary"] == {"compared": len(PUBLISHED), "agree": len(PUBLISHED)}
    assert b"ships with churnkit" in shown.err
    assert run(["verify", "--format", "json", "--quiet"]) == 0
    assert capsysbinary.readouterr() == (shown.out, b"")


def test_a_figure_that_differs_ends_in_1_where_that_was_asked_for(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """As many customers, lines and cents as the sample has, but on other days: a damaged copy."""
    day = date(1997, 1, 1)
    cents = [3528] * 6918
    cents.append(24_409_194 - sum(cents))
    lines = [f"c{n % 2357},{day + timedelta(days=n % 501)},{c / 100:.2f}" for n, c in enumerate(cents)]
    (tmp_path / "copy.csv").write_text("\n".join(["customer_id,order_date,amount", *lines]))
    file = str(tmp_path / "copy.csv")
    assert run(["verify", file, "--fail-if-different", "--format", "json"]) == 1
    document = json.loads(capsysbinary.readouterr().out)
    agrees = {row["quantity"] for row in document["rows"] if row["agrees"]}
    assert agrees == {"customers"}
    assert document["summary"] == {"compared": len(PUBLISHED), "agree": 1}
    assert run(["verify", file]) == 0
    assert capsysbinary.readouterr().out.decode().startswith("24 of 25 published figures are not reproduced.")


def test_another_file_is_refused(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (tmp_path / "orders.csv").write_text(
        "customer_id,order_date,amount\nA,2024-01-01,5\nA,2024-02-01,7\nB,2024-02-03,1\n"
    )
    assert run(["verify", str(tmp_path / "orders.csv")]) == 65
    assert b"not the CDNOW orders: 2 customers, 3 lines and 13.00" in capsysbinary.readouterr().err
