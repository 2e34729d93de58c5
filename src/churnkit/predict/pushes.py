"""How much each family of features pushes a customer's log odds of churn, against the average customer.

Exact for every member of the blend: grouped Shapley values for the trees, the sum of terms for the logistic regression,
and two steps for the buy-till-you-die layer (the habit as such, then the silence since).
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
# How much of the layer's push by the habit is told as rhythm. Under a refit the first reason stays for .92 of the
# customers of two shops; with 0 for .79, with 0.5 for .88. With 1 for .93, but then many have that one reason only.
RHYTHM_SHARE = 0.75


def families_of(model: ChurnModel) -> tuple[str, ...]:
    """What reasons are told of: the families of features, then each attribute that the model reads."""
    return (*FAMILIES, *families_among(model.attributes))


def family_pushes(model: ChurnModel, customers: pl.DataFrame, habit: Habit) -> FloatArray:
    """Log odds that each family adds, against the average of the training rows.

    Returns:
        (customers, families), in the order of `families_of`. All 0 for a `base-rate` model.
    """
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
