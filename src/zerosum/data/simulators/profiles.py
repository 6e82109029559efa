"""The mean shape of an electromagnetic shower and its fluctuations: Grindhammer and Peters, hep-ex/0001020.

    dE(t, r, phi) = E f(t) dt f(r) dr dphi / 2 pi                                                  eq. (1)
    f(t) = (beta t)^(alpha - 1) beta exp(-beta t) / Gamma(alpha),   T = (alpha - 1) / beta         eq. (2)
    f(r) = p 2 r R_C² / (r² + R_C²)² + (1 - p) 2 r R_T² / (r² + R_T²)²

t is the depth in radiation lengths X0 from the shower's start, T the depth of its maximum, r the radius in Molière
radii, tau = t / T, y = E / E_c, Z the atomic number, F_S the sampling frequency, e the ratio e/mip. The numbers are
those of the paper's appendix: A.1 for homogeneous and A.2 for sampling calorimeters.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammainc

from zerosum.data.geometry import Material

Array = npt.NDArray[np.float64]

ALPHA_MIN = 1.2  # a shower with alpha <= 1 has no maximum; such draws are taken again
TAU_MAX = 5.0  # the radial fits end about here; deeper, the profile is held


@dataclass(frozen=True, slots=True)
class Fluctuations:
    """Numbers that differ between homogeneous and sampling calorimeters.

    Attributes:
        sigma_t: (a, b) in sigma(ln T) = 1 / (a + b ln y).
        sigma_alpha: (a, b) in sigma(ln alpha) = 1 / (a + b ln y).
        rho: (a, b) in the correlation rho(ln alpha, ln T) = a + b ln y.
        spot_t: (a, b) in T_spot / T = a + b Z.
        spot_alpha: (a, b) in alpha_spot / alpha = a + b Z.
    """

    sigma_t: tuple[float, float]
    sigma_alpha: tuple[float, float]
    rho: tuple[float, float]
    spot_t: tuple[float, float]
    spot_alpha: tuple[float, float]


HOMOGENEOUS = Fluctuations((-1.4, 1.26), (-0.58, 0.86), (0.705, -0.023), (0.698, 0.00212), (0.639, 0.00334))
SAMPLING = Fluctuations((-2.5, 1.25), (-0.82, 0.79), (0.784, -0.023), (0.813, 0.0019), (0.844, 0.0026))


@dataclass(frozen=True, slots=True)
class Longitudinal:
    """Gamma profiles of N showers: `alpha` and the depth of the maximum `t_max` (X0), each of shape (N,)."""

    alpha: Array
    t_max: Array

    def cumulative(self, depth: Array) -> Array:
        """The fraction of the energy before `depth` (N,), counted from the start of the shower."""
        beta = (self.alpha - 1) / self.t_max
        return np.asarray(gammainc(self.alpha, beta * np.maximum(depth, 0.0)))


@dataclass(frozen=True, slots=True)
class Radial:
    """Two-component profiles: radii `core` and `tail` in Molière radii and the core's weight, each (N,)."""

    core: Array
    tail: Array
    weight: Array


def fluctuations(material: Material) -> Fluctuations:
    """The numbers for a material."""
    return SAMPLING if material.sampling else HOMOGENEOUS


def mean_log_shape(ln_y: Array, material: Material) -> tuple[Array, Array]:
    """<ln alpha> and <ln T> of single showers (A.1.2, A.2.2)."""
    thin = 1 / material.sampling_frequency
    t_max = ln_y - 0.812 - 0.55 * thin - 0.69 * (1 - material.e_over_mip)
    alpha = 0.81 + (0.458 + 2.26 / material.atomic_number) * ln_y - 0.476 * thin
    return np.log(alpha), np.log(t_max)


def mean_shape(ln_y: Array, material: Material) -> Longitudinal:
    """The alpha and T of the average profile of many showers (A.1.1, A.2.1)."""
    thin = 1 / material.sampling_frequency
    t_max = ln_y - 0.858 - 0.59 * thin - 0.53 * (1 - material.e_over_mip)
    alpha = 0.21 + (0.492 + 2.38 / material.atomic_number) * ln_y - 0.444 * thin
    return Longitudinal(alpha, t_max)


def draw_shape(rng: np.random.Generator, ln_y: Array, material: Material) -> Longitudinal:
    """Correlated normal draws of ln alpha and ln T for each shower (A.1.2, A.2.2), with alpha > ALPHA_MIN."""
    numbers = fluctuations(material)
    ln_alpha, ln_t = mean_log_shape(ln_y, material)
    sigma_t = 1 / (numbers.sigma_t[0] + numbers.sigma_t[1] * ln_y)
    sigma_alpha = 1 / (numbers.sigma_alpha[0] + numbers.sigma_alpha[1] * ln_y)
    rho = numbers.rho[0] + numbers.rho[1] * ln_y
    normal = rng.standard_normal((2, len(ln_y)))
    low = (np.log(ALPHA_MIN) - ln_alpha) / sigma_alpha
    while (again := normal[0] <= low).any():
        normal[:, again] = rng.standard_normal((2, again.sum()))
    ln_t = ln_t + sigma_t * (rho * normal[0] + np.sqrt(1 - rho**2) * normal[1])
    return Longitudinal(np.exp(ln_alpha + sigma_alpha * normal[0]), np.exp(ln_t))


def radial(tau: Array, energy: Array, material: Material) -> Radial:
    """The radial profile at tau for energies in GeV (A.1.3, A.2.3)."""
    tau, ln_e, z = np.clip(tau, 0.0, TAU_MAX), np.log(energy), material.atomic_number
    thin, signal = 1 / material.sampling_frequency, 1 - material.e_over_mip
    core = 0.0251 + 0.00319 * ln_e + (0.1162 - 0.000381 * z) * tau
    step = tau - 0.645
    tail = (0.659 - 0.00309 * z) * (np.exp(-2.59 * step) + np.exp((0.3585 + 0.0421 * ln_e) * step))
    late = (0.401 + 0.00187 * z - tau) / (1.313 - 0.0686 * ln_e)
    weight = (2.632 - 0.00094 * z) * np.exp(late - np.exp(late))
    core += -0.0203 * signal + 0.0397 * thin * np.exp(-tau)
    tail += -0.14 * signal - 0.495 * thin * np.exp(-tau)
    weight += signal * (0.348 - 0.642 * thin * np.exp(-np.square(tau - 1)))
    return Radial(core, tail, np.clip(weight, 0.0, 1.0))


def spots(shape: Longitudinal, energy: Array, material: Material) -> tuple[Array, Longitudinal]:
    """The mean number of energy spots for energies in GeV, and their profile in depth (A.1.4, A.2.4)."""
    numbers, z = fluctuations(material), material.atomic_number
    number = (
        10.3 / material.stochastic * energy**0.959 if material.sampling else 93 * np.log(z) * energy**0.876
    )
    alpha = np.maximum(shape.alpha * (numbers.spot_alpha[0] + numbers.spot_alpha[1] * z), 1.01)
    return number, Longitudinal(alpha, shape.t_max * (numbers.spot_t[0] + numbers.spot_t[1] * z))
