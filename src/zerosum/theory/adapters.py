"""Distributions of torch.distributions as densities, in float64."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import distributions as td

from zerosum.errors import InputError
from zerosum.theory.densities import Density, Gaussian
from zerosum.theory.tails import Cauchy, Exponential, Laplace, StudentT, VonMises

Array = npt.NDArray[np.float64]

QUANTILES = (0.001, 0.02, 0.16, 0.5, 0.84, 0.98, 0.999)
DRAWS = 4096  # of a fixed seed: they only tell quadrature where to look
ALTERNATIVES = (("covariance_matrix", "precision_matrix", "scale_tril"), ("probs", "logits"))

NO_BOX = tuple(
    type(constraint)
    for constraint in (
        td.constraints.simplex,
        td.constraints.positive_definite,
        td.constraints.lower_cholesky,
        td.constraints.corr_cholesky,
    )
)

NATIVE: dict[type[td.Distribution], Callable[[Any], Density]] = {
    td.Normal: lambda d: Gaussian(_number(d.loc), _number(d.scale) ** 2),
    td.MultivariateNormal: lambda d: Gaussian(_array(d.loc), _array(d.covariance_matrix)),
    td.Cauchy: lambda d: Cauchy(_number(d.loc), _number(d.scale)),
    td.Laplace: lambda d: Laplace(_number(d.loc), _number(d.scale)),
    td.StudentT: lambda d: StudentT(_number(d.df), _number(d.loc), _number(d.scale)),
    td.VonMises: lambda d: VonMises(_number(d.loc), _number(d.concentration)),
    td.Exponential: lambda d: Exponential(_number(d.rate)),
}


def as_density(given: Any) -> Density:
    """A density from a density or a distribution of torch.distributions with an empty batch shape."""
    if not isinstance(given, td.Distribution):
        if hasattr(given, "log_prob") and hasattr(given, "landmarks"):
            return given  # type: ignore[no-any-return]
        raise InputError(
            f"a density was expected, but {type(given).__name__} has no ln p(x); give one of zerosum's densities or of "
            "torch.distributions, or call estimate(x, y) with two samples."
        )
    if given.batch_shape:
        raise InputError(
            f"{type(given).__name__} has batch shape {tuple(given.batch_shape)}, which is several densities; "
            "give one, or join the batch with torch.distributions.Independent."
        )
    exact = in_float64(given)
    if isinstance(exact, td.Independent) and isinstance(exact.base_dist, td.Normal):
        return Gaussian(
            _array(exact.base_dist.loc.ravel()), np.diag(_array(exact.base_dist.scale.ravel()) ** 2)
        )
    return NATIVE[type(exact)](exact) if type(exact) in NATIVE else TorchDensity(exact)


class TorchDensity:
    """A distribution of torch.distributions; one event has the shape (d,), or (1,) for a number."""

    def __init__(self, distribution: td.Distribution) -> None:
        self.distribution = distribution
        self.dim = int(np.prod(distribution.event_shape, dtype=int))
        self.discrete = bool(distribution.support.is_discrete)  # type: ignore[union-attr]

    @property
    def boxed(self) -> bool:
        """Whether the events fill a box of R^d; on a simplex or among matrices they do not."""
        return not isinstance(self._constraint, NO_BOX)

    @property
    def _constraint(self) -> Any:
        constraint: Any = self.distribution.support
        while hasattr(constraint, "base_constraint"):
            constraint = constraint.base_constraint
        return constraint

    @property
    def support(self) -> tuple[Array, Array]:
        """The box that the distribution's constraint describes."""
        constraint = self._constraint
        if constraint is td.constraints.boolean:
            return np.zeros(self.dim), np.ones(self.dim)
        low, high = getattr(constraint, "lower_bound", -np.inf), getattr(constraint, "upper_bound", np.inf)
        return np.full(self.dim, float(low)), np.full(self.dim, float(high))

    @property
    def landmarks(self) -> Array:
        """Quantiles of a few thousand draws, and the mean where there is one."""
        points = np.quantile(self.sample(DRAWS, np.random.default_rng(0)), QUANTILES, axis=0)
        try:
            mean = self.distribution.mean.detach().numpy().reshape(1, -1)
        except NotImplementedError:
            return points
        return np.concatenate([points, mean[np.isfinite(mean).all(1)]])

    def log_prob(self, x: Array) -> Array:
        """Ln p(x), shape (N,); -inf outside the support."""
        low, high = self.support
        inside = ((x >= low) & (x <= high)).all(axis=1)
        values = np.full(len(x), -np.inf)
        events = torch.from_numpy(np.ascontiguousarray(x[inside])).reshape(-1, *self.distribution.event_shape)
        values[inside] = self.distribution.log_prob(events).detach().numpy()
        return values

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """N events, shape (N, d); torch's global state stays as it was."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**63)))
            return self.distribution.sample((n,)).double().reshape(n, -1).numpy()


def in_float64(given: td.Distribution) -> td.Distribution:
    """The same distribution, built again from its parameters in float64."""
    if isinstance(given, td.Independent):
        return td.Independent(in_float64(given.base_dist), given.reinterpreted_batch_ndims)
    if isinstance(given, td.MixtureSameFamily):
        parts: list[Any] = [in_float64(given.mixture_distribution), in_float64(given.component_distribution)]
        return td.MixtureSameFamily(*parts)
    if type(given) is td.TransformedDistribution:
        return td.TransformedDistribution(in_float64(given.base_dist), given.transforms)
    names = set(inspect.signature(type(given)).parameters) - {"validate_args"}
    for group in ALTERNATIVES:
        stored = [name for name in group if name in names and name in vars(given)]
        chosen = stored[0] if stored else group[0]
        names -= set(group) - {chosen}
    parameters = {name: getattr(given, name) for name in names if hasattr(given, name)}
    return type(given)(**{name: _widened(value) for name, value in parameters.items()})


def _widened(value: Any) -> Any:
    """A floating tensor or number as a float64 tensor; anything else as it is."""
    if isinstance(value, float):
        return torch.tensor(value, dtype=torch.float64)
    return value.detach().double() if isinstance(value, torch.Tensor) and value.is_floating_point() else value


def _array(tensor: torch.Tensor) -> Array:
    return tensor.detach().double().numpy()


def _number(tensor: torch.Tensor) -> float:
    return float(tensor.detach().double())
