"""Every objective at its optimal discriminator, by quadrature over two Gaussians, against closed forms.

The loss is averaged over all pairs (x, y), x ~ p, y ~ q, by the trapezoidal rule, which converges exponentially for
smooth integrands that fall off; the expected values come from the closed forms of the theory and share no code.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from zerosum.game.objectives import CLASSICAL, OBJECTIVES, Variational
from zerosum.theory.densities import Gaussian
from zerosum.theory.estimate import LN2
from zerosum.theory.exact import exact
from zerosum.theory.fdivergences import JENSEN_SHANNON, TABLE, TOTAL_VARIATION

MEAN, WIDTH = 0.5, 1.2  # of q; p is N(0, 1), and both chi-squares are finite as 1.2^2 < 2
X = torch.linspace(-14, 14, 1401, dtype=torch.float64)


def log_normal(mean: float, width: float) -> Tensor:
    return -0.5 * ((X - mean) / width) ** 2 - math.log(width * math.sqrt(2 * math.pi))


def mean_loss(loss: Callable[[Tensor, Tensor], Tensor], c: Tensor, log_p: Tensor, log_q: Tensor) -> float:
    """E_{x ~ p, y ~ q} loss(c(x), c(y))."""
    step = float(X[1] - X[0])
    return float(
        (log_p.exp() * step) @ loss(c[:, None], c[None, :]).expand(len(X), len(X)) @ (log_q.exp() * step)
    )


P, Q = log_normal(0.0, 1.0), log_normal(MEAN, WIDTH)
RATIO = P - Q  # ln p/q
BY_SINH = torch.sinh(RATIO)  # the logit v at which e^asinh(v) = p/q

OPTIMAL: dict[str, Tensor] = dict.fromkeys(TABLE, BY_SINH) | {
    "jensen_shannon": RATIO,
    "hellinger": torch.sinh(RATIO / 2),  # f' is a function of the root of p/q
    "pearson": 2 * (RATIO.exp() - 1),
    "total_variation": 40 * RATIO.sign(),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_f_gan_value_at_the_optimal_critic_is_the_divergence(name: str) -> None:
    """F = E_p[T] - E_q[f*(T)] at T = f'(p/q) is D_f(p || q); the generator's loss there is F itself."""
    objective = OBJECTIVES[f"f_{name}"]
    expected = exact(TABLE[name], Gaussian(0.0, 1.0), Gaussian(MEAN, WIDTH**2)).value
    kink = name == "total_variation"
    found = -mean_loss(objective.discriminator, OPTIMAL[name], P, Q)
    assert found == pytest.approx(expected, rel=2e-3 if kink else 1e-9)
    assert mean_loss(objective.generator, OPTIMAL[name], P, Q) == pytest.approx(found, rel=1e-12)


def _pairs() -> float:
    """The least relativistic loss: ln 2 less the D_JS of (real, fake) from (fake, real), two Gaussians in the plane."""
    means, variances = [0.0, MEAN], [1.0, WIDTH**2]
    there = Gaussian(means, np.diag(variances))
    back = Gaussian(means[::-1], np.diag(variances[::-1]))
    return LN2 - exact(JENSEN_SHANNON, there, back).value


def _gaussians(row) -> float:
    return exact(row, Gaussian(0.0, 1.0), Gaussian(MEAN, WIDTH**2)).value


def _overlap() -> float:
    """1/2 integral of p q / (p + q)."""
    return float(torch.trapezoid((P + Q - torch.logaddexp(P, Q)).exp(), X)) / 2


CLOSED: dict[str, tuple[Tensor, Callable[[], float]]] = {
    "zero_sum": (RATIO, lambda: LN2 - _gaussians(JENSEN_SHANNON)),
    "non_saturating": (RATIO, lambda: 2 * LN2 - 2 * _gaussians(JENSEN_SHANNON)),
    "relativistic": (RATIO, _pairs),
    "least_squares": (torch.sigmoid(RATIO), _overlap),
    "hinge": (RATIO.sign(), lambda: 2 - 2 * _gaussians(TOTAL_VARIATION)),
}


@pytest.mark.parametrize("name", CLOSED)
def test_the_least_discriminator_loss_is_that_of_theory(name: str) -> None:
    optimal, expected = CLOSED[name]
    found = mean_loss(CLASSICAL[name].discriminator, optimal, P, Q)
    assert found == pytest.approx(expected(), abs=1e-3 if name == "hinge" else 1e-8)


def test_wasserstein_of_a_shift_is_the_shift() -> None:
    """Between N(0, 1) and N(m, 1) the best function of slope 1 is -x, and the earth is moved by m."""
    found = mean_loss(CLASSICAL["wasserstein"].discriminator, -X, P, log_normal(MEAN, 1.0))
    assert found == pytest.approx(-MEAN, abs=1e-12)


def test_no_objective_is_forgotten() -> None:
    assert CLOSED.keys() | {"wasserstein"} == CLASSICAL.keys()
    assert OPTIMAL.keys() == TABLE.keys()


@pytest.mark.parametrize("name", [name for name in OBJECTIVES if name != "wasserstein"])
def test_no_other_discriminator_does_better(name: str) -> None:
    objective = OBJECTIVES[name]
    best = OPTIMAL[name[2:]] if isinstance(objective, Variational) else CLOSED[name][0]
    least = mean_loss(objective.discriminator, best, P, Q)
    random = torch.Generator().manual_seed(0)
    for scale, wave, rate in torch.randn(10, 3, generator=random, dtype=torch.float64):
        other = best * (1 + scale / 4) + wave * torch.sin(rate * X)
        assert mean_loss(objective.discriminator, other, P, Q) >= least - 1e-9
