"""The features: one small function each, in families. To add one, write its function in the module of its family."""

from types import ModuleType

from churnkit.customers.features import basket, core, frequency, gaps, recent, refunds, silence, spend, trend
from churnkit.customers.features.registry import FAMILIES, Direction, Family, Feature
from churnkit.terms import Term

__all__ = ["FAMILIES", "FEATURES", "Direction", "Family", "Feature", "feature_terms"]


def _defined_in(module: ModuleType) -> tuple[Feature, ...]:
    """The features of a module in the order of its text, without those that it imports."""
    found = (value for value in vars(module).values() if isinstance(value, Feature))
    return tuple(feature for feature in found if feature.define.__module__ == module.__name__)


FEATURES: tuple[Feature, ...] = tuple(
    feature
    for module in (core, silence, frequency, gaps, recent, trend, spend, basket, refunds)
    for feature in _defined_in(module)
)
"""All features in their documented order, the order of the columns of the customer table."""


def feature_terms() -> tuple[Term, ...]:
    """The glossary of the features, in their documented order.

    Example:
        >>> feature_terms()[0].name, feature_terms()[0].meaning
        ('recency_days', 'Days from the last order to the cutoff.')
    """
    return tuple(feature.term for feature in FEATURES)
