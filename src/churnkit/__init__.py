"""Which customers are about to leave, what is at stake, and why: from an order file.

Every verb below is a plain function, frames in, frames out; nothing prints, nothing reads the clock. Names resolve
when they are first touched (PEP 562), so importing churnkit costs nothing and `churnkit --help` loads neither Polars
nor scikit-learn.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    __version__: str
    from churnkit.act.ranking import score
    from churnkit.customers.choices import weigh_windows
    from churnkit.customers.returns import advise_windows
    from churnkit.customers.segments import segment_customers as segment
    from churnkit.customers.snapshot import outcomes, snapshot
    from churnkit.customers.snapshot import snapshot as features
    from churnkit.customers.stability import advice_stability
    from churnkit.orders.attributes import clean_attributes
    from churnkit.orders.clean import clean_orders
    from churnkit.orders.read import read_orders
    from churnkit.orders.sample import sample_orders
    from churnkit.output.models import save_model
    from churnkit.predict.backtest import backtest
    from churnkit.predict.explain import explain
    from churnkit.predict.labelled.listing import score_labelled
    from churnkit.predict.labelled.table import customer_table
    from churnkit.predict.labelled.training import train_labelled
    from churnkit.predict.published.verify import verify
    from churnkit.predict.saved import load_model, model_card
    from churnkit.predict.training import train
    from churnkit.predict.value import value

__all__ = [
    "__version__",
    "advice_stability",
    "advise_windows",
    "backtest",
    "clean_attributes",
    "clean_orders",
    "customer_table",
    "explain",
    "features",
    "load_model",
    "model_card",
    "outcomes",
    "read_orders",
    "sample_orders",
    "save_model",
    "score",
    "score_labelled",
    "segment",
    "snapshot",
    "train",
    "train_labelled",
    "value",
    "verify",
    "weigh_windows",
]

_HOMES = {
    "advice_stability": ("customers.stability", "advice_stability"),
    "advise_windows": ("customers.returns", "advise_windows"),
    "backtest": ("predict.backtest", "backtest"),
    "clean_attributes": ("orders.attributes", "clean_attributes"),
    "clean_orders": ("orders.clean", "clean_orders"),
    "customer_table": ("predict.labelled.table", "customer_table"),
    "explain": ("predict.explain", "explain"),
    "features": ("customers.snapshot", "snapshot"),
    "load_model": ("predict.saved", "load_model"),
    "model_card": ("predict.saved", "model_card"),
    "outcomes": ("customers.snapshot", "outcomes"),
    "read_orders": ("orders.read", "read_orders"),
    "sample_orders": ("orders.sample", "sample_orders"),
    "save_model": ("output.models", "save_model"),
    "score": ("act.ranking", "score"),
    "score_labelled": ("predict.labelled.listing", "score_labelled"),
    "segment": ("customers.segments", "segment_customers"),
    "snapshot": ("customers.snapshot", "snapshot"),
    "train": ("predict.training", "train"),
    "train_labelled": ("predict.labelled.training", "train_labelled"),
    "value": ("predict.value", "value"),
    "verify": ("predict.published.verify", "verify"),
    "weigh_windows": ("customers.choices", "weigh_windows"),
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("churnkit")
    if name not in _HOMES:
        raise AttributeError(f"module 'churnkit' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(f"churnkit.{module}"), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
