"""What has been published about the CDNOW data, digit for digit, and where.

All models are fitted to the 1/10 sample of the customers of the first quarter of 1997, in weeks: calibrated on the 39
weeks up to 1997-09-30, judged on the 39 weeks after that.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

COUNTING: Final = "Fader, Hardie & Lee (2005), Marketing Science 24(2)"
EXCEL: Final = "Fader, Hardie & Lee (2005), Implementing the BG/NBD Model in Excel"
HISTOGRAM: Final = "Fader, Hardie & Lee (2007), Creating a Fit Histogram for the BG/NBD Model"
WALKTHROUGH: Final = "McCarthy & Wadsworth (2014), Buy 'Til You Die: A Walkthrough"
ISO_VALUE: Final = "Fader, Hardie & Lee (2005), Journal of Marketing Research 42(4)"
BTYDPLUS: Final = "Platzer, R package BTYDplus, of Batislam et al. (2007), IJRM 24(3)"

CALIBRATED_UNTIL: Final = date(1997, 10, 1)
"""The first day of the holdout."""
HOLDOUT_DAYS: Final = 39 * 7


@dataclass(frozen=True, slots=True)
class Shop:
    """What tells the data of a paper from any other orders: their number, and their money."""

    data: str
    title: str
    customers: int
    lines: int
    cents: int


SAMPLE: Final = Shop("cdnow_sample", "the CDNOW sample", 2_357, 6_919, 244_091_94)
COHORT: Final = Shop("cdnow_master", "the whole CDNOW cohort", 23_570, 69_659, 2_500_315_63)


@dataclass(frozen=True, slots=True)
class History:
    """One customer of a worked example, and the weeks that are looked ahead."""

    x: int
    active_days: int
    seen_days: int
    weeks: int

    def __str__(self) -> str:
        return f"x={self.x} t_x={self.active_days / 7:.2f} T={self.seen_days / 7:.2f}, {self.weeks} weeks"


@dataclass(frozen=True, slots=True)
class Published:
    """One figure as it was printed; the digits of the text are those that it is known to."""

    model: str
    quantity: str
    figure: str
    source: str
    history: History | None = None

    @property
    def value(self) -> float:
        """The figure as a number."""
        return float(self.figure)

    def agrees(self, ours: float) -> bool:
        """Whether our figure is the published one to every digit that was printed.

        Example:
            >>> Published("bgnbd", "r", ".243", COUNTING).agrees(0.2425945)
            True
            >>> Published("bgnbd", "r", ".243", COUNTING).agrees(0.2424)
            False
        """
        return round(ours, len(self.figure.partition(".")[2])) == self.value


_FIRST = History(x=2, active_days=213, seen_days=272, weeks=39)
_BUSY = History(x=26, active_days=216, seen_days=217, weeks=52)

PUBLISHED: Final = (
    Published("data", "customers", "2357", COUNTING),
    Published("data", "one_time_buyers", "1411", HISTOGRAM),
    Published("bgnbd", "r", ".243", COUNTING),
    Published("bgnbd", "alpha", "4.414", COUNTING),
    Published("bgnbd", "a", ".793", COUNTING),
    Published("bgnbd", "b", "2.426", COUNTING),
    Published("bgnbd", "log_likelihood", "-9582.43", COUNTING),
    Published("bgnbd", "correlation", ".626", COUNTING),
    Published("bgnbd", "expected_orders", "1.226", EXCEL, _FIRST),
    Published("bgnbd", "expected_orders", "25.76", WALKTHROUGH, _BUSY),
    Published("pareto_nbd", "r", ".553", COUNTING),
    Published("pareto_nbd", "alpha", "10.578", COUNTING),
    Published("pareto_nbd", "s", ".606", COUNTING),
    Published("pareto_nbd", "beta", "11.669", COUNTING),
    Published("pareto_nbd", "log_likelihood", "-9594.98", COUNTING),
    Published("pareto_nbd", "correlation", ".630", COUNTING),
    Published("pareto_nbd", "expected_orders", "25.46", WALKTHROUGH, _BUSY),
    Published("pareto_nbd", "alive_probability", ".9979", WALKTHROUGH, _BUSY),
    Published("mbgnbd", "r", ".525", BTYDPLUS),
    Published("mbgnbd", "alpha", "6.183", BTYDPLUS),
    Published("mbgnbd", "a", ".891", BTYDPLUS),
    Published("mbgnbd", "b", "1.614", BTYDPLUS),
    Published("gamma_gamma", "p", "6.25", ISO_VALUE),
    Published("gamma_gamma", "q", "3.74", ISO_VALUE),
    Published("gamma_gamma", "v", "15.44", ISO_VALUE),
)
