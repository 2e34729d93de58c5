"""What was assumed, in sentences that name the option to change it. Nothing that was said by the user is repeated."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from churnkit.cli.options import Time

if TYPE_CHECKING:
    from datetime import date

    from churnkit.orders.attributes import AttributeTable
    from churnkit.orders.report import CleaningReport
    from churnkit.predict.model import ChurnModel


def about_orders(report: "CleaningReport") -> list[str]:
    """Which columns were found, what cleaning noticed, what it dropped."""
    guessed = [found for found in report.found.found if found.how == "name"]
    notes = []
    if guessed:
        pairs = ", ".join(f"{found.role} = {found.column}" for found in guessed)
        notes.append(f"columns by name: {pairs} (else --{guessed[0].role} COLUMN and so on)")
    notes += [found.sentence for found in report.found.found if found.how == "content"]
    notes += report.notes
    if report.dropped:
        reasons = ", ".join(f"{dropped.lines:,} {dropped.reason.replace('_', ' ')}" for dropped in report.dropped)
        lines = sum(dropped.lines for dropped in report.dropped)
        notes.append(f"{lines:,} of {report.lines_read:,} lines were dropped: {reasons} (`churnkit check` shows them)")
    return notes


def about_attributes(
    attributes: "Sequence[AttributeTable] | None", model: "ChurnModel | None" = None, file: str | None = None
) -> list[str]:
    """What was found in the tables of attributes, and whether a model that was given reads them."""
    notes = [note for table in attributes or () for note in table.notes]
    if attributes and model is not None and file is not None and not model.attributes:
        notes.append(f"{file} was trained without attributes, and does not read them: churnkit train --attributes FILE")
    return notes


def about_time(time: Time, cutoff: "date", horizon_days: int, activity_window_days: int) -> list[str]:
    """Which cutoff, horizon and activity window were picked from the data."""
    picked = []
    if time.cutoff is None:
        picked.append(f"cutoff {cutoff}, the day after the last order (--cutoff)")
    if time.horizon_days is None:
        picked.append(f"horizon {horizon_days} days (--horizon)")
    if time.activity_window_days is None:
        picked.append(f"activity window {activity_window_days} days (--activity-window)")
    return [f"picked from the data: {', '.join(picked)}"] if picked else []


def about_training(model: "ChurnModel", time: Time) -> list[str]:
    """What was picked for a model that was trained on the way, and what came out of its check."""
    return [*about_time(time, model.cutoff, model.horizon_days, model.activity_window_days), *model.notes]
