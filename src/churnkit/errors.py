"""What can go wrong for a user, as one small tree of classes.

A `ChurnkitError` is a problem that the user can mend: a message (the fact: what, where), a hint (the next step) and
a stable `code`. The door prints it in one or two lines and exits with `exit_code`. Anything else that is raised is a
bug of ours and stays a traceback.
"""

from typing import ClassVar


class ChurnkitError(Exception):
    """A problem that the user can mend.

    Args:
        message: The fact: what is wrong, and where (file, row, column).
        hint: The next step, a sentence; empty where there is none.

    Example:
        >>> error = MissingColumnError("orders.csv has no date column", hint="name it: --date COLUMN")
        >>> error.code, error.exit_code, str(error), error.hint
        ('missing-column', 65, 'orders.csv has no date column', 'name it: --date COLUMN')
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 65

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(ChurnkitError):
    """The command line, or an argument of a public function, makes no sense."""

    code, exit_code = "usage", 2


class DataError(ChurnkitError, ValueError):
    """The orders cannot be used as they are."""

    code = "unusable-data"


class MissingColumnError(DataError):
    """A column that is needed was not found, or one that was named does not exist."""

    code = "missing-column"


class AmbiguousDateError(DataError):
    """More than one reading of the dates fits all of them."""

    code = "ambiguous-dates"


class ShortHistoryError(DataError):
    """The history is too short, or holds too few customers, for what was asked."""

    code = "short-history"


class ModelFileError(ChurnkitError, ValueError):
    """A model file is not one of ours, damaged, or made for other data."""

    code = "unusable-model"


class InputNotFoundError(ChurnkitError):
    """No such input."""

    code, exit_code = "no-input", 66


class ExtraMissingError(ChurnkitError):
    """An optional part is not installed; the hint names the extra."""

    code, exit_code = "missing-extra", 69


class OutputError(ChurnkitError):
    """The output cannot be created."""

    code, exit_code = "no-output", 73


class ReadWriteError(ChurnkitError):
    """Reading or writing failed half-way (disk full, connection lost)."""

    code, exit_code = "read-write", 74


class LockedError(ChurnkitError):
    """Another run holds the lock."""

    code, exit_code = "locked", 75


class ConfigError(ChurnkitError):
    """The configuration is wrong."""

    code, exit_code = "bad-config", 78
