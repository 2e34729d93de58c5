"""What a column may be by what is in it: whether a name can be believed, and ids where no name helps."""

from typing import Final

from churnkit.orders.facts import ColumnFacts, Facts
from churnkit.orders.names import ROLES, name_score

MONEY: Final = ("amount", "quantity", "price")
_FEW: Final = 10


def can_be(role: str, facts: ColumnFacts, points: int) -> bool:
    """Whether the content allows what the name says."""
    if role == "date":
        return facts.is_date or (facts.counted >= 0.9 and points >= 60)
    if role in MONEY:
        return facts.is_number or (facts.numbers >= 0.5 and points >= 75)
    if facts.is_date and not (facts.is_number or facts.coded > 0.5):
        return False
    if role == "customer":
        weak = points < 80
        repeats = facts.distinct < facts.filled and (facts.distinct > 1 or facts.filled < 20)
        return not (facts.is_number and facts.fractions) and (repeats or not weak or facts.lines < 3)
    if role == "order":
        return not (facts.is_number and facts.fractions)
    return facts.distinct > 1 or points >= 80


def ids_by_content(facts: Facts, names: list[str], *, header: bool) -> tuple[list[str], list[str]]:
    """Columns that may be customer ids, best first, and columns that are order ids.

    Customer ids repeat and read like ids. An order id goes with one customer and one day, and not the other way round.

    Args:
        facts: The columns, measured.
        names: Those to choose from, in file order.
        header: Whether the names mean something; one that speaks of something else is believed.
    """
    dated = [name for name in names if facts[name].is_date]
    likely = [name for name in names if name not in dated and _repeats_like_ids(facts[name])]
    if header:
        likely = [name for name in likely if not _speaks_of_another(name) and not _names_a_class(facts[name])]
    orders = [name for name in likely if any(_is_order_of(facts, name, other, dated) for other in likely)]
    customers = [name for name in likely if name not in orders]
    return sorted(customers, key=lambda name: (-_id_likeness(facts[name]), names.index(name))), orders


def _is_order_of(facts: Facts, order: str, customer: str, dated: list[str]) -> bool:
    return (
        order != customer
        and facts.determines(order, customer)
        and not facts.determines(customer, order)
        and any(facts.determines(order, day) for day in dated)
    )


def _speaks_of_another(name: str) -> bool:
    return any(name_score(role, name) for role in ROLES if role != "customer")


def _names_a_class(facts: ColumnFacts) -> bool:
    return facts.distinct < max(_FEW, facts.filled // 100)


def _repeats_like_ids(facts: ColumnFacts) -> bool:
    often = 2 <= facts.distinct <= 0.95 * facts.filled
    return often and facts.spaced < 0.2 and not facts.fractions and (facts.is_number or facts.coded > 0.5)


def _id_likeness(facts: ColumnFacts) -> float:
    return (1.0 if facts.coded > 0.5 else 0.0) + facts.distinct / facts.filled
