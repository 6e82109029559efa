r"""Divergence and entropies from samples alone, by distances to nearest neighbours.

With rho_k(i) the distance of x_i to its k-th neighbour among the other x, and nu_k(i) among the m events y,

    D_KL(p || q) ~ d/n sum_i ln(nu_k(i) / rho_k(i)) + ln(m / (n - 1))

(Wang, Kulkarni and Verdu 2009, IEEE Trans. Inf. Theory 55, 2392, eq. 5; Perez-Cruz 2008). The estimates are
consistent, but their bias falls like n^(-1/d): trust them in few dimensions. Errors are by subsampling (Politis and
Romano 1994), as the bootstrap repeats events and so sets distances to 0; they do not cover the bias.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from zerosum.errors import InputError
from zerosum.theory.estimate import Estimate
from zerosum.theory.nearest import kth_distance
from zerosum.theory.samples import as_pair, as_sample

Array = npt.NDArray[np.float64]

SUBSAMPLES = 30
SUBSAMPLE_POWER = 0.6  # of n events a subsample has n^0.6: many, and few of n
METHOD = "nearest neighbours"


def knn_kl(x: Any, y: Any, *, k: int = 5, seed: int = 0, workers: int = 0) -> Estimate:
    """D_KL(p || q) from samples x of p and y of q; swap them for the other direction.

    Args:
        x: Events of p, shape (n, d) or (n,); no event may occur twice.
        y: Events of q, shape (m, d) or (m,).
        k: Which neighbour.
        seed: The seed of the subsamples.
        workers: Threads; 0 for all cores.

    Returns:
        The estimate and its standard error from subsamples of n^0.6 events, which leaves out the bias. It may be
        negative where p and q are close.

    Examples:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> found = knn_kl(rng.normal(0, 1, 4000), rng.normal(1, 1, 4000))
        >>> abs(found.value - 0.5) < 4 * found.error
        True
    """
    a, b = as_pair(x, y)
    _check(a, k, len(a) - 1)
    _check(b, k, len(b))

    def value(first: Array, second: Array) -> float:
        own = _logs(kth_distance(first, first, k, skip_self=True, workers=workers), "x")
        other = _logs(kth_distance(first, second, k, workers=workers), "x and y together")
        n, d = first.shape
        return float(d * np.mean(other - own) + np.log(len(second) / (n - 1)))

    return Estimate(value(a, b), _subsampled(value, [a, b], seed), len(a), METHOD)


def entropy(x: Any, *, k: int = 5, workers: int = 0) -> Estimate:
    """S[p] = -E_p[ln p] from events x of p (Kozachenko and Leonenko 1987), in nats.

    Args:
        x: Events, shape (n, d) or (n,); no event may occur twice.
        k: Which neighbour.
        workers: Threads; 0 for all cores.
    """
    terms = surprisals(as_sample(x), k=k, workers=workers)
    return _mean(terms, METHOD)


def cross_entropy(x: Any, y: Any, *, k: int = 5, workers: int = 0) -> Estimate:
    """-E_p[ln q] from events x of p and y of q, in nats; at least the entropy of p (Gibbs)."""
    from scipy.special import digamma

    a, b = as_pair(x, y)
    _check(b, k, len(b))
    logs = _logs(kth_distance(a, b, k, workers=workers), "x and y together")
    return _mean(a.shape[1] * logs + _log_ball(a.shape[1]) + np.log(len(b)) - digamma(k), METHOD)


def surprisals(x: Array, *, k: int = 5, workers: int = 0) -> Array:
    """Estimates of -ln p(x_i), each from the ball that holds k neighbours of x_i, shape (n,)."""
    from scipy.special import digamma

    _check(x, k, len(x) - 1)
    n, d = x.shape
    logs = _logs(kth_distance(x, x, k, skip_self=True, workers=workers), "x")
    return np.asarray(d * logs + _log_ball(d) + digamma(n) - digamma(k), np.float64)


def _log_ball(d: int) -> float:
    """Ln of the volume of the unit ball in d dimensions."""
    from scipy.special import gammaln

    return float(d / 2 * np.log(np.pi) - gammaln(d / 2 + 1))


def _logs(distance: Array, where: str) -> Array:
    """Ln of the distances; 0 is refused, as a density has no repeated events."""
    if not distance.min() > 0:
        raise InputError(
            f"{(distance == 0).sum()} events have k duplicates in {where}, so there is no density; "
            "remove repeated events, or treat the features as discrete with binned_js."
        )
    return np.log(distance)


def _subsampled(value: Callable[..., float], samples: list[Array], seed: int) -> float:
    """The standard error: the scatter among small parts drawn without replacement, scaled by their size."""
    rng = np.random.default_rng(seed)
    n = min(map(len, samples))
    size = min(max(round(n**SUBSAMPLE_POWER), 25), n // 2)
    share = size / n
    values = []
    for _ in range(SUBSAMPLES):
        parts = [
            rng.choice(len(s), max(round(share * len(s)), 2), replace=False, shuffle=False) for s in samples
        ]
        values.append(value(*(s[part] for s, part in zip(samples, parts, strict=True))))
    return float(np.std(values, ddof=1) * np.sqrt(share))


def _mean(terms: Array, method: str) -> Estimate:
    return Estimate(float(terms.mean()), float(terms.std(ddof=1) / np.sqrt(len(terms))), len(terms), method)


def _check(sample: Array, k: int, available: int) -> None:
    if not 1 <= k <= available // 2 or available < 40:
        raise InputError(
            f"{len(sample)} events and k = {k} were given; give 41 events or more, and k from 1 to half of them."
        )
