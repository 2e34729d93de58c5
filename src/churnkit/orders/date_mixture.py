"""One column, several ways of writing dates: what a spreadsheet leaves behind when it converts what it can.

A spreadsheet that expects month first is given `21-07-2015` and `05-01-2015`. The first is no date to it and stays
text. The second it takes for May 1st, stores that, and shows it in its own manner, month first: `5/1/2015`. The stored
date is wrong, yet the parts stand where they stood: the text still says 5 January. So the mark of this damage is that
the form left alone always has a day above 12 and the other form never has; then the order of the parts is the same in
both forms. That holds for day and month exchanged as well. Where the converted form puts the year first, or is a serial
number, the parts were exchanged on the way: such columns are refused.

How many lines fall on each month or weekday does not decide it: in a real file damaged like this, the volumes of the
months agreed better with the wrong reading.
"""

from math import log

import polars as pl

from churnkit.errors import AmbiguousDateError
from churnkit.orders.date_forms import read_days, two_readings

_BY_CHANCE = log(1e-6)
_SPAN_DAYS = 31
Part = tuple[pl.DataFrame, list[str]]


def settle_mixture(forms: dict[str, Part], name: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """One reading for each form of a column that mixes them.

    Args:
        forms: For each form its distinct days with their lines, and the readings that fit.
        name: The column, for messages.

    Returns:
        The reading of each form, and sentences that say what was found.

    Raises:
        AmbiguousDateError: What there is to see does not decide it.
    """
    settled = {form: readings[0] for form, (_, readings) in forms.items() if len(readings) == 1}
    open_ = sorted(form for form in forms if form not in settled)
    notes = []
    for form in open_:
        part, readings = forms[form]
        decided = [_same_order(forms[other][0], settled[other], part, readings) for other in sorted(settled)]
        agreed = {reading for reading in decided if reading is not None}
        if len(agreed) != 1:
            raise _refusal(forms, name, part, readings)
        settled[form] = agreed.pop()
        notes.append(
            f"the dates in {name} are written in {len(forms)} ways, as a spreadsheet leaves them that converted only "
            f"days up to 12; the parts kept their places: {part['day'][0]!r} is {settled[form]} (--date-format)"
        )
    if not notes:
        _refuse_exchanged(forms, settled, name)
        said = ", ".join(f"{settled[form]} on {forms[form][0]['lines'].sum()} lines" for form in sorted(settled))
        notes.append(
            f"the dates in {name} are written in {len(forms)} ways, each of which reads in one way only: {said}"
        )
    return settled, tuple(notes)


def _days(part: pl.DataFrame, reading: str) -> pl.DataFrame:
    return part.select("lines", date=read_days(pl.col("day"), reading).dt.date()).drop_nulls()


def _same_order(left: pl.DataFrame, left_reading: str, part: pl.DataFrame, readings: list[str]) -> str | None:
    """The reading of `part` with day and month in the same order as in the form that was left alone, if proved."""
    day_first = left_reading.startswith("%d")
    reading = next((r for r in readings if r.startswith("%d") == day_first and not r.startswith("%y")), None)
    numeric = left_reading.startswith(("%d", "%m")) and "%B" not in left_reading
    if reading is None or not numeric:
        return None
    known = _days(left, left_reading)
    if not _complementary(known["date"], _days(part, reading)["date"]):
        return None
    outside = {r: _outside(known["date"], _days(part, r)) for r in readings}
    return reading if outside[reading] == min(outside.values()) else None


def _complementary(left: pl.Series, converted: pl.Series) -> bool:
    """Whether all days of one are above 12 and none of the other, and that can hardly be chance."""
    if left.dt.day().min() <= 12 or converted.dt.day().max() > 12:  # type: ignore[operator]
        return False
    chance = left.n_unique() * log(18.44 / 30.44) + converted.n_unique() * log(12 / 30.44)
    return chance < _BY_CHANCE


def _outside(span: pl.Series, days: pl.DataFrame) -> int:
    """Lines more than a month before or after the span of the form that is known."""
    first, last = pl.lit(span.min()), pl.lit(span.max())
    margin = pl.duration(days=_SPAN_DAYS)
    far = (pl.col("date") < first - margin) | (pl.col("date") > last + margin)
    return int(days.select(pl.col("lines").filter(far).sum()).item())


def _refuse_exchanged(forms: dict[str, Part], settled: dict[str, str], name: str) -> None:
    """A form that never has a day above 12 beside one that always has: converted, with day and month exchanged."""
    dates = {form: _days(forms[form][0], settled[form])["date"] for form in settled}
    for form in sorted(settled):
        for other in sorted(settled):
            if form != other and _complementary(dates[form], dates[other]):
                raise AmbiguousDateError(
                    f"the dates in {name} mix {forms[form][0]['day'][0]!r} (days always above 12) with "
                    f"{forms[other][0]['day'][0]!r} (never): a spreadsheet may have exchanged day and month",
                    hint="export the dates again as text, or as YYYY-MM-DD",
                )


def _refusal(forms: dict[str, Part], name: str, part: pl.DataFrame, readings: list[str]) -> AmbiguousDateError:
    other = min(str(other["day"][0]) for other, _ in forms.values() if other is not part)
    return AmbiguousDateError(
        f"the dates in {name} are written in {len(forms)} ways, and {two_readings(part, readings)} (beside {other!r})",
        hint="write them all in one way, or name the format that counts: --date-format",
    )
