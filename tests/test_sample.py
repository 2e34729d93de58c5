from datetime import date

import polars as pl
import pytest

from churnkit.errors import UsageError
from churnkit.orders.clean import clean_orders
from churnkit.orders.sample import sample_orders


def test_the_same_seed_gives_the_same_file_everywhere() -> None:
    orders = sample_orders(customers=40, seed=3)
    assert orders.equals(sample_orders(customers=40, seed=3))
    assert not orders.equals(sample_orders(customers=40, seed=4))
    assert orders.height == 504
    assert orders.row(0) == ("10001", "C0011", date(2023, 1, 29), "Oat drink 1 l", 1, 2.29, "Netherlands")


def test_the_sample_is_small_and_needs_no_option() -> None:
    orders = sample_orders()
    assert len(orders.write_csv()) < 300_000
    _, report = clean_orders(orders)
    assert report.columns == {
        "customer": "customer_id", "date": "order_date", "amount": "quantity * unit_price", "order": "order_id",
        "product": "product", "quantity": "quantity", "price": "unit_price", "market": "country",
    }  # fmt: skip
    assert [each.reason for each in report.dropped] == ["missing_customer"]
    assert report.customers >= 395
    assert 20 <= report.refunds <= 200
    assert report.duplicates == 0
    assert report.last_order_on < date(2025, 1, 1)


def test_the_shop_has_regulars_one_time_buyers_and_leavers() -> None:
    orders = sample_orders().drop_nulls("customer_id").filter(pl.col("quantity") > 0)
    days = orders.group_by("customer_id").agg(
        n=pl.col("order_date").n_unique(), last=pl.col("order_date").max(), first=pl.col("order_date").min()
    )
    once = (days["n"] == 1).mean()
    gone = days.filter((pl.col("n") >= 3) & (pl.col("last") < date(2024, 7, 1))).height
    faithful = days.filter((pl.col("n") >= 8) & (pl.col("last") > date(2024, 10, 1))).height
    assert isinstance(once, float)
    assert 0.15 < once < 0.45
    assert gone > 20
    assert faithful > 50


def test_a_refund_goes_back_to_something_that_was_bought() -> None:
    orders = sample_orders(customers=200)
    refunds = orders.filter(pl.col("quantity") < 0)
    bought = orders.filter(pl.col("quantity") > 0).select("product", "country", first="order_date")
    assert refunds.height > 5
    assert refunds["order_id"].str.starts_with("R").all()
    earlier = refunds.join(bought, on=["product", "country"]).filter(pl.col("first") < pl.col("order_date"))
    assert earlier["order_id"].n_unique() == refunds["order_id"].n_unique()


@pytest.mark.parametrize(("customers", "seed"), [(0, 1), (-1, 1), (2_000_000, 1), (10, -1)])
def test_a_sample_that_cannot_be_made_is_a_usage_error(customers: int, seed: int) -> None:
    with pytest.raises(UsageError):
        sample_orders(customers=customers, seed=seed)
