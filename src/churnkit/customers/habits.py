"""How customers buy, in a handful of figures: what `check` says about a file beside what is wrong with it."""

from dataclasses import dataclass
from datetime import date

from polars import col

from churnkit.customers.returns import advise_windows
from churnkit.customers.snapshot import Orders, default_cutoff, order_book


@dataclass(frozen=True, slots=True)
class Habits:
    """How customers buy.

    Attributes:
        orders_per_customer: Orders over customers with an order.
        one_order_share: Share of these customers with one order only.
        mean_order: Net amount of the orders, refunds not taken off, over their number; None without amounts.
        median_gap_days: Days within which half of those who come back do so; None where nobody came back.
        typical_gap_days: The same for 80 % of them.
        sentences: What the history says about silence, in words.
    """

    orders_per_customer: float
    one_order_share: float
    mean_order: float | None
    median_gap_days: int | None
    typical_gap_days: int | None
    sentences: tuple[str, ...]


def buying_habits(orders: Orders, *, cutoff: date | None = None) -> Habits | None:
    """How the customers of these orders buy; None where there is no order, only refunds.

    Args:
        orders: Clean order lines or an order book.
        cutoff: The first day that is not seen; the day after the last line where not given.
    """
    book = order_book(orders)
    bought = book.orders.filter(col("is_order"))
    if bought.is_empty():
        return None
    counts = bought.group_by("customer_id").len()["len"]
    cents = bought["cents"]
    advice = advise_windows(book, cutoff=cutoff or default_cutoff(book))
    return Habits(
        orders_per_customer=bought.height / counts.len(),
        one_order_share=int((counts == 1).sum()) / counts.len(),
        mean_order=None if cents.null_count() else int(cents.sum()) / bought.height / 100,
        median_gap_days=advice.median_gap_days,
        typical_gap_days=advice.typical_gap_days,
        sentences=advice.sentences,
    )
