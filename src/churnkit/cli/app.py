"""The front door: runs a command and turns whatever goes wrong into one or two lines and an exit code.

Only the standard library is imported here at the top, so that even Ctrl-C while the rest loads ends in order.
"""

import os
import signal
import sys
from enum import IntEnum
from types import FrameType
from typing import NoReturn, Self


class ExitCode(IntEnum):
    """What the shell is told; the codes of the user's problems are those of the classes in `churnkit.errors`."""

    DONE = 0
    CONDITION_MET = 1
    UNUSABLE_DATA = 65
    NO_INPUT = 66
    PART_MISSING = 69
    OUR_BUG = 70
    NO_OUTPUT = 73
    READ_WRITE = 74
    LOCKED = 75
    BAD_CONFIG = 78
    INTERRUPTED = 130
    READER_GONE = 141
    TERMINATED = 143


class TerminatedError(BaseException):
    """The process was asked to end (SIGTERM); raised so that half-written files are removed on the way out."""


def main() -> NoReturn:
    """Runs the command line that the shell gave, and exits."""
    try:
        signal.signal(signal.SIGTERM, _terminate)
        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    except TerminatedError:
        code = ExitCode.TERMINATED
    _leave(code)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise TerminatedError


def _leave(code: int) -> NoReturn:
    """Ends the process; a stream whose reader is gone must not complain while Python closes it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            code = code or ExitCode.READER_GONE
    sys.exit(int(code))


def run(arguments: list[str]) -> int:
    """Runs a command line and returns its exit code; problems are told on standard error."""
    with Outcome(debug="--debug" in arguments or bool(os.environ.get("CHURNKIT_DEBUG"))) as outcome:
        from churnkit.cli.commands import complete, door

        command = door()
        if not complete(command):
            with command.make_context("churnkit", arguments or ["--help"]) as context:
                command.invoke(context)
    return outcome.code


class Outcome:
    """The one place where an exception, foreseen or not, becomes lines on standard error and an exit code."""

    def __init__(self, *, debug: bool) -> None:
        self.debug = debug
        self.code: int = ExitCode.DONE

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, Exception):
            return False  # nothing went wrong, or the process was asked to end
        from churnkit.cli.problems import code_and_lines
        from churnkit.cli.talk import say

        code, lines = code_and_lines(error, debug=self.debug)
        self.code = code
        say("".join(f"{line}\n" for line in lines))
        return True
