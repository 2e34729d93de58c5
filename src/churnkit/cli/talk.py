"""Everything that is said on standard error while a command runs: notes, progress, the last line."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from churnkit.output.display import wrap
from churnkit.output.safe_text import one_line

if TYPE_CHECKING:
    from rich.status import Status


class Talk:
    """Says what was assumed and how far the work is. It never writes to standard output.

    Args:
        quiet: Say nothing at all.
        verbose: Say every phase of the work, and the last line even where nobody sits at a terminal.
    """

    def __init__(self, *, quiet: bool, verbose: bool) -> None:
        self.quiet = quiet
        self.verbose = verbose and not quiet
        self.terminal = sys.stderr is not None and sys.stderr.isatty()
        self.started = time.monotonic()
        self._colour = self.terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._status: Status | None = None
        self._kept_back: list[str] = []

    def note(self, text: str) -> None:
        """One sentence about what was assumed, repaired or left out."""
        self._line("note", text)

    def gap(self) -> None:
        """An empty line between the answer and the talk, for a person who sees both."""
        if self.terminal and not self.quiet and sys.stdout is not None and sys.stdout.isatty():
            say("\n")

    def next(self, command: str) -> None:
        """A command to try next; only for a person at a terminal, or with --verbose."""
        if self.terminal or self.verbose:
            self._line("next", command)

    def done(self, text: str) -> None:
        """The last line: what was done and how long it took; only at a terminal, or with --verbose."""
        if self.terminal or self.verbose:
            self._line("done", f"{text} in {time.monotonic() - self.started:.1f} s")

    def phase(self, name: str) -> None:
        """What is being worked on now: a spinner at a terminal, a line with --verbose."""
        if self._status is not None:
            from rich.markup import escape

            self._status.update(escape(f"{one_line(name)} …"))
        elif self.verbose:
            self._line("phase", name)

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """While inside, a terminal shows a spinner with the phase of the work."""
        if self.quiet or not self.terminal or not self._colour:
            yield
            return
        from rich.console import Console

        console = Console(stderr=True, highlight=False)
        try:
            with console.status("reading …", spinner="dots") as status:
                self._status = status
                yield
        finally:
            self._status = None
            say("".join(self._kept_back))
            self._kept_back.clear()

    def _line(self, label: str, text: str) -> None:
        if self.quiet:
            return
        parts = [one_line(text)]
        if self.terminal:
            parts = wrap(parts[0], max(get_terminal_size().columns - len(label) - 2, 30))
        head = f"\x1b[2m{label}:\x1b[0m" if self._colour else f"{label}:"
        indent = "\n" + " " * (len(label) + 2)
        line = f"{head} {indent.join(parts)}\n"
        if self._status is not None:  # a line in the middle of a spinner would be torn
            self._kept_back.append(line)
        else:
            say(line)


def say(text: str) -> None:
    """Writes to standard error; where nobody listens, or its disk is full, the work goes on."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()
