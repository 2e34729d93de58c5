"""Exact Shapley values of boosted trees, by groups of columns.

What a column adds to the log odds of a row, averaged over all orders in which the columns could become known, where an
unknown column follows the training rows down both ways of its splits (path-dependent TreeSHAP: Lundberg et al. 2020,
From local explanations to global understanding, Nature Machine Intelligence 2). A group gets the sum of its columns.

A row reaches a leaf with value v if it passes every column on the path. With z_j the share of training rows that pass
the splits of column j on the path, and b_j whether this row does, the leaf adds to column i

    v (b_i - z_i) * integral over t in (0, 1) of the product over j != i of (z_j (1 - t) + b_j t)

(the integral gives every subset its Shapley weight; the product has at most degree 7, so four Gauss-Legendre nodes are
exact). All of it depends on the row through the pattern of the tree only (`trees.py`): one table per tree, filled once.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from churnkit.models.trees import MOST_SPLITS, FloatArray, IntArray, Trees

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(MOST_SPLITS // 2)
_GAUSS_LEGENDRE = ((_NODES + 1) / 2, _WEIGHTS / 2)  # on (0, 1), exact for polynomials of degree MOST_SPLITS - 1


def grouped_shap(trees: Trees, X: FloatArray, groups: ArrayLike, n_groups: int) -> tuple[FloatArray, float]:
    """Shapley values of the log odds, by groups of columns.

    Args:
        trees: The model.
        X: One row per customer; missing values are NaN.
        groups: The group of each column, from 0.
        n_groups: Number of groups.

    Returns:
        What each group adds for each row, and the expected log odds over the training rows: together the log odds.
    """
    group = np.asarray(groups, dtype=np.int64)
    if group.ndim != 1 or ((group < 0) | (group >= n_groups)).any():
        raise ValueError(f"groups must be one number below {n_groups} per column")
    table, expected = _tables(trees, group, n_groups)
    result = np.zeros((len(X), n_groups))
    for rows, patterns in trees.patterns(X):
        for tree, pattern in enumerate(patterns):
            result[rows] += table[tree].take(pattern, axis=0)
    return result, expected


def _tables(trees: Trees, group: IntArray, n_groups: int) -> tuple[FloatArray, float]:
    """What each group adds, by tree and pattern, and the expected log odds."""
    table = np.zeros((trees.n_trees, 1 << MOST_SPLITS, n_groups))
    expected = trees.baseline
    for tree, (first, end) in enumerate(pairwise(trees.offsets.tolist())):
        paths = _paths(trees, first, end)
        table[tree] = np.einsum("lpd,ldg->pg", _shapley(paths), np.eye(n_groups)[group[paths.column]])
        expected += float((paths.value * paths.cover.prod(axis=1)).sum())
    return table, expected


class _Paths(NamedTuple):
    """The ways to the leaves of a tree: by leaf, and by column on the way (padded with one that all rows pass)."""

    value: FloatArray  # of the leaf
    column: IntArray
    cover: FloatArray  # share of the training rows that pass the splits of the column
    lefts: IntArray  # bits of the pattern that must be set to pass
    rights: IntArray  # bits of the pattern that must not be set


def _paths(trees: Trees, first: int, end: int) -> _Paths:
    parent = np.zeros(end - first, dtype=np.int64)
    splits = np.flatnonzero(~trees.is_leaf[first:end])
    parent[trees.left[first + splits]] = splits
    parent[trees.right[first + splits]] = splits
    leaves = np.flatnonzero(trees.is_leaf[first:end])
    shape = (len(leaves), MOST_SPLITS)
    column, lefts, rights = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    cover = np.ones(shape)
    for leaf, start in enumerate(leaves.tolist()):
        columns: list[int] = []
        node = start
        while node != 0:  # children come after their parent (`Trees.validate`)
            child, node = node, int(parent[node])
            at = first + node
            feature = int(trees.feature[at])
            if feature not in columns:
                columns.append(feature)
            place = columns.index(feature)
            column[leaf, place] = feature
            cover[leaf, place] *= trees.count[first + child] / trees.count[at]
            bits = lefts if trees.left[at] == child else rights
            bits[leaf, place] |= 1 << int(trees.bit_of[at])
    return _Paths(trees.value[first + leaves], column, cover, lefts, rights)


def _shapley(paths: _Paths) -> FloatArray:
    """What each column on the way to each leaf adds: by leaf, pattern and place of the column."""
    pattern = np.arange(1 << MOST_SPLITS)[:, None]
    lefts, rights = paths.lefts[:, None], paths.rights[:, None]
    passes = ((pattern & lefts == lefts) & (pattern & rights == 0)).astype(np.float64)
    cover = paths.cover[:, None]
    integral = np.zeros_like(passes)
    for node, weight in zip(*_GAUSS_LEGENDRE, strict=True):
        factor = cover * (1 - node) + passes * node
        integral += weight * factor.prod(axis=2, keepdims=True) / factor
    added: FloatArray = paths.value[:, None, None] * (passes - cover) * integral
    return added
