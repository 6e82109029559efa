"""Monte Carlo where both log-densities are known and normalised.

With m = (p + q)/2 and D = p/(p + q), every f-divergence is a mean over the mixture,

    D_f(p || q) = E_m[2(1-D) f(D/(1-D))],

and where the divergence is bounded (D_JS, TV, H^2, alpha in (0, 1)) so is what is averaged: the mean has a two-sided
interval that holds at every n. For KL, with w = ln q - ln p,

    D_KL(p || q) = E_p[-w] = E_p[-w + beta (e^w - 1)]   for any beta, as E_p[e^w] = 1,

and beta by least squares removes most of the variance, unless the tail of e^w is too heavy: then beta = 0.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from zerosum.errors import InputError
from zerosum.theory.adapters import as_density
from zerosum.theory.densities import Density
from zerosum.theory.estimate import Estimate
from zerosum.theory.fdivergences import FDivergence
from zerosum.theory.intervals import Interval, betting_interval

Array = npt.NDArray[np.float64]

HEAVIEST = 0.5  # tail index from which on the variance is infinite
SAFE = 0.4  # the tail index that is still used, as it is itself estimated


def bounded(
    row: FDivergence, p: Any, q: Any, *, n: int = 10_000, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """A bounded divergence of two known densities, with a two-sided finite-sample interval.

    Args:
        row: A divergence with a finite bound, such as jensen_shannon.
        p: A density, exactly normalised.
        q: Another.
        n: How many events are drawn from the mixture (p + q)/2.
        confidence: The probability that both limits hold, at least.
        seed: The seed.
    """
    if not np.isfinite(row.bound):
        raise InputError(
            f"{row.name} has no finite bound, so no interval holds at every n; use kl_known, or jensen_shannon."
        )
    terms = _mixture_terms(row, as_density(p), as_density(q), n, np.random.default_rng(seed))
    ends = row.pointwise([np.log(2), -np.inf], [-np.inf, np.log(2)])
    lower, upper = betting_interval(terms, 0.0, float(ends.max()), 1 - confidence)
    return Interval(*_mean(terms), lower, upper, confidence, n, "finite sample")


def kl_known(p: Any, q: Any, *, n: int = 100_000, seed: int = 0) -> Estimate:
    """D_KL(p || q) of two known densities, with the control variate where its tail allows.

    Returns:
        The value, its standard error (inf where ln p - ln q itself has no variance), n and "monte carlo". The value
        is inf where an event of p has q = 0.
    """
    a, b = as_density(p), as_density(q)
    rng = np.random.default_rng(seed)
    x = a.sample(n, rng)
    w = b.log_prob(x) - a.log_prob(x)
    if np.isneginf(w).any():
        return Estimate(np.inf, 0.0, n, "monte carlo")
    control = np.expm1(np.minimum(w, 700.0))
    covers = np.isfinite(a.log_prob(b.sample(min(n, 10_000), rng))).all()
    if covers and tail_index(control + 1) < SAFE and control.std() > 0:
        beta = float(np.cov(-w, control)[0, 1] / control.var(ddof=1))
        terms = -w - beta * control
    else:
        terms = -w
    return Estimate(*_mean(terms), n, "monte carlo")


def monte_carlo(row: FDivergence, p: Density, q: Density, *, n: int = 100_000, seed: int = 0) -> Estimate:
    """Any row by Monte Carlo with both densities known; the error is inf where the terms have no variance."""
    if row.name == "kl":
        return kl_known(p, q, n=n, seed=seed)
    if row.name == "reverse_kl":
        return kl_known(q, p, n=n, seed=seed)
    if row.name == "jeffreys":
        there, back = kl_known(p, q, n=n, seed=seed), kl_known(q, p, n=n, seed=seed + 1)
        return Estimate(there.value + back.value, np.hypot(there.error, back.error), 2 * n, "monte carlo")
    terms = _mixture_terms(row, p, q, n, np.random.default_rng(seed))
    if np.isinf(terms).any():
        return Estimate(np.inf, 0.0, n, "monte carlo")
    return Estimate(*_mean(terms), n, "monte carlo")


def tail_index(x: Array) -> float:
    """Hill's estimate of the tail index k of P(X > t) ~ t^(-1/k), from the largest sqrt(n) numbers."""
    count = max(int(np.sqrt(len(x))), 5)
    top = np.partition(x, -count - 1)[-count - 1 :]
    floor = top.min()
    return float(np.log(top / floor).sum() / count) if floor > 0 else 0.0


def _mixture_terms(row: FDivergence, p: Density, q: Density, n: int, rng: np.random.Generator) -> Array:
    """2(1-D) f(D/(1-D)) at events of (p + q)/2, in random order, shape (n,)."""
    from_p = int(rng.binomial(n, 0.5))
    x = rng.permutation(np.concatenate([p.sample(from_p, rng), q.sample(n - from_p, rng)]))
    log_p, log_q = p.log_prob(x), q.log_prob(x)
    log_m = np.logaddexp(log_p, log_q) - np.log(2)
    return row.pointwise(log_p - log_m, log_q - log_m)


def _mean(terms: Array) -> tuple[float, float]:
    """The mean and its standard error; the latter inf where the tail is too heavy for a variance."""
    error = float(terms.std(ddof=1) / np.sqrt(len(terms)))
    spread = np.abs(terms - np.median(terms))
    return float(terms.mean()), error if tail_index(
        spread
    ) < HEAVIEST or terms.max() == terms.min() else np.inf
