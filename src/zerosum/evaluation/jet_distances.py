"""The distances that papers on jet clouds quote: W1M of the jet mass and W1P of the particles.

W1M is the Wasserstein-1 distance of the jets' masses, W1P the mean of those of the particles' eta, phi and pt, all
particles of all jets together (Kansal et al., arXiv:2106.11535). As published, batches are drawn with replacement from
one pair of samples, and their scatter is called the error. The particles of one jet belong together: here errors are
those of jets, and p-values come from permutations of whole jets.
"""

import numpy as np
from scipy import stats

from zerosum.data.events import BoolArray, Events, FloatArray, IndexArray
from zerosum.data.jets import entries_of_particles, jet_mass
from zerosum.errors import InputError
from zerosum.evaluation.field_metrics import MIX, ROUNDS
from zerosum.evaluation.metric import Metric

MOST_MASSES = 20_000  # jets of each sample
MOST_CLOUDS = 2_000  # likewise, where each has many particles
BATCHES = 5
Points = tuple[FloatArray, IndexArray]  # values (P, F), and to which jet each of the P belongs


def w1m(reference: Events, generated: Events, *, seed: int, most: int = MOST_MASSES) -> Metric:
    """W1M of two samples of jets, in the unit of the particles' pt.

    Args:
        reference: Clouds with eta, phi and pt.
        generated: Likewise.
        seed: Seed of subsamples and permutations.
        most: How many jets of each sample are used at most.
    """
    pair = [_masses(one) for one in _drawn(reference, generated, most, seed)]
    return _transported("W1M", pair[0], pair[1], seed)


def w1p(reference: Events, generated: Events, *, seed: int, most: int = MOST_CLOUDS) -> Metric:
    """W1P of two samples of jets; arguments as in `w1m`."""
    pair = [_particles(one) for one in _drawn(reference, generated, most, seed)]
    return _transported("W1P", pair[0], pair[1], seed)


def w1_as_published(
    reference: Events, generated: Events, *, seed: int, batch: int = 50_000
) -> tuple[Metric, Metric]:
    """W1M and W1P as in JetNet: mean and standard deviation of 5 batches drawn with replacement."""
    rng = np.random.default_rng((MIX, seed))
    pair = _drawn(reference, generated, max(len(reference), len(generated)), seed)
    found = np.array([_batch(pair[0], pair[1], batch, rng) for _ in range(BATCHES)])
    n = len(reference), len(generated)
    first, second = (
        Metric(f"{name} as published", float(values.mean()), float(values.std()), None, None, n)
        for name, values in zip(("W1M", "W1P"), found.T, strict=True)
    )
    return first, second


def _batch(reference: Events, generated: Events, size: int, rng: np.random.Generator) -> tuple[float, float]:
    """W1M and W1P of one batch."""
    x, y = (one.take(rng.integers(len(one), size=size)) for one in (reference, generated))
    first, second = _particles(x)[0], _particles(y)[0]
    each = [stats.wasserstein_distance(first[:, i], second[:, i]) for i in range(3)]
    return stats.wasserstein_distance(jet_mass(x), jet_mass(y)), float(np.mean(each))


def _masses(jets: Events) -> Points:
    return jet_mass(jets)[:, None], np.arange(len(jets))


def _particles(jets: Events) -> Points:
    mask = np.asarray(jets.mask)
    return jets.values[mask].astype(np.float64), np.nonzero(mask)[0]


def _drawn(reference: Events, generated: Events, most: int, seed: int) -> tuple[Events, Events]:
    """At most so many jets of each sample, with eta, phi and pt alone."""
    rng = np.random.default_rng((MIX, seed))
    chosen = []
    for name, events in (("reference", reference), ("generated", generated)):
        entries = entries_of_particles(events) if events.kind == "cloud" else None
        if (
            entries is None
            or events.weights is not None
            or not np.any(np.asarray(events.mask), axis=1).sum() > 1
        ):
            raise InputError(
                f"the {name} sample is no sample of jets without weights; give clouds whose points have "
                "eta, phi and pt, at least two of them with particles."
            )
        jets = events.select([events.names[i] for i in entries])
        chosen.append(jets.take(rng.permutation(len(jets))[:most]))
    return chosen[0], chosen[1]


def _transported(name: str, reference: Points, generated: Points, seed: int) -> Metric:
    """The mean over F features of the Wasserstein-1 distances, jets with all their points being what is drawn.

    W1 is the difference of the means of the Kantorovich potential, whose slope is sign(G - F); a mean over the points
    of all jets is a ratio of two sums over jets, and has the error of one. Where a feature does not differ, the error
    is too large rather than too small.
    """
    n, m = (1 + int(owner.max()) for _, owner in (reference, generated))
    values, owner = np.concatenate([reference[0], generated[0]]), np.r_[reference[1], n + generated[1]]
    points = np.bincount(owner, minlength=n + m).astype(np.float64)
    order = np.argsort(values, axis=0).T
    gaps = np.diff(np.take_along_axis(values, order.T, 0), axis=0).T

    def curves(first: BoolArray) -> FloatArray:
        jump = np.where(first, 1 / points[first].sum(), -1 / points[~first].sum())[owner]
        return np.cumsum(jump[order], axis=1)[:, :-1]

    def distance(first: BoolArray) -> float:
        return float((np.abs(curves(first)) * gaps).sum(1).mean())

    truth = np.arange(n + m) < n
    potential = np.zeros(len(values))
    for one, slope in zip(order, -np.sign(curves(truth)) * gaps, strict=True):
        potential[one[1:]] += np.cumsum(slope) / len(order)
    sums = np.bincount(owner, potential, n + m).astype(np.float64)
    errors = [_error_of_ratio(sums[side], points[side]) for side in (truth, ~truth)]
    rng = np.random.default_rng((MIX, seed, 1))
    value, permuted = distance(truth), np.array([distance(rng.permuted(truth)) for _ in range(ROUNDS)])
    p = float((1 + np.sum(permuted >= value * (1 - 1e-9))) / (1 + ROUNDS))
    error = max(float(np.hypot(errors[0], errors[1])), float(permuted.std()))
    return Metric(name, value, error, float(permuted.mean()), p, (n, m))


def _error_of_ratio(sums: FloatArray, counts: FloatArray) -> float:
    """Of sum(sums) / sum(counts) over independent jets."""
    ratio = sums.sum() / counts.sum()
    return float(np.sqrt(((sums - ratio * counts) ** 2).sum()) / counts.sum())
