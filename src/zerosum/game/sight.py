"""What the discriminator sees beside the event itself: physics, in the numbers that show it best.

A resonance is a thin curved surface in the momenta of its decay products; as an invariant mass it is one number.
For massless particles m^2 = 2 pt1 pt2 (cosh(eta1 - eta2) - cos(phi1 - phi2)).
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from zerosum.data.kinematics import FourVector, pairs

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
        self.names, self.inverse = list(names), inverse
        self.pairs = pairs(names)
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
        columns = dict(zip(self.names, self.inverse(x).unbind(1), strict=True))
        momenta = [[four_momentum(columns, particle) for particle in pair] for pair in self.pairs]
        total = [a + b for a, b in momenta]  # each (4, N): E, px, py, pz
        pt2 = [p[1] ** 2 + p[2] ** 2 for p in total]
        mass2 = [p[0] ** 2 - p[1] ** 2 - p[2] ** 2 - p[3] ** 2 for p in total]
        return torch.stack([torch.log(value.clamp_min(1e-6)) / 2 for value in mass2 + pt2], dim=1)


def four_momentum(columns: dict[str, Tensor], particle: FourVector) -> Tensor:
    """(E, px, py, pz) of one particle, shape (4, N), in the unit of its pt."""
    pt, eta, phi = columns[particle.pt], columns[particle.eta], columns[particle.phi]
    mass = columns[particle.mass] if particle.mass else torch.zeros_like(pt)
    px, py, pz = pt * phi.cos(), pt * phi.sin(), pt * eta.sinh()
    return torch.stack([torch.sqrt(px**2 + py**2 + pz**2 + mass**2), px, py, pz])
