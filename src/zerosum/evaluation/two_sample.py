"""Distances and tests of two samples beside the certificate, each with an error, a p-value and its number of events.

Wasserstein-1 in one column and averaged over random directions (sliced), and the energy distance, with permutation
p-values: exact, whatever the distribution. All distances are those of unweighted events; several columns are scaled to
unit spread first. For two histograms, weighted ones included: separation power and chi^2.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.spatial.distance import cdist

from zerosum.data.events import FloatArray
from zerosum.errors import InputError
from zerosum.evaluation.metric import Metric
from zerosum.evaluation.summaries import Scale

ROUNDS = 199
DIRECTIONS = 64
SLICED = 5_000  # events of each sample for the sliced distance
PAIRWISE = 2_000  # events of each sample for the energy distance, whose cost grows with the square
JOINED = 25  # effective events that a bin needs where the weights differ
EXPECTED = 5  # events that must be expected in a bin where they have one weight
DRAW = 19530101  # keeps subsamples and permutations independent of events that were drawn from the same seed


def wasserstein(reference: FloatArray, generated: FloatArray, *, seed: int) -> Metric:
    """The Wasserstein-1 distance of one column, from arrays of shape (n,) and (m,).

    Examples:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> found = wasserstein(rng.normal(0, 1, 2000), rng.normal(1, 1, 2000), seed=0)
        >>> round(found.value, 1), found.p_value < 0.05
        (1.0, True)
    """
    return _transported("wasserstein", np.r_[reference, generated][None], len(reference), seed)


def sliced_wasserstein(
    reference: FloatArray,
    generated: FloatArray,
    *,
    seed: int,
    directions: int = DIRECTIONS,
    most: int = SLICED,
) -> Metric:
    """The mean of the Wasserstein-1 distances along random directions, for matrices (n, d) and (m, d).

    The columns have unit spread, so the distance is in standard deviations (Rabin, Peyre, Delon and Bernot 2011).
    The error includes that of the choice of directions.
    """
    x, y = _prepared(reference, generated, most, seed)
    axes = np.random.default_rng((DRAW, seed, 1)).normal(size=(directions, x.shape[1]))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    return _transported("sliced wasserstein", axes @ np.concatenate([x, y]).T, len(x), seed)


def _transported(name: str, lines: FloatArray, n: int, seed: int) -> Metric:
    """The mean W1 of the first n and the other points on each of K lines, shape (K, n + m).

    W1 is the integral of |F - G|, which is the difference of the means of the potential h(x), the integral of
    sign(F - G) up to x; its variance over the events is that of the estimate.
    """
    m = lines.shape[1] - n
    order = np.argsort(lines, axis=1)
    gaps = np.diff(np.take_along_axis(lines, order, 1), axis=1)
    label = np.repeat([1 / n, -1 / m], [n, m])

    def difference(signs: FloatArray) -> FloatArray:
        return np.cumsum(signs[order], axis=1)[:, :-1]

    each = (np.abs(difference(label)) * gaps).sum(1)
    rise = np.cumsum(np.sign(difference(label)) * gaps, axis=1)
    potential = np.zeros(n + m)
    for one, line in zip(order, np.pad(rise, ((0, 0), (1, 0))), strict=True):
        potential[one] += line / len(lines)
    rng = np.random.default_rng((DRAW, seed, 2))
    permuted = [(np.abs(difference(rng.permuted(label))) * gaps).sum(1).mean() for _ in range(ROUNDS)]
    of_directions = each.std() / np.sqrt(len(each))
    error = np.sqrt(potential[:n].var() / n + potential[n:].var() / m + of_directions**2)
    p = _p_value(each.mean(), permuted)
    return Metric(name, float(each.mean()), float(error), float(np.mean(permuted)), p, (n, m))


def energy_distance(
    reference: FloatArray, generated: FloatArray, *, seed: int, most: int = PAIRWISE
) -> Metric:
    """2 E|x - y| - E|x - x'| - E|y - y'| without bias, for matrices (n, d) and (m, d) of unit spread.

    The error is that of the first-order terms, and at least the spread of the permutations, which is all that is left
    where the distributions are equal (Szekely and Rizzo 2013).
    """
    x, y = _prepared(reference, generated, most, seed)
    n, m = len(x), len(y)
    both = np.concatenate([x, y])
    pairwise = cdist(both, both)
    rng = np.random.default_rng((DRAW, seed, 2))
    first = np.arange(n + m) < n
    labels = np.stack([first, *(rng.permuted(first) for _ in range(ROUNDS))], axis=1).astype(np.float64)
    toward = pairwise @ labels
    xx = (labels * toward).sum(0)
    xy = toward.sum(0) - xx
    yy = pairwise.sum() - xx - 2 * xy
    values = 2 * xy / (n * m) - xx / (n * (n - 1)) - yy / (m * (m - 1))
    near, far = toward[:, 0] / n, (pairwise.sum(1) - toward[:, 0]) / m
    terms = 2 * (far - near)
    error = max(np.sqrt(terms[:n].var() / n + terms[n:].var() / m), values[1:].std())
    p = _p_value(values[0], values[1:])
    return Metric("energy distance", float(values[0]), float(error), 0.0, p, (n, m))


@dataclass(frozen=True, slots=True)
class Counts:
    """A histogram.

    Attributes:
        sums: The sum of the weights in each bin.
        squares: The sum of the squared weights in each bin.
        n: How many events it has.
    """

    sums: FloatArray
    squares: FloatArray
    n: int

    @property
    def weight(self) -> float:
        """The weight of every event, 0 where the weights differ."""
        full = self.sums != 0
        if not full.any() or not np.array_equal(full, self.squares != 0):
            return 0.0
        each = self.squares[full] / self.sums[full]
        return float(each[0]) if np.ptp(each) <= 1e-6 * abs(each[0]) else 0.0

    @classmethod
    def of(cls, values: FloatArray, edges: FloatArray, weights: FloatArray | None = None) -> "Counts":
        """The histogram of values in bins; values outside are not counted."""
        w = np.ones(len(values)) if weights is None else weights
        sums, squares = (np.histogram(values, edges, weights=part)[0] for part in (w, w**2))
        if sums.sum() <= 0:
            raise InputError(
                "the histogram has no positive sum of weights; choose bins that hold the values."
            )
        return cls(sums, squares, len(values))


def chi_squared(reference: Counts, generated: Counts) -> Metric:
    """chi^2 / ndf of two histograms that need not have the same sum of weights.

    chi^2 = sum (p - q)^2 / (s_p^2 + s_q^2) with the normalised contents p, q of K bins and K - 1 degrees of freedom
    (Gagunashvili, arXiv:physics/0605123). The error is what is expected where both are equal.

    The variance of a bin of weighted events is known from its events alone, and too small where large weights happen to
    be absent, so neighbouring bins are joined until each has `JOINED` effective events (sum w)^2 / sum w^2; of events
    of equal weight, whose variance follows from what is expected in both, until `EXPECTED` are expected.

    Raises:
        InputError: Fewer than two bins are left.
    """
    value, ndf = _chi_squared(reference, generated)
    if ndf < 1:
        raise InputError(
            f"the histograms fill fewer than two bins with {JOINED} effective events; choose other bins."
        )
    p = float(stats.chi2.sf(value, ndf))
    return Metric("chi2/ndf", value / ndf, float(np.sqrt(2 / ndf)), 1.0, p, (reference.n, generated.n))


def separation_power(reference: Counts, generated: Counts) -> Metric:
    """1/2 sum (p - q)^2 / (p + q) of two normalised histograms, between 0 and 1 (eq. 15 of arXiv:2009.03796).

    Also called triangular discrimination. As published it has a positive bias, about (K - 1)(1/n + 1/m)/4 for K bins,
    which is left in and stands beside it as its null; the p-value is that of `chi_squared`, NaN where it needs more.
    """
    (p, dp), (q, dq) = (
        (one.sums / one.sums.sum(), one.squares / one.sums.sum() ** 2) for one in (reference, generated)
    )
    seen = p + q > 0
    p, q, dp, dq = p[seen], q[seen], dp[seen], dq[seen]
    slopes = (p - q) * (p + 3 * q) / (2 * (p + q) ** 2), (q - p) * (q + 3 * p) / (2 * (p + q) ** 2)
    variance = sum(
        (spread * (slope - slope @ part) ** 2).sum()
        for part, spread, slope in zip((p, q), (dp, dq), slopes, strict=True)
    )
    value, (chi2, ndf) = float(((p - q) ** 2 / (p + q)).sum() / 2), _chi_squared(reference, generated)
    return Metric(
        "separation power",
        value,
        float(np.sqrt(variance)),
        float(len(p) - 1) * (dp.sum() + dq.sum()) / 4,
        float(stats.chi2.sf(chi2, ndf)) if ndf else float("nan"),
        (reference.n, generated.n),
    )


def _chi_squared(reference: Counts, generated: Counts) -> tuple[float, int]:
    """chi^2 and its degrees of freedom, of joined bins."""
    first, second = _joined(reference, generated)
    (p, dp), (q, dq) = (
        (one.sums / one.sums.sum(), one.squares / one.sums.sum() ** 2) for one in (first, second)
    )
    if len(p) < 2:
        return 0.0, 0
    shape = _pooled((p, dp), (q, dq))
    variance = sum(
        shape * one.weight / one.sums.sum() if one.weight else spread
        for one, spread in ((first, dp), (second, dq))
    )
    return float(((p - q) ** 2 / variance).sum()), len(p) - 1


def _pooled(first: tuple[FloatArray, FloatArray], second: tuple[FloatArray, FloatArray]) -> FloatArray:
    """The contents of bins if both samples have the same, weighted by what one event's worth varies in each."""
    scales = [spread.sum() / part.sum() for part, spread in (first, second)]
    shape: FloatArray = (first[0] / scales[0] + second[0] / scales[1]) / (1 / scales[0] + 1 / scales[1])
    return shape


def _joined(reference: Counts, generated: Counts) -> tuple[Counts, Counts]:
    """Neighbouring bins joined until each is filled enough for its variance to be known; the last take the rest."""
    pair = reference, generated
    columns = np.stack([part for one in pair for part in (one.sums, one.squares)], axis=1)
    size = [one.sums.sum() / one.weight if one.weight else 0.0 for one in pair]
    total = columns[:, ::2].sum(0)
    groups, current = [], np.zeros(4)

    def filled(group: FloatArray) -> bool:
        expected = (group[::2] / total).mean() * np.array(size)
        effective = group[::2] ** 2 / np.maximum(group[1::2], 1e-300) * (group[::2] > 0)
        needed = (expected >= EXPECTED, effective >= JOINED)
        return all(needed[0][i] if one.weight else needed[1][i] for i, one in enumerate(pair))

    for column in columns:
        current = current + column
        if filled(current):
            groups.append(current)
            current = np.zeros(4)
    if groups:
        groups[-1] = groups[-1] + current
    table = np.array(groups).reshape(-1, 4).T
    return Counts(table[0], table[1], reference.n), Counts(table[2], table[3], generated.n)


def _prepared(
    reference: FloatArray, generated: FloatArray, most: int, seed: int
) -> tuple[FloatArray, FloatArray]:
    """At most so many rows of each, with columns of unit spread."""
    rng = np.random.default_rng((DRAW, seed, 0))
    x, y = (one[rng.permutation(len(one))[:most]] for one in (reference, generated))
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise InputError(
            f"the samples have shapes {x.shape} and {y.shape}; give matrices with the same number of columns."
        )
    scale = Scale.fit(np.concatenate([x, y]))
    first, second = ((one - scale.centre) / scale.width for one in (x, y))
    return first, second


def _p_value(observed: float, permuted: FloatArray | list[float]) -> float:
    return float((1 + np.sum(np.asarray(permuted) >= observed - 1e-12)) / (1 + len(permuted)))
