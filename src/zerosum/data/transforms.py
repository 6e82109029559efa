"""From physical units to standard ones and back: one chain of steps for each feature, chosen from the data.

See `zerosum.data.rules` for the choice and `zerosum.data.steps` for the steps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Self

import numpy.typing as npt
import torch
from torch import Tensor

from zerosum.data.chain import Chain
from zerosum.data.columns import values_of
from zerosum.data.events import Events, Feature, Kind
from zerosum.data.rules import channel_chain, condition_chain, feature_chain, voxel_chain
from zerosum.data.selection import check_trainable
from zerosum.data.steps import Affine
from zerosum.data.voxels import layers_of

Numbers = npt.NDArray[Any] | Tensor


@dataclass(frozen=True)
class Preprocessor:
    """Physical events to standard ones (mean 0, standard deviation about 1) and back.

    Attributes:
        kind: The events' kind.
        features: Names and units of the features.
        chains: One chain for each feature.
        condition_features: Names and units of the conditions.
        condition_chains: One chain for each condition.
        seed: Seeds the de-quantisation where no generator is given.
    """

    kind: Kind
    features: tuple[Feature, ...]
    chains: tuple[Chain, ...]
    condition_features: tuple[Feature, ...] = ()
    condition_chains: tuple[Chain, ...] = ()
    seed: int = 0

    @classmethod
    def fit(cls, events: Events, seed: int = 0, *, density: bool = False, own: bool = False) -> Self:
        """Choose the chains by looking at the events.

        Args:
            events: The events.
            seed: Seeds the choice of the events that are looked at, and the de-quantisation.
            density: Whether a density will be fitted to the standardised events: grey levels are then de-quantised,
                and the voxels of showers are as other columns.
            own: Whether the networks are the user's own: images with many empty pixels are then as other images.

        Raises:
            InputError: Where the events cannot be trained on (see `check_trainable`).
        """
        check_trainable(events)
        choose: Callable[[npt.NDArray[Any], int], Chain] = (
            partial(channel_chain, density=density) if events.kind == "grid" else feature_chain
        )
        conditions = () if events.conditions is None else events.conditions.T
        voxels = not density and not (own and events.kind == "grid") and layers_of(events)
        return cls(
            events.kind,
            events.features,
            (voxel_chain(events.values, seed),) * len(events.features)
            if voxels
            else tuple(choose(values, seed) for values in values_of(events)),
            events.condition_features,
            tuple(condition_chain(values, seed) for values in conditions),
            seed,
        )

    @property
    def axis(self) -> int:
        """Along which axis of the values the features lie."""
        return 1 if self.kind == "grid" else -1

    def standard(self, events: Events) -> Tensor:
        """Standard events, float32, as networks take them: the features along axis 1.

        Of a cloud, (N, 1 + F, M): row 0 says which of the places hold a point, the entries follow.
        """
        values = self.forward(events.values, mask=events.mask)
        if events.mask is None:
            return values
        exists = torch.from_numpy(events.mask).to(values.dtype).unsqueeze(1)
        return torch.cat([exists, values.transpose(1, 2)], dim=1)

    def physical(self, standard: Tensor) -> tuple[Tensor, Tensor | None]:
        """Physical values, float64, in the events' shape, and of a cloud which points exist, (N, M)."""
        if self.kind != "cloud":
            return self.inverse(standard), None
        exists = standard[:, 0] > 0.5
        return self.inverse(standard[:, 1:].transpose(1, 2), mask=exists), exists

    def forward(
        self, values: Numbers, generator: torch.Generator | None = None, mask: Numbers | None = None
    ) -> Tensor:
        """Standard values, float32, of physical ones (N, *event); padded points of a cloud become 0."""
        generator = self._generator(generator)
        x = torch.as_tensor(values).to(torch.float64)
        shift, scale, rest = self._scales
        standard = (x - self._along_axis(shift, x)) / self._along_axis(scale, x)
        for i in rest:
            standard.select(self.axis, i).copy_(self.chains[i].forward(x.select(self.axis, i), generator))
        return _masked(standard, mask).to(torch.float32)

    def inverse(self, standard: Tensor, mask: Numbers | None = None) -> Tensor:
        """Physical values, float64, of standard ones (N, *event); padded points of a cloud become 0."""
        if len(set(self.chains)) == 1:  # of voxels, of images: all at once
            return _masked(self.chains[0].inverse(torch.as_tensor(standard).to(torch.float64)), mask)
        pairs = zip(self.chains, self._parts(standard), strict=True)
        return _masked(torch.stack([chain.inverse(part) for chain, part in pairs], self.axis), mask)

    def log_jacobian(
        self, values: Numbers, generator: torch.Generator | None = None, mask: Numbers | None = None
    ) -> Tensor:
        """ln|det dy/dx| of each event, shape (N,), float64, at the y that `forward` gives with this generator."""
        generator = self._generator(generator)
        pairs = zip(self.chains, self._parts(values), strict=True)
        parts = [chain.log_jacobian(part, generator) for chain, part in pairs]
        return _masked(torch.stack(parts, self.axis), mask).flatten(1).sum(1)

    def forward_conditions(self, conditions: Numbers) -> Tensor:
        """Standard conditions, float32, of physical ones (N, K)."""
        columns = torch.as_tensor(conditions, dtype=torch.float64).unbind(-1)
        pairs = zip(self.condition_chains, columns, strict=True)
        parts = [chain.forward(part, self._generator(None)) for chain, part in pairs]
        return torch.stack(parts, -1).to(torch.float32)

    def describe(self) -> list[str]:
        """One line for each feature and condition: what is done to it."""
        named = [*zip(self.features, self.chains, strict=True)]
        named += zip(self.condition_features, self.condition_chains, strict=True)
        return [f"{feature.name}: {chain}" for feature, chain in named]

    def state(self) -> dict[str, Any]:
        """All that is needed to make the preprocessor again, as plain JSON."""
        return {
            "kind": self.kind,
            "seed": self.seed,
            "features": _states(self.features, self.chains),
            "conditions": _states(self.condition_features, self.condition_chains),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The preprocessor of a state."""

        def parts(key: str) -> tuple[tuple[Feature, ...], tuple[Chain, ...]]:
            rows = state[key]
            features = tuple(Feature(row["name"], row["unit"]) for row in rows)
            return features, tuple(Chain.from_state(row["steps"]) for row in rows)

        return cls(state["kind"], *parts("features"), *parts("conditions"), seed=state["seed"])

    @cached_property
    def _scales(self) -> tuple[Tensor, Tensor, tuple[int, ...]]:
        """Shift and scale of the features that are only standardised, 0 and 1 of the rest; the numbers of the rest."""
        alone = [chain.steps[0] if len(chain.steps) == 1 else None for chain in self.chains]
        plain = [step if isinstance(step, Affine) else None for step in alone]
        return (
            torch.tensor([0.0 if step is None else step.shift for step in plain], dtype=torch.float64),
            torch.tensor([1.0 if step is None else step.scale for step in plain], dtype=torch.float64),
            tuple(i for i, step in enumerate(plain) if step is None),
        )

    def _along_axis(self, numbers: Tensor, x: Tensor) -> Tensor:
        """One number a feature, in the shape that goes with events."""
        return numbers.to(x.device).reshape(-1, *[1] * (x.dim() - 2 if self.axis == 1 else 0))

    def _parts(self, values: Numbers) -> tuple[Tensor, ...]:
        return torch.as_tensor(values).to(torch.float64).unbind(self.axis)

    def _generator(self, generator: torch.Generator | None) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed) if generator is None else generator


def _masked(values: Tensor, mask: Numbers | None) -> Tensor:
    if mask is None:
        return values
    exists = torch.as_tensor(mask, dtype=torch.bool, device=values.device).unsqueeze(-1)
    return torch.where(exists, values, values.new_zeros(()))


def _states(features: tuple[Feature, ...], chains: tuple[Chain, ...]) -> list[dict[str, Any]]:
    return [
        {"name": feature.name, "unit": feature.unit, "steps": chain.state()}
        for feature, chain in zip(features, chains, strict=True)
    ]
