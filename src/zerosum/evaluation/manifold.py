"""Precision, recall, density and coverage: whether events of one sample lie among those of the other.

Around each event of a sample stands a ball that reaches to its k-th neighbour; the balls together are the sample's
manifold. Precision is the fraction of generated events on the manifold of the reference, recall that of reference
events on the generated one (Kynkaanniemi et al., arXiv:1904.06991); density counts the balls around each generated
event, coverage the reference balls that are not empty (Naeem et al., arXiv:2002.09797). All depend on the number of
events, on k and on the columns' units, so a value says little without its null.
"""

import numpy as np
from scipy import stats

from zerosum.data.events import FloatArray
from zerosum.errors import InputError
from zerosum.evaluation.field_metrics import MIX
from zerosum.evaluation.metric import Metric

PARTS = 8
PART = 2_000


def manifold(
    reference: FloatArray, generated: FloatArray, *, seed: int, neighbours: int = 5
) -> tuple[Metric, ...]:
    """Precision, recall, density and coverage beside their null.

    They depend on the number of events, so each is computed on disjoint parts, and on equal parts of the reference
    against the reference. The scatter of the parts gives the error, a paired t-test the p-value.
    """
    rng = np.random.default_rng((MIX, seed))
    size = min(PART, len(reference) // (2 * PARTS), len(generated) // PARTS)
    if size <= neighbours:
        raise InputError(
            f"precision and recall need more than {2 * PARTS * neighbours} reference and half as many generated events."
        )
    real, fake = (
        one[rng.permutation(len(one))[: k * size]].reshape(k, size, -1)
        for one, k in ((reference, 2 * PARTS), (generated, PARTS))
    )
    found = np.array([prdc(x, y, neighbours) for x, y in zip(real[:PARTS], fake, strict=True)])
    null = np.array([prdc(x, y, neighbours) for x, y in zip(real[:PARTS], real[PARTS:], strict=True)])
    errors = found.std(0, ddof=1) / np.sqrt(PARTS)
    return tuple(
        Metric(name, float(found[:, i].mean()), float(errors[i]), float(null[:, i].mean()), p, (size, size))
        for i, name in enumerate(("precision", "recall", "density", "coverage"))
        for p in (_paired(found[:, i] - null[:, i]),)
    )


def prdc(real: FloatArray, fake: FloatArray, k: int) -> tuple[float, float, float, float]:
    """Precision, recall, density and coverage from balls that reach to the k-th neighbour of the same sample."""
    from sklearn.neighbors import NearestNeighbors

    of_real, of_fake = (NearestNeighbors().fit(one).kneighbors(one, k + 1)[0][:, k] for one in (real, fake))
    squares = (real**2).sum(1)[:, None] + (fake**2).sum(1) - 2 * real @ fake.T
    between = np.sqrt(np.maximum(squares, 0))
    inside = between < of_real[:, None]
    return (
        float(inside.any(0).mean()),
        float((between < of_fake).any(1).mean()),
        float(inside.sum(0).mean() / k),
        float((between.min(1) < of_real).mean()),
    )


def _paired(differences: FloatArray) -> float:
    """The p-value of a mean of 0; equal differences have no scatter to judge by."""
    if np.ptp(differences) == 0:
        return 1.0 if differences[0] == 0 else 0.0
    return float(stats.ttest_1samp(differences, 0).pvalue)
