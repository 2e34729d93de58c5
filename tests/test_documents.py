"""The documents say what the code says: the glossary is printed from it, the page of the commands is complete."""

import re
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from churnkit import terms
from churnkit.cli.app import run
from churnkit.cli.commands import door
from churnkit.cli.schema import SHAPES
from churnkit.customers.features import FAMILIES, FEATURES
from churnkit.output.document import Shape
from churnkit.terms import Term

ROOT = Path(__file__).resolve().parents[1]
GLOSSARY = ROOT / "docs" / "glossary.md"
PRINTED = "<!-- From here on printed from the code by `make update`. -->\n"


def as_table(words: Iterable[Term]) -> str:
    rows = [f"| `{word.name}` | {word.kind}{', or none' * word.nullable} | {word.meaning} |" for word in words]
    return "\n".join(["| word | kind | meaning |", "|---|---|---|", *rows]) + "\n"


def shape_of(command: str) -> Shape:
    module, function = SHAPES[command]
    shape = getattr(import_module(f"churnkit.cli.{module}"), function)()
    assert isinstance(shape, Shape)
    return shape


def printed_glossary() -> str:
    features = {feature.term for feature in FEATURES}
    sections: list[tuple[str, tuple[Term, ...]]] = [("Clean order lines, in Python", terms.ORDERS)]
    for command in SHAPES:
        shape = shape_of(command)
        parts = [("", shape.head), (", `summary`", shape.summary), (f", `{shape.rows_key}`", shape.rows)]
        parts += [(f", `{word.name}`", word.of) for word in shape.head if word.of]
        sections += [
            (f"`{command}`{part}", tuple(word for word in words if word not in features)) for part, words in parts
        ]
    sections += [
        (f"Features: {family}", tuple(feature.term for feature in FEATURES if feature.family == family))
        for family in FAMILIES
    ]
    return "".join(f"\n## {title}\n\n{as_table(words)}" for title, words in sections if words)


def test_the_glossary_says_what_the_code_says(request: pytest.FixtureRequest) -> None:
    by_hand, _, printed = GLOSSARY.read_text("utf-8").partition(PRINTED)
    if request.config.getoption("--update"):
        GLOSSARY.write_text(by_hand + PRINTED + printed_glossary(), encoding="utf-8")
    else:
        assert printed == printed_glossary(), "`make update` prints it anew"


def test_every_command_is_on_the_page_of_the_commands_and_in_the_readme() -> None:
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")
    commands = list(door().commands)
    assert commands
    assert [name for name in commands if f"$ churnkit {name} --help\n" not in page] == []
    assert [name for name in commands if f"`{name}`" not in readme] == []


def test_the_python_of_the_readme_gives_what_the_shell_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec("".join(blocks), names)
    listed = str(tmp_path / "at-risk.parquet")
    assert run(["score", "examples/orders.csv", "--output", listed, "--quiet"]) == 0
    shell = pl.read_parquet(listed)
    assert names["scored"].columns == shell.columns
    assert names["scored"]["customer_id"].to_list() == shell["customer_id"].to_list()
