"""The table: what a person sees.

On a terminal it fits: the columns that matter most are kept, the reasons move under their row where there is no room
beside it, risk is a coloured bar. In a pipe it is whole: every column at its full width, no colour, whatever `COLUMNS`
says, so that the same input gives the same bytes.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, TextIO

from churnkit.output.display import (
    RIGHT,
    TIE,
    Line,
    bar,
    between,
    digits_for,
    pad,
    plain_marks,
    risk_style,
    shorten,
    shown,
    width,
    wrap,
)
from churnkit.output.document import Document, Fact, Panel, Portrait, View
from churnkit.output.pictures import timeline
from churnkit.output.portrait import fact_lines, fact_text, portrait_blocks
from churnkit.output.settle import settle
from churnkit.terms import Term

if TYPE_CHECKING:
    import polars as pl

SHOWN_ROWS = 20
_GAP = "  "
_DETAIL_LEAST = 60  # columns that reasons need beside the row, or they go under it
_DETAIL_INDENT = 6
_BESIDE_LEAST = 7  # columns that a person wants to see before the reasons stand beside them
_HEAD_LEAST = 8
_INTERVAL_LEAST = 100  # columns from which there is room for the intervals
_ID_MOST = 24
_TEXT_MOST = 40


@dataclass(frozen=True)
class Screen:
    """A terminal: its width, whether it shows colours, how many rows a person wants to see at once, and its marks."""

    width: int
    colour: bool = True
    rows: int = SHOWN_ROWS
    ascii: bool = False


@dataclass
class _Column:
    term: Term
    texts: list[str]
    heads: list[str]
    size: int

    @property
    def right(self) -> bool:
        return self.term.kind in RIGHT and self.term.kind != "probability"


def screen_of(stream: TextIO | None, *, rows: int | None = None) -> Screen | None:
    """The terminal behind a stream, None for a pipe or a file.

    Args:
        stream: Standard output.
        rows: How many rows a person asked to see; None for `SHOWN_ROWS`.
    """
    if stream is None or not stream.isatty():
        return None
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    columns = shutil.get_terminal_size().columns
    return Screen(max(columns, 40), colour=not plain, rows=rows or SHOWN_ROWS, ascii=_only_ascii(stream))


def _only_ascii(stream: TextIO) -> bool:
    """Whether the locale that was set, or the stream, knows no block characters."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or "UTF-8"
    names = [locale.partition("@")[0].upper(), (getattr(stream, "encoding", None) or "UTF-8").upper()]
    return not all("UTF" in name.replace("-", "") for name in names)


def write_table(
    document: Document,
    rows: "pl.DataFrame",
    terms: Sequence[Term],
    stream: BinaryIO,
    *,
    screen: Screen | None,
    chosen: bool = False,
) -> None:
    """Writes the document as a table.

    Args:
        document: The answer, for its title, facts and sentences.
        rows: Its settled rows.
        terms: Terms of the columns of `rows`.
        stream: Where the bytes go.
        screen: The terminal, or None for a pipe.
        chosen: The columns were asked for: none is left out.
    """
    view = document.view
    blocks: list[list[Line]] = []
    if view.title:
        blocks.append([[(part, "bold")] for part in _fitted(view.title, screen)])
    if view.facts:
        blocks.append(fact_lines(view.facts, screen.width if screen else None))
    if view.portraits and not chosen:
        for portrait in view.portraits:
            blocks += portrait_blocks(portrait, screen.width if screen else None)
    elif view.panels and not chosen:
        blocks += [_panel(panel, screen) for panel in view.panels]
    elif document.rows is not None and (rows.height or not view.facts):
        blocks.append(_rows_block(view, rows, terms, screen, chosen=chosen))
    if view.sums:
        blocks.append([[(part, "")] for part in _sums(view.sums, screen)])
    if view.lines:
        blocks.append([[(part, "")] for line in view.lines for part in _fitted(shown(line, "text"), screen)])
    lines: list[Line] = []
    for block in blocks:
        lines += [*([[]] if lines else []), *block]
    _emit(lines, stream, screen)


def _fitted(text: str, screen: Screen | None) -> list[str]:
    return wrap(text, screen.width) if screen else [text]


def _sums(sums: Sequence[Fact], screen: Screen | None) -> list[str]:
    """Figures in one line, or in as many as they need; none is torn."""
    parts = [f"{shown(fact.value, fact.kind)} {fact.label}".replace(" ", TIE) for fact in sums]
    return [line.replace(TIE, " ") for line in _fitted(f"{TIE}· ".join(parts), screen)]


def _panel(panel: Panel, screen: Screen | None) -> list[Line]:
    title: list[Line] = [[(part, "")] for part in _fitted(panel.title, screen)] if panel.title else []
    view = View(columns=panel.columns, whole=True)
    return title + _rows_block(view, settle(panel.rows, panel.terms), panel.terms, screen, chosen=False)


def _rows_block(
    view: View, rows: "pl.DataFrame", terms: Sequence[Term], screen: Screen | None, *, chosen: bool
) -> list[Line]:
    if not rows.height:
        return [[(f"no {view.several}", "dim")]]
    terms = [term for term in terms if chosen or term.name not in view.empty]
    limit = screen.rows if screen and not view.whole else rows.height
    visible = rows.head(limit)
    columns = [_column(term, visible[term.name].to_list(), screen, whole=term.name == view.detail) for term in terms]
    if view.interval and not chosen and screen and screen.width >= _INTERVAL_LEAST:
        _add_interval(columns, *(visible[name].to_list() for name in view.interval))
    detail: _Column | None = None
    if screen is not None:
        columns, detail = _layout(columns, view.columns, view.detail, screen.width, chosen=chosen)
    probabilities = next(
        (visible[column.term.name].to_list() for column in columns if column.term.kind == "probability"), None
    )
    lines = [*_header(columns, screen)]
    for number in range(visible.height):
        risk = risk_style(probabilities[number]) if probabilities else ""
        lines += _row(columns, number, risk)
        if detail is not None and screen is not None:
            indent = min(columns[0].size + len(_GAP), _DETAIL_INDENT)
            for part in wrap(detail.texts[number], max(screen.width - indent, 20)) if detail.texts[number] else []:
                lines.append([(" " * indent + part, "dim")])
    lines += _left_out(view, rows, visible, columns, detail, terms, screen)
    return lines


def _column(term: Term, values: list[object], screen: Screen | None, *, whole: bool) -> _Column:
    digits = digits_for(max((abs(value) for value in values if isinstance(value, float)), default=0.0))
    texts = [shown(value, term.kind, digits) for value in values]
    if term.kind == "probability":
        texts = [
            f"{bar(value)} {pad(text, 4, right=True)}" if isinstance(value, float) else text
            for value, text in zip(values, texts, strict=True)
        ]
    if screen is not None and not whole and term.kind in ("id", "text"):
        most = _ID_MOST if term.kind == "id" else _TEXT_MOST
        texts = [shorten(text, most) for text in texts]
    body = max(map(width, texts), default=0)
    heads = [term.name]
    if screen is not None:
        longest = max(map(len, term.name.split("_")))
        heads = wrap(term.name.replace("_", " "), max(body, longest, _HEAD_LEAST))
    return _Column(term, texts, heads, max(body, *map(width, heads)))


def _add_interval(columns: Sequence[_Column], lows: Sequence[float], highs: Sequence[float]) -> None:
    """The ends of the intervals behind the probabilities."""
    ends = [between(*pair) for pair in zip(lows, highs, strict=True)]
    most = max(map(width, ends))
    for column in columns:
        if column.term.kind == "probability" and most:
            column.texts = [
                f"{text} {pad(end, most, right=True)}" for text, end in zip(column.texts, ends, strict=True)
            ]
            column.size = max(map(width, [*column.texts, *column.heads]))


def _layout(
    columns: list[_Column], importance: Sequence[str], detail_name: str, room: int, *, chosen: bool
) -> tuple[list[_Column], _Column | None]:
    """The columns that fit, and the list column that goes under the rows because it does not."""
    detail = next((column for column in columns if column.term.name == detail_name), None)
    others = [column for column in columns if column is not detail]
    rank = {name: place for place, name in enumerate(importance)}
    wanted = sorted(others, key=lambda column: rank.get(column.term.name, len(rank)))
    if rank and not chosen:
        wanted = [column for column in wanted if column.term.name in rank]
    if detail is not None:
        least = min(_DETAIL_LEAST, detail.size)
        beside = _that_fit(wanted, room - least - len(_GAP), chosen=chosen)
        left = room - _total(beside) - len(_GAP)
        if left >= least and len(beside) >= min(len(wanted), _BESIDE_LEAST):
            fitted = _Column(detail.term, detail.texts, detail.heads, min(detail.size, left))
            return [*(column for column in others if column in beside), fitted], None
    kept = _that_fit(wanted, room, chosen=chosen)
    return [column for column in others if column in kept], detail


def _total(columns: Iterable[_Column]) -> int:
    sizes = [column.size for column in columns]
    return sum(sizes) + len(_GAP) * max(len(sizes) - 1, 0)


def _that_fit(wanted: Sequence[_Column], room: int, *, chosen: bool) -> list[_Column]:
    kept: list[_Column] = []
    for column in wanted:
        if chosen or not kept or _total([*kept, column]) <= room:
            kept.append(column)
    return kept


def _header(columns: Sequence[_Column], screen: Screen | None) -> Iterator[Line]:
    depth = max(len(column.heads) for column in columns)
    for level in range(depth):
        line: Line = []
        for column in columns:
            heads = [""] * (depth - len(column.heads)) + column.heads
            line.append((pad(heads[level], column.size, right=column.right), "bold" if screen else ""))
            line.append((_GAP, ""))
        yield line
    yield [("─" * min(_total(columns), screen.width if screen else 10_000), "dim")]


def _row(columns: Sequence[_Column], number: int, risk: str) -> Iterator[Line]:
    parts = [wrap(column.texts[number], column.size) for column in columns]
    for level in range(max(map(len, parts))):
        line: Line = []
        for column, texts in zip(columns, parts, strict=True):
            text = texts[level] if level < len(texts) else ""
            line += [(pad(text, column.size, right=column.right), _style(column.term, risk)), (_GAP, "")]
        yield line


def _style(term: Term, risk: str) -> str:
    if term.kind == "probability" or term.name == "risk":
        return risk
    if term.kind == "list" or term.name == "rank":
        return "dim"
    return "bold" if term.kind == "id" else ""


def _left_out(
    view: View,
    rows: "pl.DataFrame",
    visible: "pl.DataFrame",
    columns: Sequence[_Column],
    detail: _Column | None,
    terms: Sequence[Term],
    screen: Screen | None,
) -> list[Line]:
    """What the terminal does not show, and how to see it."""
    more_rows = rows.height - visible.height
    more_columns = len(terms) - len(columns) - (detail is not None)
    said = []
    if more_rows:
        said.append(f"{more_rows:,} more {view.several}")
    if more_columns and not view.columns:
        said.append(f"{more_columns} more columns")
    if not said or screen is None:
        return []
    text = f"… {' and '.join(said)}: -o FILE.csv writes all"
    return [[(part, "dim")] for part in wrap(text, screen.width)]


def _emit(lines: Iterable[Line], stream: BinaryIO, screen: Screen | None) -> None:
    if screen is not None and screen.ascii:
        lines = [[(plain_marks(text), style) for text, style in line] for line in lines]
    if screen is None or not screen.colour:
        for line in lines:
            stream.write(("".join(text for text, _ in line).rstrip() + "\n").encode())
        return
    import io

    from rich.console import Console
    from rich.text import Text

    buffer = io.StringIO()
    console = Console(file=buffer, force_terminal=True, width=10_000, highlight=False, markup=False, emoji=False)
    for line in lines:
        text = Text.assemble(*line)
        text.rstrip()
        console.print(text, soft_wrap=True)
    stream.write(buffer.getvalue().encode())


def write_markdown(document: Document, rows: "pl.DataFrame", terms: Sequence[Term], stream: BinaryIO) -> None:
    """Writes the document as GitHub's Markdown."""
    view = document.view
    blocks = [f"### {_escaped(view.title)}"] if view.title else []
    if view.facts:
        blocks.append(_markdown_facts(view.facts))
    for portrait in view.portraits:
        blocks += _markdown_portrait(portrait)
    if document.rows is not None:
        head = "| " + " | ".join(term.name for term in terms) + " |"
        rule = "|" + "|".join("---:" if term.kind in RIGHT else "---" for term in terms) + "|"
        body = [
            "| " + " | ".join(_escaped(shown(cell, term.kind)) for cell, term in zip(row, terms, strict=True)) + " |"
            for row in rows.iter_rows()
        ]
        blocks.append("\n".join([head, rule, *body]))
    blocks += [_escaped(line) for line in view.lines]
    stream.write(("\n\n".join(blocks) + "\n").encode())


def _markdown_facts(facts: Sequence[Fact]) -> str:
    rows = [f"| {_escaped(fact.label)} | {_escaped(fact_text(fact))} |" for fact in facts]
    return "\n".join(["| | |", "|---|---|", *rows])


def _markdown_portrait(portrait: Portrait) -> list[str]:
    """A customer without the pushes, which are the rows."""
    blocks = [f"#### {_escaped(portrait.title)}", "\n".join(f"- {_escaped(reason)}" for reason in portrait.reasons)]
    blocks.append(_markdown_facts(portrait.facts))
    if portrait.orders and portrait.cutoff is not None:
        lines = timeline(portrait.orders, portrait.cutoff, portrait.horizon_days, None)
        picture = "\n".join("".join(text for text, _ in line).rstrip() for line in lines)
        blocks.append(f"```text\n{picture}\n```")
    return [block for block in [*blocks, *map(_escaped, portrait.lines)] if block]


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no link, no HTML."""
    safe = shown(text, "text")
    for mark in "\\`*_[]<>|":
        safe = safe.replace(mark, f"\\{mark}")
    return safe
