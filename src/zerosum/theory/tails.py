"""One-dimensional densities with heavy tails, edges and kinks: where estimators go wrong.

All have a location and a scale; the densities are scipy.stats' own.
"""

import numpy as np
import numpy.typing as npt

from zerosum.errors import InputError
from zerosum.theory.densities import SPREAD

Array = npt.NDArray[np.float64]


class _LocationScale:
    """A density of scipy.stats, moved by `location` and stretched by `scale`."""

    family = ""
    dim, discrete = 1, False

    def __init__(self, location: float = 0.0, scale: float = 1.0, *shape: float) -> None:
        import scipy.stats

        if not (np.isfinite(location) and np.isfinite(scale) and scale > 0 and all(s > 0 for s in shape)):
            raise InputError(
                f"{type(self).__name__} was given location {location} and scale {scale}, shape {shape}; "
                "the location must be finite, and scale and shape above 0."
            )
        self.location, self.scale = float(location), float(scale)
        self._frozen = getattr(scipy.stats, self.family)(*shape, loc=location, scale=scale)

    @property
    def support(self) -> tuple[Array, Array]:
        """Where p(x) > 0."""
        low, high = self._frozen.support()
        return np.array([low]), np.array([high])

    @property
    def landmarks(self) -> Array:
        """The location, and points up to 12 scales from it, inside the support."""
        low, high = self._frozen.support()
        points = self.location + self.scale * SPREAD
        landmarks: Array = points[(points >= low) & (points <= high), None]
        return landmarks

    def log_prob(self, x: Array) -> Array:
        """Ln p(x), shape (N,), for x of shape (N, 1)."""
        return np.asarray(self._frozen.logpdf(x[:, 0]), np.float64)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """N events, shape (N, 1)."""
        return np.asarray(self._frozen.rvs(n, random_state=rng), np.float64)[:, None]


class Cauchy(_LocationScale):
    """1 / (pi scale (1 + z^2)), z = (x - location) / scale."""

    family = "cauchy"


class Laplace(_LocationScale):
    """exp(-|z|) / (2 scale), z = (x - location) / scale."""

    family = "laplace"

    def log_prob(self, x: Array) -> Array:
        """Ln p(x), shape (N,); scipy's is the logarithm of a number that underflows."""
        return np.asarray(-np.abs(x[:, 0] - self.location) / self.scale - np.log(2 * self.scale), np.float64)


class StudentT(_LocationScale):
    """Student's t with `dof` degrees of freedom, moved and stretched."""

    family = "t"

    def __init__(self, dof: float, location: float = 0.0, scale: float = 1.0) -> None:
        super().__init__(location, scale, dof)
        self.dof = float(dof)


class VonMises(_LocationScale):
    """exp(k cos(x - location)) / (2 pi I_0(k)) on the circle (-pi, pi), k the concentration."""

    family = "vonmises"

    def __init__(self, location: float = 0.0, concentration: float = 1.0) -> None:
        super().__init__(location, 1.0, concentration)
        self.concentration = float(concentration)

    @property
    def support(self) -> tuple[Array, Array]:
        """The circle, cut at pi."""
        return np.array([-np.pi]), np.array([np.pi])

    @property
    def landmarks(self) -> Array:
        """The location, and points around it on the circle."""
        points = self.location + SPREAD * min(1.0, self.concentration**-0.5)
        landmarks: Array = np.angle(np.exp(1j * points))[:, None]
        return landmarks

    def log_prob(self, x: Array) -> Array:
        """Ln p(x), shape (N,); -inf off the circle, where scipy's goes round again."""
        return np.where(np.abs(x[:, 0]) <= np.pi, super().log_prob(x), -np.inf)


class Uniform(_LocationScale):
    """1 / (high - low) between low and high."""

    family = "uniform"

    def __init__(self, low: float = 0.0, high: float = 1.0) -> None:
        super().__init__(low, high - low)


class Exponential(_LocationScale):
    """rate exp(-rate x) for x >= 0."""

    family = "expon"

    def __init__(self, rate: float = 1.0) -> None:
        super().__init__(0.0, 1 / rate if rate > 0 else np.nan)
        self.rate = float(rate)


class Chi(_LocationScale):
    """The length of a vector of `dim` independent N(0, scale^2) numbers."""

    family = "chi"

    def __init__(self, dof: int, scale: float = 1.0) -> None:
        super().__init__(0.0, scale, dof)
        self.dof = dof

    @property
    def landmarks(self) -> Array:
        """0, and the peak at sqrt(dof - 1) with its width, 1/sqrt(2)."""
        peak = np.sqrt(max(self.dof - 1, 0))
        landmarks: Array = self.scale * np.maximum(peak + SPREAD / np.sqrt(2), 0)[:, None]
        return landmarks
