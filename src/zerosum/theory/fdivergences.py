r"""The one table of f-divergences.

    D_f(p || q) = E_q[f(p/q)],   f convex, f(1) = 0,

with the variational form (Nguyen, Wainwright and Jordan 2010, arXiv:0809.0853, eq. 8; Nowozin et al. 2016,
arXiv:1606.00709, eq. 4)

    D_f(p || q) = sup_T E_p[T] - E_q[f*(T)],   attained at T = f'(p/q).

An activation g maps the real line onto the domain of the conjugate f*, so any network output v gives T = g(v). All rows
are written with g(v) = f'(u(v)) and f*(g(v)) = u f'(u) - f(u), where u stands for the density ratio p/q. Where f' is
bounded, u = e^v. Where it is not, u = e^asinh(v) = v + sqrt(1 + v^2), which is e^v near 0 and grows like 2v, so that
nothing overflows and no gradient explodes. (Pearson's T is v itself.) A row of the table can be evaluated, estimated
and trained with: to add a divergence, add a row to `TABLE`.

All functions take and return torch tensors of any shape and are differentiable; `pointwise` is for numpy arrays.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import softplus

from zerosum.errors import InputError
from zerosum.theory.estimate import LN2

Function = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class FDivergence:
    """One row of the table.

    Attributes:
        name: The name in code.
        symbol: The name in formulas.
        f: The convex function of u = p/q > 0, with f(1) = 0.
        derivative: f'(u).
        conjugate: f*(t) = sup_u (u t - f(u)), for t in its domain.
        activation: g, from the real line onto the domain of f*, increasing.
        conjugate_of_activation: f*(g(v)), without overflow.
        integrand: (ln p, ln q) -> q f(p/q), without overflow: its integral is the divergence.
        bound: The largest value that the divergence can have.
        symmetric: Whether D_f(p || q) = D_f(q || p).
        reference: Where it is defined.
        power: (a, c) where the divergence is (I - 1) / c with I the integral of p^a q^(1-a).
    """

    name: str
    symbol: str
    f: Function
    derivative: Function
    conjugate: Function
    activation: Function
    conjugate_of_activation: Function
    integrand: Callable[[Tensor, Tensor], Tensor]
    bound: float
    symmetric: bool
    reference: str
    power: tuple[float, float] | None = None

    def pointwise(self, log_p: npt.ArrayLike, log_q: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The integrand q f(p/q) from ln p and ln q, in float64; 0 where both densities are, inf where it is."""
        a, b = (np.asarray(log, np.float64) for log in (log_p, log_q))
        nowhere = (a == -np.inf) & (b == -np.inf)
        a, b = np.where(nowhere, 0.0, a), np.where(nowhere, 0.0, b)
        values: npt.NDArray[np.float64] = self.integrand(torch.from_numpy(a), torch.from_numpy(b)).numpy()
        return np.where(nowhere, 0.0, values)


def _ratio(v: Tensor) -> Tensor:
    """U = v + sqrt(1 + v^2) = e^asinh(v), without cancellation; u(-v) = 1/u(v)."""
    return torch.where(v > 0, v + (1 + v**2).sqrt(), 1 / ((1 + v**2).sqrt() - v.clamp_max(0)))


def _js_integrand(log_p: Tensor, log_q: Tensor) -> Tensor:
    log_m = torch.logaddexp(log_p, log_q) - LN2
    return (_weighted(log_p, log_p - log_m) + _weighted(log_q, log_q - log_m)) / 2


def _weighted(log_weight: Tensor, factor: Tensor) -> Tensor:
    """e^log_weight times a factor, 0 where the weight is."""
    return torch.where(log_weight == -math.inf, 0.0, log_weight.exp() * factor)


def _kl_integrand(log_p: Tensor, log_q: Tensor) -> Tensor:
    return _weighted(log_p, log_p - log_q)


def _xlogx(u: Tensor) -> Tensor:
    return torch.xlogy(u, u)


KL = FDivergence(
    name="kl",
    symbol="D_KL(p‖q)",
    f=_xlogx,
    derivative=lambda u: u.log() + 1,
    conjugate=lambda t: (t - 1).exp(),
    activation=lambda v: 1 + v.asinh(),
    conjugate_of_activation=_ratio,
    integrand=_kl_integrand,
    bound=math.inf,
    symmetric=False,
    reference="Kullback and Leibler 1951; arXiv:1606.00709, table 1",
)

REVERSE_KL = FDivergence(
    name="reverse_kl",
    symbol="D_KL(q‖p)",
    f=lambda u: -u.log(),
    derivative=lambda u: -1 / u,
    conjugate=lambda t: -1 - (-t).log(),
    activation=lambda v: -_ratio(-v),
    conjugate_of_activation=lambda v: v.asinh() - 1,
    integrand=lambda log_p, log_q: _kl_integrand(log_q, log_p),
    bound=math.inf,
    symmetric=False,
    reference="Kullback and Leibler 1951; arXiv:1606.00709, table 1",
)

JENSEN_SHANNON = FDivergence(
    name="jensen_shannon",
    symbol="D_JS(p,q)",
    f=lambda u: (_xlogx(u) - (1 + u) * ((1 + u) / 2).log()) / 2,
    derivative=lambda u: (2 * u / (1 + u)).log() / 2,
    conjugate=lambda t: -(2 - (2 * t).exp()).log() / 2,
    activation=lambda v: (LN2 - softplus(-v)) / 2,
    conjugate_of_activation=lambda v: (softplus(v) - LN2) / 2,
    integrand=_js_integrand,
    bound=LN2,
    symmetric=True,
    reference="Lin 1991; arXiv:1606.00709, table 1, divided by 2",
)

JEFFREYS = FDivergence(
    name="jeffreys",
    symbol="D_KL(p‖q)+D_KL(q‖p)",
    f=lambda u: (u - 1) * u.log(),
    derivative=lambda u: u.log() + 1 - 1 / u,
    conjugate=lambda t: _jeffreys_conjugate(t),
    activation=lambda v: v.asinh() + 1 - _ratio(-v),
    conjugate_of_activation=lambda v: _ratio(v) + v.asinh() - 1,
    integrand=lambda log_p, log_q: _kl_integrand(log_p, log_q) + _kl_integrand(log_q, log_p),
    bound=math.inf,
    symmetric=True,
    reference="Jeffreys 1946",
)


def _jeffreys_conjugate(t: Tensor) -> Tensor:
    """At t = ln u + 1 - 1/u the conjugate is u + ln u - 1; u solves the first, by Newton's method in v = ln u."""
    v = torch.where(t > 1, t - 1, -torch.log1p((1 - t).clamp_min(0)))
    for _ in range(60):
        v = v - (v + 1 - (-v).exp() - t) / (1 + (-v).exp())
    return v.exp() + v - 1


PEARSON = FDivergence(
    name="pearson",
    symbol="χ²(p‖q)",
    f=lambda u: (u - 1) ** 2,
    derivative=lambda u: 2 * (u - 1),
    conjugate=lambda t: torch.where(t > -2, t**2 / 4 + t, -1.0),
    activation=lambda v: v,
    conjugate_of_activation=lambda v: torch.where(v > -2, v**2 / 4 + v, -1.0),
    integrand=lambda log_p, log_q: (2 * log_p - log_q).exp() - 2 * log_p.exp() + log_q.exp(),
    bound=math.inf,
    symmetric=False,
    reference="Pearson 1900; arXiv:1606.00709, table 1",
    power=(2.0, 1.0),
)

NEYMAN = FDivergence(
    name="neyman",
    symbol="χ²(q‖p)",
    f=lambda u: (1 - u) ** 2 / u,
    derivative=lambda u: 1 - 1 / u**2,
    conjugate=lambda t: 2 - 2 * (1 - t).sqrt(),
    activation=lambda v: 1 - _ratio(-v) ** 2,
    conjugate_of_activation=lambda v: 2 - 2 * _ratio(-v),
    integrand=lambda log_p, log_q: (2 * log_q - log_p).exp() - 2 * log_q.exp() + log_p.exp(),
    bound=math.inf,
    symmetric=False,
    reference="Neyman 1949; arXiv:1606.00709, table 1",
    power=(-1.0, 1.0),
)

HELLINGER = FDivergence(
    name="hellinger",
    symbol="H²(p,q)",
    f=lambda u: (u.sqrt() - 1) ** 2 / 2,
    derivative=lambda u: (1 - u.rsqrt()) / 2,
    conjugate=lambda t: t / (1 - 2 * t),
    activation=lambda v: (1 - _ratio(-v)) / 2,
    conjugate_of_activation=lambda v: (_ratio(v) - 1) / 2,
    integrand=lambda log_p, log_q: ((log_p / 2).exp() - (log_q / 2).exp()) ** 2 / 2,
    bound=1.0,
    symmetric=True,
    reference="Hellinger 1909; 1 minus the Bhattacharyya coefficient",
    power=(0.5, -1.0),
)

TOTAL_VARIATION = FDivergence(
    name="total_variation",
    symbol="TV(p,q)",
    f=lambda u: (u - 1).abs() / 2,
    derivative=lambda u: (u - 1).sign() / 2,
    conjugate=lambda t: t,
    activation=lambda v: v.tanh() / 2,
    conjugate_of_activation=lambda v: v.tanh() / 2,
    integrand=lambda log_p, log_q: (log_p.exp() - log_q.exp()).abs() / 2,
    bound=1.0,
    symmetric=True,
    reference="arXiv:1606.00709, table 6",
)


def alpha(a: float) -> FDivergence:
    """The alpha family, f(u) = (u^a - 1 - a (u - 1)) / (a (a - 1)); a -> 1 is KL, a -> 0 reverse KL (Amari 1985).

    Args:
        a: Any number but 0 and 1.

    Examples:
        >>> alpha(0.5).name
        'alpha(0.5)'
    """
    if a in (0.0, 1.0):
        raise InputError(
            f"alpha is {a:g}, where the family is a limit; use {'kl' if a == 1 else 'reverse_kl'}."
        )
    k = a / (a - 1)

    def conjugate(t: Tensor) -> Tensor:
        return (torch.clamp_min(1 + (a - 1) * t, 0.0) ** k - 1) / a

    def activation(v: Tensor) -> Tensor:
        return torch.expm1((a - 1) * v.asinh()) / (a - 1)

    return FDivergence(
        name=f"alpha({a:g})",
        symbol=f"D_{a:g}(p‖q)",
        f=lambda u: (u**a - 1 - a * (u - 1)) / (a * (a - 1)),
        derivative=lambda u: (u ** (a - 1) - 1) / (a - 1),
        conjugate=conjugate,
        activation=activation,
        conjugate_of_activation=lambda v: torch.expm1(a * v.asinh()) / a,
        integrand=lambda log_p, log_q: (
            ((a * log_p + (1 - a) * log_q).exp() - a * log_p.exp() - (1 - a) * log_q.exp()) / (a * (a - 1))
        ),
        bound=1 / (a * (1 - a)) if 0 < a < 1 else math.inf,
        symmetric=a == 0.5,
        reference="Amari 1985; Cressie and Read 1984",
        power=(a, a * (a - 1)),
    )


TABLE: dict[str, FDivergence] = {
    row.name: row
    for row in (KL, REVERSE_KL, JENSEN_SHANNON, JEFFREYS, PEARSON, NEYMAN, HELLINGER, TOTAL_VARIATION)
}
