"""Divergences between known densities: exactly where possible.

In this order: a closed form; the same divergence of a sufficient statistic in one dimension; a sum over integers;
quadrature in up to three dimensions; Monte Carlo with both densities known.
"""

import math
from typing import Any

from zerosum.errors import InputError
from zerosum.theory.adapters import TorchDensity, as_density
from zerosum.theory.closed_forms import closed, reduced
from zerosum.theory.densities import Density
from zerosum.theory.derived import Derived
from zerosum.theory.estimate import Estimate
from zerosum.theory.fdivergences import FDivergence
from zerosum.theory.known import monte_carlo
from zerosum.theory.quadrature import quadrature, summation


def exact(divergence: FDivergence | Derived, p: Any, q: Any, *, n: int = 100_000, seed: int = 0) -> Estimate:
    """D(p || q) of two known densities, in nats.

    Args:
        divergence: A row of the table, or a function of one.
        p: A density of zerosum.theory or a distribution of torch.distributions.
        q: Another of the same dimension.
        n: The number of events, where Monte Carlo is all that is left.
        seed: The seed, where Monte Carlo is all that is left.

    Returns:
        The value and its error; the value is inf where the integral diverges or q = 0 where p > 0. The method is
        "closed form", "quadrature", "summation" or "monte carlo".

    Examples:
        >>> from torch.distributions import Normal
        >>> from zerosum.theory.fdivergences import TABLE
        >>> print(exact(TABLE["kl"], Normal(0.0, 1.0), Normal(1.0, 1.0)))
        0.5 ± 0 (closed form)
    """
    if isinstance(divergence, Derived):
        return divergence.from_base(exact(divergence.base, p, q, n=n, seed=seed))
    a, b = as_density(p), as_density(q)
    _check_pair(a, b)
    value = closed(divergence, a, b)
    if value is not None and not math.isnan(value):
        return Estimate(value, 0.0, 0, "closed form")
    a, b = reduced(a, b) or (a, b)
    if a.discrete and a.dim == 1:
        return summation(divergence, a, b)
    boxed = all(d.boxed for d in (a, b) if isinstance(d, TorchDensity))
    if not a.discrete and a.dim <= 3 and boxed:
        return quadrature(divergence, a, b)
    return monte_carlo(divergence, a, b, n=n, seed=seed)


def _check_pair(p: Density, q: Density) -> None:
    if p.dim != q.dim:
        raise InputError(
            f"the densities have {p.dim} and {q.dim} dimensions; a divergence needs two on the same space."
        )
    if p.discrete != q.discrete:
        raise InputError(
            "one density is of integers and the other continuous, so neither has a density in the other's measure; "
            "give two of the same kind."
        )
