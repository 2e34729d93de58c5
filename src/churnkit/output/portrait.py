"""One customer as a person sees it: reasons, figures, a line of time, sentences, and what pushes which way."""

from collections.abc import Sequence
from itertools import zip_longest

from churnkit.output.display import Line, between, pad, shown, width, wrap
from churnkit.output.document import Fact, Portrait
from churnkit.output.pictures import push_bars, timeline

_GAP = "  "
_APART = "    "
_VALUE_LEAST = 20


def portrait_blocks(portrait: Portrait, room: int | None) -> list[list[Line]]:
    """The blocks of a portrait, to stand with an empty line between them.

    Args:
        portrait: The customer.
        room: Columns of the terminal; None for a pipe.
    """
    title: list[Line] = [[(part, "bold")] for part in _fitted(shown(portrait.title, "id"), room)]
    reasons: list[Line] = [[(part, "")] for reason in portrait.reasons for part in _fitted(shown(reason, "text"), room)]
    blocks = [title + reasons, facts_beside(portrait.facts, room)]
    if portrait.orders and portrait.cutoff is not None:
        blocks.append(timeline(portrait.orders, portrait.cutoff, portrait.horizon_days, room))
    blocks.append([[(part, "")] for line in portrait.lines for part in _fitted(shown(line, "text"), room)])
    if portrait.pushes:
        blocks.append(push_bars(portrait.pushes, portrait.average, portrait.probability, room, portrait.whose))
    return [block for block in blocks if block]


def fact_lines(facts: Sequence[Fact], room: int | None) -> list[Line]:
    """Labelled values, one a line, wrapped where the terminal is too narrow."""
    told = [(fact.label, fact_text(fact)) for fact in facts]
    label_size = max((width(label) for label, _ in told), default=0)
    lines: list[Line] = []
    for label, text in told:
        left = max(room - label_size - len(_GAP), _VALUE_LEAST) if room else width(text)
        for number, part in enumerate(wrap(text, max(left, 1))):
            lines.append([(pad(label if number == 0 else "", label_size) + _GAP, "dim"), (part, "")])
    return lines


def facts_beside(facts: Sequence[Fact], room: int | None) -> list[Line]:
    """The same in two columns, where there is room for both."""
    half = (len(facts) + 1) // 2
    columns = [[(fact.label, fact_text(fact)) for fact in part] for part in (facts[:half], facts[half:])]
    sizes = [[max((width(pair[at]) for pair in column), default=0) for at in (0, 1)] for column in columns]
    if room is not None and sum(map(sum, sizes)) + 2 * len(_GAP) + len(_APART) > room:
        return fact_lines(facts, room)
    lines: list[Line] = []
    for left, right in zip_longest(*columns):
        line: Line = [(pad(left[0], sizes[0][0]) + _GAP, "dim"), (pad(left[1], sizes[0][1]) + _APART, "")]
        lines.append(line + ([(pad(right[0], sizes[1][0]) + _GAP, "dim"), (right[1], "")] if right else []))
    return lines


def fact_text(fact: Fact) -> str:
    """The value of a fact, with what it lies within."""
    text = shown(fact.value, fact.kind)
    return text if fact.within is None else f"{text} ({between(*fact.within)})"


def _fitted(text: str, room: int | None) -> list[str]:
    return wrap(text, room) if room else [text]
