"""Replays the console sessions of a Markdown file, so that no document can go stale.

A session is a ```console block. A line `$ command` is run by bash, in a folder that the blocks of one file share, and
on a terminal without colour, as a person would see it. The lines up to the next `$` are what it must answer, standard
error included, and `[exit N]` is its exit code where that is not 0. `...` stands for anything.
"""

import contextlib
import os
import pty
import re
import shutil
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
STEP = re.compile(r"^\$ (?P<command>.*)\n(?P<answer>(?:(?!\$ ).*\n)*)", re.MULTILINE)
DURATION = re.compile(r"(?<= in )[\d.]+(?= s$)", re.MULTILINE)
COLUMNS, SECONDS_PER_COMMAND = 100, 120


@dataclass(frozen=True)
class Step:
    """One command of a session: what the document says that it answers, and what it answers now."""

    command: str
    expected: str
    actual: str

    @property
    def text(self) -> str:
        """The step as the document should show it: as it is while it holds, otherwise with the answer of today."""
        if fits(self.expected, self.actual):
            return f"$ {self.command}\n{self.expected}"
        return f"$ {self.command}\n{DURATION.sub('...', self.actual)}"


def fits(expected: str, actual: str) -> bool:
    """True where the answer is the documented one; `...` in that stands for anything."""
    pattern = re.escape(expected).replace(re.escape("..."), ".*?")
    return re.fullmatch(pattern, actual, re.DOTALL) is not None


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
    """What a command shows on a terminal, and its exit code where that is not 0."""
    screen, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (40, COLUMNS))
    with subprocess.Popen(
        ["bash", "-c", command],
        cwd=folder,
        env=surroundings(folder / "home"),
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        alarm = threading.Timer(SECONDS_PER_COMMAND, process.kill)
        alarm.start()
        shown = b"".join(iter(lambda: seen(screen), b"")).decode("utf-8").replace("\r\n", "\n")
        os.close(screen)
        alarm.cancel()
    if shown and not shown.endswith("\n"):
        shown += "\n"
    return shown + (f"[exit {process.returncode}]\n" if process.returncode else "")


def seen(screen: int) -> bytes:
    """The next bytes on a terminal, none when everybody has left it (which Linux calls an error)."""
    with contextlib.suppress(OSError):
        return os.read(screen, 65_536)
    return b""


def surroundings(home: Path) -> dict[str, str]:
    """An environment with nothing of the user's in it; `churnkit` is the one of the Python that runs the tests."""
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
        "HOME": str(home),
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm",
        "NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def rewritten(text: str, steps: list[Step]) -> str:
    """The document with the answers of today; where a step still holds, not a byte of it changes."""
    answers = iter(steps)
    return BLOCK.sub(lambda block: STEP.sub(lambda _: next(answers).text, block[0]), text)
