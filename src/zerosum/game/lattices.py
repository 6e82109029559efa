r"""Networks for lattices of spins: each site has one of two values, and neighbours know of each other.

*Sites are tossed.* The network puts out a field h, and a site is up where h + z > 0, z being a latent of its own, so
P(up) = Φ(h). A step has no gradient; what is wanted is that of the expectation of c over the tosses,

    d/dh E[c(s)] = φ(h) (c(s | up) - c(s | down)) = dE[s]/dh  dc/ds,    E[s] = low + (high - low) Φ(h),

the second where c is linear in each single spin, as magnetisation and energy are. So the gradient passes as if the site
were E[s]. It is not that of the step at h + z, which favours sites that happen to be near the edge.

*Noise of every scale.* A critical lattice has clusters of all sizes. The generator doubles a small grid as a
de-convolutional network does, and gets fresh latents at every scale.

*The discriminator sees* the spins and what physicists look at: magnetisation and correlations, as far as the conditions
expect them. On a torus convolutions go round.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from zerosum.game.convolutions import Convolution, Deconvolution, Wrap
from zerosum.game.given import SAMPLE, Expected
from zerosum.game.layers import Beside, Part, activation, mlp, with_gradient
from zerosum.game.networks import Family, channels_last, cropped, doublings_for, join

FINE = 4  # latents of each cell of the finest grid, which becomes 2 x 2 sites
DISTANCES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)


class Tossed(nn.Module):
    """The values of sites from a field h (N, 1, H, W) and as many latents; the gradient is that of their expectation.

    Args:
        levels: The lower and the upper value, in the game.
    """

    def __init__(self, levels: Sequence[float]) -> None:
        super().__init__()
        self.low, self.high = levels

    def forward(self, h: Tensor, z: Tensor) -> Tensor:
        """Each site up with the probability Φ(h)."""
        value = torch.where(h + z > 0, self.high, self.low)
        if not torch.is_grad_enabled():
            return value
        expected = (self.high - self.low) / 2 * torch.erf(h * math.sqrt(0.5))
        return value + (expected - expected.detach())


class LatticeGenerator(nn.Module):
    """A small grid of many channels, doubled until it covers the sides, with latents for each cell of every scale."""

    def __init__(
        self,
        latent: int,
        conditions: int,
        shape: tuple[int, ...],
        width: int,
        depth: int,
        *,
        levels: Sequence[float],
        periodic: bool,
    ) -> None:
        super().__init__()
        _, *self.sides = shape
        self.scales, self.own = scales_of(self.sides), own_parts(self.sides)
        self.shared = latent - sum(self.own)
        widths = [width * 2**i for i in reversed(range(len(self.scales)))]
        self.widest = widths[0]
        self.first = nn.Sequential(
            mlp(
                self.shared + conditions,
                self.widest * math.prod(self.scales[0]),
                2 * width,
                max(depth - 2, 1),
            ),
            activation(),
        )
        self.doublings = nn.ModuleList(
            nn.Sequential(deconvolution(a + 1, b, periodic), activation()) for a, b in pairwise(widths)
        )
        self.last = nn.Sequential(
            convolution(width + FINE, width, periodic),
            activation(),
            convolution(width, width, periodic),
            activation(),
            deconvolution(width, 1, periodic),
        )
        self.tossed = Tossed(levels)
        channels_last(self)

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """From (N, L) and (N, K) to (N, 1, H, W)."""
        shared, *noise, tossed = torch.split(z, [self.shared, *self.own], 1)
        x: Tensor = self.first(join(shared, c)).view(-1, self.widest, *self.scales[0])
        for some, scale, doubled in zip(noise, self.scales, self.doublings, strict=False):
            x = doubled(torch.cat([x, some.view(-1, 1, *scale)], 1))
        x = cropped(self.last(torch.cat([x, noise[-1].view(-1, FINE, *self.scales[-1])], 1)), self.sides)
        return self.tossed(x, tossed.view_as(x))  # type: ignore[no-any-return]


def scales_of(sides: Sequence[int]) -> list[list[int]]:
    """The sides of the grids that become the lattice, the last with half of its sides.

    As many as divide the sides, so that a torus closes; of odd sides the last grid is cropped.
    """
    doublings = doublings_for(list(sides))
    while doublings > 1 and any(side % 2**doublings for side in sides):
        doublings -= 1
    return [[math.ceil(side / 2 ** (doublings - i)) for side in sides] for i in range(doublings)]


def own_parts(sides: Sequence[int]) -> list[int]:
    """How many latents the cells of each scale have, and the sites."""
    *coarse, finest = (math.prod(scale) for scale in scales_of(sides))
    return [*coarse, FINE * finest, math.prod(sides)]


def own_latents(shape: tuple[int, ...]) -> int:
    """How many that are, for a lattice of this shape (1, H, W)."""
    return sum(own_parts(shape[1:]))


class LatticeDiscriminator(nn.Module):
    """Convolutions of the spins, then an MLP that also sees observables and conditions.

    Args:
        shape: (1, H, W).
        conditions: K.
        width: Channels of the first convolution.
        depth: Hidden layers.
        beside: How many observables stand behind the spins.
        periodic: Whether edges meet.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        conditions: int,
        width: int,
        depth: int,
        *,
        beside: int,
        periodic: bool,
    ) -> None:
        super().__init__()
        channels, *sides = shape
        layers: list[nn.Module] = []
        for i in range(doublings_for(sides)):
            layers += [*convolution(channels, width * 2**i, periodic, stride=2), activation()]
            channels, sides = width * 2**i, [side // 2 for side in sides]
        self.part = Part(shape, [*layers, nn.Flatten()])
        self.last = mlp(channels * math.prod(sides) + beside + conditions, 1, 4 * width, max(depth - 1, 1))
        channels_last(self)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """From (N, H W + S) and (N, K) to (N,)."""
        return self.last(join(self.part(x), c)).squeeze(1)  # type: ignore[no-any-return]

    def with_gradient(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The logits (N,) and their gradient by x, (N, H W + S)."""
        logits, gradient = with_gradient([self.part, Beside(c), *self.last], x)
        return logits.squeeze(1), gradient


def convolution(a: int, b: int, periodic: bool, *, stride: int = 1) -> nn.Sequential:
    """From a to b channels; keeps the sides, or halves them."""
    kernel = 3 if stride == 1 else 4
    return nn.Sequential(
        *[Wrap()] * periodic, Convolution(a, b, kernel, stride, padding=0 if periodic else 1)
    )


def deconvolution(a: int, b: int, periodic: bool) -> nn.Sequential:
    """From a to b channels; doubles the sides."""
    return nn.Sequential(*[Wrap()] * periodic, Deconvolution(a, b, 4, 2, padding=3 if periodic else 1))


class LatticeSight(nn.Module):
    """From lattices to observables, each as asinh((x - m(c)) / s(c)) of what the data have.

    The observables, of spins -1 and +1: magnetisation per site, its absolute value, and the mean product of two spins
    of one row or column that are r sites apart, for some r; at r = 1 that is the energy.

    Args:
        levels: The lower and the upper value of a site, in the game.
        periodic: Whether edges meet.
        examples: Real events, shape (N, 1, H, W).
        c: Their standardised conditions, shape (N, K), or None.
    """

    instead = False
    rows: Tensor
    columns: Tensor

    def __init__(self, levels: Sequence[float], periodic: bool, examples: Tensor, c: Tensor | None) -> None:
        super().__init__()
        low, high = levels
        self.middle, self.reach = (low + high) / 2, (high - low) / 2
        _, _, height, width = examples.shape
        self.register_buffer("rows", pairs_of(width, periodic))
        self.register_buffer("columns", pairs_of(height, periodic))
        self.expected = Expected(self._shown(examples[:SAMPLE]), c)

    @property
    def seen(self) -> tuple[str, ...]:
        """The names of the observables."""
        along = {"row": self.rows, "column": self.columns}
        apart = [f"{name} {r}" for name, pairs in along.items() for r in range(pairs.shape[1])]
        return ("magnetisation", "|magnetisation|", *apart)

    def forward(self, x: Tensor, c: Tensor | None) -> Tensor:
        """From (N, 1, H, W) and (N, K) to (N, S)."""
        return self.expected(self._shown(x), c)  # type: ignore[no-any-return]

    def _shown(self, x: Tensor) -> Tensor:
        spins = (x[:, 0] - self.middle) / self.reach
        magnetisation = spins.mean((1, 2)).unsqueeze(1)
        of_columns = (spins @ spins.transpose(1, 2)).flatten(1) @ self.columns / spins.shape[2]
        of_rows = (spins.transpose(1, 2) @ spins).flatten(1) @ self.rows / spins.shape[1]
        return torch.cat([magnetisation, magnetisation.abs(), of_rows, of_columns], 1)


def pairs_of(side: int, periodic: bool) -> Tensor:
    """Weights (side^2, R) that take the mean over all pairs of sites i, j that are r apart, for R distances r."""
    i, j = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    apart = (i - j) % side if periodic else i - j
    chosen = [(apart == r).float().flatten() for r in DISTANCES if r <= side // 2]
    return torch.stack([one / one.sum() for one in chosen], 1)


LATTICES = Family(
    LatticeGenerator,
    LatticeDiscriminator,
    width=32,
    depth=3,
    batch=64,
    gamma=(3.0, 1.0),
    own_latents=own_latents,
    steps=15_000,
)
