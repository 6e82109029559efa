"""The blueprint: all that is needed to build a model's networks again, as plain data."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Self

import torch
from torch import Tensor, nn

from zerosum.game.drawn import Drawn
from zerosum.game.lattices import LATTICES
from zerosum.game.lens import Lens, Sight
from zerosum.game.networks import Family, family_for
from zerosum.game.own import TRIED, agreed, own_family, tried
from zerosum.game.showers import SHOWERS
from zerosum.game.signed import Signed
from zerosum.game.spectral import normalised
from zerosum.game.sums import Summed, sum_of


@dataclass(frozen=True)
class Blueprint:
    """Sizes of the networks and the space of the game.

    Attributes:
        kind: "table", "grid" or "cloud".
        shape: The shape of one standardised event; of a cloud, (1 + F, M): which points exist, and their entries.
        conditions: How many numbers are given with each event.
        latent: Dimensions of the prior.
        width: Units or channels of a layer.
        depth: Hidden layers.
        periods: Index and period, in standardised units, of each angle.
        low: The lowest value of each column or channel in standardised units, None where there is no edge.
        high: The highest value likewise.
        seen: The names of the observables that the discriminator sees beside the event, or in place of a shower.
        cells: The cells of each layer, where events are deposits that have networks of their own; none for all else.
        sums: What events add up to, where that is drawn from the data (sums.py), as plain data.
        model: The kind of model; the networks below are those of "gan".
        signs: Latents whose sign the generator also sees (signed.py).
        packing: How many events the discriminator judges together.
        spectral: Whether the discriminator's weights are divided by their largest singular value.
        networks: The user's own networks, as MODULE:NAME (own.py); none for the built-in ones.
        decoder: What a VAE's decoder gives where numbers are continuous, "normal" or "fixed"; or "levels".
        spins: The two standardised values of the sites of a lattice, which has networks of its own (lattices.py).
        periodic: Whether the lattice is a torus.
        levels: How many levels lie between `low` and `high` of the only channel; 0 where these are the two values.
    """

    kind: str
    shape: tuple[int, ...]
    conditions: int
    latent: int
    width: int
    depth: int
    periods: tuple[tuple[int, float], ...] = ()
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    seen: tuple[str, ...] = field(default=())
    cells: tuple[int, ...] = ()
    sums: tuple[dict[str, Any], ...] = ()
    model: str = "gan"
    signs: int = 0
    packing: int = 1
    spectral: bool = False
    networks: tuple[str, ...] = ()
    decoder: str = "normal"
    levels: int = 0
    spins: tuple[float, ...] = ()
    periodic: bool = False

    def lens(self, sight: Sight | None = None) -> Lens:
        """The space of the game."""
        return Lens(
            self.shape,
            periods=self.periods,
            low=self.low,
            high=self.high,
            cloud=self.kind == "cloud",
            flat=bool(self.cells),
            sight=sight,
        )

    @property
    def family(self) -> Family:
        """The networks."""
        if self.networks:
            return own_family(self.networks, self.kind)
        if self.spins:
            return LATTICES
        return SHOWERS if self.cells else family_for(self.kind, self.shape)

    def generator(self) -> nn.Module:
        """G, from latents (N, L) and conditions (N, K) to the game's space."""
        told = len(self.sums)
        latent = self.latent - (Drawn.latents if told else 0) + self.signs
        shape, given = self.lens().game_shape, told + self.conditions
        build = partial(self.family.generator, latent, given, self.cells or shape, self.width, self.depth)
        if self.spins:
            build = partial(build, levels=self.spins, periodic=self.periodic)
        if self.networks:
            seen = torch.zeros(TRIED, latent), _zeros(given)
            module = tried(build, seen, (TRIED, *shape), "generator")
        else:
            module = build()
        if self.signs:
            module = Signed(module, self.signs)
        return Summed(module, [sum_of(one) for one in self.sums], self.conditions) if told else module

    def discriminator(self) -> nn.Module:
        """D, from what the lens shows and conditions (N, K) to logits (N,); N packs, where it judges packs."""
        channels, *sides = (0,) if self.cells else self.lens().game_shape
        apart = bool(self.spins) or self.kind == "cloud"  # observables stand behind the event, in one row
        shape = self.packing * (channels + (0 if apart else len(self.seen))), *sides
        given = self.packing * self.conditions
        build = partial(self.family.discriminator, shape, given, self.width, self.depth)
        if self.spins:
            build = partial(build, periodic=self.periodic)
        if apart and self.seen:
            build = partial(build, beside=len(self.seen))
        if self.networks:
            module = tried(build, (torch.zeros(TRIED, *shape), _zeros(given)), (TRIED,), "discriminator")
        else:
            module = build()
        return normalised(module) if self.spectral else module

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_json(
        cls, content: dict[str, Any], networks: Sequence[str] = (), where: str = "the model"
    ) -> Self:
        """From what `to_json` gave.

        Args:
            content: Plain data.
            networks: The user's own networks that may be imported; needed where the blueprint names some.
            where: What is being read.
        """
        agreed(content.get("networks", ()), networks, where)
        tuples: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in content.items()}
        tuples["periods"] = tuple((int(index), float(period)) for index, period in tuples.get("periods", ()))
        return cls(**tuples)


def _zeros(conditions: int) -> Tensor | None:
    """Conditions of a few events."""
    return torch.zeros(TRIED, conditions) if conditions else None
