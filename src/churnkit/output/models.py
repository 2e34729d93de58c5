"""Model files on disk, written whole or not at all."""

from os import PathLike, fspath
from typing import TYPE_CHECKING

from churnkit.output.files import write_bytes

if TYPE_CHECKING:
    from churnkit.predict.saved import AnyModel


def save_model(model: "AnyModel", path: str | PathLike[str]) -> None:
    """Write a model file. A file that is there is replaced at once or not at all.

    Args:
        model: A trained model.
        path: Where to write it.

    Raises:
        OutputError: The file cannot be created there.
        ReadWriteError: Writing failed; the old file is as it was.
    """
    from churnkit.predict.saved import model_bytes

    content = model_bytes(model)
    write_bytes(fspath(path), lambda stream: stream.write(content))
