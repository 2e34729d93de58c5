"""`churnkit schema`."""

from importlib import import_module
from typing import Annotated

import typer

from churnkit.cli.options import OutputFile, Talking
from churnkit.cli.talk import Talk
from churnkit.errors import UsageError

SHAPES = {
    name: (name, "shape")
    for name in (
        "check",
        "window",
        "segment",
        "features",
        "train",
        "backtest",
        "score",
        "explain",
        "value",
        "verify",
        "model",
        "sample",
    )
} | {"segment-list": ("segment", "list_shape")}


def schema(
    command: Annotated[
        str,
        typer.Argument(metavar="COMMAND", help=", ".join(SHAPES), autocompletion=lambda: list(SHAPES)),
    ],
    talking: Talking,
    output: OutputFile = None,
) -> None:
    """The JSON Schema of a command's output.

    Every key is described. Keys are only ever added within a schema number.

    Examples:
      churnkit schema score
      churnkit schema features -o features.schema.json
    """
    import json

    import churnkit as ck
    from churnkit.output.files import STANDARD_OUTPUT, write_bytes
    from churnkit.output.json_schema import json_schema

    if command not in SHAPES:
        from difflib import get_close_matches

        near = get_close_matches(command, SHAPES, n=1)
        raise UsageError(
            f"there is no schema for {command!r}",
            hint=f"did you mean {near[0]}?" if near else f"there is one for {', '.join(SHAPES)}",
        )
    module, function = SHAPES[command]
    shape = getattr(import_module(f"churnkit.cli.{module}"), function)()
    text = json.dumps(json_schema(shape, ck.__version__), indent=2, ensure_ascii=False)
    write_bytes(output or STANDARD_OUTPUT, lambda stream: stream.write(f"{text}\n".encode()))
    if output is not None:
        Talk(quiet=talking.quiet, verbose=talking.verbose).done(f"{output} written")
