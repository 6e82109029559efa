"""Exact distances to the k-th nearest neighbour of many points among many, on all cores.

In few dimensions a tree is fastest (scipy's). In many, a tree opens a good part of its leaves for each query, one point
at a time; here the points lie in leaves of a few hundred, and all queries that must open a leaf meet it in one matrix
product, in single precision. Only the pairs that may be among the k nearest, with a margin for rounding, are measured
in double precision: the answer is exact. A query opens a leaf if the leaf's box is nearer than the query's bound, which
comes from the nearest leaf first and then from the few nearest.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Single = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

TREE_DIMENSIONS = 5  # up to here scipy's tree is faster
TREE_POINTS = 5000  # and so it is for few points
LEAF = 256  # points in a leaf, at most
FEW = 8  # leaves that give the second bound
BLOCK = 8192  # queries that are worked on together
FAR = 1e30
CACHED = 256  # queries whose distances to all boxes stay in the cache
MARGIN = 2e-6  # relative to |x|^2 + |y|^2 about the leaf's centre: many units of single precision


def kth_distance(
    queries: Array, points: Array, k: int, *, skip_self: bool = False, workers: int = 0
) -> Array:
    """The distance of each query to its k-th nearest point, shape (N,); as `kth_distances`."""
    return kth_distances(queries, points, [k], skip_self=skip_self, workers=workers)[:, 0]


def kth_distances(
    queries: Array, points: Array, ks: Sequence[int], *, skip_self: bool = False, workers: int = 0
) -> Array:
    """The distances of each query to some of its nearest points, shape (N, len(ks)).

    Args:
        queries: Shape (N, d).
        points: Shape (M, d), M >= k.
        ks: Which neighbours, counted from 1.
        skip_self: Whether the queries are points themselves, each of which then leaves itself out.
        workers: Threads; 0 for all cores that this process may use.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    workers, wanted = workers or len(os.sched_getaffinity(0)), np.asarray(ks) + skip_self
    if points.shape[1] <= TREE_DIMENSIONS or len(points) < TREE_POINTS or wanted.max() > LEAF // 2:
        from scipy.spatial import cKDTree

        distance, _ = cKDTree(points).query(queries, k=wanted, workers=workers)
        return np.asarray(distance, np.float64)
    leaves = [_Leaf(points[group]) for group in _split(points, LEAF)]
    blocks = [queries[i : i + BLOCK] for i in range(0, len(queries), BLOCK)]
    with threadpool_limits(1), ThreadPoolExecutor(workers) as pool:
        return np.concatenate(list(pool.map(lambda block: _kth(block, leaves, wanted), blocks)))


class _Leaf:
    """A few hundred neighbouring points, the box around them, and their side of the matrix product."""

    def __init__(self, points: Array) -> None:
        self.points, self.centre = points, points.mean(axis=0)
        self.low, self.high = points.min(axis=0), points.max(axis=0)
        y = points - self.centre
        columns = [y, (1 - MARGIN) * (y**2).sum(1)[:, None], np.ones((len(y), 1))]
        fill = np.zeros((-len(y) % 8, y.shape[1] + 2))  # to a multiple of 8, for `_nonzero`
        fill[:, -2] = FAR
        self.right = np.concatenate([np.concatenate(columns, axis=1), fill]).astype(np.float32)

    def excess(self, queries: Array, bound: Array | float) -> Single:
        """|x - y|^2 less the bound and the margin for rounding, shape (N, M); FAR where M was filled up."""
        x = queries - self.centre
        last = (1 - MARGIN) * (x**2).sum(axis=1) - bound
        left = np.concatenate([-2 * x, np.ones((len(x), 1)), last[:, None]], axis=1).astype(np.float32)
        return left @ self.right.T

    def within(self, queries: Array, bound: Array) -> tuple[Indices, Array]:
        """The pairs that may be within the bound: the query's index and the squared distance, exactly."""
        row, column = _nonzero(self.excess(queries, bound) <= 0)
        return row, ((queries[row] - self.points[column]) ** 2).sum(axis=1)


def _kth(queries: Array, leaves: list[_Leaf], ks: Indices) -> Array:
    """The ks-th smallest distances of each query, shape (B, len(ks))."""
    k = int(ks.max())
    gap = _gaps(queries, leaves)
    order = np.argpartition(gap, FEW, axis=1)[:, :FEW]
    nearest = order[np.arange(len(queries)), np.take_along_axis(gap, order, axis=1).argmin(axis=1)]
    bound = _first_bound(queries, leaves, nearest, k)
    few = np.zeros(gap.shape, bool)
    np.put_along_axis(few, order, True, axis=1)
    rows, squares = _open(queries, leaves, few, bound)
    bound = _kth_of_each(rows, squares, ks.max(keepdims=True))[:, 0]
    others = (gap <= bound[:, None] * (1 + 1e-5)) & ~few
    more_rows, more_squares = _open(queries, leaves, others, bound)
    keep = squares <= bound[rows]
    found = np.concatenate([rows[keep], more_rows]), np.concatenate([squares[keep], more_squares])
    return np.sqrt(_kth_of_each(*found, ks))


def _gaps(queries: Array, leaves: list[_Leaf]) -> Single:
    """The squared distance of each query to each leaf's box, shape (B, leaves)."""
    low = np.array([leaf.low for leaf in leaves], np.float32).T
    high = np.array([leaf.high for leaf in leaves], np.float32).T
    gap = np.zeros((len(queries), len(leaves)), np.float32)
    for start in range(0, len(queries), CACHED):
        part = gap[start : start + CACHED]
        for column, lowest, highest in zip(
            queries[start : start + CACHED].T.astype(np.float32), low, high, strict=True
        ):
            outside = np.maximum(lowest - column[:, None], column[:, None] - highest)
            part += np.square(np.maximum(outside, 0, out=outside), out=outside)
    return gap


def _groups(chosen: Indices, count: int) -> Iterator[tuple[int, Indices]]:
    """Each leaf that was chosen, and by which queries."""
    order = np.argsort(chosen, kind="stable")
    edges = np.searchsorted(chosen[order], np.arange(count + 1))
    for leaf in np.flatnonzero(np.diff(edges)):
        yield int(leaf), order[edges[leaf] : edges[leaf + 1]]


def _first_bound(queries: Array, leaves: list[_Leaf], nearest: Indices, k: int) -> Array:
    """An upper bound on each query's k-th squared distance, from its nearest leaf alone."""
    bound = np.empty(len(queries))
    for number, rows in _groups(nearest, len(leaves)):
        leaf, x = leaves[number], queries[rows]
        best = np.argpartition(leaf.excess(x, 0.0), k - 1, axis=1)[:, :k]
        bound[rows] = ((x[:, None, :] - leaf.points[best]) ** 2).sum(axis=2).max(axis=1)
    return bound


def _open(queries: Array, leaves: list[_Leaf], opens: Mask, bound: Array) -> tuple[Indices, Array]:
    """The pairs within the bound among the leaves that each query opens: query and squared distance."""
    found_rows: list[Indices] = [np.empty(0, np.intp)]
    found_squares: list[Array] = [np.empty(0)]
    for leaf, column in zip(leaves, np.ascontiguousarray(opens.T), strict=True):
        rows = np.flatnonzero(column)
        if len(rows):
            row, squares = leaf.within(queries[rows], bound[rows])
            found_rows.append(rows[row])
            found_squares.append(squares)
    return np.concatenate(found_rows), np.concatenate(found_squares)


def _nonzero(mask: Mask) -> tuple[Indices, Indices]:
    """Row and column of the few true entries; eight columns are looked at together, then the ones among them."""
    eights = np.flatnonzero(mask.view(np.uint64))
    which, inside = np.nonzero(mask.reshape(-1, 8)[eights])
    row, column = np.divmod(eights[which] * 8 + inside, mask.shape[1])
    return row, column


def _kth_of_each(rows: Indices, squares: Array, ks: Indices) -> Array:
    """The ks-th smallest numbers of each row, which has so many or more; shape (rows, len(ks))."""
    order = np.lexsort((squares, rows))
    starts = np.searchsorted(rows[order], np.arange(rows.max() + 1))
    kth: Array = squares[order[starts[:, None] + ks - 1]]
    return kth


def _split(points: Array, size: int) -> list[Indices]:
    """Indices of groups of neighbours, at most `size` each, by halving along the widest direction."""
    groups = [np.arange(len(points))]
    while len(groups[0]) > size:
        halves = []
        for group in groups:
            here = points[group]
            axis = int(np.argmax(here.max(0) - here.min(0)))
            order = np.argpartition(here[:, axis], len(group) // 2)
            halves += [group[order[: len(group) // 2]], group[order[len(group) // 2 :]]]
        groups = halves
    return groups
