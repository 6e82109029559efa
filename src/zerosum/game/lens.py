"""The lens: the space in which the game is played, and what the discriminator sees of an event there.

Standardised features are not always the best coordinates for a network:

- An angle jumps from pi to -pi although nothing happens there. In the game it is a point on a circle,
  sqrt(2) (cos, sin), and the generator's two numbers are projected onto that circle.
- The points of a cloud exist or not: channel 0 says so, and where it is 0 all other channels are 0.
- An image that is mostly empty is a list of cells, as a shower is.
- Features have hard edges. A generated value beyond one is moved onto it, as it will be when events are written.
- A narrow resonance is a thin curved surface in momenta, but one number as an invariant mass. The discriminator sees
  derived observables beside the features, and the generator learns them through it.

`embed` and `decode` are inverse to each other; `view` is what the discriminator sees.
"""

import math
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn


class Sight(Protocol):
    """Further numbers that the discriminator sees of an event."""

    instead: bool  # whether they stand in place of the event, not beside it

    @property
    def seen(self) -> tuple[str, ...]:
        """The names of the numbers."""

    def __call__(self, x: Tensor, c: Tensor | None) -> Tensor:
        """From standardised events (N, F) and conditions (N, K) to the numbers (N, S), differentiable."""


class Lens(nn.Module):
    """Standardised events (N, *shape) to the game's space and back.

    Args:
        shape: The shape of one standardised event.
        periods: For each periodic column, its index and the period in standardised units.
        low: The lower edge of each column (or channel) in standardised units, None where there is none.
        high: The upper edges.
        cloud: Whether channel 0 says which points exist.
        sight: What the discriminator sees beside the event, or in its place.
        flat: Whether the game is played with the list of an event's numbers, whatever its shape.
    """

    low: Tensor
    high: Tensor

    def __init__(
        self,
        shape: Sequence[int],
        *,
        periods: Sequence[tuple[int, float]] = (),
        low: Sequence[float | None] = (),
        high: Sequence[float | None] = (),
        cloud: bool = False,
        sight: Sight | None = None,
        flat: bool = False,
    ) -> None:
        super().__init__()
        self.shape = tuple(shape)
        self.wavenumbers = [2 * math.pi / period for _, period in periods]
        self.angles = [index for index, _ in periods]
        self.straight = [i for i in range(self.shape[0]) if i not in self.angles]
        edge_shape = (self.shape[0],) + (1,) * (len(self.shape) - 1)
        for name, edge, default in (("low", low, -math.inf), ("high", high, math.inf)):
            numbers = [default if number is None else number for number in edge or [None] * self.shape[0]]
            self.register_buffer(name, torch.tensor(numbers).reshape(edge_shape), persistent=False)
        self.clamps = bool(self.low.isfinite().any() or self.high.isfinite().any())
        self.cloud, self.sight, self.flat = cloud, sight, flat

    @property
    def game_shape(self) -> tuple[int, ...]:
        """The shape of one event in the game's space."""
        return (math.prod(self.shape),) if self.flat else (self.shape[0] + len(self.angles), *self.shape[1:])

    def embed(self, x: Tensor) -> Tensor:
        """Standardised events to the game's space: straight columns first, then (cos, sin) of each angle."""
        if not self.angles:
            return x.flatten(1) if self.flat else x
        phases = x[:, self.angles] * self._waves(x)
        return self._where_points(
            torch.cat([x[:, self.straight], math.sqrt(2) * phases.cos(), math.sqrt(2) * phases.sin()], dim=1)
        )

    def decode(self, game: Tensor) -> Tensor:
        """The game's space to standardised events, in the order of the features."""
        if not self.angles:
            return game.view(-1, *self.shape) if self.flat else game
        straight, cosine, sine = self._parts(game)
        columns = torch.cat([straight, torch.atan2(sine, cosine) / self._waves(game)], dim=1)
        order = self.straight + self.angles
        return columns[:, [order.index(i) for i in range(len(order))]]

    def project(self, raw: Tensor) -> Tensor:
        """What a generator puts out, moved to where events can be: inside the edges, onto the circles."""
        if self.clamps and not self.angles:
            return self._where_points(inside(raw, self.low, self.high))
        if not self.angles:
            return self._where_points(raw)
        straight, cosine, sine = self._parts(raw)
        radius = torch.sqrt((cosine**2 + sine**2) / 2 + 1e-12)
        straight = inside(straight, self.low[self.straight], self.high[self.straight])
        return self._where_points(torch.cat([straight, cosine / radius, sine / radius], dim=1))

    def view(self, game: Tensor, c: Tensor | None = None) -> Tensor:
        """What the discriminator sees: the event in the game's space, or the observables, or one row of both."""
        if self.sight is None:
            return game
        numbers = self.sight(self.decode(game), c)
        return numbers if self.sight.instead else torch.cat([game.flatten(1), numbers], dim=1)

    def place(self, index: int) -> int:
        """Where a straight column stands in the game."""
        return self.straight.index(index)

    def _waves(self, like: Tensor) -> Tensor:
        """The wavenumber of each angle, shape (A, 1, ...)."""
        waves = torch.tensor(self.wavenumbers, dtype=like.dtype, device=like.device)
        return waves.view(-1, *[1] * (like.ndim - 2))

    def _where_points(self, game: Tensor) -> Tensor:
        """Of clouds, everything as it is where there is a point, and 0 elsewhere."""
        return torch.cat([game[:, :1], game[:, 1:] * game[:, :1]], dim=1) if self.cloud else game

    def _parts(self, game: Tensor) -> tuple[Tensor, ...]:
        straight, turning = len(self.straight), len(self.angles)
        return game[:, :straight], game[:, straight : straight + turning], game[:, straight + turning :]


def inside(raw: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Values moved onto the edges; the gradient passes as if they had not been moved, so that none gets stuck there."""
    return raw + (raw.clamp(low, high) - raw).detach()
