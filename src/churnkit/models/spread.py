"""How far a blended probability may be from the truth: an interval for every customer.

Three things are not known. How the level of a whole horizon will move is the same for all customers; one horizon ago
it could be seen. Sure probabilities may all be too sure, or not sure enough. And where the members contradict each
other, at most one of them can be right: the further they lie apart for a customer, the further the blend is from the
truth. In shops whose truth is known, how far they lie apart goes with the error of the blend, by a correlation of .5 to
.9.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from churnkit.models.blend import probability_of

FloatArray: TypeAlias = NDArray[np.float64]

_TWO_SIDED_90 = 1.644854
_LEAST = 1e-6  # nothing is certain


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviations in log odds, of which the interval of a customer is made.

    Attributes:
        level: Of what all customers have in common.
        per_disagreement: Of what is the customer's own, for each unit by which the members lie apart
            (`Blend.told`).
        per_log_odds: Of how far all probabilities stand from a half, for each unit of a customer's log odds.
    """

    level: float
    per_disagreement: float
    per_log_odds: float

    def interval(self, log_odds: FloatArray, disagreement: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The ends of the interval that holds the true probability for 90 of 100 customers.

        Args:
            log_odds: Of no order within the horizon, by the blend.
            disagreement: How far its members lie apart.

        Example:
            >>> low, high = Spread(0.2, 1.0, 0.0).interval(np.array([0.0, 2.0]), np.array([0.0, 0.5]))
            >>> low.round(2).tolist(), high.round(2).tolist()
            ([0.42, 0.75], [0.58, 0.95])
        """
        own = (self.per_disagreement * disagreement) ** 2 + (self.per_log_odds * log_odds) ** 2
        reach = _TWO_SIDED_90 * np.sqrt(self.level**2 + own)
        low, high = probability_of(log_odds - reach), probability_of(log_odds + reach)
        return np.maximum(low, _LEAST), np.minimum(high, 1 - _LEAST)
