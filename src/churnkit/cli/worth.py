"""The options that say what a lifetime value counts."""

from dataclasses import dataclass
from typing import Annotated

from churnkit.cli.options import option

_PANEL = "Lifetime value"


@dataclass(frozen=True, kw_only=True)
class Worth:
    """What a lifetime value counts."""

    lifetime: Annotated[
        int,
        option(
            "--lifetime",
            metavar="DAYS",
            panel=_PANEL,
            min=1,
            max=36_500,
            show_default=True,
            help="How many days from the cutoff the lifetime value counts.",
        ),
    ] = 1_095
    margin: Annotated[
        float,
        option(
            "--margin",
            metavar="SHARE",
            panel=_PANEL,
            min=0.001,
            max=1,
            show_default=True,
            help="Share of the spend that is earned.",
        ),
    ] = 1.0
    discount_rate: Annotated[
        float,
        option(
            "--discount-rate",
            metavar="SHARE",
            panel=_PANEL,
            min=0,
            max=1,
            show_default=True,
            help="How much less money is worth a year later.",
        ),
    ] = 0.1
