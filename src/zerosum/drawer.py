"""Events in blocks, from a seed: what a saved model and an exported file have in common.

The latents of a block depend on the seed and the block's number alone, and each block is computed whole: the same seed
gives the same events, whatever the number asked for, the batch size or the number of workers.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from zerosum.data.events import BoolArray, Events, Feature, FloatArray, Kind, absent
from zerosum.errors import InputError

BLOCK = {"table": 4096, "grid": 512, "cloud": 512}
NUMBERS = 2**22  # of the events of one block, at most
BEYOND = 0.02  # how far beyond the known conditions counts as within, as a fraction of their range


class Drawer(ABC):
    """Draws events in blocks; a subclass turns latents and conditions into physical values.

    Attributes:
        kind: The kind of events.
        features: Names and units of the features.
        condition_features: Names and units of the conditions.
        known_conditions: Conditions of real events, shape (M, K), from which conditions are drawn where none are given.
        facts: What is known of the model: the run's seed and steps, and the attributes of the events it was trained on.
    """

    kind: Kind
    features: tuple[Feature, ...]
    condition_features: tuple[Feature, ...]
    known_conditions: FloatArray | None
    facts: dict[str, Any]

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of one event."""

    @property
    @abstractmethod
    def latents(self) -> int:
        """L, the dimensions of the prior."""

    @abstractmethod
    def generate(
        self, latent: FloatArray, conditions: FloatArray | None
    ) -> tuple[FloatArray, BoolArray | None]:
        """Values in physical units from latents (N, L), float32, and conditions (N, K) in theirs.

        Returns:
            The values (N, *event), and of clouds which points exist, (N, M).
        """

    @property
    def attributes(self) -> dict[str, Any]:
        """Facts about the whole sample, such as the calorimeter."""
        return dict(self.facts.get("attributes", {}))

    @property
    def block(self) -> int:
        """Events that are computed together; fewer where an event has thousands of numbers."""
        numbers = math.prod(self.shape)
        return max(64, min(BLOCK[self.kind], NUMBERS // numbers))

    def sample(
        self, n: int, *, where: Mapping[str, float] | None = None, seed: int = 0, force: bool = False
    ) -> Events:
        """Draw n events.

        Args:
            n: How many.
            where: Fixed values of conditions, in their units; the others are drawn as in the data.
            seed: The same seed gives the same events.
            force: Draw even where a condition is outside the range that the model was trained on.
        """
        return Events.joined(list(self.stream(n, where=where, seed=seed, force=force)))

    def stream(
        self,
        n: int,
        *,
        where: Mapping[str, float] | None = None,
        seed: int = 0,
        force: bool = False,
        blocks: range | None = None,
    ) -> Iterator[Events]:
        """Draw n events in blocks, in constant memory, or some of the blocks; other arguments as for `sample`."""
        self.check(n, where, force=force)
        for number in self.blocks(n) if blocks is None else blocks:
            yield self.piece(number, n, where=where, seed=seed, force=True)

    def blocks(self, n: int) -> range:
        """The numbers of the blocks in which n events are drawn."""
        return range(-(-n // self.block))

    def check(self, n: int, where: Mapping[str, float] | None = None, *, force: bool = False) -> None:
        """Refuse what cannot be drawn; arguments as for `sample`."""
        if n < 1:
            raise InputError(f"{n} events were asked for; ask for at least 1.")
        self._fixed(where or {}, force)

    def piece(
        self,
        number: int,
        n: int,
        *,
        where: Mapping[str, float] | None = None,
        seed: int = 0,
        force: bool = False,
    ) -> Events:
        """Block `number` of n events, the last one cut; the other arguments as for `sample`."""
        events = self._block(number, seed, self._fixed(where or {}, force))
        return events.take(slice(min(self.block, n - number * self.block)))

    def preview(self, n: int, *, seed: int = 0) -> Events:
        """Draw a few events quickly: one block of n events only, which are not those of `sample`."""
        return self._block(0, seed, {}, n)

    def _fixed(self, where: Mapping[str, float], force: bool) -> dict[int, float]:
        names = [feature.name for feature in self.condition_features]
        if unknown := [name for name in where if name not in names]:
            raise InputError(absent(unknown, names, "conditions in the model"))
        fixed = {names.index(name): float(number) for name, number in where.items()}
        if self.known_conditions is not None and not force:
            check_within(fixed, self.known_conditions, self.condition_features)
        return fixed

    def _block(self, number: int, seed: int, fixed: dict[int, float], size: int | None = None) -> Events:
        block = size or self.block
        rng = np.random.default_rng([seed, number])
        latent = rng.standard_normal((block, self.latents), dtype=np.float32)
        given = None
        if self.known_conditions is not None:
            given = self.known_conditions[rng.integers(len(self.known_conditions), size=block)]
            for column, number_given in fixed.items():
                given[:, column] = number_given
        values, mask = self.generate(latent, given)
        return Events(
            values,
            self.features,
            kind=self.kind,
            conditions=given,
            condition_features=self.condition_features,
            mask=mask,
            source=f"zerosum model, seed {seed}",
            attributes=self.attributes,
        )


def check_within(fixed: Mapping[int, float], known: FloatArray, features: Sequence[Feature]) -> None:
    """Refuse conditions outside the range of those that a model was trained on.

    Args:
        fixed: Values by the number of the condition.
        known: Conditions of training events, shape (M, K).
        features: Names and units of the K conditions.
    """
    for column, value in fixed.items():
        low, high = float(known[:, column].min()), float(known[:, column].max())
        edges = low - BEYOND * (high - low), high + BEYOND * (high - low)
        if low > 0:  # over orders of magnitude, a fraction of the logarithm
            edges = max(edges[0], low * (low / high) ** BEYOND), edges[1]
        if not edges[0] <= value <= edges[1]:
            name, unit = features[column].name, features[column].unit
            raise InputError(
                f"{name}={value:g} is outside the range that the model was trained on, {low:g} to {high:g} "
                f"{unit}".rstrip()
                + "; choose a value within it, or extrapolate with --force (force=True)."
            )
