"""The options that say what a campaign costs and what it can bring."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from churnkit.cli.options import option
from churnkit.errors import UsageError

if TYPE_CHECKING:
    from churnkit.evaluate.profit import Costs

_PANEL = "Costs of a campaign"


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """What contacting a customer costs, and what it can bring."""

    contact_cost: Annotated[
        float | None,
        option("--contact-cost", metavar="MONEY", panel=_PANEL, min=0, help="Cost of reaching one customer."),
    ] = None
    offer_cost: Annotated[
        float | None,
        option("--offer-cost", metavar="MONEY", panel=_PANEL, min=0, help="Cost of the offer to one who takes it."),
    ] = None
    success_rate: Annotated[
        float,
        option(
            "--success-rate",
            metavar="P",
            panel=_PANEL,
            min=0.001,
            max=0.999,
            show_default=True,
            help="Share of those about to leave whom the offer keeps.",
        ),
    ] = 0.3
    value: Annotated[
        float | None,
        option(
            "--value",
            metavar="MONEY",
            panel=_PANEL,
            min=0,
            help="What a customer who is kept is worth; the own spend if retained where not given.",
        ),
    ] = None

    def check(self) -> None:
        """Refuses a value without any cost: there is nothing to weigh it against."""
        if self.contact_cost is None and self.offer_cost is None and self.value is not None:
            raise UsageError(
                "--value says what a kept customer is worth, and nothing says what keeping one costs",
                hint="add --contact-cost or --offer-cost, 0 where it costs nothing",
            )

    def costs(self) -> "Costs | None":
        """The costs, None where none were given."""
        from churnkit.evaluate.profit import Costs

        if self.contact_cost is None and self.offer_cost is None:
            return None
        return Costs(self.contact_cost or 0.0, self.offer_cost or 0.0, self.success_rate, self.value)
