"""One feature at a time: which distribution differs, in which size."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from zerosum.data.events import FloatArray

MOST_BINS = 50
EVENTS_PER_BIN = 20
Pair = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, slots=True)
class Marginal:
    """How one feature differs between the samples.

    Attributes:
        name: The feature.
        jensen_shannon: Binned estimate in nats, less its bias; about 0 for equal distributions.
        wasserstein: Wasserstein-1 distance, in the feature's unit; NaN where weights are negative.
        ks: Kolmogorov-Smirnov distance of the cumulative distributions.
        p_value: Kolmogorov-Smirnov p-value, times the number of features compared (Bonferroni), at most 1.
    """

    name: str
    jensen_shannon: float
    wasserstein: float
    ks: float
    p_value: float


def marginal(name: str, values: Pair, weights: Pair, trials: int) -> Marginal:
    """Compare one feature of both samples; `trials` is the number of features looked at."""
    x, y = values
    ks, p_value = kolmogorov_smirnov(values, weights)
    return Marginal(
        name,
        binned_jensen_shannon(values, weights),
        float(stats.wasserstein_distance(x, y, *weights)) if min(map(np.min, weights)) >= 0 else float("nan"),
        ks,
        min(1.0, trials * p_value),
    )


def kolmogorov_smirnov(values: Pair, weights: Pair) -> tuple[float, float]:
    """The largest distance of the weighted cumulative distributions, and its asymptotic p-value."""
    everywhere = np.sort(np.concatenate(values))
    curves = []
    for x, w in zip(values, weights, strict=True):
        order = np.argsort(x)
        total = np.r_[0.0, np.cumsum(w[order], dtype=np.float64)]
        curves.append(total[np.searchsorted(x[order], everywhere, side="right")] / total[-1])
    distance = float(np.abs(curves[0] - curves[1]).max())
    n, m = (w.sum() ** 2 / (w**2).sum() for w in weights)
    return distance, float(stats.kstwo.sf(distance, max(1, round(n * m / (n + m)))))


def binned_jensen_shannon(values: Pair, weights: Pair) -> float:
    """Plug-in Jensen-Shannon divergence in bins of equal content, nats, less its bias.

    The bias of the entropies (Miller-Madow) leaves (K - 1)(1/n + 1/m)/4 - sum_k [p(1-p)/n + q(1-q)/m]/8m_k for
    K bins, with the effective sizes n and m where events are weighted.
    """
    n, m = (w.sum() ** 2 / (w**2).sum() for w in weights)
    edges = np.unique(np.quantile(np.concatenate(values), np.linspace(0, 1, 1 + _number_of_bins(min(n, m)))))[
        1:-1
    ]
    p, q = (
        np.bincount(np.searchsorted(edges, x, side="right"), w, len(edges) + 1) / w.sum()
        for x, w in zip(values, weights, strict=True)
    )
    middle = (p + q) / 2
    seen = middle > 0
    p, q, middle = np.maximum(p[seen], 0), np.maximum(q[seen], 0), middle[seen]
    value = (_x_log(p, middle) + _x_log(q, middle)) / 2
    bias = (len(p) - 1) * (1 / n + 1 / m) / 4 - np.sum((p * (1 - p) / n + q * (1 - q) / m) / middle) / 8
    return float(value - bias)


def _number_of_bins(n: float) -> int:
    return int(np.clip(n / EVENTS_PER_BIN, 2, MOST_BINS))


def _x_log(p: FloatArray, middle: FloatArray) -> float:
    inside = p > 0
    return float(np.sum(p[inside] * np.log(p[inside] / middle[inside])))
