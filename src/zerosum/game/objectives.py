r"""Objectives: what the discriminator and the generator minimise.

With c = c(x) the discriminator's logit, D = sigma(c) the probability that x came from the data, and
sp(t) = ln(1 + e^t), the value of the game is

    V(D, G) = E_data[ln D(x)] + E_prior[ln(1 - D(G(z)))] = -E_data[sp(-c(x))] - E_prior[sp(c(G(z)))]

(Goodfellow et al. 2014, arXiv:1406.2661, eq. 1). At the optimal D* = p_data / (p_data + p_g) it equals
-ln 4 + 2 D_JS(p_data, p_g). An objective is two functions of the logits, real and fake, both of shape (B,), that
return one loss for each event or pair, shape (B,). A larger logit always means "more real".

To add an objective, write one class here and add it to `OBJECTIVES`.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from zerosum.theory.fdivergences import TABLE, FDivergence


def value(real: Tensor, fake: Tensor) -> Tensor:
    """V(D, G) from logits of real and fake events, in nats; a scalar in (-inf, 0]."""
    return -softplus(-real).mean() - softplus(fake).mean()


def value_error(real: Tensor, fake: Tensor) -> Tensor:
    """The standard error of `value`, in nats: both means are of independent events; 0 where there is one of each."""
    terms = softplus(-real), softplus(fake)
    return sum((t.var(correction=0) / max(len(t) - 1, 1) for t in terms), torch.zeros(())).sqrt()


class Objective(Protocol):
    """Two losses, minimised by the two players."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """The discriminator's loss for each event, from logits of shape (B,)."""

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """The generator's loss for each event, from logits of shape (B,)."""


@dataclass(frozen=True)
class ZeroSum:
    """The lecture's game: C_G = -C_D = V/2 (Goodfellow et al. 2014, eq. 1)."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """C_D = -V/2."""
        return (softplus(-real) + softplus(fake)) / 2

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """C_G = V/2."""
        return -(softplus(-real) + softplus(fake)) / 2


@dataclass(frozen=True)
class NonSaturating:
    """The same discriminator; the generator maximises E[ln D(G(z))] (Goodfellow et al. 2014, section 3)."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """-V."""
        return softplus(-real) + softplus(fake)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:  # noqa: ARG002
        """-ln D(G(z))."""
        return softplus(-fake)


@dataclass(frozen=True)
class Relativistic:
    """Each real event is paired with a fake one (Jolicoeur-Martineau 2018, arXiv:1807.00734)."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """sp(-(c(x) - c(G(z))))."""
        return softplus(fake - real)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """sp(-(c(G(z)) - c(x)))."""
        return softplus(real - fake)


@dataclass(frozen=True)
class LeastSquares:
    """Labels 1 and 0, quadratic loss (Mao et al. 2016, arXiv:1611.04076, eq. 9 with a = 0, b = c = 1)."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """((c(x) - 1)^2 + c(G(z))^2) / 2."""
        return ((real - 1) ** 2 + fake**2) / 2

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:  # noqa: ARG002
        """(c(G(z)) - 1)^2 / 2."""
        return (fake - 1) ** 2 / 2


@dataclass(frozen=True)
class Hinge:
    """Margins of one on both sides (Lim and Ye 2017, arXiv:1705.02894)."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """max(0, 1 - c(x)) + max(0, 1 + c(G(z)))."""
        return relu(1 - real) + relu(1 + fake)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:  # noqa: ARG002
        """-c(G(z))."""
        return -fake


@dataclass(frozen=True)
class Wasserstein:
    """The dual of the earth mover's distance (Arjovsky et al. 2017, arXiv:1701.07875, eq. 2); needs a penalty."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """-(c(x) - c(G(z)))."""
        return fake - real

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:  # noqa: ARG002
        """-c(G(z))."""
        return -fake


@dataclass(frozen=True)
class Variational:
    """The f-GAN game of one row of the table of divergences (Nowozin et al. 2016, arXiv:1606.00709, eq. 6).

    F = E_data[g(c)] - E_prior[f*(g(c))] <= D_f(p_data || p_g), with the row's activation g and conjugate f*.
    """

    divergence: FDivergence

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """-F."""
        return self.divergence.conjugate_of_activation(fake) - self.divergence.activation(real)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """F."""
        return -self.discriminator(real, fake)


CLASSICAL: dict[str, Objective] = {
    "relativistic": Relativistic(),
    "zero_sum": ZeroSum(),
    "non_saturating": NonSaturating(),
    "least_squares": LeastSquares(),
    "hinge": Hinge(),
    "wasserstein": Wasserstein(),
}
OBJECTIVES: dict[str, Objective] = CLASSICAL | {f"f_{name}": Variational(row) for name, row in TABLE.items()}


def calibrated_value(real: Tensor, fake: Tensor) -> float:
    """V(D, G) of sigma(a c + b), the best read-out of the logit as a probability, in nats.

    Not every objective makes sigma(c) a probability; two numbers (a, b) fitted by Newton's method on one half of
    the events turn any logit into one. V is taken on the other half, so (V + ln 4)/2 remains a lower bound on
    D_JS(p_data, p_g) in expectation.

    Args:
        real: Logits of real events that the discriminator was not trained on, shape (B,).
        fake: Logits of fake events, shape (B,).
    """
    return float(value(*calibrated(real, fake)))


def calibrated(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """The read-out a c + b of the second halves of the events, with (a, b) from the first; shape (B/2,) each."""
    halves = [logits.double().chunk(2) for logits in (real, fake)]
    scale, shift = calibration(halves[0][0], halves[1][0])
    return scale * halves[0][1] + shift, scale * halves[1][1] + shift


def calibration(real: Tensor, fake: Tensor) -> tuple[float, float]:
    """(a, b) for which sigma(a c + b) is the best probability that an event with logit c is real."""
    real, fake = real.double(), fake.double()
    c = torch.cat([real, fake])
    label = torch.cat([torch.ones_like(real), torch.zeros_like(fake)])
    design = torch.stack([c - c.mean(), torch.ones_like(c)], dim=1) / torch.tensor(
        [max(float(c.std()), 1e-12), 1.0]
    )
    weight = torch.zeros(2, dtype=torch.float64, device=c.device)
    ridge = 1e-6 * torch.eye(2, dtype=torch.float64)
    for _ in range(8):
        probability = torch.sigmoid(design @ weight)
        curvature = (design.T * (probability * (1 - probability))) @ design + ridge
        weight = weight + torch.linalg.solve(curvature, design.T @ (label - probability))
    scale = float(weight[0]) / max(float(c.std()), 1e-12)
    return scale, float(weight[1]) - scale * float(c.mean())
