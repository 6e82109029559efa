r"""Divergence and entropies from samples alone, by distances to nearest neighbours.

With rho_k(i) the distance of x_i to its k-th neighbour among the other x, and nu_k(i) among the m events y,

    D_KL(p || q) ~ d/n sum_i ln(nu_k(i) / rho_k(i)) + ln(m / (n - 1))

(Wang, Kulkarni and Verdu 2009, IEEE Trans. Inf. Theory 55, 2392, eq. 5; Perez-Cruz 2008). It is consistent, but its
bias falls like n^(-1/d) only. `knn_kl` therefore measures that bias on labels drawn from a smooth model of p/q, and
takes it off (relabelling.py): what the model describes is then unbiased, and neighbours measure the rest. Errors are by
subsampling (Politis and Romano 1994), as the bootstrap repeats events and so sets distances to 0.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from zerosum.errors import InputError
from zerosum.theory.estimate import Estimate
from zerosum.theory.nearest import TREE_DIMENSIONS, kth_distance
from zerosum.theory.ratio import log_ratio
from zerosum.theory.relabelling import Terms, bias
from zerosum.theory.samples import as_pair, as_sample

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

FEW_DIMENSIONS, MANY_NEIGHBOURS, FEW_NEIGHBOURS = 3, 10, 5  # few neighbours scatter, many blur
QUERIES = 15_000  # events, in many dimensions, at which distances are measured
RELABELLED = {
    FEW_DIMENSIONS: 400_000,
    TREE_DIMENSIONS: 60_000,
}  # and on labels drawn anew, where that is quick
REPEATED = 0.01  # of the events, the share that may be equal to others: unlucky rounding
UNSURE = 1 / 3  # of the correction, the part that is added to the error
SUBSAMPLES = 30
SUBSAMPLE_POWER = 0.6  # of n events a subsample has n^0.6: many, and few of n
METHOD = "nearest neighbours"


def knn_kl(
    x: Any, y: Any, *, k: int | None = None, corrected: bool = True, seed: int = 0, workers: int = 0
) -> Estimate:
    """D_KL(p || q) from samples x of p and y of q; swap them for the other direction.

    Features of very different scales are first brought to units of a power of ten near their spread. In more than 5
    dimensions distances are measured at 15,000 of the events, and the smooth model takes the mean over all of them.

    Args:
        x: Events of p, shape (n, d) or (n,); no event may occur twice, in one sample or both (a percent may).
        y: Events of q, shape (m, d) or (m,).
        k: Which neighbour; by default the 10th in up to 3 dimensions, the 5th in more.
        corrected: Whether the bias is measured and taken off; otherwise the published formula alone.
        seed: The seed of labels and subsamples.
        workers: Threads; 0 for all cores.

    Returns:
        The estimate and its standard error: the scatter of subsamples of n^0.6 events, that of the correction, and a
        third of the correction, in quadrature. The last is a rule of thumb for what the model has wrong; a bias that no
        model sees, such as that of tails without events of y, is not covered. The value may be negative where p and q
        are close.

    Examples:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> found = knn_kl(rng.normal(0, 1, 4000), rng.normal(1, 1, 4000))
        >>> abs(found.value - 0.5) < 4 * found.error
        True
    """
    a, b = _common_units(*as_pair(x, y))
    usual = MANY_NEIGHBOURS if a.shape[1] <= FEW_DIMENSIONS else FEW_NEIGHBOURS
    nth = usual if k is None else k
    _check(a, nth, len(a) - 1)
    _check(b, nth, len(b))
    _refuse_repeated(np.concatenate([a, b]))

    def terms(first: Array, second: Array, rows: Indices) -> Array:
        return _log_ratios(first, second, rows, nth, workers)

    def plain(first: Array, second: Array) -> float:
        return float(terms(first, second, np.arange(len(first))).mean())

    if corrected:
        value, off = _corrected(terms, a, b, np.random.default_rng(seed))
    else:
        value, off = float(_without_duplicates(terms(a, b, np.arange(len(a)))).mean()), 0.0
    return Estimate(value, float(np.hypot(_subsampled(plain, [a, b], seed), off)), len(a), METHOD)


def _log_ratios(x: Array, y: Array, rows: Indices, k: int, workers: int) -> Array:
    """Estimates of ln p/q at some events of x, by the formula above; not finite where events are repeated."""
    own = kth_distance(x[rows], x, k, skip_self=True, workers=workers)
    other = kth_distance(x[rows], y, k, workers=workers)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Array = x.shape[1] * (np.log(other) - np.log(own)) + np.log(len(y) / (len(x) - 1))
    return ratio


def _refuse_repeated(events: Array) -> None:
    """Events that are equal to the last digit have no density: rounded numbers, copies, a sample against itself."""
    repeated = len(events) - len(np.unique(events, axis=0))
    if repeated > REPEATED * len(events):
        raise _duplicates(repeated, "x and y together")


def _without_duplicates(terms: Array) -> Array:
    """The terms, if all are finite: +inf has k repeated events in x, -inf in y."""
    bad = ~np.isfinite(terms)
    if bad.any():
        raise _duplicates(int(bad.sum()), "x and y together" if np.isneginf(terms).any() else "x")
    return terms


def _corrected(terms: Terms, x: Array, y: Array, rng: np.random.Generator) -> tuple[float, float]:
    """The estimate less its bias, and the error of that correction."""
    d = x.shape[1]
    each = len(x) if d <= TREE_DIMENSIONS else QUERIES
    total = next((count for most, count in RELABELLED.items() if d <= most), QUERIES)
    rows = rng.permutation(len(x))[:each]
    near = _without_duplicates(terms(x, y, rows))
    model = log_ratio(x, y, rng)
    found = bias(terms, np.concatenate([x, y]), model, rng, each=each, total=total)
    smooth = model.values[: len(x)]
    value = smooth.mean() + (near - smooth[rows]).mean() - found.value
    return float(value), float(np.hypot(found.error, UNSURE * found.value))


def _common_units(x: Array, y: Array) -> tuple[Array, Array]:
    """Both samples about their middle, each feature in units of a power of ten near its spread."""
    both = np.concatenate([x, y])
    low, middle, high = np.quantile(both, [0.16, 0.5, 0.84], axis=0)
    spread = np.where(high > low, (high - low) / 2, both.std(axis=0))
    unit = 10.0 ** np.round(np.log10(np.where(spread > 0, spread, 1.0)))
    return (x - middle) / unit, (y - middle) / unit


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


def surprisals(x: Array, *, k: int = 5, among: Array | None = None, workers: int = 0) -> Array:
    """Estimates of -ln p(x_i), each from the ball that holds k neighbours of x_i, shape (n,).

    The neighbours are the other x, or further events of p.
    """
    from scipy.special import digamma

    if among is not None:
        _check(among, k, len(among))
        logs = _logs(kth_distance(x, among, k, workers=workers), "x and the further events together")
        return np.asarray(x.shape[1] * logs + _log_ball(x.shape[1]) + np.log(len(among)) - digamma(k))
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
        raise _duplicates(int((distance == 0).sum()), where)
    return np.log(distance)


def _duplicates(count: int, where: str) -> InputError:
    return InputError(
        f"{count} events are duplicates in {where}, so there is no density; "
        "remove repeated events, or treat the features as discrete with binned_js."
    )


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
