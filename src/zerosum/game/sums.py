"""What an event adds up to: its number of points, a total that is nearly fixed, a direction that is nearly zero.

The particles of a jet carry the jet's momentum, and the jet's axis is their direction. To a network such a sum is a
thin surface that it misses; here the sum is drawn (drawn.py), the network is told it, and what the network puts out is
moved onto it, in physical units:

    total:      x_i <- x_i T / S,               S = sum_j x_j, or |sum_j x_j exp(i phi_j)| where momenta have angles;
    direction:  y_i <- y_i - <y> + m,           <y> = sum_j x_j y_j / sum_j x_j, or arg sum_j x_j exp(i y_j).

Cells that are exactly 0 stay so. A total is changed at most tenfold, so that gradients stay finite where a network
begins with empty events.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import torch
from torch import Tensor, nn

from zerosum.data.chain import Chain
from zerosum.data.discrete import Sparse
from zerosum.game.drawn import Drawn

SMALLEST = 1e-12
MOST = 10.0  # factor on a total
FIXED = 0.1  # spread of a total over its mean, up to which it counts as fixed; twice that for a mean over the spread
BARE = Chain(())  # of events in physical units


class Sum(Protocol):
    """One number that an event's entries add up to."""

    def measure(self, game: Tensor) -> Tensor:
        """The number of each event, shape (N,), from events in the game (N, C, ...)."""

    def impose(self, game: Tensor, wanted: Tensor) -> Tensor:
        """The events moved so that `measure` gives what is wanted."""

    def bare(self) -> Self:
        """The same sum of events in physical units."""

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

    def bare(self) -> Self:
        """Itself."""
        return self

    def state(self) -> dict[str, Any]:
        """As plain data."""
        return {"sum": "points", "places": self.places}


@dataclass(frozen=True)
class Entry:
    """One number of each cell or point.

    Attributes:
        channel: Where it stands in the game.
        chain: Between its standard and physical values.
    """

    channel: int
    chain: Chain

    def of(self, game: Tensor) -> Tensor:
        """In physical units, shape (N, ...)."""
        return self.chain.inverse(game[:, self.channel].double())

    def replaced(self, game: Tensor, physical: Tensor, where: Tensor) -> Tensor:
        """The events with new physical values, where they hold."""
        standard = self.chain.forward(physical, torch.Generator()).to(game.dtype)
        kept = torch.where(where, standard, game[:, self.channel])
        return torch.cat([game[:, : self.channel], kept.unsqueeze(1), game[:, self.channel + 1 :]], dim=1)

    def bare(self) -> "Entry":
        """The same of events in physical units."""
        return Entry(self.channel, BARE)

    def state(self) -> list[Any]:
        """As plain data."""
        return [self.channel, self.chain.state()]

    @classmethod
    def from_state(cls, state: Sequence[Any]) -> Self:
        """From plain data."""
        return cls(state[0], Chain.from_state(state[1]))


@dataclass(frozen=True)
class Total:
    """The sum of a positive entry over cells or points; with an angle, the length of its sum as a vector.

    Attributes:
        entry: What is added up.
        cloud: Whether channel 0 says which points exist.
        angle: The direction of each point in the plane, or None.
    """

    entry: Entry
    cloud: bool
    angle: Entry | None = None

    def physical(self, game: Tensor) -> Tensor:
        """The entry in physical units, shape (N, ...); 0 where there is no point."""
        x = self.entry.of(game)
        return x * game[:, 0] if self.cloud else x

    def measure(self, game: Tensor) -> Tensor:
        """The total."""
        x = self.physical(game)
        if self.angle is None:
            return x.flatten(1).sum(1)
        phi = self.angle.of(game)
        return torch.sqrt((x * phi.cos()).sum(1) ** 2 + (x * phi.sin()).sum(1) ** 2 + SMALLEST**2)

    def impose(self, game: Tensor, wanted: Tensor) -> Tensor:
        """All entries times one factor; empty cells and places stay as they are."""
        x = self.physical(game)
        factor = wanted / self.measure(game).clamp_min(wanted.abs() / MOST + SMALLEST)
        return self.entry.replaced(game, x * factor.view(-1, *[1] * (x.ndim - 1)), x > 0)

    def bare(self) -> Self:
        """The same of events in physical units."""
        return replace(self, entry=self.entry.bare(), angle=self.angle and self.angle.bare())

    def state(self) -> dict[str, Any]:
        """As plain data."""
        angle = None if self.angle is None else self.angle.state()
        return {"sum": "total", "entry": self.entry.state(), "cloud": self.cloud, "angle": angle}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """From plain data."""
        angle = None if state["angle"] is None else Entry.from_state(state["angle"])
        return cls(Entry.from_state(state["entry"]), state["cloud"], angle)


@dataclass(frozen=True)
class Mean:
    """The mean of one entry of the points, weighted with another one, which is positive; of an angle, the direction.

    Attributes:
        entry: What is averaged.
        weight: The weight, as a total.
    """

    entry: Entry
    weight: Total

    def measure(self, game: Tensor) -> Tensor:
        """The weighted mean, or the direction of the vector sum."""
        w, y = self.weight.physical(game), self.entry.of(game)
        if self.weight.angle == self.entry:
            return torch.atan2((w * y.sin()).sum(1), (w * y.cos()).sum(1) + SMALLEST)
        return (w * y).sum(1) / w.sum(1).clamp_min(SMALLEST)

    def impose(self, game: Tensor, wanted: Tensor) -> Tensor:
        """All points shifted alike."""
        shifted = self.entry.of(game) + (wanted - self.measure(game)).unsqueeze(1)
        return self.entry.replaced(game, shifted, game[:, 0] > 0)

    def bare(self) -> Self:
        """The same of events in physical units."""
        return replace(self, entry=self.entry.bare(), weight=self.weight.bare())

    def state(self) -> dict[str, Any]:
        """As plain data."""
        return {"sum": "mean", "entry": self.entry.state(), "weight": self.weight.state()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """From plain data."""
        return cls(Entry.from_state(state["entry"]), Total.from_state(state["weight"]))


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
    it is. Where the network is used to draw events and not in training, the sums hold in double precision.

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

    def initialise(self, physical: Tensor, conditions: Tensor | None, seed: int) -> None:
        """Read the numbers off training events in physical units, with channels as in the game, (N, C, ...)."""
        numbers = torch.stack([one.bare().measure(physical).double() for one in self.sums], dim=1)
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
        told = ((numbers - self.centre) / self.spread).to(z.dtype)
        game: Tensor = self.network(
            z[:, self.drawn.latents :], told if c is None else torch.cat([told, c], 1)
        )
        game = game if self.training else game.double()
        for i, one in enumerate(self.sums):
            game = one.impose(game, numbers[:, i])
        return game


def sums_of(physical: Tensor, entries: dict[str, Entry], *, cloud: bool) -> tuple[Sum, ...]:
    """What events like these should be made to add up to, by looking at them.

    Args:
        physical: Events in physical units, channels as in the game, (N, C, ...).
        entries: The features that are not angles all round, by name.
        cloud: Whether channel 0 says which points exist.
    """
    angles = [entry for name, entry in entries.items() if cloud and name.lower().split("_")[0] == "phi"]
    found: list[Sum] = [Points(physical.shape[2])] if cloud else []
    totals = [
        total
        for entry in entries.values()
        if entry not in angles
        and _positive(total := Total(entry, cloud, angles[0] if len(angles) == 1 else None), physical)
        and _relative_spread(total.bare().measure(physical)) < FIXED
    ]
    found += totals
    if len(totals) == 1 and cloud:
        (weight,) = totals
        found += [
            mean
            for entry in entries.values()
            if entry != weight.entry and _narrow(mean := Mean(entry, weight), physical)
        ]
    return tuple(found)


def _positive(total: Total, physical: Tensor) -> bool:
    """Whether an entry is positive, or exactly 0 in empty cells, so that a factor keeps it what it is."""
    lowest = total.entry.chain.inverse(torch.full((1,), -30.0, dtype=torch.float64))
    filled = total.cloud or any(isinstance(step, Sparse) for step in total.entry.chain.steps)
    return filled and bool(lowest >= 0) and bool((total.bare().physical(physical) >= 0).all())


def _relative_spread(total: Tensor) -> float:
    return float(total.std() / total.mean().clamp_min(SMALLEST))


def _narrow(mean: Mean, physical: Tensor) -> bool:
    """Whether a mean varies much less than the points themselves."""
    points = physical[:, mean.entry.channel][physical[:, 0] > 0]
    return float(mean.bare().measure(physical).std() / points.std()) < 2 * FIXED
