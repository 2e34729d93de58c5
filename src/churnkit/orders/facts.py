"""What is in a column, measured: how full, how many different values, how many of them read as dates or numbers."""

from dataclasses import dataclass, field
from typing import Final

import polars as pl

from churnkit.orders.dates import date_shares
from churnkit.orders.numbers import parse_numbers

_LOOKED_AT: Final = 1_000  # values that are parsed to judge a column
_MANY: Final = 50_000


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """One column, measured over all lines; the shares are over the lines that are filled.

    Args:
        name: The column.
        lines: All lines.
        filled: Lines with a value other than blanks.
        distinct: Different values.
        dates: Share that reads as a date.
        counted: Share that reads as seconds or days counted from a fixed day.
        numbers: Share that reads as a number.
        fractions: Whether a number has a fraction.
        spaced: Share with a blank inside, as words have and ids have not.
        coded: Share with a leading zero, or letters and digits in one, or an @.
        example: One value, as it stands.
    """

    name: str
    lines: int
    filled: int
    distinct: int
    dates: float
    counted: float
    numbers: float
    fractions: bool
    spaced: float
    coded: float
    example: str

    @property
    def is_date(self) -> bool:
        """Nearly all values read as dates."""
        return self.dates >= 0.9

    @property
    def is_number(self) -> bool:
        """Nearly all values read as numbers."""
        return self.numbers >= 0.9

    @property
    def is_unique(self) -> bool:
        """Every line has a value of its own, in a file long enough for that to mean something."""
        return self.distinct == self.filled and self.filled >= 20


@dataclass(frozen=True)
class Facts:
    """The facts of the columns of a frame, each measured when it is first asked for."""

    frame: pl.DataFrame
    _known: dict[str, ColumnFacts] = field(default_factory=dict, repr=False)

    def __getitem__(self, name: str) -> ColumnFacts:
        if name not in self._known:
            self._known[name] = _measure(self.frame[name])
        return self._known[name]

    def determines(self, left: str, right: str) -> bool:
        """Whether each value of one column goes with one value of the other."""
        pairs = self.frame.select(left, right).drop_nulls().unique()
        return pairs.height == pairs[left].n_unique()


def _measure(column: pl.Series) -> ColumnFacts:
    values = column.drop_nulls()
    if column.dtype == pl.String:
        values = values.filter(values.str.strip_chars() != "")
    elif column.dtype.is_float():
        values = values.filter(values.is_finite())
    elif column.dtype.is_nested() or column.dtype in (pl.Object, pl.Binary):
        values = values.clear()
    counts = values.alias("value").value_counts(name="lines")
    distinct = counts.height
    if distinct > _MANY:  # sorting them all would cost more than all the rest; a hash picks the same ones as well
        counts = counts.with_columns(by=pl.col("value").hash(seed=0)).bottom_k(_LOOKED_AT, by="by")
    sample = _by_lines(counts.sort("value"))
    unique = counts["value"].sort()
    text = unique.gather_every(max(1, unique.len() // _LOOKED_AT)).cast(pl.String)
    temporal = column.dtype.is_temporal()
    numbers = pl.Series([], dtype=pl.Float64) if temporal else _numbers(sample)
    readable = numbers.drop_nulls()
    dates, counted = (0.0, 0.0) if column.dtype == pl.Boolean else date_shares(sample)
    return ColumnFacts(
        name=column.name,
        lines=column.len(),
        filled=values.len(),
        distinct=distinct,
        dates=dates,
        counted=counted,
        numbers=readable.len() / max(sample.len(), 1),
        fractions=bool((readable != readable.floor()).any()),
        spaced=_share(text, r"\S\s+\S"),
        coded=_share(text, r"^0\d|@|\p{L}.*\d|\d.*\p{L}"),
        example=str(text[0]) if text.len() else "",
    )


def _by_lines(counts: pl.DataFrame) -> pl.Series:
    """Values as often as they stand on lines, at most so many, evenly from all lines in sorted order."""
    ends = counts["lines"].cast(pl.Int64).cum_sum()
    total = int(counts["lines"].sum())
    lines = pl.int_range(0, total, max(1, total // _LOOKED_AT), eager=True)
    return counts["value"].gather(ends.search_sorted(lines, side="right"))


def _numbers(sample: pl.Series) -> pl.Series:
    return parse_numbers(sample, None if _one_sign(sample) else ".").values


def _one_sign(sample: pl.Series) -> bool:
    text = sample.cast(pl.String)
    return not (text.str.contains(r"\d,\d{1,2}$").any() and text.str.contains(r"\d\.\d{1,2}$").any())


def _share(text: pl.Series, pattern: str) -> float:
    return float(text.str.contains(pattern).sum()) / max(text.len(), 1)
