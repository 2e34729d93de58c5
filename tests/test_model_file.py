"""The model file: the same scores after saving, and nothing but a sound model is let in."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from churnkit.act.ranking import score
from churnkit.errors import InputNotFoundError, ModelFileError
from churnkit.models.blend import LEARNED
from churnkit.models.container import read_container, write_container
from churnkit.output.models import save_model
from churnkit.predict import saved
from churnkit.predict.export import export_sklearn
from churnkit.predict.model import ChurnModel
from churnkit.predict.model_file import model_bytes, model_card
from churnkit.predict.stack import feature_matrix
from churnkit.predict.training import train
from worlds import coin_toss_shop, shop


def load_model(source: bytes | Path) -> ChurnModel:
    """As `churnkit.load_model`, which may also give a labelled model."""
    loaded = saved.load_model(source)
    assert isinstance(loaded, ChurnModel)
    return loaded


@pytest.fixture(scope="module")
def orders() -> pl.DataFrame:
    return shop(500, 480, seed=31)


@pytest.fixture(scope="module")
def model(orders: pl.DataFrame) -> ChurnModel:
    return train(orders, horizon_days=60)


def test_a_saved_model_scores_to_the_last_bit_as_before(
    orders: pl.DataFrame, model: ChurnModel, tmp_path: Path
) -> None:
    save_model(model, tmp_path / "shop.model")
    loaded = load_model(tmp_path / "shop.model")
    assert model_bytes(loaded) == model_bytes(model)
    assert score(orders, loaded, population="all").equals(score(orders, model, population="all"))


@pytest.mark.parametrize(
    ("orders", "horizon_days", "kind"),
    [(coin_toss_shop(), 30, "base-rate"), (shop(80, 27, seed=2), 14, "buy-till-you-die")],
    ids=["base rate", "buy till you die"],
)
def test_the_plainer_models_are_saved_too(orders: pl.DataFrame, horizon_days: int, kind: str) -> None:
    model = train(orders, horizon_days=horizon_days)
    assert model.kind == kind
    assert score(orders, load_model(model_bytes(model))).equals(score(orders, model))


def test_no_customer_is_in_the_file(model: ChurnModel) -> None:
    assert re.search(rb"c00\d{3}", model_bytes(model)) is None  # three bytes alone come up by chance


def test_the_card_says_what_is_to_be_known(model: ChurnModel) -> None:
    card = model_card(model)
    assert card["members"].keys() == {"bgnbd", "mbgnbd", "pareto_nbd", "erlang_mixture", *LEARNED}
    assert sum(card["members"].values()) == pytest.approx(1.0)
    assert card["fingerprint"]["customers"] == 500
    assert {"churnkit", "scikit-learn", "polars"} <= card["versions"].keys()
    assert card["training"]["rows"] > 0


def _without(name: str) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda manifest, _: manifest.pop(name)


def _with(name: str, value: object) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda manifest, _: manifest.update({name: value})


def _in_profile(spoil: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    def inside(manifest: dict[str, Any], _: dict[str, Any]) -> None:
        spoil(manifest["profile"])

    return inside


def _valued(**fields: object) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda manifest, _: manifest["valuation"].update(fields)


def _loop(_: dict[str, Any], arrays: dict[str, Any]) -> None:
    arrays["boosting.left"][0] = 0


def _stray(_: dict[str, Any], arrays: dict[str, Any]) -> None:
    arrays["stray"] = np.zeros(3)


def _column_beyond(_: dict[str, Any], arrays: dict[str, Any]) -> None:
    arrays["boosting.feature"][:] = 999


@pytest.mark.parametrize(
    "spoil",
    [
        _without("cutoff"),
        _without("btyd"),
        _with("kind", "oracle"),
        _with("cutoff", "yesterday"),
        _with("horizon_days", -3),
        _with("horizon_days", True),
        _with("base_rate", 1.5),
        _with("shift", 1e9),
        _without("usual_pushes"),
        _with("usual_pushes", [0.1]),
        _with("usual_pushes", ["0.1"] * 7),
        _with("usual_pushes", [1e9] * 7),
        _without("spread"),
        _with("spread", {"level": 0.1}),
        _with("spread", {"level": -0.1, "per_disagreement": 0.6, "per_log_odds": 0.1}),
        _with("spread", {"level": 0.1, "per_disagreement": 1e9, "per_log_odds": 0.1}),
        _with("features", [1, 2]),
        _with("notes", "text"),
        _with("figures", []),
        _with("btyd", {"r": 1.0}),
        _without("month_days"),
        _with("month_days", [31] * 11),
        _with("month_days", [32] * 12),
        _with("month_days", [True] * 12),
        _without("guards"),
        _with("guards", {"drift": "never stored"}),
        _with("guards", {"no_signal": 3}),
        _without("profile"),
        _with("profile", {}),
        _in_profile(lambda profile: profile["tenths"].update(shoe_size=profile["tenths"]["recency_days"])),
        _in_profile(lambda profile: profile["tenths"].update(recency_days=[1, 2])),
        _in_profile(lambda profile: profile["tenths"]["recency_days"]["edges"].reverse()),
        _in_profile(lambda profile: profile["tenths"]["recency_days"]["edges"].pop()),
        _in_profile(lambda profile: profile["tenths"]["recency_days"]["below"].__setitem__(-1, 1.5)),
        _in_profile(lambda profile: profile["tenths"]["recency_days"]["edges"].__setitem__(-1, "x")),
        _in_profile(lambda profile: profile["shares"].pop("new")),
        _in_profile(lambda profile: profile["shares"]["new"].update(value=-0.1)),
        _in_profile(lambda profile: profile.update(settled=1)),
        _in_profile(lambda profile: profile.update(customers=0)),
        _without("valuation"),
        _with("valuation", [1.0]),
        _valued(spend=None, extra=1.0),
        _valued(spend=[1.0, 2.0, 3.0]),
        _valued(spend={"p": 1.0, "q": 1e300, "v": 1.0, "at_bound": False}),
        _valued(mean_spend=-1.0),
        _valued(orders_a_day=0.5),
        _valued(gap_levels=[0.9, 0.1]),
        _valued(gap_levels=[0.1, 0.5, 0.9]),
        _valued(gap_levels=[0.1, 1.5]),
        _loop,
        _stray,
        _column_beyond,
    ],
)
def test_a_file_that_no_training_could_have_written_is_refused(
    model: ChurnModel, spoil: Callable[[dict[str, Any], dict[str, Any]], None]
) -> None:
    manifest, arrays = read_container(model_bytes(model))
    manifest, arrays = copy.deepcopy(manifest), {name: array.copy() for name, array in arrays.items()}
    spoil(manifest, arrays)
    with pytest.raises(ModelFileError):
        load_model(write_container(manifest, arrays))


def test_a_missing_model_file_is_no_such_input(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError):
        load_model(tmp_path / "none.model")


def test_a_model_that_reads_an_unknown_feature_asks_for_another_training(
    orders: pl.DataFrame, model: ChurnModel
) -> None:
    manifest, arrays = read_container(model_bytes(model))
    manifest["features"][0] = "shoe_size"
    with pytest.raises(ModelFileError, match="shoe_size"):
        score(orders, load_model(write_container(manifest, arrays)))


def test_the_exported_estimators_are_those_of_the_model(
    orders: pl.DataFrame, model: ChurnModel, tmp_path: Path
) -> None:
    import joblib

    export_sklearn(orders, model, tmp_path / "shop.joblib")
    kept = joblib.load(tmp_path / "shop.joblib")
    customers = score_table(orders, model)
    X = feature_matrix(customers, tuple(kept["features"]), kept["money_unit"])
    learned = model.blend.learned
    assert np.allclose(kept["boosting"].decision_function(X), learned["boosting"].log_odds(X), atol=1e-12)
    assert np.allclose(kept["logistic"].decision_function(X), learned["logistic"].log_odds(X), atol=1e-9)


def score_table(orders: pl.DataFrame, model: ChurnModel) -> pl.DataFrame:
    from churnkit.predict.scoring import score_customers

    return score_customers(orders, model)
