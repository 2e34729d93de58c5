"""`churnkit sample`."""

from typing import Annotated

from churnkit.cli.options import Showing, option
from churnkit.cli.session import Session
from churnkit.output.document import Shape
from churnkit.terms import Term

ROWS = (
    Term("order_id", "id", "The order that the line belongs to."),
    Term("customer_id", "id", "The customer; null for a guest.", nullable=True),
    Term("order_date", "date", "Day of the order."),
    Term("product", "id", "What was bought."),
    Term("quantity", "integer", "Units; negative for a return."),
    Term("unit_price", "money", "Price of one unit."),
    Term("country", "id", "Where the order went."),
)


def shape() -> Shape:
    """What `sample` writes."""
    return Shape(command="sample", rows=ROWS)


def sample(
    showing: Showing,
    customers: Annotated[int, option("--customers", metavar="N", min=1, show_default=True, help="How many.")] = 400,
    seed: Annotated[
        int, option("--seed", metavar="N", min=0, show_default=True, help="Another seed, another shop.")
    ] = 7,
) -> None:
    """Write a small, seeded example order file.

    The same seed gives the same bytes. CSV goes to standard output unless a file is named.

    Examples:
      churnkit sample -o orders.csv
      churnkit sample --customers 2000 --seed 7 -o orders.parquet
    """
    session = Session(showing, shape(), default_format="csv")
    import churnkit as ck

    orders = ck.sample_orders(customers=customers, seed=seed)
    then = f"churnkit score {showing.output}" if showing.output else ""
    session.show(orders, done=f"{orders.height:,} lines", then=then)
