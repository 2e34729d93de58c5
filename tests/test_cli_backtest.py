"""`churnkit backtest` as a shell sees it: one run, its JSON, its table and its charts."""

import io
import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from churnkit.cli.app import run

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "orders.csv"
COSTS = ("--contact-cost", "1", "--offer-cost", "5", "--success-rate", "0.4")


def answered(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command line in a folder."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("HOME", str(folder))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        code = run(["backtest", *arguments])
    texts = []
    for stream in (out, err):
        stream.seek(0)
        texts.append(stream.read())
    return int(code), texts[0], texts[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("backtest")


@pytest.fixture(scope="module")
def document(folder: Path) -> Any:
    code, out, err = answered(folder, str(EXAMPLE), "--cutoffs", "1", *COSTS, "-f", "json", "--charts", "charts")
    assert code == 0, err
    return json.loads(out)


def test_the_answer_is_as_its_schema_says(document: Any, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    assert run(["schema", "backtest"]) == 0
    schema = json.loads(capsysbinary.readouterr().out)
    jsonschema.validate(document, schema, format_checker=jsonschema.FormatChecker())
    assert document["costs"] == {"contact": 1.0, "offer": 5.0, "success_rate": 0.4, "value": None}
    assert {row["decile"] for row in document["deciles"]} == set(range(1, 11))
    assert {row["population"] for row in document["rows"]} == {"all", "active"}
    assert document["summary"]["verdict"].count(". ") >= 2


def test_the_charts_stand_in_the_folder(document: Any, folder: Path) -> None:
    assert document["rows"]
    names = sorted(path.name for path in (folder / "charts").iterdir())
    assert names == ["gain.svg", "lift.svg", "money.svg", "profit.svg", "reliability.svg"]
    for name in names:
        assert "active customers" in "".join(ElementTree.parse(folder / "charts" / name).getroot().itertext())


def test_the_table_begins_with_the_verdict_and_shows_the_means(document: Any, folder: Path) -> None:
    code, out, _ = answered(folder, str(EXAMPLE), "--cutoffs", "1", *COSTS, "-v")
    assert code == 0
    verdict = document["summary"]["verdict"]
    first, *rest = out.splitlines()
    assert verdict.startswith(first)
    assert verdict.endswith(rest[-1])
    models = [line.split()[0] for line in out.split("\n\n")[1].splitlines()[2:]]
    assert (models[0], models[-1], len(models)) == ("churnkit", "ceiling", 9)
    assert "Each cutoff" in rest
    assert "The list of churnkit in tenths" in rest


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--value", "50"), "--contact-cost"),
        (("--contact-cost", "-1"), "--contact-cost"),
        (("--charts", "none/charts"), "none"),
        (("--population", "lapsed"), "--population"),
    ],
)
def test_what_makes_no_sense_is_refused_before_the_work(folder: Path, options: tuple[str, ...], said: str) -> None:
    code, out, err = answered(folder, "no-such-file.csv", *options)
    assert code in (2, 73)
    assert out == ""
    assert said in err
    assert "Traceback" not in err
