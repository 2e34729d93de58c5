"""`churnkit value`: what each customer will bring."""

from typing import TYPE_CHECKING

from churnkit.cli.about import MODEL, about_model
from churnkit.cli.assumptions import about_attributes, about_orders, about_training
from churnkit.cli.known import Known
from churnkit.cli.options import ModelFile, Reading, Running, Tabular, Time, Whom
from churnkit.cli.session import Session
from churnkit.cli.worth import Worth
from churnkit.output.document import Fact, Shape, View
from churnkit.terms import ACTIVITY, CUTOFF, HORIZON, VALUE, Term

if TYPE_CHECKING:
    from churnkit.predict.model import ChurnModel
    from churnkit.predict.value import Valued

LOOKED_AT = (
    *("customer_id", "lifetime_value", "expected_orders", "expected_spend", "next_order_on"),
    *("next_order_from", "next_order_to", "churn_probability", "lifetime_orders", "segment", "monetary"),
)
LIFETIME = (
    Term("lifetime_days", "days", "Days from the cutoff that the lifetime value counts."),
    Term("margin", "share", "Share of the spend that is earned."),
    Term("discount_rate", "share", "How much less money is worth a year later."),
)
SUMMARY = (
    Term("customers", "integer", "Customers known before the cutoff."),
    Term("valued", "integer", "Those of the population that was asked for."),
    Term("listed", "integer", "Rows of the list, after --top."),
    Term("expected_orders", "number", "Sum over those valued: orders within the horizon."),
    Term("expected_spend", "money", "Sum over those valued: net spend within the horizon.", nullable=True),
    Term("lifetime_orders", "number", "Sum over those valued: orders over the lifetime."),
    Term("lifetime_value", "money", "Sum over those valued: what they are worth in all.", nullable=True),
)
_MONEY = ("expected_spend", "lifetime_value", "expected_mean_order", "monetary")


def shape() -> Shape:
    """What `value` answers."""
    return Shape(command="value", head=(CUTOFF, HORIZON, ACTIVITY, *LIFETIME, MODEL), summary=SUMMARY, rows=VALUE)


def value(
    reading: Reading,
    time: Time,
    known: Known,
    worth: Worth,
    running: Running,
    showing: Tabular,
    population: Whom = "all",
    model: ModelFile = None,
) -> None:
    """What each customer will bring: orders and spend to expect, lifetime value, and when the next order is due.

    Expected orders agree with the churn probability of `score`, and spend is drawn towards that of all customers where
    a customer has few orders. Covers everybody known; --population active leaves out who lapsed.

    Examples:
      churnkit value orders.parquet
      churnkit value orders.csv --margin 0.4 --lifetime 730 --discount-rate 0.12
      churnkit value orders.csv --model shop.model --top 100 -o best.csv
    """
    session = Session(showing, shape(), writes=[reading.rejects])
    with session.working():
        from churnkit.predict.expected import Lifetime
        from churnkit.predict.value import value_customers

        lifetime = Lifetime(worth.lifetime, worth.margin, worth.discount_rate)
        fitted = session.loaded(model, time)
        orders, report = session.orders(reading, cutoff=time.cutoff)
        attributes = session.attributes(known, reading, orders, report)
        fitted = fitted or session.trained(orders, time, running, attributes)
        session.talk.phase("valuing")
        valued = value_customers(
            orders,
            fitted,
            cutoff=time.cutoff,
            population=population,
            lifetime=lifetime,
            top=showing.top,
            attributes=attributes,
        )
    session.show(
        valued.rows,
        head={
            "cutoff": valued.cutoff,
            "horizon_days": fitted.horizon_days,
            "activity_window_days": fitted.activity_window_days,
            "lifetime_days": worth.lifetime,
            "margin": worth.margin,
            "discount_rate": worth.discount_rate,
            "model": about_model(fitted, model, valued.guards),
        },
        summary=valued.summary,
        notes=[
            *about_orders(report),
            *about_attributes(attributes, fitted, model),
            *([] if model else about_training(fitted, time)),
            *valued.notes,
        ],
        view=_view(valued, fitted, worth.lifetime),
        done=f"{valued.summary['valued']:,} customers valued",
    )


def _view(valued: "Valued", model: "ChurnModel", lifetime_days: int) -> View:
    summary = valued.summary
    money = (
        [
            Fact("expected spend", summary["expected_spend"], "money"),
            Fact("lifetime value", summary["lifetime_value"], "money"),
        ]
        if model.has_amounts
        else []
    )
    return View(
        title=f"What customers will bring in {model.horizon_days} days from {valued.cutoff}, and in {lifetime_days:,}",
        columns=[name for name in LOOKED_AT if model.has_amounts or name not in _MONEY],
        empty=() if model.has_amounts else _MONEY,
        several="customers",
        sums=[
            Fact("customers", summary["valued"], "integer"),
            Fact("expected orders", round(summary["expected_orders"]), "integer"),
            *money,
        ],
    )
