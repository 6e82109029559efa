"""The numbers that the field quotes, as published and with honest errors.

As published, the Frechet and kernel physics distances (Kansal et al., PRD 107 076017) draw batches with replacement
from one pair of samples: their errors are several times too small for the first, and too large for the second, and a
null that is not 0 stays. Here the errors come from disjoint parts of the samples, and the p-value of "both samples have
one distribution" from permutations. As published, columns are divided by the largest |x| of the reference.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from zerosum.data.events import BoolArray, FloatArray
from zerosum.errors import InputError
from zerosum.evaluation.certificate import p_value as critic_p_value
from zerosum.evaluation.clipped import estimate
from zerosum.evaluation.folds import Fold, all_weights
from zerosum.evaluation.metric import Metric
from zerosum.evaluation.ranking import auc
from zerosum.evaluation.variational import DIVERGENCES

GROUPS = 20
BATCHES = 10
BATCH = 1_000
ROUNDS = 199
MIX = 20221118  # keeps the draws independent of events that were drawn from the same seed


def frechet(first: tuple[FloatArray, FloatArray], second: tuple[FloatArray, FloatArray]) -> float:
    """|a - b|^2 + tr(A + B - 2 (A B)^(1/2)) of two Gaussians (mean, covariance): squared Wasserstein-2.

    Examples:
        >>> import numpy as np
        >>> frechet((np.zeros(2), np.eye(2)), (np.ones(2), 4 * np.eye(2)))
        4.0
    """
    (a, cov_a), (b, cov_b) = first, second
    values, vectors = np.linalg.eigh(cov_a)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    mixed = np.linalg.eigvalsh(root @ cov_b @ root)
    return float((a - b) @ (a - b) + np.trace(cov_a + cov_b) - 2 * np.sqrt(np.maximum(mixed, 0)).sum())


def fpd(reference: FloatArray, generated: FloatArray, *, seed: int) -> Metric:
    """The Frechet distance of Gaussians fitted to both samples, matrices (n, d) and (m, d).

    The samples are cut into groups of equal size; the jackknife over groups takes off the bias, which falls as 1/n,
    and gives the error, at least the spread of random assignments of the groups, which also give the p-value.
    """
    x, y = normalised(reference, generated)
    size = min(len(x), len(y)) // GROUPS
    if size <= x.shape[1]:
        raise InputError(
            f"FPD of {x.shape[1]} columns needs more than {GROUPS * (x.shape[1] + 1)} events of each sample."
        )
    rng = np.random.default_rng((MIX, seed))
    groups = [Moments.of(one[rng.permutation(len(one))], size) for one in (x, y)]
    n, m = (len(one.sums) for one in groups)
    both = Moments(
        np.concatenate([one.sums for one in groups]), np.concatenate([one.squares for one in groups]), size
    )
    first = np.arange(n + m) < n

    def distance(inside: BoolArray, left_out: int = n + m) -> float:
        kept = np.arange(n + m) != left_out
        return frechet(both.gaussian(inside & kept), both.gaussian(~inside & kept))

    whole = distance(first)
    less = np.array([distance(first, i) for i in range(n + m)])
    jackknifes = [(len(part), part) for part in (less[:n], less[n:])]
    bias = sum((k - 1) * (part.mean() - whole) for k, part in jackknifes)
    variance = sum((k - 1) * part.var() for k, part in jackknifes)
    permuted = [distance(rng.permuted(first)) for _ in range(ROUNDS)]
    error = max(float(np.sqrt(variance)), float(np.std(permuted)))
    return Metric("FPD", whole - bias, error, 0.0, _p_value(whole, permuted), (n * size, m * size))


@dataclass(frozen=True)
class Moments:
    """Sums and sums of products of groups of events, from which Gaussians of any union of groups follow.

    Attributes:
        sums: Shape (G, d).
        squares: Shape (G, d, d).
        size: Events of each group.
    """

    sums: FloatArray
    squares: FloatArray
    size: int

    @classmethod
    def of(cls, x: FloatArray, size: int) -> "Moments":
        """As many groups of this size as there are."""
        parts = x[: len(x) // size * size].reshape(-1, size, x.shape[1])
        return cls(parts.sum(1), np.swapaxes(parts, 1, 2) @ parts, size)

    def gaussian(self, chosen: BoolArray) -> tuple[FloatArray, FloatArray]:
        """Mean and covariance of the chosen groups."""
        n = self.size * int(chosen.sum())
        mean = self.sums[chosen].sum(0) / n
        return mean, (self.squares[chosen].sum(0) - n * np.outer(mean, mean)) / (n - 1)


def fpd_as_published(
    reference: FloatArray, generated: FloatArray, *, seed: int, least: int = 20_000, most: int = 50_000
) -> Metric:
    """FPD as in JetNet: 20 draws at each of 10 batch sizes N, a line in 1/N with intercept >= 0, the fit's error.

    CaloChallenge calls it with least = 10000.
    """
    x, y = normalised(reference, generated)
    rng = np.random.default_rng((MIX, seed))
    sizes = (1 / np.linspace(1 / least, 1 / most, 10)).astype(int)

    def drawn(size: int) -> float:
        first, second = (_gaussian(one[rng.integers(len(one), size=size)]) for one in (x, y))
        return frechet(first, second)

    means = [np.mean([drawn(size) for _ in range(20)]) for size in sizes]
    bounds = ([0, -np.inf], [np.inf, np.inf])
    line, covariance = optimize.curve_fit(lambda s, a, b: a + b * s, 1 / sizes, means, bounds=bounds)
    error = float(np.sqrt(covariance[0, 0]))
    return Metric("FPD as published", float(line[0]), error, None, None, (len(x), len(y)))


def _gaussian(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    return x.mean(0), np.atleast_2d(np.cov(x, rowvar=False))


def kpd(
    reference: FloatArray, generated: FloatArray, *, seed: int, normalise: bool = True, batch: int = BATCH
) -> Metric:
    """MMD^2 with the kernel (x.y/d + 1)^4, averaged over disjoint batches; their scatter gives the error."""
    x, y = normalised(reference, generated) if normalise else (reference, generated)
    rng = np.random.default_rng((MIX, seed))
    size = min(batch, min(len(x), len(y)) // BATCHES)
    if size < 2:
        raise InputError(f"KPD needs at least {2 * BATCHES} events of each sample.")
    orders = [rng.permutation(len(one))[: size * BATCHES].reshape(BATCHES, size) for one in (x, y)]
    first = np.arange(2 * size) < size
    values = np.stack(
        [
            u_statistics(
                quartic(np.concatenate([x[i], y[j]])),
                np.stack([first, *(rng.permuted(first) for _ in range(ROUNDS))], axis=1).astype(np.float64),
            )
            for i, j in zip(*orders, strict=True)
        ]
    )
    observed, mean = values[:, 0], values.mean(0)
    error = observed.std(ddof=1) / np.sqrt(BATCHES)
    n = size * BATCHES
    return Metric("KPD", float(mean[0]), float(error), 0.0, _p_value(mean[0], mean[1:]), (n, n))


def kpd_as_published(
    reference: FloatArray, generated: FloatArray, *, seed: int, normalise: bool = True, batch: int = 5_000
) -> Metric:
    """KPD as in JetNet: median and half the 16-84 % range of 10 batches that are drawn with replacement.

    CaloChallenge calls it with batch = 10000.
    """
    x, y = normalised(reference, generated) if normalise else (reference, generated)
    rng = np.random.default_rng((MIX, seed))
    labels = np.repeat([1.0, 0.0], batch)[:, None]
    drawn = [
        np.concatenate([one[rng.integers(len(one), size=batch)] for one in (x, y)]) for _ in range(BATCHES)
    ]
    low, middle, high = np.quantile(
        [u_statistics(quartic(both), labels) for both in drawn], [0.16, 0.5, 0.84]
    )
    return Metric("KPD as published", float(middle), float(high - low) / 2, None, None, (len(x), len(y)))


def quartic(x: FloatArray) -> FloatArray:
    """The kernel matrix (x.y/d + 1)^4, with 0 on its diagonal."""
    kernel: FloatArray = (x @ x.T / x.shape[1] + 1) ** 4
    np.fill_diagonal(kernel, 0)
    return kernel


def u_statistics(kernel: FloatArray, labels: FloatArray) -> FloatArray:
    """E k(x, x') + E k(y, y') - 2 E k(x, y) without bias, for each column of labels (1 for x, 0 for y).

    The kernel matrix (N, N) must be 0 on its diagonal (Gretton et al. 2012, eq. 3).
    """
    n = labels[:, 0].sum()
    m = len(labels) - n
    toward = kernel @ labels
    xx = (labels * toward).sum(0)
    xy = toward.sum(0) - xx
    yy = kernel.sum() - xx - 2 * xy
    values: FloatArray = xx / (n * (n - 1)) + yy / (m * (m - 1)) - 2 * xy / (n * m)
    return values


def normalised(reference: FloatArray, generated: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Both, as float64, divided by the largest |x| of each column of the reference."""
    if reference.ndim != 2 or generated.ndim != 2 or reference.shape[1] != generated.shape[1]:
        raise InputError(
            f"the samples have shapes {reference.shape} and {generated.shape}; give matrices with the same columns."
        )
    largest = np.abs(reference).max(0).astype(np.float64)
    largest[largest == 0] = 1
    return reference / largest, generated / largest


def calochallenge(folds: Sequence[Fold], *, seed: int = 0) -> tuple[Metric, Metric]:
    """AUC, and JSD = (ln 2 - BCE)/ln 2 in bits as in CaloChallenge, of held-out scores, with errors.

    1 bit is ln 2 = 0.693 nats. Each classifier gives a lower bound on the true JSD.
    """
    weights = all_weights(folds)
    scores = [np.concatenate([fold.held[side][-1] for fold in folds]) for side in (0, 1)]
    area, js = auc(scores[0], scores[1], weights), estimate(DIVERGENCES["jensen_shannon"], folds)
    p = critic_p_value(folds[0], seed=seed, weighted=any(np.any(side != 1) for side in weights))
    n = len(scores[0]), len(scores[1])
    bit = float(np.log(2))
    return Metric("AUC", area.value, area.error, 0.5, p, n), Metric(
        "JSD [bits]", js.value / bit, js.error / bit, 0.0, p, n
    )


def _p_value(observed: float, permuted: FloatArray | list[float]) -> float:
    """The permutation p-value of a statistic that is large where the samples differ (Phipson and Smyth 2010)."""
    return float((1 + np.sum(np.asarray(permuted) >= observed - 1e-12)) / (1 + len(permuted)))
