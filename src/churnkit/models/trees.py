"""Small decision trees as plain arrays: predicting in NumPy, and refusing what is not a tree.

A tree has at most eight splits. So one byte per tree, its *pattern*, says of a row which splits send it left, and a
table of 256 entries per tree holds whatever depends on the pattern: here the value of the leaf, in `treeshap.py` the
Shapley values. A column is looked up once for all trees: its place among the thresholds gives the bits of all its
splits.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from churnkit.errors import ModelFileError

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

MOST_SPLITS = 8
MOST_TREES = 5_000
_ROWS_AT_A_TIME = 8_192
_KINDS = {"value": "f", "threshold": "f", "missing_left": "b", "is_leaf": "b"}  # all others are whole numbers


@dataclass(frozen=True, eq=False)
class Trees:
    """Boosted trees: the nodes of all trees one after the other. The log odds are the baseline plus one leaf per tree.

    Attributes:
        value: Log odds that a leaf adds.
        feature: Column that a split looks at.
        threshold: A split sends a row left where its value is at most this; infinity: all but missing values.
        missing_left: Whether a split sends a missing value left.
        left: Left child, counted from the root of its tree.
        right: Right child, counted from the root of its tree.
        is_leaf: Whether the node is a leaf.
        count: Training rows that came by.
        offsets: Where each tree begins, and the end of the last.
        baseline: Log odds before the first tree.
    """

    value: FloatArray
    feature: IntArray
    threshold: FloatArray
    missing_left: NDArray[np.bool_]
    left: IntArray
    right: IntArray
    is_leaf: NDArray[np.bool_]
    count: IntArray
    offsets: IntArray
    baseline: float

    @property
    def n_trees(self) -> int:
        """The number of trees."""
        return len(self.offsets) - 1

    def log_odds(self, X: FloatArray) -> FloatArray:
        """Log odds of each row; missing values are NaN. The bits do not depend on the other rows."""
        value = self.value[self.offsets[:-1, None] + self.leaf_of_pattern]
        result = np.full(len(X), self.baseline)
        for rows, patterns in self.patterns(X):
            for tree, pattern in enumerate(patterns):
                result[rows] += value[tree].take(pattern)
        return result

    def patterns(self, X: FloatArray) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
        """For slices of the rows: the pattern of each tree (first axis) and row. Bit k: split k sends the row left."""
        X = np.asarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] <= self.feature.max(initial=-1, where=~self.is_leaf):
            raise ValueError(f"the trees look at column {self.feature.max()}, which a table of shape {X.shape} has not")
        for start in range(0, len(X), _ROWS_AT_A_TIME):
            rows = slice(start, start + _ROWS_AT_A_TIME)
            patterns = np.zeros((len(X[rows]), self.n_trees), dtype=np.uint8)
            for look_up in self._columns:
                column = X[rows, look_up.feature]
                place = np.searchsorted(look_up.thresholds, column)
                place[np.isnan(column)] = len(look_up.thresholds) + 1
                patterns |= look_up.bits.take(place, axis=0)
            yield rows, np.ascontiguousarray(patterns.T)

    @cached_property
    def tree_of(self) -> IntArray:
        """The tree of each node."""
        return np.repeat(np.arange(self.n_trees), np.diff(self.offsets))

    @cached_property
    def bit_of(self) -> IntArray:
        """The bit of each split in the pattern of its tree: the splits before it there."""
        before = np.concatenate(([0], np.cumsum(~self.is_leaf)))
        return before[:-1] - before[self.offsets[:-1]][self.tree_of]

    @cached_property
    def leaf_of_pattern(self) -> IntArray:
        """The leaf, counted from the root of its tree, of each tree and pattern."""
        first = self.offsets[:-1, None]
        pattern = np.arange(1 << MOST_SPLITS)
        node = np.zeros((self.n_trees, len(pattern)), dtype=np.int64)
        for _ in range(MOST_SPLITS):
            at = first + node
            goes_left = (pattern >> self.bit_of[at]) & 1 == 1
            node = np.where(self.is_leaf[at], node, np.where(goes_left, self.left[at], self.right[at]))
        return node

    @cached_property
    def _columns(self) -> list["_Column"]:
        columns = []
        splits = np.flatnonzero(~self.is_leaf)
        for feature in np.unique(self.feature[splits]):
            here = splits[self.feature[splits] == feature]
            thresholds, place = np.unique(self.threshold[here], return_inverse=True)
            bits = np.zeros((len(thresholds) + 2, self.n_trees), dtype=np.uint8)
            for node, last in zip(here, place, strict=True):
                bit, tree = np.uint8(1 << self.bit_of[node]), self.tree_of[node]
                bits[: last + 1, tree] |= bit  # up to this threshold
                bits[-1, tree] |= bit * self.missing_left[node]
            columns.append(_Column(int(feature), thresholds, bits))
        return columns

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, in the narrowest kinds that hold them."""
        narrow = {"feature": np.int32, "left": np.int32, "right": np.int32}
        arrays = {field.name: np.atleast_1d(getattr(self, field.name)) for field in fields(self)}
        return {name: array.astype(narrow.get(name, array.dtype)) for name, array in arrays.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], n_features: int) -> Self:
        """The trees of `to_arrays`, checked.

        Raises:
            ModelFileError: The arrays are not those of trees over that many columns.
        """
        names = [field.name for field in fields(cls)]
        if set(arrays) != set(names):
            raise ModelFileError(f"the trees of the model do not hold exactly the arrays {', '.join(names)}")
        for name, array in arrays.items():
            kind = {"f": np.floating, "b": np.bool_}.get(
                _KINDS.get(name, "f" if name == "baseline" else ""), np.integer
            )
            if array.ndim != 1 or not np.issubdtype(array.dtype, kind):
                raise ModelFileError(f"the array {name} of the trees of the model is of the wrong shape or kind")
        if len(arrays["baseline"]) != 1:
            raise ModelFileError("the trees of the model have not one baseline")
        wide = {"f": np.float64, "i": np.int64, "u": np.int64, "b": np.bool_}
        plain: dict[str, Any] = {
            name: arrays[name].astype(wide[arrays[name].dtype.kind]) for name in names if name != "baseline"
        }
        trees = cls(**plain, baseline=float(arrays["baseline"][0]))
        trees.validate(n_features)
        return trees

    def validate(self, n_features: int) -> None:
        """Refuses what is not a set of small trees: after this no lookup leaves its array, and no walk is endless.

        Raises:
            ModelFileError: With what is wrong.
        """
        n = len(self.value)
        if any(len(getattr(self, field.name)) != n for field in fields(self)[:-2]):
            raise ModelFileError("the arrays of the trees of the model are not of one length")
        sizes = np.diff(self.offsets)
        if not (2 <= len(self.offsets) <= MOST_TREES + 1 and self.offsets[0] == 0 and self.offsets[-1] == n):
            raise ModelFileError("the trees of the model do not cover their nodes")
        if not ((sizes > 0) & (sizes <= 2 * MOST_SPLITS + 1)).all():
            raise ModelFileError(f"a tree of the model has no node, or more than {MOST_SPLITS} splits")
        inner = ~self.is_leaf
        if not ((self.feature >= 0) & (self.feature < n_features))[inner].all():
            raise ModelFileError(f"a tree of the model looks at a column beyond its {n_features}")
        if not (np.isfinite(self.value).all() and np.isfinite(self.baseline)):
            raise ModelFileError("a value of the trees of the model is not finite")
        if not (self.threshold > -np.inf)[inner].all():
            raise ModelFileError("a threshold of the trees of the model is not a number")
        self._validate_links(inner, sizes)

    def _validate_links(self, inner: NDArray[np.bool_], sizes: IntArray) -> None:
        """Children come after their parent and within its tree; each node but the root has one; counts add up."""
        first, size = self.offsets[:-1][self.tree_of], sizes[self.tree_of]
        place = np.arange(len(self.value)) - first
        for child in (self.left, self.right):
            if not ((child > place) & (child < size))[inner].all():
                raise ModelFileError("a split of the trees of the model leads nowhere or back")
        parents = np.zeros(len(place), dtype=np.int64)
        for child in (self.left, self.right):
            np.add.at(parents, (first + child)[inner], 1)
        if not (parents == (place > 0)).all():
            raise ModelFileError("a node of the trees of the model has no parent, or two")
        if not ((self.count > 0) & (self.count < 1 << 53)).all():
            raise ModelFileError("a node of the trees of the model saw no training row")
        below = self.count[(first + self.left)[inner]] + self.count[(first + self.right)[inner]]
        if not (below == self.count[inner]).all():
            raise ModelFileError("the training rows of the trees of the model do not add up")


class _Column(NamedTuple):
    """The bits that a column sets: by its place among the thresholds (the last row: missing) and by tree."""

    feature: int
    thresholds: FloatArray
    bits: NDArray[np.uint8]
