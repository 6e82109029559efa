"""The blueprint: all that is needed to build a model's networks again, as plain data."""

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from torch import nn

from zerosum.game.drawn import Drawn
from zerosum.game.lens import Lens, Sight
from zerosum.game.networks import Family, family_for
from zerosum.game.showers import SHOWERS
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
        cells: The cells of each layer of a calorimeter, whose showers have networks of their own; none for all else.
        sums: What events add up to, where that is drawn from the data (sums.py), as plain data.
        model: The kind of model; the networks below are those of "gan".
        packing: How many events the discriminator judges together.
        spectral: Whether the discriminator's weights are divided by their largest singular value.
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
    packing: int = 1
    spectral: bool = False

    def lens(self, sight: Sight | None = None) -> Lens:
        """The space of the game."""
        return Lens(
            self.shape,
            periods=self.periods,
            low=self.low,
            high=self.high,
            cloud=self.kind == "cloud",
            sight=sight,
        )

    @property
    def family(self) -> Family:
        """The networks."""
        return SHOWERS if self.cells else family_for(self.kind, self.shape)

    def generator(self) -> nn.Module:
        """G, from latents (N, L) and conditions (N, K) to the game's space."""
        told = len(self.sums)
        latent = self.latent - (Drawn.latents if told else 0)
        module: nn.Module = self.family.generator(
            latent, told + self.conditions, self.cells or self.lens().game_shape, self.width, self.depth
        )
        return Summed(module, [sum_of(one) for one in self.sums], self.conditions) if told else module

    def discriminator(self) -> nn.Module:
        """D, from what the lens shows and conditions (N, K) to logits (N,); N packs, where it judges packs."""
        channels, *sides = (0,) if self.cells else self.lens().game_shape
        module: nn.Module = self.family.discriminator(
            (self.packing * (channels + len(self.seen)), *sides),
            self.packing * self.conditions,
            self.width,
            self.depth,
        )
        return normalised(module) if self.spectral else module

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """From what `to_json` gave."""
        tuples: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in content.items()}
        tuples["periods"] = tuple((int(index), float(period)) for index, period in tuples.get("periods", ()))
        return cls(**tuples)
