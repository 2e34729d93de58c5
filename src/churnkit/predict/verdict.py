"""What the backtest comes to: use the model or another rule, what the difference is worth, what more could be had."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnkit.evaluate.metrics import PROBABILITY_CLIP, in_top, log_loss
from churnkit.evaluate.paired import Difference, mean_difference, total_difference
from churnkit.evaluate.profit import Costs
from churnkit.predict.judging import BASE_RATE, CEILING, OURS, Sample, reached
from churnkit.terms import MODEL_NAMES, percent

FloatArray: TypeAlias = NDArray[np.float64]

CLOSE = 0.005  # a difference below this share decides nothing, however sure it is
_SURE, _SURE_OF_BEST = 2.0, 2.7  # standard errors; an alternative that is the best of seven is so partly by luck
_TENTH = 0.1


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of a backtest.

    Attributes:
        headline: What to use, and the reason.
        details: What the difference is worth, and how much of what the history allows was reached.
        figures: The same as values (`terms.BACKTEST_SUMMARY`).
    """

    headline: str
    details: tuple[str, ...]
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Duel:
    """One model (ours) against another, as means over the cutoffs. Differences above 0 are in favour of ours."""

    rival: str
    name: str
    rival_loss: float
    losses: Difference
    earned: float
    rival_earned: float
    worth: Difference
    cutoffs: int

    @property
    def gain(self) -> float:
        """Share by which our log loss is lower."""
        return self.losses.mean / self.rival_loss

    @property
    def gain_error(self) -> float:
        """Its standard error."""
        return self.losses.error / self.rival_loss

    @property
    def better(self) -> int:
        """1 where our log loss is clearly lower, -1 where it is clearly higher, else 0."""
        return _clear(self.losses, self.rival_loss)

    @property
    def richer(self) -> int:
        """1 where we clearly earned more, -1 where clearly less, else 0."""
        return _clear(self.worth, max(abs(self.earned), abs(self.rival_earned)))


def _clear(difference: Difference, whole: float) -> int:
    """The sign of a difference that is more than chance and more than a trifle, otherwise 0."""
    sure = _SURE if difference.mean > 0 else _SURE_OF_BEST
    clear = abs(difference.mean) > sure * difference.error and abs(difference.mean) > CLOSE * whole
    return int(np.sign(difference.mean)) if clear else 0


def comparable(samples: Sequence[Sample]) -> list[Sample]:
    """The samples at which every model could be judged: means over different cutoffs are no comparison."""
    models = [set(sample.probabilities) - {CEILING} for sample in samples]
    most = max(map(len, models))
    return [sample for sample, found in zip(samples, models, strict=True) if len(found) == most]


def verdict_of(samples: Sequence[Sample], costs: Costs | None, *, has_amounts: bool) -> Verdict:
    """The verdict over the samples of one population, one per cutoff, all with the same models.

    The alternative is the one with the highest profit where costs are given, and with the lowest log loss where none
    are. Where costs are given profit decides, and log loss where the profits cannot be told apart; without costs log
    loss decides, and the money lost that the lists hold where the log losses cannot be told apart.
    """
    rivals = [model for model in samples[0].probabilities if model not in (OURS, CEILING)]
    duels = [_duel(samples, OURS, model, costs) for model in rivals]
    duel = max(duels, key=lambda one: (one.rival_earned if costs else 0.0, -one.rival_loss))
    known = next(one for one in duels if one.rival == BASE_RATE)
    signal = known.better > 0 or _duel(samples, BASE_RATE, duel.rival, costs).better < 0
    use, headline = _decision(duel, costs, signal=signal)
    share = _reached(samples)
    counted = "profit" if costs else "money" if has_amounts else "orders"
    figures = {
        "verdict": "",
        "use": use,
        "alternative": duel.rival,
        "population": samples[0].population,
        "cutoffs": duel.cutoffs,
        "cutoffs_won": duel.losses.above,
        "log_loss_gain": duel.gain,
        "log_loss_gain_error": duel.gain_error,
        "worth": duel.worth.mean,
        "worth_error": duel.worth.error,
        "worth_in": counted,
        "reached": share,
    }
    details = (_worth(duel, counted), _reach(share, known))
    return Verdict(headline, details, figures | {"verdict": " ".join([headline, *details])})


def _duel(samples: Sequence[Sample], ours: str, rival: str, costs: Costs | None) -> _Duel:
    ids = _numbers([sample.customers for sample in samples])
    losses = mean_difference(ids, [_losses(sample, rival) - _losses(sample, ours) for sample in samples])
    earned = [_earned(sample, ours, costs) for sample in samples]
    rival_earned = [_earned(sample, rival, costs) for sample in samples]
    return _Duel(
        rival,
        _name(rival, samples[0].silence_days),
        _mean([log_loss(sample.churned, sample.probabilities[rival]) for sample in samples]),
        losses,
        _mean([float(each.sum()) for each in earned]),
        _mean([float(each.sum()) for each in rival_earned]),
        total_difference(ids, [one - other for one, other in zip(earned, rival_earned, strict=True)]),
        len(samples),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _numbers(customers: Sequence[pl.Series]) -> list[NDArray[np.int64]]:
    """A number for each customer, the same at every cutoff."""
    _, place = np.unique(np.concatenate([ids.to_numpy() for ids in customers]).astype(str), return_inverse=True)
    return np.split(place, np.cumsum([len(ids) for ids in customers])[:-1])


def _losses(sample: Sample, model: str) -> FloatArray:
    p = np.clip(sample.probabilities[model], PROBABILITY_CLIP, 1 - PROBABILITY_CLIP)
    return -np.asarray(np.where(sample.churned == 1, np.log(p), np.log1p(-p)))


def _earned(sample: Sample, model: str, costs: Costs | None) -> FloatArray:
    """What each customer brings: profit at the given costs, otherwise the money lost that the top tenth holds."""
    if costs is not None:
        return sample.profits(model, costs)
    return in_top(sample.money_at_risk(model), _TENTH) * sample.lost


def _name(model: str, silence_days: int | None) -> str:
    if model == "inactivity_rule" and silence_days is not None:
        return f'the inactivity rule ("no order for {silence_days} days")'
    return MODEL_NAMES[model]


def _decision(duel: _Duel, costs: Costs | None, *, signal: bool) -> tuple[str, str]:
    """What to use, and the sentence that says so."""
    if costs is not None:
        if max(duel.earned, duel.rival_earned) <= 0:
            return "nothing", "Contact nobody: at these costs neither the model nor any rule earned anything."
        if duel.richer:
            use, how = (OURS, "more") if duel.richer > 0 else (duel.rival, "less")
            return use, (
                f"Use {_called(use, duel)}: the model earned {_money(duel.worth)} {how} per horizon than the best "
                f"alternative, {duel.name}."
            )
    if not signal:
        return BASE_RATE, "Cannot tell customers apart here: nothing beats the base rate. Treat everybody alike."
    by = f"{100 * abs(duel.gain):.1f} % (± {200 * duel.gain_error:.1f})"
    best = f"the best alternative{' in profit' if costs else ''}, {duel.name}"
    if duel.better > 0:
        at = f"at {duel.losses.above} of {duel.cutoffs} cutoffs"
        return OURS, f"Use the model: its log loss is {by} below that of {best}; it was lower {at}."
    if duel.better < 0:
        return duel.rival, f"Use {duel.name}: its log loss is {by} below the model's."
    told = f"the log losses of the model and of {best}, differ by {by}, which may be chance"
    if costs is None and duel.richer:
        use = OURS if duel.richer > 0 else duel.rival
        return use, f"Use {_called(use, duel)}, for the money: {told}, but its list held more of what was lost."
    return "either", f"Take the simpler one: {told}."


def _called(model: str, duel: _Duel) -> str:
    return "the model" if model == OURS else duel.name


def _worth(duel: _Duel, counted: str) -> str:
    """The sentence about what each of them brings for each horizon."""
    more = "more" if duel.worth.mean >= 0 else "less"
    trifle = abs(duel.worth.mean) <= CLOSE * max(abs(duel.earned), abs(duel.rival_earned))
    but = "" if duel.richer else ", too little to matter" if trifle else ", which may be chance"
    difference = f"{_money(duel.worth)} {more}{but}"
    if counted == "profit":
        return (
            f"At these costs the model earned {duel.earned:,.0f} per horizon and {duel.name} {duel.rival_earned:,.0f}: "
            f"{difference}."
        )
    return (
        f"The top tenth of the model's list held {duel.earned:,.0f} of the {counted} lost in a horizon, that of "
        f"{duel.name} {duel.rival_earned:,.0f}: {difference}."
    )


def _money(worth: Difference) -> str:
    """An amount with two standard errors: about a 95 % interval."""
    return f"{abs(worth.mean):,.0f} (± {2 * worth.error:,.0f})"


def _reached(samples: Sequence[Sample]) -> float | None:
    """As `judging.reached`, of the mean log losses at the cutoffs that have a ceiling."""
    capped = [sample for sample in samples if CEILING in sample.probabilities]
    if not capped:
        return None
    base, ours, ceiling = (
        _mean([log_loss(sample.churned, sample.probabilities[model]) for sample in capped])
        for model in (BASE_RATE, OURS, CEILING)
    )
    return reached(base, ours, ceiling)


def _reach(share: float | None, known: _Duel) -> str:
    if share is None:
        return "How much the history allows cannot be told: no ceiling lies clearly below the base rate."
    if share <= 0 or known.better <= 0:
        return "Of what the history would allow, nothing was reached: a model that had seen the outcomes of others did."
    return f"The model reaches {percent(min(share, 1.0))} of what this history allows."
