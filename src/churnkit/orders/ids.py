"""Ids: text exactly as in the file, with one repair, and a number for each order id."""

from typing import Final

import polars as pl

from churnkit.orders.amounts import order_shape

MISSING_IDS: Final = ("null", "nan", "none", "n/a", "na", "<na>", "nil", "#n/a", "undefined")
_FLOATED: Final = r"^[+-]?\d+\.0+$"
_EXACT: Final = 2**53


def read_ids(column: pl.Series, role: str) -> tuple[pl.Series, list[str]]:
    """Ids as text, null where there is none, and sentences on what was repaired or looks odd.

    Example:
        >>> ids, notes = read_ids(pl.Series("CustomerID", ["17850.0", "", "12583.0"]), "customer")
        >>> ids.to_list(), notes[0]
        (['17850', None, '12583'], 'ids in CustomerID read like 17850.0, integers that went through a float: read as 17850')
    """
    notes = []
    text, floated = _as_text(column)
    bare = text.str.strip_chars()
    absent = bare.str.to_lowercase().is_in(MISSING_IDS)
    words = sorted(bare.filter(absent).unique().to_list())
    if words:
        notes.append(f"{int(absent.sum())} lines have {', '.join(map(repr, words))} in {column.name}: no {role}")
    ids = pl.select(pl.when((bare != "") & ~absent).then(text)).to_series().alias(column.name)
    known = ids.drop_nulls().unique()
    if floated is not None or (known.len() and known.str.strip_chars().str.contains(_FLOATED).all()):
        example = floated if floated is not None else str(known.sort()[0])
        repaired = ids.str.strip_chars().str.replace(r"\.0+$", "")
        notes.append(
            f"ids in {column.name} read like {example}, integers that went through a float: "
            f"read as {example.split('.')[0]}"
        )
        return repaired, notes
    alike = known.len() - known.str.strip_chars().str.to_lowercase().n_unique()
    if alike:
        notes.append(f"{alike} ids in {column.name} differ from another only in blanks or capitals: they stay apart")
    return ids, notes


def _as_text(column: pl.Series) -> tuple[pl.Series, str | None]:
    """Text, and for whole floats how they would have been written."""
    if column.dtype.is_float():
        filled = column.drop_nulls()
        filled = filled.filter(filled.is_not_nan())
        if (
            filled.len()
            and filled.is_finite().all()
            and (filled == filled.floor()).all()
            and filled.abs().max() < _EXACT
        ):  # type: ignore[operator]
            whole = column.fill_nan(None).cast(pl.Int64)
            return whole.cast(pl.String), f"{whole.drop_nulls().min()}.0"
    if column.dtype == pl.Binary:
        return column.cast(pl.String, strict=False), None
    return column.cast(pl.String), None


def order_keys(order: pl.Series) -> pl.Series:
    """A number for each order id: integers as they are, other texts a 64 bit hash, 0 for none.

    Example:
        >>> order_keys(pl.Series(["17", None, "17", " "])).to_list()
        [17, 0, 17, 0]
    """
    text = pl.col("order")
    plain = text.str.contains(r"^(0|[1-9]\d{0,17})$")
    hashed = text.hash(seed=0).reinterpret(signed=True)
    key = pl.when(plain).then(text.cast(pl.Int64, strict=False)).otherwise(hashed)
    present = text.is_not_null() & (text.str.strip_chars() != "")
    return order.alias("order").to_frame().select(order_key=pl.when(present).then(key).otherwise(0)).to_series()


def fill_within_orders(column: pl.Series, order: pl.Series, fingerprint: pl.Series) -> pl.Series | None:
    """The column with its values on all lines of their orders, where the file writes them on one line of each only.

    None where the file is not written like that.
    """
    if not column.null_count() or order_shape(order, column, fingerprint, "order") != "first":
        return None
    frame = pl.DataFrame({"order": order, "value": column})
    single = pl.col("value").drop_nulls().n_unique() == 1
    value = pl.col("value").drop_nulls().first()
    known = frame.filter(pl.col("order").str.strip_chars() != "").group_by("order").agg(
        other=pl.when(single).then(value)
    )  # fmt: skip
    rows = frame.join(known, on="order", how="left", maintain_order="left")
    return rows.select(pl.coalesce("value", "other").alias(column.name)).to_series()
