"""How much each family of features pushes a customer's log odds of churn, against the average active customer.

A list is of active customers; against everybody known, most of whom are gone, each of them would only have reasons to
stay. Exact for every member of the blend: grouped Shapley values for the trees, the sum of terms for the logistic
regression, and two steps for the buy-till-you-die layer (the habit as such, then the silence since).
"""

import numpy as np
import polars as pl

from churnkit.customers.features import FEATURES
from churnkit.models.blend import Habit
from churnkit.models.hazard import contributions_of
from churnkit.predict.attributes import families_among, groups_among
from churnkit.predict.model import ChurnModel
from churnkit.predict.stack import FloatArray, feature_matrix

FAMILIES = ("silence", "frequency", "recent", "trend", "spend", "basket", "refunds")
_MERGED = {"gaps": "silence"}  # a gap means something only against the silence, and the other way round
_SILENCE, _FREQUENCY = FAMILIES.index("silence"), FAMILIES.index("frequency")
# How much of the layer's push by the habit is told as rhythm, the rest as the number of orders. Under a refit the first
# reason stays for .81 of the customers of CDNOW, .87 of Online Retail, .97 of an MBG/NBD world; with 0 for .89, .76 and
# .93; with .75 for .86, .83 and .97, but then three quarters of CDNOW have that one reason.
RHYTHM_SHARE = 0.5
USUAL_ROWS = 2_000


def families_of(model: ChurnModel) -> tuple[str, ...]:
    """What reasons are told of: the families of features, then each attribute that the model reads."""
    return (*FAMILIES, *families_among(model.attributes))


def family_pushes(model: ChurnModel, customers: pl.DataFrame, habit: Habit) -> FloatArray:
    """Log odds that each family adds, against the average active customer of the training.

    Returns:
        (customers, families), in the order of `families_of`. All 0 for a `base-rate` model.
    """
    if model.kind == "base-rate" or not model.usual_pushes:
        return _pushes(model, customers, habit)
    return np.asarray(_pushes(model, customers, habit) - np.array(model.usual_pushes))


def usual_pushes(model: ChurnModel, customers: pl.DataFrame, habit: Habit) -> tuple[float, ...]:
    """The mean of what each family adds, rounded so that the order of the customers changes nothing."""
    return tuple(round(float(push), 6) for push in _pushes(model, customers, habit).mean(axis=0))


def _pushes(model: ChurnModel, customers: pl.DataFrame, habit: Habit) -> FloatArray:
    """Log odds that each family adds, against the average of the training rows."""
    count = len(families_of(model))
    pushes = np.zeros((customers.height, count))
    if model.kind == "base-rate" or customers.is_empty():
        return pushes
    pushes[:, : len(FAMILIES)] = _btyd_pushes(model, habit)
    X = feature_matrix(customers, model.features, model.money_unit, model.attributes)
    groups = np.append(groups_of(model.features), len(FAMILIES) + groups_among(model.attributes))
    for member in model.blend.learned.values():
        pushes += model.blend.learned_weight * contributions_of(member, X, groups, count)
    return pushes


def groups_of(features: tuple[str, ...]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The place of the family of each feature in `FAMILIES`."""
    family = {feature.name: _MERGED.get(feature.family, feature.family) for feature in FEATURES}
    return np.array([FAMILIES.index(family[name]) for name in features])


def _btyd_pushes(model: ChurnModel, habit: Habit) -> FloatArray:
    """From the mean to the habit with the silence that is usual for it, then to the silence as it is.

    The first step is most of what the layer knows, and tells the rhythm as much as the number of orders.
    """
    usual_silence = np.minimum(habit.T / (habit.x + 1.0), habit.T)
    usual = habit._replace(t_x=np.where(habit.x > 0, habit.T - usual_silence, 0.0))
    layer = model.blend.btyd_log_odds(habit) - model.btyd_mean_log_odds
    pushes = np.zeros((len(habit.x), len(FAMILIES)))
    pushes[:, _FREQUENCY] = (1 - RHYTHM_SHARE) * (model.blend.btyd_log_odds(usual) - model.btyd_mean_log_odds)
    pushes[:, _SILENCE] = layer - pushes[:, _FREQUENCY]
    return pushes
