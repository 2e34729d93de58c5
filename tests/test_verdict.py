"""The verdict of a backtest, on customers whose true probabilities are known."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from churnkit.evaluate.profit import Costs
from churnkit.predict.judging import BASE_RATE, CEILING, OURS, Sample, deciles, figures, reached
from churnkit.predict.verdict import Verdict, comparable, verdict_of

FloatArray = NDArray[np.float64]
RULES = ("rfm_score", "bgnbd", "mbgnbd", "pareto_nbd", "rfm_logistic", "inactivity_rule")


def blurred(p: FloatArray, noise: float, seed: int) -> FloatArray:
    """The probabilities as a model sees them whose log odds are off by so much."""
    log_odds = np.log(p / (1 - p)) + np.random.default_rng(seed).normal(0.0, noise, len(p))
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def sample(seed: int, *, ours: float, theirs: float, count: int = 3_000, spread: float = 1.5) -> Sample:
    """Customers of known truth; churnkit and the rules see it blurred."""
    rng = np.random.default_rng(seed)
    truth = 1 / (1 + np.exp(-rng.normal(0.0, spread, count)))
    seen = {OURS: blurred(truth, ours, seed + 1)}
    seen |= {name: blurred(truth, theirs, seed + 2 + k) for k, name in enumerate(RULES)}
    return Sample(
        cutoff=date(2024, 1, 1),
        population="active",
        customers=pl.Series([f"c{n}" for n in range(count)]),
        churned=(rng.random(count) < truth).astype(float),
        spend=rng.gamma(1.0, 100.0, count),
        probabilities=seen | {CEILING: truth, BASE_RATE: np.full(count, 0.5)},
        silence_days=61,
    )


def told(*, costs: Costs | None = None, **world: float) -> Verdict:
    samples = [sample(seed, **world) for seed in (0, 100, 200)]  # type: ignore[arg-type]
    return verdict_of(samples, costs, has_amounts=True)


def test_the_better_model_is_used_and_its_gain_is_told() -> None:
    verdict = told(ours=0.1, theirs=1.0)
    assert verdict.headline.startswith("Use the model: its log loss is ")
    assert verdict.headline.endswith("it was lower at 3 of 3 cutoffs.")
    assert verdict.figures["use"] == OURS
    assert verdict.figures["log_loss_gain"] > 2 * verdict.figures["log_loss_gain_error"] > 0
    assert verdict.figures["worth"] > 0
    assert verdict.figures["verdict"] == " ".join([verdict.headline, *verdict.details])


def test_the_better_rule_is_used_instead_and_named() -> None:
    samples = [sample(seed, ours=1.0, theirs=1.5) for seed in (0, 100, 200)]
    samples = [
        replace(each, probabilities={**each.probabilities, "inactivity_rule": each.probabilities[CEILING]})
        for each in samples
    ]
    verdict = verdict_of(samples, None, has_amounts=True)
    assert verdict.headline.startswith('Use the inactivity rule ("no order for 61 days"): its log loss is ')
    assert verdict.figures["use"] == "inactivity_rule"


def test_the_best_of_many_equals_is_not_taken_for_better() -> None:
    """Six rules as good as the model: one of them always looks better, and hardly ever is that called so."""
    samples = [sample(1_000 * seed, ours=0.7, theirs=0.7, count=800) for seed in range(100)]
    used = [verdict_of([one], None, has_amounts=True).figures["use"] for one in samples]
    assert sum(use in RULES for use in used) <= 5


def test_nothing_beats_the_base_rate_where_nothing_is_known() -> None:
    verdict = told(ours=0.3, theirs=0.3, spread=0.001)
    assert verdict.headline.startswith("Cannot tell customers apart here")
    assert verdict.figures["use"] == BASE_RATE
    assert verdict.figures["reached"] is None
    assert "cannot be told" in verdict.details[1]


def test_with_costs_the_profit_decides() -> None:
    costs = Costs(contact=1.0, offer=20.0)
    verdict = told(ours=0.1, theirs=2.0, costs=costs)
    assert verdict.headline.startswith("Use the model: the model earned ")
    assert verdict.figures["worth_in"] == "profit"
    assert verdict.figures["worth"] > 2 * verdict.figures["worth_error"] > 0
    assert told(ours=2.0, theirs=0.1, costs=costs).figures["use"] in RULES


def test_where_no_contact_pays_nobody_is_contacted() -> None:
    verdict = told(ours=0.1, theirs=1.0, costs=Costs(contact=10_000.0))
    assert verdict.headline.startswith("Contact nobody")
    assert verdict.figures["use"] == "nothing"


def test_what_is_reached_lies_between_the_base_rate_and_the_ceiling() -> None:
    assert told(ours=0.0, theirs=1.0).figures["reached"] == pytest.approx(1.0)
    assert told(ours=0.0, theirs=1.0).details[1] == "The model reaches 100 % of what this history allows."
    assert 0.4 < told(ours=1.0, theirs=1.5).figures["reached"] < 0.9
    assert reached(0.7, 0.65, 0.6) == pytest.approx(0.5)
    assert reached(0.7, 0.65, 0.698) is None
    assert reached(0.7, 0.65, None) is None


def test_cutoffs_at_which_a_model_is_missing_are_left_out_of_the_comparison() -> None:
    whole = sample(0, ours=0.1, theirs=1.0)
    without_ceiling = replace(whole, probabilities={k: p for k, p in whole.probabilities.items() if k != CEILING})
    young = replace(whole, probabilities={k: whole.probabilities[k] for k in (OURS, "bgnbd", BASE_RATE)})
    assert comparable([whole, without_ceiling, young]) == [whole, without_ceiling]
    assert comparable([young]) == [young]


def test_a_few_customers_of_one_fate_have_figures_too() -> None:
    few = replace(sample(0, ours=0.1, theirs=1.0, count=4), churned=np.zeros(4))
    row = next(figures(few, Costs(1.0, 2.0)))
    assert np.isnan([row["auc"], row["lift_10"], row["captured_money_10"]]).all()
    assert row["profit"] <= row["max_profit"] == 0.0
    tenths = [tenth for tenth in deciles(few) if tenth["model"] == OURS]
    assert sum(tenth["customers"] for tenth in tenths) == 4
    assert {tenth["captured"] for tenth in tenths} == {None}
