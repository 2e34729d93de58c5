"""The gap after the last order: against the beta distribution, and against worlds whose gaps are known."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import betainc

from churnkit.models.erlang import ErlangMixture
from churnkit.models.erlang_gaps import gap_probability, gap_quantile

FloatArray = NDArray[np.float64]

MIXTURE = ErlangMixture((1, 3, 9), (0.3, 0.4, 0.3), 1.2, (60.0, 50.0, 45.0), 0.8, 4.0)


def some_gaps(many: int, seed: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Customers of the mixture: how many gaps are known of each, their sum, the sum of their logs, and the next gap."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, many, p=MIXTURE.shares)
    shape = np.array(MIXTURE.shapes)[kind]
    rate = rng.gamma(MIXTURE.r, 1 / np.array(MIXTURE.alpha)[kind])
    x = rng.integers(1, 12, many)
    gaps = rng.gamma(shape[:, None], 1 / (rate * shape)[:, None], (many, 13))
    known = np.arange(13) < x[:, None]
    return (
        x.astype(np.float64),
        np.where(known, gaps, 0).sum(axis=1),
        np.where(known, np.log(gaps), 0).sum(axis=1),
        gaps[:, 12],
    )


def test_the_probability_is_that_of_a_mixture_of_beta_prime_distributions() -> None:
    x, t_x, log_gaps, gap = some_gaps(50, 1)
    shape = MIXTURE.shape_probabilities(x, t_x, t_x, log_gaps)
    expected = sum(
        share * betainc(k, MIXTURE.r + k * x, gap / (alpha / k + t_x + gap))
        for k, alpha, share in zip(MIXTURE.shapes, MIXTURE.alpha, shape, strict=True)
    )
    assert gap_probability(MIXTURE, gap, x, t_x, log_gaps) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("level", [0.01, 0.1, 0.5, 0.9, 0.99])
def test_a_quantile_has_its_probability(level: float) -> None:
    x, t_x, log_gaps, _ = some_gaps(50, 2)
    gap = gap_quantile(MIXTURE, level, x, t_x, log_gaps)
    assert gap_probability(MIXTURE, gap, x, t_x, log_gaps) == pytest.approx(np.full(50, level), abs=1e-6)


def test_80_percent_of_the_next_gaps_of_the_mixture_fall_between_the_outer_tenths() -> None:
    x, t_x, log_gaps, gap = some_gaps(20_000, 3)
    low, high = (gap_quantile(MIXTURE, level, x, t_x, log_gaps) for level in (0.1, 0.9))
    assert (gap < low).mean() == pytest.approx(0.1, abs=0.008)
    assert (gap > high).mean() == pytest.approx(0.1, abs=0.008)
    for known in (x == 1, x > 6):  # whoever is known little gets a wider range, not a wrong one
        assert ((gap >= low) & (gap <= high))[known].mean() == pytest.approx(0.8, abs=0.025)


def test_who_is_known_to_be_regular_gets_a_narrow_range_and_an_unknown_one_that_of_all() -> None:
    even = np.log(30.0) * np.array([1, 8])
    low, high = (gap_quantile(MIXTURE, level, [1, 8], [30, 240], even) for level in (0.1, 0.9))
    assert (high - low)[1] < (high - low)[0] / 2
    assert low[1] < 30 < high[1]
    uneven = gap_quantile(MIXTURE, 0.9, [8], [240], [8 * np.log(30.0) - 6])
    assert uneven[0] > high[1]


def test_gaps_of_any_length_give_finite_ranges() -> None:
    for x, t_x, log_gaps in ((1, 1.0, 0.0), (5_000, 5_000.0, 0.0), (1, 20_000.0, np.log(20_000.0))):
        low, high = (gap_quantile(MIXTURE, level, [x], [t_x], [log_gaps])[0] for level in (0.001, 0.999))
        assert 0 < low < high <= 36_500.001
