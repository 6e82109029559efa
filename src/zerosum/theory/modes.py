"""Mode covering and mode seeking: what a model that is too simple does under each divergence.

A Gaussian, and a mixture of two, are fitted to a target with several peaks by minimising a divergence that is computed
by quadrature. Forward KL punishes every place that the target has and the fit has not: it covers all peaks and fills in
between. Reverse KL punishes what the fit has and the target has not: it settles on one peak. D_JS feels both.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from zerosum.errors import InputError
from zerosum.theory.densities import Density, Gaussian, Mixture
from zerosum.theory.fdivergences import FDivergence

Array = npt.NDArray[np.float64]

NODES = 2001
MISSED = 0.1  # a peak is missed where the fit has less than this part of the target's mass around it
WIDTHS = 2.0  # a peak reaches this many standard deviations from its centre


@dataclass(frozen=True)
class Fit:
    """A fit and what it does to the peaks.

    Attributes:
        divergence: The name of the divergence that was minimised.
        value: Its value at the minimum, in nats.
        fit: The fitted density, a Gaussian or a Mixture of two.
        between: The fit's mass in the gaps between neighbouring peaks (beyond two widths of each).
        target_between: The target's own mass there.
        missed: The target's mass in peaks around which the fit has less than a tenth of it.
    """

    divergence: str
    value: float
    fit: Density
    between: float
    target_between: float
    missed: float


def bimodal(distance: float = 6.0, weight: float = 0.5) -> Mixture:
    """Two Gaussians of width 1 whose centres are `distance` apart; `weight` is the left one's."""
    return Mixture([Gaussian(-distance / 2, 1.0), Gaussian(distance / 2, 1.0)], [weight, 1 - weight])


def fit_gaussian(target: Mixture, divergence: FDivergence) -> Fit:
    """The Gaussian q that minimises D_f(target || q), in one dimension.

    Args:
        target: A mixture of Gaussians in one dimension.
        divergence: A row of the table: kl covers, reverse_kl seeks.
    """
    return _fit(target, divergence, components=1)


def fit_mixture(target: Mixture, divergence: FDivergence) -> Fit:
    """The mixture of two Gaussians q that minimises D_f(target || q), in one dimension; as `fit_gaussian`."""
    return _fit(target, divergence, components=2)


def _fit(target: Mixture, divergence: FDivergence, components: int) -> Fit:
    from scipy.optimize import minimize

    peaks = _peaks(target)
    x, log_p, cell = _grid(target, peaks)
    objective = _objective(divergence, x, log_p, cell, components)
    starts = _starts(peaks, components)
    fits = [
        minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": 500}) for start in starts
    ]
    best = min(fits, key=lambda result: float(result.fun))
    density = _density(best.x, components)
    return Fit(divergence.name, float(best.fun), density, *_masses(target, density, peaks))


def _peaks(target: Mixture) -> Array:
    """Centre and width of each component, ordered by centre, shape (K, 2)."""
    if target.dim != 1 or not all(isinstance(part, Gaussian) for part in target.components):
        raise InputError(
            "the target must be a mixture of Gaussians in one dimension; build it from Gaussian(mean, variance)."
        )
    peaks = [(p.mean[0], p.covariance[0, 0] ** 0.5) for p in target.components if isinstance(p, Gaussian)]
    return np.array(sorted(peaks))


def _grid(target: Mixture, peaks: Array) -> tuple[Tensor, Tensor, float]:
    """Nodes of the trapezoid rule, which converges exponentially for smooth densities, and ln p there."""
    low, high = (peaks[:, 0] - 12 * peaks[:, 1]).min(), (peaks[:, 0] + 12 * peaks[:, 1]).max()
    margin = (high - low) / 2
    x = np.linspace(low - margin, high + margin, NODES)
    return torch.from_numpy(x), torch.from_numpy(target.log_prob(x[:, None])), float(x[1] - x[0])


def _log_density(parameters: Tensor, x: Tensor, components: int) -> Tensor:
    """Ln q(x) from centres, ln widths and logits of the weights."""
    centre, log_width, logit = parameters.reshape(3, components, 1)
    z = (x - centre) / log_width.exp()
    parts = -(z**2) / 2 - log_width - 0.5 * np.log(2 * np.pi) + torch.log_softmax(logit, dim=0)
    return torch.logsumexp(parts, dim=0)


def _objective(
    divergence: FDivergence, x: Tensor, log_p: Tensor, cell: float, components: int
) -> Callable[[Array], tuple[float, Array]]:
    def objective(parameters: Array) -> tuple[float, Array]:
        theta = torch.tensor(parameters, dtype=torch.float64, requires_grad=True)
        value = cell * divergence.integrand(log_p, _log_density(theta, x, components)).sum()
        (gradient,) = torch.autograd.grad(value, theta)
        return float(value.detach()), gradient.numpy()

    return objective


def _starts(peaks: Array, components: int) -> list[Array]:
    """Centres on each peak and in the middle, narrow and wide."""
    middle, spread = peaks[:, 0].mean(), max(float(np.ptp(peaks[:, 0])) / 2, float(peaks[:, 1].mean()))
    if components == 1:
        centres = [*peaks[:, 0], middle]
        return [np.array([c, w, 0.0]) for c in centres for w in (np.log(peaks[:, 1].mean()), np.log(spread))]
    pairs = [(a, b) for i, a in enumerate(peaks[:, 0]) for b in peaks[i + 1 :, 0]]
    pairs += [(c - 0.5 * w, c + 0.5 * w) for c, w in peaks]
    return [np.array([a, b, *np.log([peaks[:, 1].mean()] * 2), 0.0, 0.0]) for a, b in pairs]


def _density(parameters: Array, components: int) -> Density:
    centre, log_width, logit = parameters.reshape(3, components)
    parts = [Gaussian(c, np.exp(2 * w)) for c, w in zip(centre, log_width, strict=True)]
    return parts[0] if components == 1 else Mixture(parts, np.exp(logit - logit.max()))


def _masses(target: Mixture, fit: Density, peaks: Array) -> tuple[float, float, float]:
    """The fit's and the target's mass between the peaks, and the target's mass in missed peaks."""
    around = [(c - WIDTHS * w, c + WIDTHS * w) for c, w in peaks]
    gaps = [(left[1], right[0]) for left, right in pairwise(around) if left[1] < right[0]]
    between, own = (sum(_mass(density, *gap) for gap in gaps) for density in (fit, target))
    missed = [_mass(target, *ends) for ends in around if _mass(fit, *ends) < MISSED * _mass(target, *ends)]
    return float(between), float(own), float(sum(missed))


def _mass(density: Density, low: float, high: float) -> float:
    """The probability of (low, high), from the normal distribution function."""
    from scipy.special import ndtr

    if isinstance(density, Mixture):
        parts = zip(density.weights, density.components, strict=True)
        return float(sum(weight * _mass(part, low, high) for weight, part in parts))
    if not isinstance(density, Gaussian):
        raise InputError(
            f"masses are of Gaussians, not of {type(density).__name__}; build the target from Gaussian."
        )
    ends = (np.array([low, high]) - density.mean[0]) / density.covariance[0, 0] ** 0.5
    return float(np.diff(ndtr(ends))[0])
