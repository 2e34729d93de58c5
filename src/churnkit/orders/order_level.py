"""Columns that speak of an order and not of its lines: repeated on every line of it, or written on the first only."""

from typing import Final, Literal

import polars as pl

from churnkit.orders.names import name_words

Shape = Literal["line", "repeated", "first"]

_NEARLY_ALL: Final = 0.98
_ORDERS_BY_NAME, _ORDERS_FOR_ANY = 3, 20  # orders of several lines it takes to see it, by a telling name and without
_TELLING: Final = frozenset(("total", "grand", "order", "invoice", "subtotal", "basket"))


def order_shape(order: pl.Series, values: pl.Series, fingerprint: pl.Series, name: str) -> Shape:
    """Whether a column speaks of lines, or of orders.

    Args:
        order: The order id of each line.
        values: What the column says, null where nothing.
        fingerprint: Equal where two lines are equal; copies are looked at once.
        name: What the column is called.

    Example:
        >>> orders = pl.Series([1, 1, 2, 2, 3, 3])
        >>> lines = pl.Series(range(6))
        >>> order_shape(orders, pl.Series([5.0, 5.0, 7.0, 7.0, 9.0, 9.0]), lines, "Order total")
        'repeated'
        >>> order_shape(orders, pl.Series([5.0, None, 7.0, None, 9.0, None]), lines, "Order total")
        'first'
    """
    frame = pl.DataFrame({"order": _present(order), "value": values, "line": fingerprint})
    frame = frame.filter(pl.col("order").is_not_null())
    shape = _shape(frame, name)
    return shape if shape == "line" else _shape(frame.unique("line"), name)


def _shape(frame: pl.DataFrame, name: str) -> Shape:
    orders = _several(frame)
    needed = _ORDERS_BY_NAME if name_words(name) & _TELLING else _ORDERS_FOR_ANY
    if orders.height < needed or orders["high"].n_unique() < 2:  # one price everywhere says nothing
        return "line"
    repeated = (pl.col("filled") == pl.col("n")) & (pl.col("low") == pl.col("high"))
    shares = orders.select(repeated=repeated.mean(), first=(pl.col("filled") == 1).mean()).row(0, named=True)
    if shares["repeated"] >= _NEARLY_ALL:
        return "repeated"
    return "first" if shares["first"] >= _NEARLY_ALL else "line"


def _several(frame: pl.DataFrame) -> pl.DataFrame:
    """The orders of more than one line: their lines, how many say something, and the least and the most they say."""
    value = pl.col("value")
    orders = frame.group_by("order").agg(
        n=pl.len(), filled=value.is_not_null().sum(), low=value.min(), high=value.max()
    )  # fmt: skip
    return orders.filter(pl.col("n") > 1)


def _present(order: pl.Series) -> pl.Series:
    text = order.cast(pl.String)
    return pl.select(pl.when(text.str.strip_chars() != "").then(text)).to_series()


def once_per_order(
    shape: Shape, values: pl.Series, order: pl.Series, ordered_at: pl.Series, fingerprint: pl.Series
) -> pl.Series:
    """The total of an order on one of its lines, and 0 on the others, so that adding up lines is right.

    The line that carries a repeated total is the earliest of its order, so lines that come later change nothing.

    Example:
        >>> orders, day = pl.Series(["a", "a", "b"]), pl.Series([1, 1, 2])
        >>> once_per_order("repeated", pl.Series([5.0, 5.0, 7.0]), orders, day, pl.Series([0, 1, 2])).to_list()
        [5.0, 0.0, 7.0]
    """
    frame = pl.DataFrame({"value": values, "order": order.cast(pl.String), "at": ordered_at, "line": fingerprint})
    frame = frame.with_row_index("row")
    several = pl.col("order").is_not_null() & (pl.len().over("order") > 1)
    if shape == "first":
        carried = pl.col("value").is_not_null().any().over("order") & several
        filled = pl.when(carried & pl.col("value").is_null()).then(0.0).otherwise("value")
        return frame.select(filled.alias("value")).to_series()
    place = frame.sort("order", "at", "line", "row", nulls_last=True).select(
        "row", first=pl.int_range(pl.len()).over("order") == 0
    )
    marked = frame.join(place, on="row", how="left", maintain_order="left")
    kept = pl.when(several & ~pl.col("first") & pl.col("value").is_not_null()).then(0.0).otherwise("value")
    return marked.select(kept.alias("value")).to_series()


def fill_within_orders(column: pl.Series, order: pl.Series, fingerprint: pl.Series) -> pl.Series | None:
    """The column with its value on all lines of an order, where the file writes it on one line of each order only.

    None where the file is not written like that.
    """
    order = _present(order)
    filled = int((column.is_not_null() & order.is_not_null()).sum())
    if not column.null_count() or filled > 1.05 * order.n_unique():
        return None
    frame = pl.DataFrame({"order": order, "value": column, "line": fingerprint}).drop_nulls("order")
    once = _several(frame.unique("line")).select((pl.col("filled") == 1).mean(), pl.len()).row(0)
    if once[1] < _ORDERS_BY_NAME or once[0] < _NEARLY_ALL:
        return None
    single = pl.col("value").drop_nulls().n_unique() == 1
    frame = pl.DataFrame({"order": order, "value": column})
    known = frame.drop_nulls("order").group_by("order").agg(
        other=pl.when(single).then(pl.col("value").drop_nulls().first())
    )  # fmt: skip
    rows = frame.join(known, on="order", how="left", maintain_order="left")
    return rows.select(pl.coalesce("value", "other").alias(column.name)).to_series()
