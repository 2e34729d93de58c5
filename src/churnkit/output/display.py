"""One value as a person reads it. What kind of value it is says how; see `terms.Kind`."""

from datetime import date, datetime

from churnkit.output.safe_text import safe_text
from churnkit.terms import RISK_HIGH, RISK_MEDIUM, Kind

Piece = tuple[str, str]  # text, style
Line = list[Piece]

NOTHING = "–"
TIE = "\u00a0"  # a blank at which no line is broken
BAR_CELLS = 8
_EIGHTHS = " ▏▎▍▌▋▊▉"
_PLAIN = str.maketrans("▏▎▍▌▐▋▊▉█▂▄▆─│┴┄×–·…", "-----####.oO-|+~x-.~")
RIGHT: frozenset[Kind] = frozenset({"integer", "days", "money", "share", "number", "figure", "probability"})


def shown(value: object, kind: Kind, digits: int | None = None) -> str:
    """The text of one cell; `digits` after the point of a number, by its size where not given.

    Example:
        >>> shown(1234.5, "money"), shown(0.0231, "share"), shown(0.81, "probability"), shown(None, "date")
        ('1,234.50', '2.3%', '81%', '–')
        >>> shown(["buys every 23 days", "silent for 61"], "list"), shown(date(2011, 10, 2), "date")
        ('buys every 23 days; silent for 61', '2011-10-02')
        >>> shown(-9582.429207, "figure"), shown(-0.000078, "figure"), shown(2357.0, "figure")
        ('-9,582.43', '-0.000078', '2,357')
    """
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return "; ".join(safe_text(str(item)) for item in value) or NOTHING
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, int | float):
        return _number(value, kind, digits)
    return safe_text(str(value))


def _number(value: float, kind: Kind, digits: int | None) -> str:
    if kind == "money":
        return f"{value:,.2f}"
    if kind == "probability":
        return percent(value, digits=0)
    if kind == "share":
        return percent(value, digits=1)
    if isinstance(value, int):
        return f"{value:,}"
    if kind == "figure":
        return _leading_digits(value)
    return f"{value:,.{digits_for(value) if digits is None else digits}f}"


def _leading_digits(value: float) -> str:
    """Six leading digits, of which at most six stand after the point, without the zeros at the end."""
    before = len(f"{abs(value):.0f}") if abs(value) >= 1 else 0
    text = f"{value:,.{max(6 - before, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def digits_for(largest: float) -> int:
    """Digits after the point of numbers up to this one, so that they line up and say enough."""
    return 3 if abs(largest) < 1 else 2 if abs(largest) < 10 else 1


def percent(value: float, *, digits: int) -> str:
    """A share of one; certainty is shown only where it is certain.

    Example:
        >>> percent(0.999, digits=0), percent(1.0, digits=0), percent(0.001, digits=0), percent(0.0, digits=1)
        ('>99%', '100%', '<1%', '0.0%')
    """
    least = 10.0**-digits
    if 0 < value * 100 < least / 2:
        return f"<{least:.{digits}f}%"
    if 100 - least / 2 <= value * 100 < 100:
        return f">{100 - least:.{digits}f}%"
    return f"{value * 100:.{digits}f}%"


def between(low: float | None, high: float | None) -> str:
    """The ends of an interval of shares; nothing where there is none.

    Example:
        >>> between(0.703, 0.894), between(0.001, 0.0042), between(None, None)
        ('70–89%', '<1%', '')
    """
    if low is None or high is None:
        return ""
    ends = [percent(value, digits=0).removesuffix("%") for value in (low, high)]
    return f"{'–'.join(dict.fromkeys(ends))}%"


def bar(probability: float, cells: int = BAR_CELLS) -> str:
    """A bar of eighths, always `cells` wide.

    Example:
        >>> bar(0.5), bar(1.0), bar(0.0)
        ('████    ', '████████', '        ')
    """
    eighths = round(min(max(probability, 0.0), 1.0) * cells * 8)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (_EIGHTHS[rest] if rest else "")).ljust(cells)


def risk_style(probability: float | None) -> str:
    """The colour of a risk, for a terminal that has colours."""
    if probability is None:
        return ""
    return "red" if probability >= RISK_HIGH else "yellow" if probability >= RISK_MEDIUM else "green"


def plain_marks(text: str) -> str:
    """Text whose bars, rules and marks are ASCII, one for one; what stands in the data stays as it is.

    Example:
        >>> plain_marks("▂ ▆█│┄┄ ██▌")
        '. O#|~~ ##-'
    """
    return text if text.isascii() else text.translate(_PLAIN)


def width(text: str) -> int:
    """Columns that a text takes on a terminal; Chinese characters take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def pad(text: str, size: int, *, right: bool = False) -> str:
    """A text filled with blanks to a width."""
    blanks = " " * (size - width(text))
    return blanks + text if right else text + blanks


def wrap(text: str, size: int) -> list[str]:
    """A text in lines of at most `size` columns, broken at blanks, and inside a word only where it must be.

    Example:
        >>> wrap("buys every 23 days; silent for 61", 20)
        ['buys every 23 days;', 'silent for 61']
    """
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        if line and width(line) + 1 + width(word) > size:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
        while width(line) > size:
            head, line = _cut(line, size)
            lines.append(head)
    return [*lines, line]


def _cut(text: str, size: int) -> tuple[str, str]:
    end, used = 0, 0
    while end < len(text) and used + width(text[end]) <= max(size, 2):
        used += width(text[end])
        end += 1
    return text[:end], text[end:]


def shorten(text: str, size: int) -> str:
    """A text cut to `size` columns, the cut marked.

    Example:
        >>> shorten("a very long customer id", 10)
        'a very lo…'
    """
    return text if width(text) <= size else _cut(text, size - 1)[0] + "…"
