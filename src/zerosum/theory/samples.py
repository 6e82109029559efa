"""What estimators accept as samples, and what they refuse."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from zerosum.errors import InputError

Array = npt.NDArray[np.float64]


def as_sample(given: Any, name: str = "x") -> Array:
    """A matrix (N, d) of finite numbers from an array (N,) or (N, d)."""
    if hasattr(given, "log_prob"):
        raise InputError(
            f"{name} is a density, and samples were expected; call exact(divergence, p, q), or draw from it first."
        )
    sample = np.asarray(given, np.float64)
    sample = sample[:, None] if sample.ndim == 1 else sample
    if sample.ndim != 2 or 0 in sample.shape:
        raise InputError(f"{name} has shape {sample.shape}; give N events of d numbers, shape (N, d).")
    if not np.isfinite(sample).all():
        raise InputError(f"{name} has entries that are NaN or infinite; remove those events and say so.")
    return sample


def as_pair(x: Any, y: Any) -> tuple[Array, Array]:
    """Two samples of one dimension."""
    first, second = as_sample(x, "x"), as_sample(y, "y")
    if first.shape[1] != second.shape[1]:
        raise InputError(
            f"x has {first.shape[1]} features and y {second.shape[1]}; a divergence needs the same features in both."
        )
    return first, second


def certified_kl_cap(n: int) -> float:
    """Ln n: no distribution-free lower limit on a KL divergence from n events can be larger, up to a constant.

    The theorem is McAllester and Stratos (2020), arXiv:1811.04251.
    """
    if n < 1:
        raise InputError(f"{n} events certify nothing; give at least 1.")
    return math.log(n)


def certified_kl(lower: float, n: int) -> float:
    """The limit itself, if n events can certify it; a larger one is refused."""
    if lower > certified_kl_cap(n):
        raise InputError(
            f"a KL divergence of {lower:.3g} nats cannot be certified by {n} events, which reach ln {n} = "
            f"{certified_kl_cap(n):.3g}; quote it as an estimate, or the limit as {certified_kl_cap(n):.3g}."
        )
    return lower
