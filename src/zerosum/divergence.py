"""A divergence as one object with three abilities: exact for densities, estimated and bounded for samples.

    zerosum.jensen_shannon(p, q)            two densities -> Estimate (closed form, quadrature or Monte Carlo)
    zerosum.kl.estimate(x, y)               two samples   -> Estimate
    zerosum.jensen_shannon.bound(x, y)      two samples   -> Certificate with a lower confidence limit

The fourth ability, training with it, is the objective "f_" + name of game/objectives.py.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from zerosum.data.events import Events
from zerosum.data.notebook import table
from zerosum.errors import InputError
from zerosum.evaluation.certificate import Certificate, certify
from zerosum.evaluation.variational import DIVERGENCES
from zerosum.theory.derived import BHATTACHARYYA, JENSEN_SHANNON_DISTANCE, Derived
from zerosum.theory.derived import renyi as renyi_row
from zerosum.theory.estimate import Estimate
from zerosum.theory.exact import exact
from zerosum.theory.fdivergences import TABLE, FDivergence
from zerosum.theory.fdivergences import alpha as alpha_row

Samples = Events | npt.ArrayLike
NEIGHBOURS = 3  # up to so many dimensions nearest neighbours estimate KL well (Wang, Kulkarni and Verdu 2009)


@dataclass(frozen=True)
class Divergence:
    """How far q is from p: D(p || q), in nats where a logarithm is involved.

    Attributes:
        row: The row of the table, or a function of one.

    Examples:
        >>> import numpy as np
        >>> import zerosum
        >>> from torch.distributions import Normal
        >>> p, q = Normal(0.0, 1.0), Normal(1.0, 2.0)
        >>> print(zerosum.kl(p, q))
        0.443147 ± 0 (closed form)
        >>> print(zerosum.reverse_kl(p, q))
        1.30685 ± 0 (closed form)
        >>> round(float(zerosum.jensen_shannon(p, q)), 6)
        0.128175
        >>> rng = np.random.default_rng(0)
        >>> x, y = rng.normal(0, 1, 2000), rng.normal(1, 2, 2000)
        >>> found = zerosum.kl.estimate(x, y)
        >>> found.method, abs(found.value - float(zerosum.kl(p, q))) < 4 * found.error
        ('nearest neighbours', True)
    """

    row: FDivergence | Derived

    @property
    def name(self) -> str:
        """The name in code."""
        return self.row.name

    @property
    def symbol(self) -> str:
        """The name in formulas."""
        return self.row.symbol

    def __call__(self, p: Any, q: Any, *, n: int = 100_000, seed: int = 0) -> Estimate:
        """The divergence of two densities, zerosum's or torch.distributions'.

        Args:
            p: The first density.
            q: The second one.
            n: Draws, where only Monte Carlo is left.
            seed: Their seed.
        """
        for name, density in (("p", p), ("q", q)):
            if isinstance(density, Events | np.ndarray | list | tuple):
                raise InputError(
                    f"{name} is a sample, not a density; use {self.name}.estimate(x, y) or .bound(x, y)."
                )
        return exact(self.row, p, q, n=n, seed=seed)

    def estimate(self, x: Samples, y: Samples, *, seed: int = 0) -> Estimate:
        """An estimate from two samples x ~ p and y ~ q, with one standard error.

        KL in up to 3 dimensions comes from nearest neighbours; everything else from critics, cross-fitted, which is a
        lower bound in expectation.

        Args:
            x: Events, or an array of shape (N, F).
            y: Events of the same features, or an array of shape (M, F).
            seed: The seed of critics and subsamples.
        """
        if isinstance(self.row, Derived):
            return self.row.from_base(Divergence(self.row.base).estimate(x, y, seed=seed))
        self._refuse_densities(x, y)
        first, second = _matrix(x), _matrix(y)
        plain = first is not None and second is not None and first.shape[1] <= NEIGHBOURS
        if plain and self.name in ("kl", "reverse_kl"):
            from zerosum.theory.neighbours import knn_kl

            pair = (first, second) if self.name == "kl" else (second, first)
            return knn_kl(*pair, seed=seed)
        found = self.bound(x, y, seed=seed)
        n = found.n_reference + found.n_generated
        return Estimate(found.estimate, found.error, n, "cross-fitted critics")

    def bound(self, x: Samples, y: Samples, *, confidence: float = 0.95, seed: int = 0) -> Certificate:
        """A lower confidence limit from two samples, valid at every sample size, with estimate and p-value.

        Args:
            x: Events, or an array of shape (N, F).
            y: Events of the same features, or an array of shape (M, F).
            confidence: The level of the limit.
            seed: The seed of splits, critics and permutations.

        Examples:
            >>> import numpy as np
            >>> import zerosum
            >>> rng = np.random.default_rng(0)
            >>> found = zerosum.jensen_shannon.bound(rng.normal(0, 1, 1000), rng.normal(2, 1, 1000))
            >>> 0 < found.lower < found.estimate
            True
        """
        if self.name not in DIVERGENCES:
            raise InputError(
                f"there is no bound for {self.name} from samples; those with one are {', '.join(DIVERGENCES)}."
            )
        self._refuse_densities(x, y)
        return certify(x, y, divergence=self.name, confidence=confidence, seed=seed)

    def _refuse_densities(self, *samples: Samples) -> None:
        for name, sample in zip("xy", samples, strict=True):
            if hasattr(sample, "log_prob"):
                raise InputError(
                    f"{name} is a density, and samples were expected; call {self.name}(p, q), or draw from it first."
                )

    def __repr__(self) -> str:
        return f"zerosum.{self.name}"

    def _repr_html_(self) -> str:
        """For notebooks."""
        calls = [
            (f"{self.name}(p, q)", "of two densities, exactly"),
            (f"{self.name}.estimate(x, y)", "of two samples, with its error"),
        ]
        if self.name in DIVERGENCES:
            calls.append((f"{self.name}.bound(x, y)", "of two samples, a lower limit that holds"))
        return table(f"{self.name}, {self.symbol}", (), calls)


def alpha(a: float) -> Divergence:
    """The alpha divergence of order a (Amari 1985); a -> 1 is KL, a -> 0 reverse KL.

    Examples:
        >>> from torch.distributions import Normal
        >>> p, q = Normal(0.0, 1.0), Normal(1.0, 2.0)
        >>> abs(float(alpha(0.999)(p, q)) - float(kl(p, q))) < 1e-2
        True
    """
    return Divergence(alpha_row(a))


def renyi(a: float) -> Divergence:
    """Renyi's divergence of order a > 0 (Renyi 1961).

    Examples:
        >>> from torch.distributions import Normal
        >>> print(renyi(2.0)(Normal(0.0, 1.0), Normal(1.0, 1.0)))
        1 ± 0 (closed form)
    """
    return Divergence(renyi_row(a))


def _matrix(sample: Samples) -> npt.NDArray[np.float64] | None:
    """A sample as a matrix (N, F); None for events that are no plain table."""
    if isinstance(sample, Events):
        plain = sample.kind == "table" and sample.conditions is None and sample.weights is None
        return np.asarray(sample.values, np.float64) if plain else None
    array = np.asarray(sample, dtype=np.float64)
    return array[:, None] if array.ndim == 1 else array


kl = Divergence(TABLE["kl"])
"""D_KL(p || q), the Kullback-Leibler divergence: large where q lacks what p has."""
reverse_kl = Divergence(TABLE["reverse_kl"])
"""D_KL(q || p): large where q has what p lacks."""
jensen_shannon = Divergence(TABLE["jensen_shannon"])
"""D_JS(p, q), the Jensen-Shannon divergence, between 0 and ln 2."""
jeffreys = Divergence(TABLE["jeffreys"])
"""D_KL(p || q) + D_KL(q || p)."""
pearson = Divergence(TABLE["pearson"])
"""Pearson's chi^2(p || q), the integral of (p - q)^2 / q."""
neyman = Divergence(TABLE["neyman"])
"""Neyman's chi^2, the integral of (p - q)^2 / p."""
hellinger = Divergence(TABLE["hellinger"])
"""The squared Hellinger distance, 1 less the integral of sqrt(p q)."""
total_variation = Divergence(TABLE["total_variation"])
"""Half the integral of |p - q|."""
bhattacharyya = Divergence(BHATTACHARYYA)
"""Minus the logarithm of the integral of sqrt(p q)."""
jensen_shannon_distance = Divergence(JENSEN_SHANNON_DISTANCE)
"""The root of D_JS, a metric."""
