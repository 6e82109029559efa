"""The saved artefact: a generator with everything that turns latents into events in physical units.

A model is a folder of model.safetensors and model.json; loading it executes nothing (but for networks of the user's
own, which must be named again).
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load, save
from torch import nn

from zerosum.data.discrete import Sparse
from zerosum.data.events import BoolArray, Events, Feature, FloatArray, Kind
from zerosum.data.files import replace_folder
from zerosum.data.notebook import table
from zerosum.data.transforms import Preprocessor
from zerosum.drawer import BLOCK, Drawer
from zerosum.errors import InputError, RunError, reason
from zerosum.game.blueprint import Blueprint
from zerosum.likelihood.games import generator_of
from zerosum.likelihood.player import LikelihoodModel

FORMAT = 1
SHOWN = 8  # features that a notebook names
LARGEST = 2**26  # of the numbers in an event, of latents, of conditions


@dataclass
class Model(Drawer):
    """A generator in physical units.

    Attributes:
        blueprint: The sizes of the networks and the space of the game.
        preprocessor: Between physical units and standardised events.
        generator: G, in evaluation mode.
        kind: The kind of events.
        features: Names and units of the features.
        condition_features: Names and units of the conditions.
        known_conditions: Conditions of real events, shape (M, K), from which conditions are drawn where none are given.
        facts: What is known of the model: the run's seed, steps, certificate.

    Examples:
        >>> import numpy as np
        >>> import zerosum
        >>> from zerosum.workflow import Run
        >>> events = zerosum.Events.table(np.random.default_rng(0).normal(size=(1000, 2)), names=["x", "y"])
        >>> run = Run.start(events, "run", {"model": "gaussian", "steps": 20, "log_every": 10})
        >>> for record in run.play():
        ...     pass
        >>> model = Model.load("run/model")
        >>> model.sample(1000, seed=1).names
        ['x', 'y']
        >>> model.log_prob(events).shape
        (1000,)
    """

    blueprint: Blueprint
    preprocessor: Preprocessor
    generator: nn.Module
    kind: Kind
    features: tuple[Feature, ...]
    condition_features: tuple[Feature, ...] = ()
    known_conditions: FloatArray | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.generator.requires_grad_(False).eval()
        self.lens = self.blueprint.lens()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one event."""
        return self.blueprint.shape

    @property
    def latents(self) -> int:
        """L, the dimensions of the prior."""
        return self.blueprint.latent

    @torch.no_grad()
    def generate(
        self, latent: FloatArray, conditions: FloatArray | None
    ) -> tuple[FloatArray, BoolArray | None]:
        """Values, and of clouds which points exist; see `Drawer.generate`."""
        given = None
        if conditions is not None:
            given = self.preprocessor.forward_conditions(conditions).to(self.device)
        game = self.lens.project(self.generator(torch.from_numpy(latent).to(self.device), given))
        try:
            values, mask = self.preprocessor.physical(self.lens.decode(game).cpu())
        except IndexError:  # a level of nan
            raise RunError(
                "the generator gave values that are no numbers: its files are damaged or its training diverged; "
                "train again."
            ) from None
        return values.numpy(), None if mask is None else mask.numpy()

    @torch.no_grad()
    def log_prob(self, events: Events) -> npt.NDArray[np.float64]:
        """The density of each event, ln p_g in nats, shape (N,), in physical units.

        The Jacobian of the transforms is included, so that models can be compared. Of a VAE it is the
        importance-weighted lower bound; where the transforms de-quantise (whole numbers, levels, spikes), a lower
        bound, on average, of the logarithm of these values' probability; for a grid of two values under a VAE, the
        logarithm of the event's probability.

        Raises:
            InputError: Where there is no density: the adversarial game, or images with empty cells.
        """
        model = self.generator
        if not isinstance(model, LikelihoodModel):
            raise InputError(
                "a generator of the adversarial game draws events but has no density; for a likelihood, train with "
                "--model gaussian, mixture, flow or vae."
            )
        if any(isinstance(step, Sparse) for chain in self.preprocessor.chains for step in chain.steps):
            raise InputError(
                "images with many empty cells have no density; compare samples of them, with zerosum compare."
            )
        names, given = [feature.name for feature in self.features], [f.name for f in self.condition_features]
        events = events.given(given).select(names)
        blocks = range(0, len(events), BLOCK[self.kind])
        return np.concatenate(
            [self._log_prob(model, events.take(slice(i, i + BLOCK[self.kind]))) for i in blocks]
        )

    def _log_prob(self, model: LikelihoodModel, events: Events) -> npt.NDArray[np.float64]:
        standard = self.preprocessor.forward(events.values).to(self.device)
        given = None
        if events.conditions is not None and self.condition_features:
            given = self.preprocessor.forward_conditions(events.conditions).to(self.device)
        found = model.log_prob(standard, given).cpu().double()
        return (found if model.counts else found + self.preprocessor.log_jacobian(events.values)).numpy()

    def _repr_html_(self) -> str:
        """For notebooks."""
        numbers = sum(weight.numel() for weight in self.generator.parameters())
        labels = [feature.label for feature in self.features]
        given = ", ".join(feature.label for feature in self.condition_features) or "nothing"
        facts = [(key, str(self.facts[key])) for key in ("step", "seed") if key in self.facts]
        rows = [
            ("events", f"{self.kind} of shape {self.shape}"),
            ("features", ", ".join(labels[:SHOWN] + ["..."] * (len(labels) > SHOWN))),
            ("given", given),
            ("latents", f"{self.latents:,}"),
            ("parameters", f"{numbers:,}"),
            *facts,
        ]
        transforms = "; ".join(self.preprocessor.describe()[:SHOWN])
        notes = (f"transforms: {transforms}", "draw events with sample(n, seed=1)")
        return table(f"Generator ({self.blueprint.model})", (), rows, notes)

    @property
    def device(self) -> torch.device:
        """Where the generator is."""
        first: torch.Tensor = next(iter(self.generator.state_dict().values()))
        return first.device

    def to(self, device: str | torch.device) -> Self:
        """Move the generator to a device."""
        self.generator.to(device)
        self.lens.to(device)
        return self

    def save(self, folder: str | Path) -> None:
        """Write model.safetensors and model.json into a folder, at once or not at all.

        Raises:
            RunError: Where it cannot be written; a model that was there before is kept.
        """
        try:
            replace_folder(Path(folder), self._write)
        except OSError as error:
            raise RunError(
                f"the model {folder} cannot be written ({error.strerror}); make room and try again."
            ) from error

    def _write(self, folder: Path) -> None:
        tensors = {
            f"generator.{key}": value.cpu().contiguous() for key, value in self.generator.state_dict().items()
        }
        if self.known_conditions is not None:
            tensors["known_conditions"] = torch.from_numpy(
                np.ascontiguousarray(self.known_conditions, dtype=np.float64)
            )
        (folder / "model.safetensors").write_bytes(save(tensors))
        (folder / "model.json").write_text(json.dumps(self._description(), indent=1) + "\n", encoding="utf-8")

    def _description(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "kind": self.kind,
            "features": [[feature.name, feature.unit] for feature in self.features],
            "conditions": [[feature.name, feature.unit] for feature in self.condition_features],
            "blueprint": self.blueprint.to_json(),
            "preprocessor": self.preprocessor.state(),
            "facts": self.facts,
        }

    @classmethod
    def load(cls, folder: str | Path, networks: Sequence[str] = ()) -> Self:
        """Read a model that `save` wrote.

        Args:
            folder: The model's folder.
            networks: The user's own networks that the model was trained with, as MODULE:NAME. Importing them executes
                their code, so a model that has some is refused unless they are named here.
        """
        folder = Path(folder)
        try:
            description = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            tensors = load((folder / "model.safetensors").read_bytes())
            if description["format"] > FORMAT:
                raise InputError(
                    f"{folder} was written by a later version of zerosum; update zerosum to read it."
                )
            blueprint = Blueprint.from_json(description["blueprint"], networks, str(folder))
            check_size(blueprint, tensors)
            generator = generator_of(blueprint)
            prefix = "generator."
            weights = {
                key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)
            }
            generator.load_state_dict(weights)
            known = tensors.get("known_conditions")
            model = cls(
                blueprint,
                Preprocessor.from_state(description["preprocessor"]),
                generator,
                description["kind"],
                tuple(Feature(*feature) for feature in description["features"]),
                tuple(Feature(*feature) for feature in description["conditions"]),
                None if known is None else known.numpy(),
                description["facts"],
            )
            check_whole(model)
            return model
        except InputError:
            raise
        except Exception as error:  # a damaged or hostile file may fail anywhere in here
            raise InputError(
                f"{folder} holds no readable model ({reason(error)}); give a run that zerosum train wrote."
            ) from None


def check_size(blueprint: Blueprint, tensors: Mapping[str, torch.Tensor]) -> None:
    """Refuse a description of networks far larger than the weights beside it, before memory is asked for."""
    largest = max((side for tensor in tensors.values() for side in tensor.shape), default=0)
    sizes = {
        "width": (blueprint.width, max(1024, 16 * largest)),
        "depth": (blueprint.depth, 16 + len(tensors)),
        "latent": (blueprint.latent, LARGEST),
        "conditions": (blueprint.conditions, LARGEST),
        "shape": (math.prod(blueprint.shape), LARGEST),
    }
    for name, (size, most) in sizes.items():
        if type(size) is not int or not 0 <= size <= most:
            raise ValueError(f"{name} is {size!s:.40}")


def check_whole(model: Drawer) -> None:
    """Refuse a model whose parts do not fit: one event is generated.

    Raises:
        ValueError: Or whatever else a hostile description brings about.
    """
    names = [feature.name for feature in (*model.features, *model.condition_features)]
    whole = isinstance(model.facts, dict) and isinstance(model.attributes, dict)
    if not whole or not all(isinstance(name, str) for name in names):
        raise ValueError("its description is damaged")
    known = model.known_conditions
    if known is not None and (
        known.ndim != 2 or not len(known) or known.dtype != np.float64 or not np.isfinite(known).all()
    ):
        raise ValueError("its conditions are damaged")
    if (0 if known is None else known.shape[1]) != len(model.condition_features):
        raise ValueError("its conditions have no names")
    latent = np.zeros((1, model.latents), np.float32)
    values, mask = model.generate(latent, None if known is None else known[:1])
    if not np.isfinite(values).all():
        raise ValueError("it generates numbers that are not finite")
    Events(
        values,
        model.features,
        kind=model.kind,
        conditions=None if known is None else known[:1],
        condition_features=model.condition_features,
        mask=mask,
    )
