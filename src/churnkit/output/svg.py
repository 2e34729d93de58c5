"""A small chart as SVG text: axes, lines, bars, marks and a legend. No script, no style sheet, no font is loaded.

What is ours is dark and solid, everything else is lighter and dashed, so that a chart holds in grey too. The numbers
stand in the description, for those who cannot see it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import floor, log10
from typing import Literal, NamedTuple
from xml.sax.saxutils import escape

from churnkit.output.safe_text import safe_text

WIDTH, HEIGHT = 640, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 24, 108, 60
_INK, _MUTED, _GRID, _AXIS = "#1b2430", "#55606b", "#e4e8ec", "#8b96a1"
_FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
_CHARACTER = 7.2  # mean width of one at 12 pixels in a wide font

Point = tuple[float, float]
Role = Literal["ours", "other", "ceiling", "reference"]


class _Pen(NamedTuple):
    colour: str
    width: float
    dashes: str


_PENS: dict[Role, _Pen] = {
    "ours": _Pen("#0b4f8a", 2.75, ""),
    "other": _Pen("#d06a1b", 2.0, "7 4"),
    "ceiling": _Pen("#6b7681", 1.75, "2 3"),
    "reference": _Pen("#aab3bb", 1.5, ""),
}


@dataclass(frozen=True)
class Axis:
    """One axis: what it is, where it begins and ends, and its ticks with their labels."""

    title: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]


def share_axis(title: str) -> Axis:
    """An axis from 0 to 100 %."""
    return Axis(title, 0.0, 1.0, [(k / 5, f"{20 * k}%") for k in range(6)])


def number_axis(title: str, low: float, high: float) -> Axis:
    """An axis with five or so round ticks, which holds both ends and 0.

    Example:
        >>> [label for _, label in number_axis("profit", -120.0, 1_730.0).ticks]
        ['-500', '0', '500', '1,000', '1,500', '2,000']
    """
    low, high = min(low, 0.0), max(high, 0.0)
    high = high if high > low else 1.0
    span = high - low
    power = 10.0 ** floor(log10(span / 5))
    step = next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= 5)
    first, last = floor(low / step), -floor(-high / step)
    digits = max(0, -floor(log10(step)))
    ticks = [(k * step, f"{k * step:,.{digits}f}") for k in range(first, last + 1)]
    return Axis(title, first * step, last * step, ticks)


@dataclass
class Chart:
    """A chart that is being drawn.

    Args:
        title: What it shows; the title of the file too.
        subtitle: Of whom, and when.
        x: The horizontal axis.
        y: The vertical axis.
        description: The same in words and numbers.
    """

    title: str
    subtitle: str
    x: Axis
    y: Axis
    description: str
    _parts: list[str] = field(default_factory=list)
    _legend: list[tuple[str, Role, str]] = field(default_factory=list)

    def line(self, points: Sequence[Point], role: Role, label: str = "") -> None:
        """A line through points."""
        path = " ".join(f"{'L' if k else 'M'}{self._at(point)}" for k, point in enumerate(points))
        self._parts.append(f'<path d="{path}" fill="none" {_stroke(role)} stroke-linejoin="round"/>')
        if label:
            self._legend.append((label, role, "line"))

    def marks(self, points: Sequence[Point], role: Role) -> None:
        """A dot at each point: filled for ours, hollow for others."""
        fill = _PENS[role].colour if role == "ours" else "#ffffff"
        for point in points:
            x, y = self._at(point).split(" ")
            self._parts.append(
                f'<circle cx="{x}" cy="{y}" r="4" fill="{fill}" stroke="{_PENS[role].colour}" stroke-width="1.75"/>'
            )

    def whiskers(self, spans: Sequence[tuple[float, float, float]], role: Role) -> None:
        """A thin upright line at each (x, low, high)."""
        for x, low, high in spans:
            path = f"M{self._at((x, low))} L{self._at((x, high))}"
            thin = f'stroke="{_PENS[role].colour}" stroke-width="1.25" stroke-opacity="0.65"'
            self._parts.append(f'<path d="{path}" fill="none" {thin}/>')

    def bars(self, points: Sequence[Point], half: float, role: Role, label: str = "") -> None:
        """Bars from 0 up to each point, `half` to either side of it."""
        for x, y in points:
            left, top = self._at((x - half, max(y, 0.0))).split(" ")
            right, bottom = self._at((x + half, min(y, 0.0))).split(" ")
            size = f'width="{_number(float(right) - float(left))}" height="{_number(float(bottom) - float(top))}"'
            self._parts.append(f'<rect x="{left}" y="{top}" {size} fill="{_PENS[role].colour}"/>')
        if label:
            self._legend.append((label, role, "bar"))

    def note(self, point: Point, text: str) -> None:
        """A short text above a point, kept inside the chart."""
        x, y = (float(part) for part in self._at(point).split(" "))
        half = len(text) * _CHARACTER / 2
        x = min(max(x, _LEFT + half + 4), WIDTH - _RIGHT - half - 4)
        self._parts.append(_text(x, max(y - 12, _TOP + 12), text, size=12, anchor="middle", weight="bold"))

    def svg(self) -> str:
        """The chart as a file."""
        title, description = _safe(self.title), _safe(f"{self.subtitle}. {self.description}")
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="title description" font-family="{_FONT}">'
        )
        lines = [
            head,
            f'<title id="title">{title}</title>',
            f'<desc id="description">{description}</desc>',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
            _text(_LEFT, 28, self.title, size=17, weight="bold"),
            _text(_LEFT, 48, self.subtitle, size=11, colour=_MUTED),
            *self._frame(),
            *self._parts,
            *self._keys(),
        ]
        return "\n".join([*lines, "</svg>", ""])

    def _at(self, point: Point) -> str:
        """Where a point lies, in pixels."""
        x = (point[0] - self.x.low) / (self.x.high - self.x.low)
        y = (point[1] - self.y.low) / (self.y.high - self.y.low)
        across, down = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
        return f"{_number(_LEFT + x * across)} {_number(_TOP + (1 - y) * down)}"

    def _frame(self) -> list[str]:
        parts = []
        for value, label in self.y.ticks:
            y = float(self._at((self.x.low, value)).split(" ")[1])
            colour = _AXIS if value == 0 else _GRID
            ends = f'x1="{_LEFT}" y1="{_number(y)}" x2="{WIDTH - _RIGHT}" y2="{_number(y)}"'
            parts.append(f'<line {ends} stroke="{colour}" stroke-width="1"/>')
            parts.append(_text(_LEFT - 8, y + 4, label, size=12, anchor="end", colour=_MUTED))
        for value, label in self.x.ticks:
            x = float(self._at((value, self.y.low)).split(" ")[0])
            parts.append(_text(x, HEIGHT - _BOTTOM + 18, label, size=12, anchor="middle", colour=_MUTED))
        middle, centre = (_LEFT + WIDTH - _RIGHT) / 2, (_TOP + HEIGHT - _BOTTOM) / 2
        parts.append(_text(middle, HEIGHT - 16, self.x.title, size=13, anchor="middle"))
        turned = f' transform="rotate(-90 18 {_number(centre)})"'
        parts.append(_text(18, centre, self.y.title, size=13, anchor="middle", more=turned))
        return parts

    def _keys(self) -> list[str]:
        """The legend, in lines above the chart."""
        parts, x, y = [], float(_LEFT), 70.0
        for label, role, kind in sorted(self._legend, key=lambda key: list(_PENS).index(key[1])):
            sample = 20 if kind == "bar" else 32
            size = sample + len(label) * _CHARACTER + 16
            if x > _LEFT and x + size > WIDTH:
                x, y = float(_LEFT), y + 18
            if kind == "bar":
                place = f'x="{_number(x)}" y="{_number(y - 6)}" width="14" height="12"'
                parts.append(f'<rect {place} fill="{_PENS[role].colour}"/>')
            else:
                parts.append(f'<path d="M{_number(x)} {_number(y)} h26" fill="none" {_stroke(role)}/>')
            parts.append(_text(x + sample, y + 4, label, size=12))
            x += size
        return parts


def _stroke(role: Role) -> str:
    pen = _PENS[role]
    dashes = f' stroke-dasharray="{pen.dashes}"' if pen.dashes else ""
    return f'stroke="{pen.colour}" stroke-width="{pen.width:g}"{dashes}'


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: int,
    anchor: Literal["start", "middle", "end"] = "start",
    weight: Literal["normal", "bold"] = "normal",
    colour: str = _INK,
    more: str = "",
) -> str:
    place = f'x="{_number(x)}" y="{_number(y)}" font-size="{size}" fill="{colour}"'
    anchored = "" if anchor == "start" else f' text-anchor="{anchor}"'
    bold = "" if weight == "normal" else ' font-weight="bold"'
    return f"<text {place}{anchored}{bold}{more}>{_safe(text)}</text>"


def _safe(text: str) -> str:
    return escape(safe_text(text))


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
