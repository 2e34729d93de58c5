"""Replays the console sessions of a Markdown file, so that no document can go stale.

A session is a ```console block. A line `$ command` is run by bash, in a folder that the blocks of one file share. The
lines up to the next `$` are what it must answer, standard error included, and `[exit N]` is its exit code where that
is not 0. `...` stands for anything.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
STEP = re.compile(r"^\$ (?P<command>.*)\n(?P<answer>(?:(?!\$ ).*\n)*)", re.MULTILINE)
SECONDS_PER_COMMAND = 120


@dataclass(frozen=True)
class Step:
    """One command of a session: what the document says that it answers, and what it answers now."""

    command: str
    expected: str
    actual: str

    @property
    def kept(self) -> bool:
        """True where the answer is the documented one; `...` in it stands for anything."""
        pattern = re.escape(self.expected).replace(re.escape("..."), ".*?")
        return re.fullmatch(pattern, self.actual, re.DOTALL) is not None

    @property
    def text(self) -> str:
        """The step as the document should show it: as it is while it holds, otherwise with the answer of today."""
        return f"$ {self.command}\n{self.expected if self.kept else self.actual}"


def documents() -> list[Path]:
    """The Markdown files whose console blocks are run."""
    folders = (ROOT / "docs", ROOT / "examples", ROOT / "tests" / "transcripts")
    found = [ROOT / "README.md", *(path for folder in folders for path in sorted(folder.rglob("*.md")))]
    return [path for path in found if BLOCK.search(path.read_text(encoding="utf-8"))]


def replay(text: str, folder: Path) -> Iterator[Step]:
    """Runs the steps of a document one by one, in a copy of the examples made at `folder`."""
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "home").mkdir()
    for block in BLOCK.finditer(text):
        for step in STEP.finditer(block[0]):
            yield Step(step["command"], step["answer"], answer(step["command"], folder))


def answer(command: str, folder: Path) -> str:
    """What a command says on both streams, and its exit code where that is not 0."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=surroundings(folder / "home"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS_PER_COMMAND,
        check=False,
    )
    said = done.stdout.decode("utf-8")
    if said and not said.endswith("\n"):
        said += "\n"
    return said + (f"[exit {done.returncode}]\n" if done.returncode else "")


def surroundings(home: Path) -> dict[str, str]:
    """An environment with nothing of the user's in it; `churnkit` is the one of the Python that runs the tests."""
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
        "HOME": str(home),
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def rewritten(text: str, steps: list[Step]) -> str:
    """The document with the answers of today; where a step still holds, not a byte of it changes."""
    answers = iter(steps)
    return BLOCK.sub(lambda block: STEP.sub(lambda _: next(answers).text, block[0]), text)
