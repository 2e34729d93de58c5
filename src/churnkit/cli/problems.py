"""What is said about a problem, and the exit code that goes with it.

A problem of the user's is one line of fact and one of cure. A bug of ours is one line too; `--debug` shows where it
came from, without the values of variables, which hold customers.
"""

import errno
import traceback

import typer

from churnkit.cli.app import ExitCode
from churnkit.cli.config import ORIGINS
from churnkit.errors import ChurnkitError, ReadWriteError
from churnkit.output.files import ReaderGoneError, system_error
from churnkit.output.safe_text import one_line

NAME = "churnkit"
_MOST_OF_A_BUG = 300


def code_and_lines(error: Exception, *, debug: bool) -> tuple[int, list[str]]:
    """The exit code of an exception and the lines to print, none where nobody is to be told.

    Args:
        error: What ended the command.
        debug: Show the traceback above the lines.

    Example:
        >>> code_and_lines(ReadWriteError("the disk is full", hint="make room"), debug=False)
        (74, ['churnkit: error: the disk is full', 'hint: make room'])
    """
    if isinstance(error, typer.Exit):
        return error.exit_code, []
    if isinstance(error, typer.Abort):
        return ExitCode.INTERRUPTED, []
    number = system_error(error)
    if isinstance(error, ReaderGoneError) or number == errno.EPIPE:
        return ExitCode.READER_GONE, []
    code, message, hint = _told(error, number)
    lines = [f"{NAME}: error: {one_line(message)}"]
    if hint:
        lines.append(f"hint: {one_line(hint)}")
    if debug:
        lines = [*_traceback(error), *lines]
    return code, lines


def _told(error: Exception, number: int | None) -> tuple[int, str, str]:
    if isinstance(error, ChurnkitError):
        return error.exit_code, str(error), error.hint
    if isinstance(error, typer.TyperException):
        return _usage(error)
    if isinstance(error, MemoryError):
        return ExitCode.OUR_BUG, "the memory of this machine does not suffice", "give it fewer lines, or more memory"
    if number is not None:
        return ReadWriteError.exit_code, f"reading or writing failed: {error}", ""
    about = str(error).split("\n")[0][:_MOST_OF_A_BUG]
    return (
        ExitCode.OUR_BUG,
        f"a bug of ours: {type(error).__name__}: {about}",
        "run with --debug and report what it says",
    )


def _usage(error: typer.TyperException) -> tuple[int, str, str]:
    """A misuse of the command line, or of a configuration file, whose line is then named."""
    context, param = getattr(error, "ctx", None), getattr(error, "param", None)
    message = error.format_message()
    message = message[:1].lower() + message[1:].rstrip(".").replace("Value error, ", "")
    if context is None:
        return error.exit_code, message, ""
    hint = f"`{context.command_path} --help` shows how"
    if param is not None:
        source = getattr(context.get_parameter_source(param.name), "name", "")
        if source == "DEFAULT_MAP":
            origin = context.meta.get(ORIGINS, {}).get(param.name, "the configuration file")
            return ExitCode.BAD_CONFIG, f"{origin}: {message}", hint
        if source == "ENVIRONMENT":
            message = f"{message} (from {param.envvar} in the environment)"
    return error.exit_code, message, hint


def _traceback(error: Exception) -> list[str]:
    text = "".join(traceback.format_exception(error))
    return [one_line(line) for line in text.rstrip().split("\n")]
