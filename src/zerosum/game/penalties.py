r"""Penalties on the discriminator's gradient with respect to its input.

|grad_x c|^2 has the unit 1/x^2, so gamma is stated for standardised inputs; scaling the data by a needs gamma a^2.
Each penalty sums the gradient over *all* axes but the first, for any shape of event, and penalises squares, whose
derivative exists at zero. To add one, write one class here and add it to `PENALTIES`.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Scored:
    """Real and fake events that the discriminator has scored together.

    Attributes:
        discriminator: D, from events (N, ...) and conditions (N, K) to logits (N,).
        events: Real events, then as many fake ones: shape (2B, ...).
        conditions: The real events' conditions, shape (B, K), or None; the fake events have the same.
        gradient: grad_x c(x) at the events, shape (2B, ...), itself differentiable; empty where not asked for.
        random: Where random numbers come from.
    """

    discriminator: nn.Module
    events: Tensor
    conditions: Tensor | None
    gradient: Tensor
    random: torch.Generator


def with_gradient(
    discriminator: nn.Module, events: Tensor, conditions: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The logits c(x), shape (N,), and grad_x c(x), shape (N, ...), both differentiable by the parameters.

    A network that knows its own input gradient (`with_gradient`, see layers.py) gives it; any other is differentiated
    twice by autograd.
    """
    if hasattr(discriminator, "with_gradient"):
        return discriminator.with_gradient(events, conditions)  # type: ignore[no-any-return, operator]
    events = events if events.requires_grad else events.detach().requires_grad_()
    logits = discriminator(events, conditions)
    (gradient,) = torch.autograd.grad(logits.sum(), events, create_graph=True)
    return logits, gradient


def squared(gradient: Tensor) -> Tensor:
    """|grad_x c|^2 for each event, shape (N,), in 1/x^2."""
    return gradient.float().square().flatten(1).sum(1)


class Penalty(Protocol):
    """A number that is added to the discriminator's loss, times gamma."""

    at_events: ClassVar[bool]  # whether it needs the gradient at the events themselves

    def __call__(self, scored: Scored) -> Tensor:
        """The penalty for gamma = 1, a scalar."""


@dataclass(frozen=True)
class R1R2:
    """1/2 E|grad c(x)|^2 + 1/2 E|grad c(G(z))|^2 (Mescheder et al. 2018, arXiv:1801.04406, eqs. 9 and 10)."""

    at_events: ClassVar[bool] = True
    real: bool = True
    fake: bool = True

    def __call__(self, scored: Scored) -> Tensor:
        """R1 on real events, R2 on fake ones."""
        of_real, of_fake = squared(scored.gradient).chunk(2)
        return (self.real * of_real.mean() + self.fake * of_fake.mean()) / 2


@dataclass(frozen=True)
class GradientPenalty:
    """E(|grad c(xh)| - centre)^2 at xh = u x + (1 - u) G(z), u uniform for each event.

    Centre 1: Gulrajani et al. 2017, arXiv:1704.00028, eq. 3. Centre 0: Thanh-Tung et al. 2019, arXiv:1902.03984.
    """

    at_events: ClassVar[bool] = False
    centre: float = 1.0

    def __call__(self, scored: Scored) -> Tensor:
        """The penalty between paired real and fake events."""
        real, fake = scored.events.chunk(2)
        shape = (len(real), *[1] * (real.ndim - 1))
        u = torch.rand(shape, generator=scored.random, device=real.device, dtype=real.dtype)
        _, gradient = with_gradient(scored.discriminator, u * real + (1 - u) * fake, scored.conditions)
        norm2 = squared(gradient)
        return norm2.mean() if self.centre == 0 else (torch.sqrt(norm2 + 1e-12) - self.centre).square().mean()


PENALTIES: dict[str, Penalty | None] = {
    "r1r2": R1R2(),
    "r1": R1R2(fake=False),
    "r2": R1R2(real=False),
    "gradient": GradientPenalty(1.0),
    "gradient_zero": GradientPenalty(0.0),
    "none": None,
}
