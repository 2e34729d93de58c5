"""Ids: text exactly as in the file, with one repair, and a number for each order id."""

from typing import Final

import polars as pl

MISSING_IDS: Final = ("null", "nan", "none", "n/a", "na", "<na>", "nil", "#n/a", "undefined")
_FLOATED: Final = r"^[+-]?\d+\.0+$"
_EXACT: Final = float(2**53)


def read_ids(column: pl.Series, role: str) -> tuple[pl.Series, list[str]]:
    """Ids as text, null where there is none, and sentences on what was repaired or looks odd.

    Example:
        >>> ids, notes = read_ids(pl.Series("CustomerID", ["17850.0", "", "12583.0"]), "customer")
        >>> ids.to_list()
        ['17850', None, '12583']
        >>> notes
        ['all ids in CustomerID end in .0, integers that went through a float: the .0 is taken off']
    """
    notes = []
    text = _floats_as_text(column) if column.dtype.is_float() else column.cast(pl.String, strict=False)
    bare = text.str.strip_chars()
    absent = bare.str.to_lowercase().is_in(MISSING_IDS)
    words = sorted(bare.filter(absent).unique().to_list())
    if words:
        notes.append(f"{int(absent.sum())} lines have {', '.join(map(repr, words))} in {column.name}: no {role}")
    ids = pl.select(pl.when((bare != "") & ~absent).then(text)).to_series().alias(column.name)
    known = ids.drop_nulls().unique()
    stripped = known.str.strip_chars()
    if known.len() and stripped.str.contains(_FLOATED).all():
        notes.append(f"all ids in {column.name} end in .0, integers that went through a float: the .0 is taken off")
        return ids.str.strip_chars().str.replace(r"\.0+$", ""), notes
    alike = known.len() - stripped.str.to_lowercase().n_unique()
    if alike:
        notes.append(f"{alike} ids in {column.name} differ from another only in blanks or capitals: they stay apart")
    return ids, notes


def _floats_as_text(column: pl.Series) -> pl.Series:
    """Whole floats without exponent, as `17850.0`."""
    values = column.cast(pl.Float64).fill_nan(None)
    whole = values.to_frame("id").select(
        ((pl.col("id") == pl.col("id").floor()) & (pl.col("id").abs() < _EXACT)).all()
    )  # fmt: skip
    if not whole.item():
        return values.cast(pl.String)
    return values.cast(pl.Int64).cast(pl.String) + ".0"


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
