"""What the discriminator sees beside the event itself: physics, in the numbers that show it best.

A resonance is a thin curved surface in the momenta of its decay products; as an invariant mass it is one number.
For massless particles m^2 = 2 pt1 pt2 (cosh(eta1 - eta2) - cos(phi1 - phi2)).
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from zerosum.data.kinematics import pairs

Inverse = Callable[[Tensor], Tensor]


class PairSight:
    """ln m and ln pt of each pair of particles, each scaled to a median of 0 and a 16-84 % half-width of 1.

    Args:
        names: The names of the features.
        inverse: From standardised events (N, F) to physical units, differentiable.
        examples: Standardised events that set the scales, shape (N, F).
    """

    instead = False

    def __init__(self, names: Sequence[str], inverse: Inverse, examples: Tensor) -> None:
        self.inverse, self.pairs = inverse, pairs(names)
        particles = list(dict.fromkeys(particle for pair in self.pairs for particle in pair))
        columns = [[particle.pt, particle.eta, particle.phi] for particle in particles]
        self.columns = torch.tensor([[names.index(name) for name in three] for three in columns]).T
        self.masses = torch.tensor([names.index(p.mass) if p.mass else -1 for p in particles])
        self.massive = any(particle.mass for particle in particles)
        self.first, self.second = torch.tensor(
            [[particles.index(one) for one in pair] for pair in self.pairs]
        ).T
        raw = self._raw(examples)
        low, middle, high = torch.quantile(
            raw[:100_000], torch.tensor([0.16, 0.5, 0.84], dtype=raw.dtype), dim=0
        )
        self.middle, self.width = middle, ((high - low) / 2).clamp_min(1e-9)

    @property
    def seen(self) -> tuple[str, ...]:
        """The names of the numbers it gives."""
        labels = [f"{a.label},{b.label}" for a, b in self.pairs]
        return tuple(f"ln mass({label})" for label in labels) + tuple(f"ln pt({label})" for label in labels)

    def __call__(self, x: Tensor, c: Tensor | None = None) -> Tensor:  # noqa: ARG002
        """From standardised events (N, F) to (N, 2 x pairs); asinh keeps far tails within reach."""
        scaled = (self._raw(x) - self.middle.to(x.device)) / self.width.to(x.device)
        return torch.asinh(scaled).to(x.dtype)

    def _raw(self, x: Tensor) -> Tensor:
        momenta = self._momenta(self.inverse(x))  # (N, particles, 4)
        total = momenta[:, self.first] + momenta[:, self.second]
        energy2, x2, y2, z2 = total.square().unbind(2)
        pt2 = x2 + y2
        return torch.cat([energy2 - pt2 - z2, pt2], dim=1).clamp_min(1e-6).log() / 2

    def _momenta(self, events: Tensor) -> Tensor:
        """(E, px, py, pz) of each particle, (N, particles, 4), in the unit of its pt; events are in physical units."""
        pt, eta, phi = (events[:, column] for column in self.columns)
        px, py, pz = pt * phi.cos(), pt * phi.sin(), pt * eta.sinh()
        energy2 = pt.square() + pz.square()
        if self.massive:
            massive = (self.masses >= 0).to(events.device)
            energy2 = energy2 + torch.where(massive, events[:, self.masses].square(), 0.0)
        return torch.stack([energy2.sqrt(), px, py, pz], dim=2)
