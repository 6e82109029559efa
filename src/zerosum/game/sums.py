"""What an event adds up to: its number of points, a total that is nearly fixed, a mean that is nearly zero.

The particles of a jet carry the jet's transverse momentum, and the jet's axis is their mean direction. To a network
such a sum is a thin surface that it misses; here the sum is drawn (drawn.py), the network is told it, and what the
network puts out is moved onto it, in physical units:

    total:   x_i <- x_i T / sum_j x_j,                 cells that are exactly 0 stay so;
    mean:    x_i <- x_i - sum_j w_j x_j / sum_j w_j + m.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import torch
from torch import Tensor, nn

from zerosum.data.chain import Chain
from zerosum.data.discrete import Sparse
from zerosum.game.drawn import Drawn

SMALLEST = 1e-12


class Sum(Protocol):
    """One number that an event's entries add up to."""

    def measure(self, game: Tensor) -> Tensor:
        """The number of each event, shape (N,), from events in the game (N, C, ...)."""

    def impose(self, game: Tensor, wanted: Tensor) -> Tensor:
        """The events moved so that `measure` gives what is wanted."""

    def state(self) -> dict[str, Any]:
        """As plain data."""


@dataclass(frozen=True)
class Points:
    """How many points an event has, as a share of the places; the network obeys it by itself."""

    places: int

    def measure(self, game: Tensor) -> Tensor:
        """The number of points."""
        return game[:, 0].sum(1)

    def impose(self, game: Tensor, wanted: Tensor) -> Tensor:  # noqa: ARG002
        """Nothing is left to do."""
        return game

    def state(self) -> dict[str, Any]:
        """As plain data."""
        return {"sum": "points", "places": self.places}


@dataclass(frozen=True)
class Total:
    """The sum of a positive entry over cells or points.

    Attributes:
        channel: Where the entry stands in the game.
        chain: Between its standard and physical values.
        cloud: Whether channel 0 says which points exist.
    """

    channel: int
    chain: Chain
    cloud: bool

    def physical(self, game: Tensor) -> Tensor:
        """The entry in physical units, shape (N, ...); 0 where there is no point."""
        x = self.chain.inverse(game[:, self.channel].double())
        return x * game[:, 0] if self.cloud else x

    def measure(self, game: Tensor) -> Tensor:
        """The total."""
        return self.physical(game).flatten(1).sum(1)

    def impose(self, game: Tensor, wanted: Tensor) -> Tensor:
        """All entries times one factor; empty cells and places stay as they are."""
        x = self.physical(game)
        factor = wanted / x.flatten(1).sum(1).clamp_min(SMALLEST)
        scaled = x * factor.view(-1, *[1] * (x.ndim - 1))
        return replaced(game, self.channel, self.chain, scaled, x > 0)

    def state(self) -> dict[str, Any]:
        """As plain data."""
        return {"sum": "total", "channel": self.channel, "chain": self.chain.state(), "cloud": self.cloud}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """From plain data."""
        return cls(state["channel"], Chain.from_state(state["chain"]), state["cloud"])


@dataclass(frozen=True)
class Mean:
    """The mean of one entry of the points, weighted with another one, which is positive.

    Attributes:
        channel: Where the entry stands in the game.
        chain: Between its standard and physical values.
        weight: The weight, as a total.
    """

    channel: int
    chain: Chain
    weight: Total

    def measure(self, game: Tensor) -> Tensor:
        """The weighted mean."""
        w = self.weight.physical(game)
        x = self.chain.inverse(game[:, self.channel].double())
        return (w * x).sum(1) / w.sum(1).clamp_min(SMALLEST)

    def impose(self, game: Tensor, wanted: Tensor) -> Tensor:
        """All points shifted alike."""
        x = self.chain.inverse(game[:, self.channel].double())
        shifted = x + (wanted - self.measure(game)).unsqueeze(1)
        return replaced(game, self.channel, self.chain, shifted, game[:, 0] > 0)

    def state(self) -> dict[str, Any]:
        """As plain data."""
        parts = {"channel": self.channel, "chain": self.chain.state(), "weight": self.weight.state()}
        return {"sum": "mean", **parts}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """From plain data."""
        return cls(state["channel"], Chain.from_state(state["chain"]), Total.from_state(state["weight"]))


def replaced(game: Tensor, channel: int, chain: Chain, physical: Tensor, where: Tensor) -> Tensor:
    """The events with new physical values of one channel, where they hold."""
    standard = chain.forward(physical, torch.Generator()).to(game.dtype)
    kept = torch.where(where, standard, game[:, channel])
    return torch.cat([game[:, :channel], kept.unsqueeze(1), game[:, channel + 1 :]], dim=1)


SUMS: dict[str, Callable[[dict[str, Any]], Sum]] = {
    "points": lambda state: Points(state["places"]),
    "total": Total.from_state,
    "mean": Mean.from_state,
}


def sum_of(state: dict[str, Any]) -> Sum:
    """The sum of a state."""
    return SUMS[state["sum"]](state)


class Summed(nn.Module):
    """A network with the sums that are drawn for it.

    The network is given the drawn numbers, standardised, before the conditions; the share of places in use is given as
    it is.

    Args:
        network: From latents and (numbers, conditions) to the game's space.
        sums: What its events add up to.
        conditions: How many conditions there are.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, network: nn.Module, sums: Sequence[Sum], conditions: int) -> None:
        super().__init__()
        self.network, self.sums = network, tuple(sums)
        self.drawn = Drawn(len(self.sums), conditions)
        self.register_buffer("centre", torch.zeros(len(self.sums)))
        self.register_buffer("spread", torch.ones(len(self.sums)))

    def initialise(self, game: Tensor, conditions: Tensor | None, seed: int) -> None:
        """Read the numbers off the training events in the game's space."""
        numbers = torch.stack([one.measure(game).double() for one in self.sums], dim=1)
        self.drawn.fit(numbers, conditions, seed)
        for i, one in enumerate(self.sums):
            share = isinstance(one, Points)
            self.centre[i] = 0.0 if share else numbers[:, i].mean()
            self.spread[i] = (
                one.places if isinstance(one, Points) else numbers[:, i].std().clamp_min(SMALLEST)
            )

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """From latents (N, L) and conditions (N, K) to events in the game's space."""
        numbers = self.drawn(z, c)
        told = (numbers - self.centre) / self.spread
        game: Tensor = self.network(
            z[:, self.drawn.latents :], told if c is None else torch.cat([told, c], 1)
        )
        for i, one in enumerate(self.sums):
            game = one.impose(game, numbers[:, i])
        return game


def sums_of(
    game: Tensor, channels: dict[str, tuple[int, Chain]], *, cloud: bool, fixed: float = 0.1
) -> tuple[Sum, ...]:
    """What events like these should be made to add up to, by looking at them.

    Args:
        game: Events in the game's space, (N, C, ...).
        channels: Name, place in the game and chain of each feature that is not an angle.
        cloud: Whether channel 0 says which points exist.
        fixed: The largest spread of a total that counts as fixed, in units of its mean; of a weighted mean, in units of
            the entry's own spread.
    """
    found: list[Sum] = [Points(game.shape[2])] if cloud else []
    totals = {
        name: total
        for name, total in ((name, Total(at, chain, cloud)) for name, (at, chain) in channels.items())
        if _positive(total, game) and _relative_spread(total.measure(game)) < fixed
    }
    found += totals.values()
    if cloud and len(totals) == 1:
        (weight,) = totals.values()
        for name, (at, chain) in channels.items():
            mean = Mean(at, chain, weight)
            inside = chain.inverse(game[:, at].double())[game[:, 0] > 0]
            if name not in totals and float(mean.measure(game).std() / inside.std()) < 2 * fixed:
                found.append(mean)
    return tuple(found)


def _positive(total: Total, game: Tensor) -> bool:
    """Whether an entry is positive, or exactly 0 in empty cells, so that a factor keeps it what it is."""
    lowest = total.chain.inverse(torch.full((1,), -30.0, dtype=torch.float64))
    filled = total.cloud or any(isinstance(step, Sparse) for step in total.chain.steps)
    return filled and bool(lowest >= 0) and bool((total.physical(game) >= 0).all())


def _relative_spread(total: Tensor) -> float:
    return float(total.std() / total.mean().clamp_min(SMALLEST))
