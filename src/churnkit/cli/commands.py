"""The list of commands, each registered once, in the panels of the help."""

import os
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.main import get_command

from churnkit.cli import (
    backtest,
    check,
    explain,
    features,
    model,
    sample,
    schema,
    score,
    segment,
    train,
    value,
    verify,
    window,
)
from churnkit.cli.help import Command, Door
from churnkit.cli.options import grouped

PANELS: dict[str, tuple[Callable[..., None], ...]] = {
    "Look": (check.check, window.window, segment.segment),
    "Predict": (features.features, train.train, backtest.backtest, score.score, explain.explain, value.value),
    "Operate": (model.model, verify.verify, schema.schema, sample.sample),
}
_SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"]}
_COMPLETE = "_CHURNKIT_COMPLETE"
_EPILOG = """\
Every option can also be set as CHURNKIT_<NAME> in the environment, or as <name> in churnkit.toml.

Exit codes: 0 done, 1 a --fail-if condition was met, 2 usage, 65 unusable data or model, 66 no such input, 69 an
optional part is missing, 70 a bug of ours, 73 cannot create the output, 74 reading or writing failed, 75 locked, 78 bad
configuration, 130 interrupted, 141 the reader went away, 143 terminated."""


def door() -> Door:
    """The one name in front of all commands."""
    app = typer.Typer(cls=Door, name="churnkit", rich_markup_mode=None, context_settings=_SETTINGS, epilog=_EPILOG)
    app.callback()(churnkit)
    group = get_command(app)
    assert isinstance(group, Door)
    for panel, functions in PANELS.items():
        for function in functions:
            group.add_lazily(function, panel, command_of)
    return group


def command_of(function: Callable[..., None], panel: str) -> Command:
    """The Typer command of a function."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(cls=Command, rich_help_panel=panel, context_settings=_SETTINGS)(grouped(function))
    command = get_command(app)
    assert isinstance(command, Command)
    return command


def churnkit(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=lambda value: _show_version() if value else None,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    """Which customers are about to leave, what is at stake, and why: from an order file.

    Start here:
      churnkit score orders.parquet            the ranked list, nothing else needed
      churnkit check orders.csv                what is in a file, and what to fix
      churnkit sample -o orders.csv            a small example file to try it on
    """


def _show_version() -> None:
    import churnkit as ck

    typer.echo(f"churnkit {ck.__version__}")
    raise typer.Exit


def complete(command: Door) -> bool:
    """Answers the shell where it asks for completions; False where a user typed the command."""
    if not os.environ.get(_COMPLETE):
        return False
    command.main(prog_name="churnkit", standalone_mode=True)
    return True
