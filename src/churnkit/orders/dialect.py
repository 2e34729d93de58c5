"""How a delimited text is laid out, told from its first lines: delimiter, header, names of the columns."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from churnkit.errors import UsageError

BLANKS = " "
"""The delimiter of whitespace-aligned files: a run of blanks."""

_DATE = re.compile(
    r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|(19|20)\d\d[01]\d[0-3]\d"
    r"|\d{1,2}[-. ]?[^\W\d_]{3,10}\.?[-, ]*\d{2,4}|[^\W\d_]{3,10}\.? \d{1,2},? \d{4})([T ,].{4,})?"
)
_NUMBER = re.compile(r"[-+(]?[$€£]?[-+]?\d[\d.,' ]*[$€£%)]?")
_LONG_INTEGER = re.compile(r"\d{5,}")
_DECIMAL = re.compile(r"[-+(]?[$€£]?[-+]?\d+([.,]\d+)+[$€£%)]?")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a delimited text is laid out.

    Args:
        delimiter: One character; `BLANKS` for runs of blanks.
        columns: Names of the columns; "1", "2", ... without a header.
        header: Whether the first line holds the names.
        skip: Physical lines before the header, or before the data without one.
        header_lines: Physical lines of the header: 0 without, more than 1 where a name holds a line end.
        notes: What was guessed, as sentences.
    """

    delimiter: str
    columns: tuple[str, ...]
    header: bool
    skip: int
    header_lines: int
    notes: tuple[str, ...] = ()

    @property
    def before_data(self) -> int:
        """Physical lines before the first line of data."""
        return self.skip + self.header_lines


def delimiter_named(name: str) -> str:
    r"""The delimiter that the user named.

    Example:
        >>> delimiter_named("tab"), delimiter_named("\\t"), delimiter_named(";"), delimiter_named("space")
        ('\t', '\t', ';', ' ')
    """
    known = {"tab": "\t", "\\t": "\t", "space": BLANKS, "comma": ",", "semicolon": ";", "pipe": "|"}.get(name, name)
    if len(known) != 1 or not known.isascii() or known in '"\r\n\0' or known.isalnum():
        raise UsageError(f"{name!r} cannot be a delimiter", hint="one character, or tab or space")
    return known


def dialect_of(head: str, delimiter: str | None = None, header: bool | None = None) -> Dialect:
    r"""How the text that begins with `head` is laid out.

    Args:
        head: Whole lines, ends as in the file.
        delimiter: The delimiter, where it is known.
        header: Whether there is a header, where it is known.

    Example:
        >>> found = dialect_of("kunde;datum;betrag\n007;05.01.2024;9,50\n")
        >>> found.delimiter, found.columns, found.before_data
        (';', ('kunde', 'datum', 'betrag'), 1)
    """
    lines = head.split("\n")
    if lines and (stated := re.fullmatch(r'"?sep=(.)"?\r?', lines[0].lstrip("\ufeff"))):
        delimiter, lines[0] = delimiter or stated[1], ""
    before = next((i for i, line in enumerate(lines) if line.strip('\ufeff \t\r,;|"')), len(lines))
    lines = [line.lstrip("\ufeff").rstrip("\r") for line in lines[before:]]
    chosen = delimiter or guess_delimiter(lines)
    rows = [row for row in cells(lines, chosen) if any(map(str.strip, row))]
    notes = [] if delimiter or chosen == "," else [f"the delimiter is {_spoken(chosen)} (--delimiter)"]
    if header is None:
        header = has_header(rows)
        notes += [] if header else ["there is no header, so the columns go by number, from 1"]
    if not header:
        width = Counter(map(len, rows)).most_common(1)[0][0] if rows else 0
        return Dialect(chosen, numbered(width), False, before, 0, tuple(notes))
    columns, renamed = distinct(rows[0] if rows else [])
    header_lines = 1 + sum(cell.count("\n") for cell in rows[0]) if rows else 0
    return Dialect(chosen, columns, True, before, header_lines, (*notes, *renamed))


def numbered(width: int) -> tuple[str, ...]:
    """The names of columns without a header.

    Example:
        >>> numbered(3)
        ('1', '2', '3')
    """
    return tuple(str(place) for place in range(1, width + 1))


def _spoken(delimiter: str) -> str:
    return {"\t": "a tab", BLANKS: "a run of blanks"}.get(delimiter, repr(delimiter))


def cells(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """The cells of some lines."""
    if delimiter == BLANKS:
        return [line.split() for line in lines]
    try:
        return list(csv.reader((f"{line}\n" for line in lines), delimiter=delimiter))
    except csv.Error:
        return [line.split(delimiter) for line in lines]


def guess_delimiter(lines: Sequence[str]) -> str:
    """The delimiter that cuts most lines into the same number of cells, at least two; a run of blanks if none does.

    Of equals the rarer character wins: a comma may be a decimal comma, a tab is hardly ever anything else.

    Example:
        >>> guess_delimiter(["1;2,50", "2;3,10"]), guess_delimiter([" 00001 19970101  1   11.77"])
        (';', ' ')
    """

    def agreement(delimiter: str) -> float:
        widths = Counter(len(row) for row in cells(lines, delimiter) if any(row))
        width, count = widths.most_common(1)[0] if widths else (0, 0)
        return count / widths.total() if width > 1 else 0.0

    share, best = max(((agreement(delimiter), delimiter) for delimiter in "\t;|,"), key=lambda pair: pair[0])
    if share < 0.9 and agreement(BLANKS) > max(share, 0.9):
        return BLANKS
    return best if share else ","


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first of some rows holds names: no cell of it reads as a date, a decimal or a long number.

    A cell counts only where the cell below is of its kind, so that years or months as columns are a header.

    Example:
        >>> has_header([["id", "date"], ["1", "2024-01-05"]]), has_header([["1", "2024-01-05"]])
        (True, False)
        >>> has_header([["customer", "2024-01-01"], ["7", "9.50"]]), has_header([["0", "1"], ["7", "9.50"]])
        (True, True)
    """
    first, *rest = rows or [[]]
    below = rest[0] if rest else first
    return not any(_is_data(cell.strip(), under.strip()) for cell, under in zip(first, below, strict=False))


def _is_data(cell: str, below: str) -> bool:
    if _DATE.fullmatch(cell):
        return bool(not below or _DATE.fullmatch(below))
    number = _DECIMAL.fullmatch(cell) or _LONG_INTEGER.fullmatch(cell)
    return bool(number and (not below or _NUMBER.fullmatch(below)))


def distinct(names: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Names without blanks around them, none empty, none twice; and a sentence on those that had to be renamed.

    Example:
        >>> distinct(["id", " price", "price", ""])
        (('id', 'price', 'price_2', 'column 4'), ["more than one column is called 'price': one is now 'price_2'"])
    """
    given: list[str] = []
    notes = []
    for place, raw in enumerate(names, 1):
        name = unique = raw.strip() or f"column {place}"
        count = 1
        while unique in given:
            count += 1
            unique = f"{name}_{count}"
        if unique != name:
            notes.append(f"more than one column is called {name!r}: one is now {unique!r}")
        given.append(unique)
    return tuple(given), notes
