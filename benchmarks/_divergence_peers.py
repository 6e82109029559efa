"""One function for each package that divergences.py measures: from two samples to a value and its error, if given."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Estimator = Callable[[Array, Array], tuple[float, float | None]]

K = 5  # neighbours, of the peers; zerosum's is its default


def zerosum_kl(x: Array, y: Array) -> tuple[float, float | None]:
    from zerosum.theory.neighbours import knn_kl

    found = knn_kl(x, y)
    return found.value, found.error


def zerosum_js(x: Array, y: Array) -> tuple[float, float | None]:
    from zerosum.theory.binned import binned_js

    found = binned_js(x, y)
    return found.value, found.error


def scipy_tree(x: Array, y: Array) -> tuple[float, float | None]:
    """The published formula with scipy's tree: what a user would write."""
    from scipy.spatial import cKDTree

    own = cKDTree(x).query(x, [K + 1], workers=-1)[0]
    other = cKDTree(y).query(x, [K], workers=-1)[0]
    return float(x.shape[1] * np.log(other / own).mean() + np.log(len(y) / (len(x) - 1))), None


def divergence_kl(x: Array, y: Array) -> tuple[float, float | None]:
    from divergence import knn_kl_divergence

    return float(knn_kl_divergence(x, y, k=K)), None


def infomeasure_kl(x: Array, y: Array) -> tuple[float, float | None]:
    import infomeasure

    return float(infomeasure.kld(x, y, approach="metric", k=K)), None


def npeet_kl(x: Array, y: Array) -> tuple[float, float | None]:
    from npeet_plus import kldiv

    return float(kldiv(x, y, k=K, base=math.e)), None


def universal_kl(x: Array, y: Array) -> tuple[float, float | None]:
    from universal_divergence import estimate

    return float(estimate(x, y, k=K)), None


def divergence_js(x: Array, y: Array) -> tuple[float, float | None]:
    from divergence import continuous_jensen_shannon_divergence_from_sample

    return float(continuous_jensen_shannon_divergence_from_sample(x[:, 0], y[:, 0])), None


def infomeasure_js(x: Array, y: Array) -> tuple[float, float | None]:
    import infomeasure

    return float(infomeasure.jsd(x, y, approach="kernel", bandwidth=0.3, kernel="box")), None


def trained_js(x: Array, y: Array) -> tuple[float, float | None]:
    from jensenshannondivergence import estimate_jensen_shannon

    return math.log(2) * float(estimate_jensen_shannon(x, y, discriminator_type="MLP")), None


def scipy_histogram(x: Array, y: Array) -> tuple[float, float | None]:
    from scipy.spatial.distance import jensenshannon

    edges = np.histogram_bin_edges(np.concatenate([x, y]), 50)
    p, q = (np.histogram(sample, edges)[0] for sample in (x, y))
    return float(jensenshannon(p, q) ** 2), None


ESTIMATORS: dict[str, dict[str, Estimator]] = {
    "KL": {
        "zerosum": zerosum_kl,
        "scipy cKDTree": scipy_tree,
        "divergence": divergence_kl,
        "infomeasure": infomeasure_kl,
        "npeet-plus": npeet_kl,
        "universal-divergence": universal_kl,
    },
    "JS": {
        "zerosum": zerosum_js,
        "divergence": divergence_js,
        "infomeasure": infomeasure_js,
        "jensenshannondivergence": trained_js,
        "scipy histogram": scipy_histogram,
    },
}
