"""Closed forms, found by the pair of densities; to add one, write a function under a decorator.

    @closed_form("kl", Gaussian, Gaussian)     the value
    @power_integral(Gaussian, Gaussian)        ln of the integral of p^a q^(1-a): Hellinger, chi^2, alpha, Renyi follow
    @reduction(Gaussian, Gaussian)             a pair in one dimension with the same divergences, or None

A reduction exists where one number is sufficient to tell p from q: no f-divergence is lost by it.
"""

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from zerosum.theory.adapters import TorchDensity
from zerosum.theory.densities import Density, Gaussian
from zerosum.theory.fdivergences import KL, FDivergence
from zerosum.theory.ising import Ising
from zerosum.theory.tails import Cauchy, Chi, Exponential, Laplace, Uniform, VonMises

Value = Callable[[Any, Any], float | None]
Power = Callable[[Any, Any, float], float]
Reduction = Callable[[Any, Any], tuple[Density, Density] | None]
Rule = TypeVar("Rule")

CLOSED: dict[tuple[str, type, type], Value] = {}
POWERS: dict[tuple[type, type], Power] = {}
REDUCTIONS: dict[tuple[type, type], Reduction] = {}


def closed_form(name: str, p: type, q: type) -> Callable[[Value], Value]:
    """Register a closed form of the divergence `name` for densities of these classes."""
    return _register(CLOSED, (name, p, q))


def power_integral(p: type, q: type) -> Callable[[Power], Power]:
    """Register ln of the integral of p^a q^(1-a) for densities of these classes."""
    return _register(POWERS, (p, q))


def reduction(p: type, q: type) -> Callable[[Reduction], Reduction]:
    """Register a sufficient statistic's densities for densities of these classes."""
    return _register(REDUCTIONS, (p, q))


def _register(table: dict[Any, Rule], key: Any) -> Callable[[Rule], Rule]:
    def add(rule: Rule) -> Rule:
        table[key] = rule
        return rule

    return add


def closed(row: FDivergence, p: Density, q: Density) -> float | None:
    """The closed form of D_f(p || q), or None where there is none."""
    rule = CLOSED.get((row.name, type(p), type(q)))
    if rule is not None:
        return rule(p, q)
    if row.name == "reverse_kl":
        return closed(KL, q, p)
    if row.name == "jeffreys":
        there, back = closed(KL, p, q), closed(KL, q, p)
        return None if there is None or back is None else there + back
    power = POWERS.get((type(p), type(q)))
    if row.power is None or power is None:
        return None
    a, c = row.power
    log_integral = power(p, q, a)
    return math.inf if log_integral > 700 else math.expm1(log_integral) / c


def reduced(p: Density, q: Density) -> tuple[Density, Density] | None:
    """A pair with the same divergences in one dimension, or None where no rule gives one."""
    rule = REDUCTIONS.get((type(p), type(q)))
    return None if rule is None else rule(p, q)


@closed_form("kl", Gaussian, Gaussian)
def _kl_gaussian(p: Gaussian, q: Gaussian) -> float:
    """(tr Sq^-1 Sp + delta^T Sq^-1 delta - d + ln |Sq|/|Sp|) / 2."""
    from scipy.linalg import solve_triangular

    ratio = solve_triangular(q.cholesky, p.cholesky, lower=True)
    shift = solve_triangular(q.cholesky, p.mean - q.mean, lower=True)
    log_det = np.log(np.diag(ratio)).sum()
    return float(((ratio**2).sum() - p.dim) / 2 - log_det + shift @ shift / 2)


@power_integral(Gaussian, Gaussian)
def _power_gaussian(p: Gaussian, q: Gaussian, a: float) -> float:
    """With a: a (a-1)/2 d^T S^-1 d - ln(|S| |Sp|^(a-1) |Sq|^-a)/2, S = a Sq + (1-a) Sp (Gil et al. 2013, table 2)."""
    mixed = a * q.covariance + (1 - a) * p.covariance
    if np.linalg.eigvalsh(mixed).min() <= 0:
        return math.inf
    shift = p.mean - q.mean
    logs = [np.linalg.slogdet(matrix)[1] for matrix in (mixed, p.covariance, q.covariance)]
    quadratic = a * (a - 1) / 2 * shift @ np.linalg.solve(mixed, shift)
    return float(quadratic - (logs[0] - (1 - a) * logs[1] - a * logs[2]) / 2)


@closed_form("total_variation", Gaussian, Gaussian)
def _tv_gaussian(p: Gaussian, q: Gaussian) -> float | None:
    """Of equal covariances: 2 Phi(delta/2) - 1, delta the Mahalanobis distance."""
    return math.erf(_mahalanobis(p, q) / math.sqrt(8)) if _equal_covariance(p, q) else None


@reduction(Gaussian, Gaussian)
def _reduce_gaussian(p: Gaussian, q: Gaussian) -> tuple[Density, Density] | None:
    """Of equal covariances: N(0,1) and N(delta,1). Of one mean and proportional covariances: two radii."""
    if p.dim == 1:
        return None
    if _equal_covariance(p, q):
        return Gaussian(0.0, 1.0), Gaussian(_mahalanobis(p, q), 1.0)
    scale = math.exp((np.linalg.slogdet(q.covariance)[1] - np.linalg.slogdet(p.covariance)[1]) / p.dim)
    if np.array_equal(p.mean, q.mean) and np.allclose(q.covariance, scale * p.covariance, rtol=1e-14, atol=0):
        return Chi(p.dim), Chi(p.dim, math.sqrt(scale))
    return None


def _equal_covariance(p: Gaussian, q: Gaussian) -> bool:
    return np.array_equal(p.covariance, q.covariance)


def _mahalanobis(p: Gaussian, q: Gaussian) -> float:
    shift = p.mean - q.mean
    return float(np.sqrt(shift @ np.linalg.solve(p.covariance, shift)))


@closed_form("kl", Cauchy, Cauchy)
def _kl_cauchy(p: Cauchy, q: Cauchy) -> float:
    """Ln(S / 4 s_p s_q), S = (s_p + s_q)^2 + (x_p - x_q)^2 (Chyzak and Nielsen, arXiv:1905.10965)."""
    return math.log(_cauchy_sum(p, q) / (4 * p.scale * q.scale))


@closed_form("jensen_shannon", Cauchy, Cauchy)
def _js_cauchy(p: Cauchy, q: Cauchy) -> float:
    """Ln[2 sqrt(S) / (sqrt(S) + 2 sqrt(s_p s_q))] (Nielsen and Okamura, arXiv:2101.12459)."""
    root = math.sqrt(_cauchy_sum(p, q))
    return math.log(2 * root / (root + 2 * math.sqrt(p.scale * q.scale)))


def _cauchy_sum(p: Cauchy, q: Cauchy) -> float:
    return (p.scale + q.scale) ** 2 + (p.location - q.location) ** 2


@closed_form("kl", Laplace, Laplace)
def _kl_laplace(p: Laplace, q: Laplace) -> float:
    distance = abs(p.location - q.location)
    spread = p.scale * math.exp(-distance / p.scale) + distance
    return math.log(q.scale / p.scale) + spread / q.scale - 1


@closed_form("kl", Exponential, Exponential)
def _kl_exponential(p: Exponential, q: Exponential) -> float:
    return math.log(p.rate / q.rate) + q.rate / p.rate - 1


@power_integral(Exponential, Exponential)
def _power_exponential(p: Exponential, q: Exponential, a: float) -> float:
    rate = a * p.rate + (1 - a) * q.rate
    return a * math.log(p.rate) + (1 - a) * math.log(q.rate) - math.log(rate) if rate > 0 else math.inf


@closed_form("kl", Uniform, Uniform)
def _kl_uniform(p: Uniform, q: Uniform) -> float:
    inside = p.location >= q.location and p.location + p.scale <= q.location + q.scale
    return math.log(q.scale / p.scale) if inside else math.inf


@closed_form("kl", Ising, Ising)
def _kl_ising(p: Ising, q: Ising) -> float | None:
    """Ln Z_q - ln Z_p + (K_q - K_p) <E>_p, at any L (with the free energy of Kaufman 1949)."""
    if p.side != q.side:
        return None
    return q.log_partition - p.log_partition + (q.coupling - p.coupling) * p.mean_energy


@reduction(Ising, Ising)
def _reduce_ising(p: Ising, q: Ising) -> tuple[Density, Density] | None:
    """The energy is sufficient for the temperature; its distribution is known where the levels are counted."""
    return (p.energy_levels(), q.energy_levels()) if p.countable else None


@closed_form("kl", TorchDensity, TorchDensity)
def _kl_torch(p: TorchDensity, q: TorchDensity) -> float | None:
    """What torch.distributions knows (87 pairs), and Weibull, which it lacks."""
    from torch import distributions as td

    a: Any = p.distribution
    b: Any = q.distribution
    if isinstance(a, td.Weibull) and isinstance(b, td.Weibull):
        return _kl_weibull(a, b)
    try:
        return float(td.kl_divergence(a, b))
    except NotImplementedError:
        return None


@closed_form("kl", VonMises, VonMises)
def _kl_von_mises(p: VonMises, q: VonMises) -> float:
    """With A = I1/I0: ln I0(k_q)/I0(k_p) + A(k_p) (k_p - k_q cos(mu_p - mu_q)) (Gil et al. 2013)."""
    from scipy.special import i0e, i1e

    kp, kq, angle = p.concentration, q.concentration, p.location - q.location
    logs = math.log(i0e(kq) / i0e(kp)) + kq - kp
    return float(logs + i1e(kp) / i0e(kp) * (kp - kq * math.cos(angle)))


def _kl_weibull(p: Any, q: Any) -> float:
    """With shapes k, scales s: ln(k_p s_q^k_q / k_q s_p^k_p) + (k_p - k_q)(ln s_p - g/k_p) + ... (Bauckhage 2013)."""
    (kp, sp), (kq, sq) = ((float(d.concentration), float(d.scale)) for d in (p, q))
    logs = math.log(kp / kq) + kq * math.log(sq) - kp * math.log(sp)
    middle = (kp - kq) * (math.log(sp) - np.euler_gamma / kp)
    return float(logs + middle + (sp / sq) ** kq * math.gamma(kq / kp + 1) - 1)
