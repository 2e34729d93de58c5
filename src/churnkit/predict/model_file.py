"""The model file: a `ChurnModel` as arrays and a JSON manifest, and back, with every field checked on the way in."""

import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import date
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from churnkit.errors import ModelFileError
from churnkit.models.blend import LEARNED, Blend, Learned
from churnkit.models.btyd_average import BuyTillYouDieAverage
from churnkit.models.container import FORMAT_VERSION, write_container
from churnkit.models.hazard import Hazard
from churnkit.models.seasonal import Season
from churnkit.models.spread import Spread
from churnkit.predict.attributes import attributes_of_manifest, families_among, told_of, width_of
from churnkit.predict.guards import OF_TRAINING, standing_guards
from churnkit.predict.manifest import field_of, number_of, texts_of
from churnkit.predict.model import ChurnModel, Kind
from churnkit.predict.profile import Profile, profile_from
from churnkit.predict.pushes import FAMILIES
from churnkit.predict.valuation import Valuation
from churnkit.windows import MONTHS

_REST = "rest"
_FACTS = ("figures", "training", "fingerprint", "versions")


def model_bytes(model: ChurnModel) -> bytes:
    """The bytes of a model file; the same model gives the same bytes."""
    blend = model.blend
    manifest: dict[str, Any] = {
        "kind": model.kind,
        "cutoff": model.cutoff.isoformat(),
        "horizon_days": model.horizon_days,
        "activity_window_days": model.activity_window_days,
        "features": list(model.features),
        "has_amounts": model.has_amounts,
        "money_unit": model.money_unit,
        "base_rate": model.base_rate,
        "btyd": blend.btyd.to_manifest(),
        "season": model.season.to_manifest(),
        "weights": list(blend.weights),
        "btyd_mean_log_odds": model.btyd_mean_log_odds,
        "shift": blend.shift,
        "valuation": model.valuation.to_manifest(),
        "month_days": list(model.month_days),
        "profile": model.profile and model.profile.to_manifest(),
        "guards": dict(model.guards),
        "spread": asdict(model.spread),
        "usual_pushes": list(model.usual_pushes),
        "notes": list(model.notes),
        "seed": model.seed,
        **{name: getattr(model, name) for name in _FACTS},
    }
    if model.attributes:
        manifest["attributes"] = [attribute.to_manifest() for attribute in model.attributes]
    arrays: dict[str, NDArray[Any]] = {}
    for member, learned in blend.learned.items():
        plain = learned.step if isinstance(learned, Hazard) else learned
        arrays |= {f"{member}.{name}": array for name, array in plain.to_arrays().items()}
        if isinstance(learned, Hazard):
            arrays[f"{member}.{_REST}"] = np.array([learned.rest])
    return write_container(manifest, arrays)


def model_of(manifest: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> ChurnModel:
    """The model of what a container holds.

    Raises:
        ModelFileError: It holds what no training could have written.
    """
    features = texts_of(manifest, "features")
    kind = field_of(manifest, "kind", str)
    if kind not in get_args(Kind):
        raise ModelFileError(f"the model is of the unknown kind {kind!r}", hint="upgrade churnkit")
    has_amounts = field_of(manifest, "has_amounts", bool)
    attributes = attributes_of_manifest(manifest)
    btyd = BuyTillYouDieAverage.from_manifest(field_of(manifest, "btyd", dict))
    blend = Blend(
        btyd=btyd,
        learned=_learned(arrays, len(features) + width_of(attributes)),
        weights=_weights(manifest, len(btyd.members) + 1),
        shift=number_of(manifest, "shift", -50.0, 50.0),
    )
    return ChurnModel(
        kind=kind,  # type: ignore[arg-type]  # checked above
        cutoff=_date(manifest, "cutoff"),
        horizon_days=int(number_of(manifest, "horizon_days", 1, 36_500)),
        activity_window_days=int(number_of(manifest, "activity_window_days", 1, 36_500)),
        features=features,
        has_amounts=has_amounts,
        money_unit=number_of(manifest, "money_unit", 1e-9, 1e15),
        base_rate=number_of(manifest, "base_rate", 0.0, 1.0),
        season=Season.from_manifest(field_of(manifest, "season", dict)),
        blend=blend,
        btyd_mean_log_odds=number_of(manifest, "btyd_mean_log_odds", -50.0, 50.0),
        valuation=Valuation.from_manifest(field_of(manifest, "valuation", dict), has_amounts=has_amounts),
        month_days=_month_days(manifest),
        profile=_profile(manifest),
        guards=_guards(manifest),
        spread=_spread(field_of(manifest, "spread", dict)),
        usual_pushes=_usual_pushes(manifest, len(FAMILIES) + len(families_among(attributes))),
        notes=texts_of(manifest, "notes"),
        seed=int(number_of(manifest, "seed", 0, 2**32 - 1)),
        attributes=attributes,
        **{name: field_of(manifest, name, dict) for name in _FACTS},
    )


def model_card(model: ChurnModel) -> dict[str, Any]:
    """What is to be known about a model, as plain JSON values: no array, no customer."""
    blend = model.blend
    layer = zip(blend.btyd.names, blend.weights, strict=False)
    members = dict(layer) | dict.fromkeys(blend.learned, blend.learned_weight)
    return {
        "format_version": FORMAT_VERSION,
        "kind": model.kind,
        "cutoff": model.cutoff.isoformat(),
        "horizon_days": model.horizon_days,
        "activity_window_days": model.activity_window_days,
        "base_rate": model.base_rate,
        "has_amounts": model.has_amounts,
        "members": members if model.kind != "base-rate" else {},
        "buy_till_you_die": blend.btyd.to_manifest(),
        "season": model.season.to_manifest(),
        "valuation": model.valuation.to_manifest(),
        "features": list(model.features),
        "guards": standing_guards(model, model.cutoff),
        **({"attributes": list(told_of(model.attributes))} if model.attributes else {}),
        "seed": model.seed,
        "spread": asdict(model.spread),
        **{name: getattr(model, name) for name in _FACTS},
    }


def _usual_pushes(manifest: Mapping[str, Any], families: int) -> tuple[float, ...]:
    pushes = field_of(manifest, "usual_pushes", list)
    if len(pushes) not in (0, families):
        raise ModelFileError(f"usual_pushes of the model are not {families} numbers")
    return tuple(number_of({"usual_pushes": push}, "usual_pushes", -50.0, 50.0) for push in pushes)


def _spread(manifest: Mapping[str, Any]) -> Spread:
    return Spread(**{part.name: number_of(manifest, part.name, 0.0, 50.0) for part in fields(Spread)})


def _weights(manifest: Mapping[str, Any], count: int) -> tuple[float, ...]:
    weights = field_of(manifest, "weights", list)
    if len(weights) != count or not all(type(weight) in (int, float) and 0 <= weight <= 1 for weight in weights):
        raise ModelFileError(f"weights of the model are not {count} numbers from 0 to 1")
    if abs(sum(weights) - 1) > 1e-6:
        raise ModelFileError("weights of the model do not add up to 1")
    return tuple(float(weight) for weight in weights)


def _month_days(manifest: Mapping[str, Any]) -> tuple[int, ...]:
    days = field_of(manifest, "month_days", list)
    if len(days) != len(MONTHS) or not all(type(count) is int and 0 <= count <= 31 for count in days):
        raise ModelFileError("month_days of the model are not the days seen of twelve months")
    return tuple(days)


def _profile(manifest: Mapping[str, Any]) -> Profile | None:
    if "profile" in manifest and manifest["profile"] is None:
        return None
    return profile_from(field_of(manifest, "profile", dict))


def _guards(manifest: Mapping[str, Any]) -> dict[str, str]:
    guards = field_of(manifest, "guards", dict)
    if not all(name in OF_TRAINING and type(sentence) is str for name, sentence in guards.items()):
        raise ModelFileError("guards of the model are not sentences under known names")
    return guards


def _learned(arrays: Mapping[str, NDArray[Any]], n_features: int) -> dict[str, Learned]:
    """The learned members, checked; those on intervals have one column more."""
    parts: dict[str, dict[str, NDArray[Any]]] = {}
    for name, array in arrays.items():
        member, _, own = name.partition(".")
        if member not in LEARNED:
            raise ModelFileError(f"the model holds an array of the unknown name {name}")
        parts.setdefault(member, {})[own] = array
    learned: dict[str, Learned] = {}
    for member in (name for name in LEARNED if name in parts):
        if member.startswith("hazard"):
            rest = parts[member].pop(_REST, np.empty(0))
            if rest.shape != (1,) or rest.dtype != np.float64 or not math.isfinite(rest[0]):
                raise ModelFileError(f"{member} of the model has no rest")
            step = LEARNED[member].from_arrays(parts[member], n_features + 1)
            learned[member] = Hazard(step, float(rest[0]))
        else:
            learned[member] = LEARNED[member].from_arrays(parts[member], n_features)
    return learned


def _date(manifest: Mapping[str, Any], name: str) -> date:
    try:
        return date.fromisoformat(field_of(manifest, name, str))
    except ValueError as error:
        raise ModelFileError(f"{name} of the model is not a date") from error
