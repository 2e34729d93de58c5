"""Small pictures for a terminal: when a customer ordered, and what pushes a probability up and down.

They are made of text that says the same without colour. On a terminal whose locale has no block characters the renderer
puts plain ones in their place (`display.plain_marks`), one for one.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from math import ceil
from typing import Any

from churnkit.output.display import TIE, Line, pad, percent, shown, width, wrap
from churnkit.output.document import Push

PIPE_WIDTH = 80
_WIDEST = 120
_HEIGHTS = "▂▄▆█"
_UNITS = {1: "a day", 2: "two days", 7: "a week", 14: "two weeks", 30: "30 days", 61: "two months", 91: "three months"}
_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120)
_LABEL = 7  # 2024-03
_STATEMENT_LEAST = 30
_POINTS = 6


def timeline(orders: Sequence[Mapping[str, Any]], cutoff: date, horizon_days: int, room: int | None) -> list[Line]:
    """The orders of a customer on a line of time, with the cutoff and the horizon after it.

    Args:
        orders: Of one customer, oldest first: `ordered_on amount refund`.
        cutoff: Where history ends.
        horizon_days: Length of the horizon.
        room: Columns of the terminal; None for a pipe.
    """
    cells = min(room or PIPE_WIDTH, _WIDEST) - 1  # one is for the cutoff
    history_days = (cutoff - orders[0]["ordered_on"]).days
    days = _unit(history_days, horizon_days, cells)
    past, ahead = ceil(history_days / days), ceil(horizon_days / days)
    start = cutoff - timedelta(days=past * days)
    place = {id(order): (order["ordered_on"] - start).days // days for order in orders}
    bought, refunded = [0.0] * past, [False] * past
    priced = any(order["amount"] is not None for order in orders)
    for order in orders:
        if order["refund"]:
            refunded[place[id(order)]] = True
        else:
            bought[place[id(order)]] += (order["amount"] or 0.0) if priced else 1.0
    filled = {place[id(order)] for order in orders if not order["refund"]}
    most = max(bought, default=0.0)
    marks = "".join(_height(amount, most) if cell in filled else " " for cell, amount in enumerate(bought))
    lines: list[Line] = [[(marks, ""), ("│", "bold")]]
    if any(refunded):
        lines.append([("".join("×" if refund else " " for refund in refunded), "red"), ("│", "bold")])
    ticks = _ticks(start, cutoff, days, past)
    axis = "".join("┴" if cell in ticks else "─" for cell in range(past))
    lines.append([(axis, "dim"), ("│", "bold"), ("┄" * ahead, "dim")])
    lines.append([(_labels(ticks, cutoff, past, cells + 1), "dim")])
    tallest = shown(most, "money") if priced else f"{most:.0f} order{'' if most == 1 else 's'}"
    unit = _UNITS.get(days, f"{days} days")
    said = [f"each mark {unit}", f"the tallest {tallest}", *(["× refund"] if any(refunded) else [])]
    said += ["│ cutoff", f"┄ horizon of {horizon_days} days"]
    parts = wrap("; ".join(part.replace(" ", TIE) for part in said), room or 10_000)
    return lines + [[(part.replace(TIE, " "), "dim")] for part in parts]


def push_bars(
    pushes: Sequence[Push], average: float, probability: float, room: int | None, whose: str = "customer"
) -> list[Line]:
    """Bars to the left and to the right of the average customer, each with its points and its statement.

    Args:
        pushes: Strongest first.
        average: Churn probability of the average customer.
        probability: That of this one.
        room: Columns of the terminal; None for a pipe.
        whose: Of whom the average is.
    """
    half = 7 if room is not None and room < 76 else 14 if room is not None and room >= 110 else 10
    name_size = max((width(push.name) for push in pushes), default=0)
    most = max((abs(push.points) for push in pushes), default=0.0) or 1.0
    used = name_size + 1 + 2 * half + 1 + 1 + _POINTS + 2
    beside = room is None or room - used >= _STATEMENT_LEAST
    head = f"{' ' * (name_size + 1)}{'stays'.rjust(half)}│{'leaves'.ljust(half)} {'points'.rjust(_POINTS)}"
    lines: list[Line] = [[(head, "dim")]]
    for push in pushes:
        halves = round(2 * half * abs(push.points) / most)
        full, rest = divmod(halves, 2)
        left = ("▐" * rest + "█" * full).rjust(half) if push.points < 0 else " " * half
        right = ("█" * full + "▌" * rest).ljust(half) if push.points > 0 else " " * half
        told = [push.statement] if beside and room is None else wrap(push.statement, max((room or 0) - used, 20))
        first: Line = [
            (pad(push.name, name_size) + " ", ""),
            *((left, "green"), ("│", "dim"), (right, "red")),
            (f" {round(push.points, 1) + 0.0:+{_POINTS}.1f}  ", "bold" if halves else "dim"),
        ]
        if beside:
            lines.append([*first, (told[0], "")])
            lines += [[(" " * used + part, "")] for part in told[1:]]
        else:
            lines.append(first)
            lines += [[("  " + part, "dim")] for part in wrap(push.statement, (room or 0) - 2) if push.statement]
    ends = f"average {whose} {percent(average, digits=0)}, this one {percent(probability, digits=0)}"
    return [*lines, [(ends, "")]]


def _unit(history_days: int, horizon_days: int, cells: int) -> int:
    """Days of a cell: the shortest usual span by which history and horizon fit."""
    for days in _UNITS:
        if ceil(history_days / days) + ceil(horizon_days / days) <= cells:
            return days
    return ceil((history_days + horizon_days) / (cells - 2))


def _height(amount: float, most: float) -> str:
    return _HEIGHTS[min(max(ceil(len(_HEIGHTS) * amount / most) - 1, 0), len(_HEIGHTS) - 1) if most > 0 else 0]


def _ticks(start: date, cutoff: date, days: int, past: int) -> dict[int, str]:
    """Where months begin, by cell: as many as there is room to name before the cutoff is named."""
    for step in _MONTH_STEPS:
        ticks: dict[int, str] = {}
        month = start.year * 12 + start.month - 1
        for number in range(month, cutoff.year * 12 + cutoff.month):
            first = date(number // 12, number % 12 + 1, 1)
            if number % step or first < start:
                continue
            cell = (first - start).days // days
            if cell + _LABEL < past:
                ticks[cell] = f"{first:%Y-%m}"
        places = sorted(ticks)
        if all(after - before > _LABEL + 1 for before, after in pairwise(places)):
            return ticks
    return {}


def _labels(ticks: Mapping[int, str], cutoff: date, past: int, room: int) -> str:
    """The months under their ticks, and the day of the cutoff under its own, or as near as there is room."""
    end = cutoff.isoformat()
    at = max(min(past, room - len(end)), 0)
    text = ""
    for cell, label in sorted(ticks.items()):
        if cell + _LABEL < at:
            text = text.ljust(cell) + label
    return text.ljust(at) + end
