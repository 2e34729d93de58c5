"""Basket: what an order holds, and when it is placed."""

import polars as pl
from polars import col, when

from churnkit.customers.features.registry import feature, ratio

THOUSANDTHS = 1_000


@feature("basket", "number")
def lines_per_order() -> pl.Expr:
    """Lines per order."""
    return ratio(col("n_lines"), col("n_orders"))


@feature("basket", "number")
def units_per_order() -> pl.Expr:
    """Units per order, over the orders whose quantity is known. Null where the file has no quantity."""
    return ratio(col("units_milli"), col("n_counted") * THOUSANDTHS)


@feature("basket", "integer", -1)
def n_products() -> pl.Expr:
    """Number of different products bought. Null where the file has no product."""
    return col("n_products")


@feature("basket", "number")
def products_per_order() -> pl.Expr:
    """Different products bought over orders. Null where the file has no product."""
    return ratio(col("n_products"), col("n_orders"))


@feature("basket", "share")
def new_product_share_180_days() -> pl.Expr:
    """Share of the products bought that were first bought in the last 180 days. Null where the file has no product."""
    return ratio(col("n_new_products"), col("n_products"))


@feature("basket", "share")
def weekend_share() -> pl.Expr:
    """Share of the orders placed on a Saturday or Sunday."""
    return ratio(col("n_weekend"), col("n_orders"))


@feature("basket", "share")
def evening_share() -> pl.Expr:
    """Share of the orders placed from 18:00 on. Null where all orders are at midnight: a file with dates only."""
    return when(col("n_timed") > 0).then(ratio(col("n_evening"), col("n_orders")))
