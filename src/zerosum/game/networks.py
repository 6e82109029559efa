"""Generators G(z, c) and discriminators D(x, c) for tables and grids; those for clouds are in clouds.py.

No normalisation layers (they break penalties that belong to one event), leaky ReLU everywhere. A generator maps
a latent (N, L) and conditions (N, K) to events in the space of the game (see lens.py); a discriminator maps what it
sees of an event to one logit (N,). To add a family, write two modules and one `Family` at the end.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from zerosum.errors import InputError
from zerosum.game.clouds import POINT_LATENT, CloudDiscriminator, CloudGenerator
from zerosum.game.convolutions import Convolution, Deconvolution
from zerosum.game.layers import Beside, activation, mlp, with_gradient


class TableGenerator(nn.Module):
    """An MLP from (latent, conditions) to a row."""

    def __init__(self, latent: int, conditions: int, shape: tuple[int, ...], width: int, depth: int) -> None:
        super().__init__()
        self.layers = mlp(latent + conditions, math.prod(shape), width, depth)

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """From (N, L) and (N, K) to (N, F)."""
        return self.layers(join(z, c))  # type: ignore[no-any-return]


class TableDiscriminator(nn.Module):
    """An MLP from (row, conditions) to a logit.

    A network learns the coarse before the fine (Rahaman et al. 2019, arXiv:1806.08734). Weights of the first layer that
    begin `steep` times as large as usual let it see structure of a few per cent of the data's width early.
    """

    def __init__(
        self, shape: tuple[int, ...], conditions: int, width: int, depth: int, *, steep: float = 1.0
    ) -> None:
        super().__init__()
        self.layers = mlp(math.prod(shape) + conditions, 1, width, depth)
        with torch.no_grad():
            for parameter in self.layers[0].parameters():
                parameter.mul_(steep)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """From (N, F) and (N, K) to (N,)."""
        return self.layers(join(x, c)).squeeze(1)  # type: ignore[no-any-return]

    def with_gradient(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The logits (N,) and their gradient by x, (N, F)."""
        logits, gradient = with_gradient([Beside(c), *self.layers], x)
        return logits.squeeze(1), gradient


class GridGenerator(nn.Module):
    """A de-convolutional network: a small grid of many channels, doubled until it covers the sides, then cropped."""

    def __init__(self, latent: int, conditions: int, shape: tuple[int, ...], width: int, depth: int) -> None:
        super().__init__()
        channels, *self.sides = shape
        doublings = doublings_for(self.sides)
        self.start = [math.ceil(side / 2**doublings) for side in self.sides]
        transposed = convolution(len(self.sides), transposed=True)
        widths = [width * 2 ** max(doublings - 1 - i, 0) for i in range(doublings)]
        self.widest = widths[0]
        self.first = nn.Sequential(
            mlp(latent + conditions, self.widest * math.prod(self.start), 8 * width, max(depth - 2, 1)),
            activation(),
        )
        layers: list[nn.Module] = []
        for a, b in pairwise(widths):
            layers += [transposed(a, b, 4, 2, 1), activation()]
        self.layers = nn.Sequential(*layers, transposed(widths[-1], channels, 4, 2, 1))
        channels_last(self)

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """From (N, L) and (N, K) to (N, C, *sides)."""
        return cropped(self.layers(self.first(join(z, c)).view(-1, self.widest, *self.start)), self.sides)


class GridDiscriminator(nn.Module):
    """A convolutional network that halves the sides, then an MLP that also sees the conditions."""

    def __init__(self, shape: tuple[int, ...], conditions: int, width: int, depth: int) -> None:
        super().__init__()
        channels, *sides = shape
        direct = convolution(len(sides), transposed=False)
        layers: list[nn.Module] = []
        for i in range(doublings_for(sides)):
            layers += [direct(channels, width * 2**i, 4, 2, 1), activation()]
            channels, sides = width * 2**i, [side // 2 for side in sides]
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.last = mlp(channels * math.prod(sides) + conditions, 1, 8 * width, max(depth - 2, 1))
        channels_last(self)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """From (N, C, *sides) and (N, K) to (N,)."""
        return self.last(join(self.layers(x), c)).squeeze(1)  # type: ignore[no-any-return]

    def with_gradient(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The logits (N,) and their gradient by x, (N, C, *sides)."""
        logits, gradient = with_gradient([*self.layers, Beside(c), *self.last], x)
        return logits.squeeze(1), gradient


def join(x: Tensor, c: Tensor | None) -> Tensor:
    """Inputs beside conditions, (N, A) and (N, K) to (N, A + K)."""
    return x if c is None else torch.cat([x, c], dim=1)


def cropped(x: Tensor, sides: Sequence[int]) -> Tensor:
    """The middle of grids (N, C, ...), with these sides."""
    for axis, side in enumerate(sides, start=2):
        x = x.narrow(axis, (x.shape[axis] - side) // 2, side)
    return x


def doublings_for(sides: list[int]) -> int:
    """How often the shortest side can be halved while at least 4 pixels are left; at least once."""
    return max(1, math.floor(math.log2(min(sides) / 4)))


def convolution(dimensions: int, *, transposed: bool) -> Callable[..., nn.Module]:
    """The convolution layer for grids of two or three dimensions."""
    layers: dict[tuple[int, bool], Callable[..., nn.Module]] = {
        (2, False): Convolution,
        (2, True): Deconvolution,
        (3, False): nn.Conv3d,
        (3, True): nn.ConvTranspose3d,
    }
    return layers[dimensions, transposed]


def channels_last(network: nn.Module) -> None:
    """Keep the weights of two-dimensional convolutions with the channels of a pixel side by side, which is faster."""
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def no_latents(_: tuple[int, ...]) -> int:
    """0."""
    return 0


@dataclass(frozen=True)
class Family:
    """A pair of networks for one kind of events, with sizes and a strength of the penalty that serve most data.

    Attributes:
        generator: From latent and condition dimensions, shape, width and depth to G.
        discriminator: From shape, condition dimensions, width and depth to D.
        width: Units or channels of a layer.
        depth: Hidden layers.
        batch: Real events in a batch.
        gamma: Strength of the penalty at the start and at the end.
        learning_rate: Adam's, at the start and at the end.
        own_latents: How many latents the cells or points of an event of this shape have for themselves.
        latent: Latents of the event; as many as suit its size where None.
        signs: Latents whose sign the generator also sees (signed.py).
        steps: Steps of a game if nothing else is asked for.
    """

    generator: Callable[..., nn.Module]
    discriminator: Callable[..., nn.Module]
    width: int
    depth: int
    batch: int
    gamma: tuple[float, float]
    learning_rate: tuple[float, float] = (2e-3, 5e-5)
    own_latents: Callable[[tuple[int, ...]], int] = no_latents
    latent: int | None = None
    signs: int = 0
    steps: int = 30_000

    def latents(self, shape: tuple[int, ...], chosen: int) -> int:
        """Dimensions of the prior: those of the event, and those that each of its points or cells has for itself."""
        return chosen + self.own_latents(shape)


GRIDS = Family(GridGenerator, GridDiscriminator, width=32, depth=3, batch=64, gamma=(10.0, 3.0), steps=15_000)
FAMILIES: dict[str, Family] = {
    "table": Family(
        TableGenerator,
        partial(TableDiscriminator, steep=4.0),
        width=128,
        depth=3,
        batch=256,
        gamma=(0.1, 0.002),
        learning_rate=(1e-3, 1e-5),
        signs=16,
    ),
    "grid": GRIDS,
    "cloud": Family(
        CloudGenerator,
        CloudDiscriminator,
        width=64,
        depth=2,
        batch=64,
        gamma=(1.0, 0.1),
        own_latents=lambda shape: POINT_LATENT * shape[-1],
    ),
}


def family_for(kind: str, shape: tuple[int, ...]) -> Family:
    """The networks for events of this kind and shape, or the reason why there are none."""
    if kind not in FAMILIES:
        raise InputError(
            f"there is no network for events of kind {kind}; the kinds are {', '.join(FAMILIES)}."
        )
    if kind == "grid" and not all(8 <= side <= 64 for side in shape[1:]):
        sides = " x ".join(map(str, shape[1:]))
        raise InputError(f"the grid is {sides}; its sides must be between 8 and 64. Rebin or pad the images.")
    return FAMILIES[kind]
