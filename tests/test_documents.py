"""The documents say what the code says: the glossary is printed from it, the page of the commands is complete."""

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import pytest

from churnkit import terms
from churnkit.cli.commands import door
from churnkit.customers.features import FEATURES
from churnkit.terms import Term

ROOT = Path(__file__).resolve().parents[1]
GLOSSARY = ROOT / "docs" / "glossary.md"
PRINTED = "<!-- From here on printed from the code by `make update`. -->\n"


def as_table(words: Iterable[Term]) -> str:
    rows = [f"| `{word.name}` | {word.kind}{', or none' * word.nullable} | {word.meaning} |" for word in words]
    return "\n".join(["| word | kind | meaning |", "|---|---|---|", *rows]) + "\n"


def printed_glossary() -> str:
    answers = {
        name: words
        for name, words in vars(terms).items()
        if isinstance(words, tuple) and words and all(isinstance(word, Term) for word in words)
    }
    sections = [(name.replace("_", " ").capitalize(), words) for name, words in answers.items()]
    sections += [
        (f"Features: {family}", tuple(feature.term for feature in features))
        for family, features in groupby(FEATURES, key=lambda feature: feature.family)
    ]
    return "".join(f"\n## {title}\n\n{as_table(words)}" for title, words in sections)


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
