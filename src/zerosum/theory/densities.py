"""Densities that are known exactly: they can be evaluated, sampled, and integrated.

A density has ln p(x) for x of shape (N, d), samples of the same shape, and says where it lives: its support (a box),
and landmarks, the points between which quadrature may take it to be smooth. `as_density` turns a distribution of
torch.distributions into one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from zerosum.data.simulators.mixtures import GRID_SIGMA, RING_SIGMA, grid_centres, ring_centres
from zerosum.errors import InputError

Array = npt.NDArray[np.float64]
SPREAD = np.array([-12.0, -4.0, -1.0, 0.0, 1.0, 4.0, 12.0])  # landmarks, in units of a density's width


class Density(Protocol):
    """A normalised density on R^d, or probabilities of integers where `discrete`."""

    @property
    def dim(self) -> int:
        """The number of dimensions d."""

    @property
    def discrete(self) -> bool:
        """Whether p(x) are probabilities of integers."""

    @property
    def support(self) -> tuple[Array, Array]:
        """The lowest and highest x at which p(x) > 0, each of shape (d,); may be infinite."""

    @property
    def landmarks(self) -> Array:
        """Points around which the density is concentrated, or not smooth, shape (M, d)."""

    def log_prob(self, x: Array) -> Array:
        """Ln p(x), shape (N,), in float64, for x of shape (N, d)."""

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """N independent events, shape (N, d)."""


def everywhere(dim: int) -> tuple[Array, Array]:
    """The support of a density that is positive on all of R^d."""
    return np.full(dim, -np.inf), np.full(dim, np.inf)


@dataclass(frozen=True, eq=False)
class Gaussian:
    """A normal distribution N(mean, covariance) in any dimension.

    Attributes:
        mean: The mean, shape (d,), or a number.
        covariance: The covariance matrix, shape (d, d); or one variance for all directions.

    Examples:
        >>> p = Gaussian([0.0, 0.0], [[1.0, 0.5], [0.5, 1.0]])
        >>> p.dim, p.sample(3, np.random.default_rng(0)).shape
        (2, (3, 2))
        >>> round(float(p.log_prob(np.zeros((1, 2)))[0]), 4)
        -1.694
    """

    mean: Array
    covariance: Array
    discrete: bool = field(default=False, init=False)

    def __init__(self, mean: npt.ArrayLike, covariance: npt.ArrayLike) -> None:
        centre = np.atleast_1d(np.asarray(mean, np.float64))
        given: Array = np.asarray(covariance, np.float64)
        matrix: Array = np.asarray(given * np.eye(len(centre)) if given.ndim == 0 else given, np.float64)
        if matrix.shape != (len(centre), len(centre)):
            raise InputError(f"a mean of shape {centre.shape} needs a covariance (d, d), not {matrix.shape}.")
        if not np.allclose(matrix, matrix.T) or not np.linalg.eigvalsh(matrix).min() > 0:
            raise InputError("the covariance is not symmetric and positive definite; give a matrix that is.")
        object.__setattr__(self, "mean", centre)
        object.__setattr__(self, "covariance", matrix)

    @property
    def dim(self) -> int:
        """The number of dimensions d."""
        return len(self.mean)

    @property
    def support(self) -> tuple[Array, Array]:
        """All of R^d."""
        return everywhere(self.dim)

    @property
    def landmarks(self) -> Array:
        """The mean, and points up to 12 standard deviations from it."""
        return np.asarray(self.mean + SPREAD[:, None] * np.sqrt(np.diag(self.covariance)), np.float64)

    @cached_property
    def cholesky(self) -> Array:
        """The lower triangular L with L L^T = covariance."""
        return np.asarray(np.linalg.cholesky(self.covariance), np.float64)

    def log_prob(self, x: Array) -> Array:
        """Ln p(x), shape (N,)."""
        from scipy.linalg import solve_triangular

        white = solve_triangular(self.cholesky, (x - self.mean).T, lower=True)
        log_norm = self.dim / 2 * np.log(2 * np.pi) + np.log(np.diag(self.cholesky)).sum()
        density: Array = -0.5 * (white**2).sum(0) - log_norm
        return density

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """N events, shape (N, d)."""
        events: Array = self.mean + rng.standard_normal((n, self.dim)) @ self.cholesky.T
        return events


class Mixture:
    """A weighted sum of densities of one dimension.

    Args:
        components: The densities, K of them.
        weights: Their weights, K numbers above 0; they are divided by their sum. Equal by default.
    """

    discrete = False

    def __init__(self, components: Sequence[Density], weights: npt.ArrayLike | None = None) -> None:
        raw = np.ones(len(components)) if weights is None else np.asarray(weights, np.float64)
        if not components or raw.shape != (len(components),) or not (raw > 0).all():
            raise InputError("a mixture needs components, and one weight above 0 for each of them.")
        if len({component.dim for component in components}) > 1:
            raise InputError("the components of a mixture must have one dimension; these differ.")
        self.components, self.weights = tuple(components), raw / raw.sum()
        self.dim = components[0].dim

    @property
    def support(self) -> tuple[Array, Array]:
        """The smallest box around the components' supports."""
        low, high = zip(*(component.support for component in self.components), strict=True)
        return np.min(low, axis=0), np.max(high, axis=0)

    @property
    def landmarks(self) -> Array:
        """The components' landmarks."""
        return np.concatenate([component.landmarks for component in self.components])

    def log_prob(self, x: Array) -> Array:
        """Ln p(x), shape (N,)."""
        from scipy.special import logsumexp

        parts = np.stack([component.log_prob(x) for component in self.components])
        total: Array = logsumexp(parts, axis=0, b=self.weights[:, None])
        return total

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """N events, shape (N, d), in random order."""
        counts = rng.multinomial(n, self.weights)
        parts = [c.sample(int(k), rng) for c, k in zip(self.components, counts, strict=True)]
        return rng.permutation(np.concatenate(parts))


def gaussian_mixture(means: npt.ArrayLike, covariance: npt.ArrayLike) -> Mixture:
    """Equal Gaussians of one covariance at the means (K, d).

    Examples:
        >>> p = gaussian_mixture([[-3.0], [3.0]], [[0.25]])
        >>> round(float(np.exp(p.log_prob(np.array([[3.0]])))[0]), 4)
        0.3989
    """
    return Mixture([Gaussian(mean, covariance) for mean in np.asarray(means, np.float64)])


def ring() -> Mixture:
    """Eight modes of sigma 0.01 on the unit circle (PacGAN, arXiv:1712.04086, section 4.1)."""
    return gaussian_mixture(ring_centres(), RING_SIGMA**2)


def grid() -> Mixture:
    """Twenty-five modes of sigma 0.05 on {-4, -2, 0, 2, 4}^2 (PacGAN, arXiv:1712.04086, section 4.1)."""
    return gaussian_mixture(grid_centres(), GRID_SIGMA**2)
