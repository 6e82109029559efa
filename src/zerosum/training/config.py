"""The configuration of a run: every choice, with its default and its unit. Unknown keys are errors."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from zerosum.data.events import Events
from zerosum.data.structure import Structure, structure_of
from zerosum.errors import InputError, reason
from zerosum.game.dynamics import DYNAMICS
from zerosum.game.lattices import LATTICES
from zerosum.game.networks import family_for
from zerosum.game.objectives import OBJECTIVES
from zerosum.game.own import own_family
from zerosum.game.packing import PACKED
from zerosum.game.penalties import PENALTIES
from zerosum.game.showers import SHOWERS
from zerosum.likelihood.games import OF_THE_GAME, row_for

Positive = Annotated[int, Field(gt=0)]
Rate = Annotated[float, Field(gt=0, le=1)]


BEFORE: dict[str, Any] = {  # what runs did that do not say
    "schedule": "cosine",
    "signs": 0,
    "beta1": 0.0,
    "decoder": "normal",
}


class Config(BaseModel):
    """What `zerosum train` does. A pair (start, end) is a schedule over the steps (schedule.py)."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    data: str | None = Field(None, description="the file of events; none where they came from Python")
    columns: tuple[str, ...] | None = Field(
        None, description="the features to generate; none means all columns"
    )
    condition: tuple[str, ...] = Field((), description="columns that are given, not generated")
    weight: str | None = Field(None, description="the column of event weights")
    image: int | None = Field(None, ge=8, le=64, description="side of the images made from point clouds")
    stream: bool | None = Field(
        None, description="whether batches are read from the file; none means where it has more than 1 GiB"
    )
    geometry: str | None = Field(
        None, description="the calorimeter of showers: a built-in one, a .xml binning or a .yaml file"
    )
    observable: tuple[str, ...] = Field(
        (), description="name=expression: further inputs of the judging critics"
    )

    model: Literal["gan", "gaussian", "mixture", "flow", "vae"] = Field(
        "gan", description="the adversarial game, or a model of maximum likelihood"
    )
    seed: int = Field(
        0, ge=0, description="the seed of the split, the networks, the order of events and the latents"
    )
    steps: Positive = Field(
        30_000,
        description="steps of the game: one update of each player; images play 15,000 if nothing else is asked for",
    )
    batch: int | None = Field(None, gt=0, description="real events, and as many fake ones, in each update")

    latent: int | None = Field(None, gt=0, description="dimensions of the latent prior N(0, 1)")
    signs: int | None = Field(
        None,
        ge=0,
        description="latents whose sign the generator also sees, so that it can jump between modes",
    )
    width: int | None = Field(
        None, gt=0, description="units (tables) or channels (grids) of a layer; components of a mixture"
    )
    depth: int | None = Field(None, gt=0, description="hidden layers; transforms of a flow")

    decoder: Literal["levels", "normal", "fixed"] = Field(
        "levels",
        description="of a VAE: levels for grids of grey levels, normal elsewhere; always normal, with learned standard "
        "deviations; or normal with fixed ones. Grids of two values have probabilities",
    )

    network: str | None = Field(
        None, description="networks of your own: MODULE:FAMILY, a zerosum.game.networks.Family"
    )
    generator: str | None = Field(
        None, description="or the class of your own generator, MODULE:CLASS, with that of the discriminator"
    )
    discriminator: str | None = Field(None, description="the class of your own discriminator, MODULE:CLASS")

    objective: str = Field("relativistic", description="what the players minimise: " + ", ".join(OBJECTIVES))
    penalty: str = Field(
        "r1r2", description="penalty on the discriminator's gradient: " + ", ".join(PENALTIES)
    )
    gamma: tuple[float, float] | None = Field(
        None, description="strength of the penalty, for standardised inputs; of a VAE's KL term"
    )
    spectral: bool = Field(
        False, description="divide the discriminator's weights by their largest singular value"
    )
    packing: int = Field(1, gt=0, le=10, description="events that the discriminator judges together")
    dynamics: str = Field("alternating", description="how the players move: " + ", ".join(DYNAMICS))
    learning_rate: tuple[Rate, Rate] | None = Field(None, description="Adam's learning rate, both players")
    schedule: Literal["geometric", "cosine"] | None = Field(
        None,
        description="what follows a half cosine from the start to the end of learning_rate and gamma: their logarithms "
        "(geometric) or they themselves",
    )
    beta1: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="Adam's first-moment decay; none means 0 in the game, 0.9 for a likelihood",
    )
    beta2: tuple[Rate, Rate] | None = Field(None, description="Adam's second-moment decay")
    ema_half_life: float = Field(
        0.01, gt=0, le=1, description="half-life of the averaged generator, fraction of steps"
    )
    discriminator_updates: Positive = Field(1, description="updates of the discriminator in each step")

    log_every: Positive = Field(100, description="steps between records of history.jsonl")
    checkpoint_every: Positive = Field(1_000, description="steps between checkpoints")
    keep: Positive = Field(2, description="checkpoints kept, the newest ones")
    judgements: int = Field(8, ge=0, description="how often the validation split judges the generator")

    patience: int | None = Field(
        None,
        gt=0,
        description="stop after as many judgements without improvement beyond their error; none plays all steps, "
        "because the schedules, and most of the improvement, come to their end with the steps",
    )

    device: str = Field("auto", description="auto, cpu, cuda, mps: as lightning-fabric names them")
    precision: str = Field("32-true", description="32-true, bf16-mixed, ...: as lightning-fabric names them")
    devices: Positive = Field(
        1, description="devices (on a CPU, processes) of each node that share every batch"
    )
    nodes: Positive = Field(1, description="machines that share every batch")
    threads: Positive = Field(1, description="CPU threads; small networks gain nothing from more than one")

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        for key, given, table in (
            ("objective", self.objective, OBJECTIVES),
            ("penalty", self.penalty, PENALTIES),
            ("dynamics", self.dynamics, DYNAMICS),
        ):
            if given not in table:
                raise ValueError(f"{key} is {given!r}; choose one of {', '.join(table)}")
        if bool(self.generator) != bool(self.discriminator) or (self.network and self.generator):
            raise ValueError("give network (one family), or generator and discriminator (two classes)")
        if self.networks and self.model != "gan":
            raise ValueError(
                f"networks of your own play the game; the model {self.model} has its own networks"
            )
        if self.gamma and min(self.gamma) < 0:
            raise ValueError(f"gamma is {self.gamma}; it cannot be negative")
        if self.batch and self.batch % self.packing:
            raise ValueError(f"batch is {self.batch}; it must be a multiple of packing, {self.packing}")
        if self.patience is not None and self.patience >= self.judgements:
            raise ValueError(
                f"patience is {self.patience} with {self.judgements} judgements, which would never stop a training; "
                "give more judgements than patience"
            )
        if self.batch and self.batch % (self.packing * self.processes):
            raise ValueError(
                f"batch is {self.batch}; it must be a multiple of packing x devices x nodes, "
                f"{self.packing * self.processes}, so that every process takes the same share"
            )
        if self.processes > 1 and self.dynamics == "consensus":
            raise ValueError(
                "consensus dynamics differentiate the averaged gradient itself, which one process cannot; with "
                "several devices choose another of " + ", ".join(DYNAMICS)
            )
        if self.discriminator_updates > 1 and self.dynamics != "alternating":
            raise ValueError(
                f"discriminator_updates is {self.discriminator_updates} with {self.dynamics} dynamics, where all "
                "players move at once; only alternating dynamics can give one player more updates"
            )
        return self

    @classmethod
    def of_run(cls, path: str | Path) -> Self:
        """The configuration that a run wrote, perhaps in an earlier version, which had no other choice for some."""
        return cls.of(BEFORE | cls.read(path))

    @property
    def networks(self) -> tuple[str, ...]:
        """The user's own networks by name: of a family, or of the generator and the discriminator; or none."""
        return tuple(name for name in (self.network, self.generator, self.discriminator) if name)

    def structure(self, events: Events) -> Structure:
        """What the networks know of these events: nothing outside a game or if they are the user's own.

        Lattices are judged one by one.
        """
        if self.model != "gan" or self.networks:
            return Structure()
        return structure_of(events, lattices=self.packing == 1)

    @property
    def processes(self) -> int:
        """The processes that share every batch, one for each device."""
        return self.devices * self.nodes

    @classmethod
    def of(cls, choices: dict[str, Any]) -> Self:
        """A configuration from a dictionary; the first wrong key or value is named in one sentence."""
        try:
            return cls(**choices)
        except ValidationError as error:
            raise InputError(_sentence(error, cls)) from None

    @classmethod
    def read(cls, path: str | Path) -> dict[str, Any]:
        """The choices written in a YAML file, not yet checked."""
        try:
            choices = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InputError(
                f"the configuration {path} cannot be read ({reason(error)}); give a YAML file."
            ) from None
        if choices is None:
            return {}
        if not isinstance(choices, dict):
            raise InputError(
                f"the configuration {path} is not a list of 'key: value' lines; write it as such."
            )
        return choices

    def resolved(self, events: Events) -> Self:
        """The configuration with every open choice made by looking at the events."""
        structure = self.structure(events)
        if self.networks:
            family = own_family(self.networks, events.kind)
        elif structure.layers:
            family = SHOWERS
        elif structure.lattice:
            family = LATTICES
        else:
            family = family_for(events.kind, events.event_shape)
        if self.packing > 1 and events.kind not in PACKED:
            raise InputError(
                f"packing is {self.packing}; events of kind {events.kind} can only be judged one by one."
            )
        row = None if self.model == "gan" else row_for(self.model, events.kind)
        width, depth = (row and row.sizes) or (family.width, family.depth)
        numbers = {"table": len(events.features), "cloud": 16}.get(events.kind, 32)
        batch = min(self.batch or (row or family).batch, max(len(events) // 4, 1))
        share = self.packing * self.processes
        if batch < share:
            raise InputError(
                f"{len(events)} events make batches of {batch}, but packing x devices x nodes is {share}; make one "
                "of them smaller."
            )
        pace = row.pace if row else OF_THE_GAME
        many = numbers if row else max(16, 2 * numbers if events.kind == "table" else numbers)
        latent = self.latent or (None if row else family.latent) or many
        signs = 0 if row else min(family.signs, latent) if self.signs is None else self.signs
        if signs and (events.kind == "cloud" or family in (SHOWERS, LATTICES)):
            raise InputError(
                f"signs is {signs}; the generators of clouds, showers and lattices have latents of their own."
            )
        if signs > latent:
            raise InputError(f"signs is {signs}; it can be at most latent, {latent}.")
        chosen = {
            "latent": latent,
            "signs": signs,
            "width": self.width or width,
            "depth": self.depth or depth,
            "steps": (row and row.steps)
            or (self.steps if "steps" in self.model_fields_set else family.steps),
            "batch": batch // share * share,
            "learning_rate": self.learning_rate or (row or family).learning_rate,
            "schedule": self.schedule or pace.schedule,
            "beta1": pace.beta1 if self.beta1 is None else self.beta1,
            "beta2": self.beta2 or pace.beta2,
            "gamma": self.gamma or (row or family).gamma,
        }
        return self.model_copy(update=chosen)

    def to_yaml(self) -> str:
        """The configuration as YAML, with each key's meaning as a comment."""
        fields = type(self).model_fields
        lines = [
            f"{key}: {json.dumps(value)}  # {fields[key].description}"
            for key, value in self.model_dump(mode="json").items()
        ]
        return "\n".join(lines) + "\n"


def _sentence(error: ValidationError, model: type[BaseModel]) -> str:
    first = error.errors()[0]
    key = ".".join(map(str, first["loc"])) or "the configuration"
    if first["type"] == "extra_forbidden":
        return f"there is no option {key}; the options are {', '.join(model.model_fields)}."
    given = "" if not first["loc"] else f" (given: {first['input']!r})"
    reason = first["msg"].removeprefix("Value error, ")
    return f"{key}{given}: {reason[0].lower() + reason[1:]}." if first["loc"] else f"{reason}."
