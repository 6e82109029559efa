"""From events and a configuration to a training that is ready to play."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zerosum.data.blocks import Stream
from zerosum.data.events import Events, FloatArray
from zerosum.data.transforms import Preprocessor
from zerosum.errors import InputError
from zerosum.game.blueprint import Blueprint
from zerosum.game.given import SAMPLE
from zerosum.game.lens import Lens
from zerosum.game.objectives import calibrated, calibration, value, value_error
from zerosum.game.packing import pack
from zerosum.game.showers import ShowerGenerator
from zerosum.likelihood.player import LikelihoodModel
from zerosum.training.building import adversarial, blueprint_of, likelihood, sight_of, typical
from zerosum.training.config import Config
from zerosum.training.engine import Engine
from zerosum.training.history import Record
from zerosum.training.sampler import Sampler
from zerosum.training.state import Training
from zerosum.training.streaming import StreamSampler

WATCHED = 2048  # validation events that measure V at each record
CHUNK = 65_536


@dataclass(frozen=True)
class Setup:
    """A training with all that it was built from."""

    config: Config
    engine: Engine
    blueprint: Blueprint
    preprocessor: Preprocessor
    lens: Lens
    training: Training
    watched: Tensor
    watched_conditions: Tensor | None

    @property
    def discriminator(self) -> nn.Module:
        """The first player's network; in a game of one player, the model."""
        return self.training.game[0].module

    def value(self, training: Training) -> Record:
        """What watches the game, on validation events, in nats.

        V(D, G) and its standard error, with as many fresh fake events (of packs, where D judges packs), -ln 4 at
        equilibrium; or the mean ln p_g of standardised events, which is highest, and minus the data's entropy, where
        p_g is the data's distribution.
        """
        model = training.game[-1].module
        if isinstance(model, LikelihoodModel):
            with torch.no_grad():
                log_prob = model.quick_log_prob(self.watched, self.watched_conditions)
            return {"log_likelihood": float(log_prob.mean())}
        logits = calibrated(*self._logits(training))
        return {"value": float(value(*logits)), "value_error": float(value_error(*logits))}

    @torch.no_grad()
    def _logits(self, training: Training) -> tuple[Tensor, Tensor]:
        """The discriminator's logits of validation events and of as many fresh fake ones, on the CPU."""
        latent = torch.randn(
            len(self.watched), self.blueprint.latent, generator=torch.Generator().manual_seed(1)
        )
        conditions, m = self.watched_conditions, self.config.packing
        generator = training.game[-1].module
        fake = self.lens.view(
            self.lens.project(generator(latent.to(self.engine.device), conditions)), conditions
        )
        given = None if conditions is None else pack(conditions, m)
        with judging(self.discriminator):
            real_logits = self.discriminator(pack(self.watched, m), given)
            return real_logits.cpu(), self.discriminator(pack(fake, m), given).cpu()

    @torch.no_grad()
    def field(self, points: FloatArray) -> FloatArray:
        """D(x) in [0, 1] at these points of a table, shape (N,): the probability that x came from the data.

        The logit is read out as in `calibrated_value`, because not every objective makes sigma(c) a probability.

        Args:
            points: In physical units, shape (N, F).
        """
        scale, shift = calibration(*self._logits(self.training))
        standard = self.preprocessor.forward(points).to(self.engine.device)
        with judging(self.discriminator):
            logits = self.discriminator(self.lens.view(self.lens.embed(standard)), None)
        return np.asarray(torch.sigmoid(scale * logits.double() + shift).cpu().numpy())


@contextlib.contextmanager
def judging(module: nn.Module) -> Iterator[None]:
    """A network that is looked at, and is not to notice it (power iterations go on only in training)."""
    module.eval()
    try:
        yield
    finally:
        module.train()


def prepare(
    config: Config, train: Events, validation: Events, engine: Engine, stream: Stream | None = None
) -> Setup:
    """Fit the transforms, build the networks from the seed, and put the events on the device.

    Args:
        config: A resolved configuration.
        train: The events that the game is played on.
        validation: The events that measure V.
        engine: The device.
        stream: The file from which batches are read, where `train` is only a part of it.
    """
    preprocessor = Preprocessor.fit(
        train, seed=config.seed, density=config.model != "gan", own=bool(config.networks)
    )
    standard = in_chunks(preprocessor, train)
    c = given(train, preprocessor)
    structure = config.structure(train)
    plain = config.model != "gan" or (config.networks and train.kind == "cloud")
    sight = None if plain else sight_of(train, structure, preprocessor, standard, c)
    seen = sight.seen if sight else ()
    blueprint = blueprint_of(config, train, preprocessor, standard, seen, structure)
    lens = blueprint.lens(sight).to(engine.device)

    def shown(events: Tensor, conditions: Tensor | None) -> tuple[Tensor, Tensor | None]:
        on_device = None if conditions is None else conditions.to(engine.device)
        return look(lens, events, conditions, engine), on_device

    size: dict[str, Any] = {
        "batch": config.batch or 1,
        "latent": blueprint.latent,
        "seed": config.seed,
        "part": (engine.rank, engine.processes),
    }
    real, moved = shown(standard, c)
    if stream is None:
        sampler = Sampler(real, moved, sampling_weights(train, engine), **size)
    else:
        sampler = StreamSampler(
            stream,
            lambda part: shown(preprocessor.standard(part), given(part, preprocessor)),
            real,
            moved,
            **size,
        )
    torch.manual_seed(config.seed)
    build = adversarial if config.model == "gan" else likelihood
    game = build(config, blueprint, lens, sampler, train)
    learned = game[-1].module
    if isinstance(learned, ShowerGenerator):
        some = typical(train, config.seed)[:SAMPLE]
        learned.initialise(lens.embed(standard[some]), None if c is None else c[some])
    watched = validation.take(slice(min(WATCHED, len(validation)) // config.packing * config.packing))
    return Setup(
        config,
        engine,
        blueprint,
        preprocessor,
        lens,
        Training(game, sampler, engine, config.beta1 or 0.0),
        look(lens, preprocessor.standard(watched), given(watched, preprocessor), engine),
        None
        if watched.conditions is None
        else preprocessor.forward_conditions(watched.conditions).to(engine.device),
    )


@torch.no_grad()
def look(lens: Lens, events: Tensor, c: Tensor | None, engine: Engine) -> Tensor:
    """What the discriminator sees of standardised events, on the device, in chunks."""
    starts = range(0, len(events), CHUNK)
    parts = [
        (events[i : i + CHUNK], None if c is None else c[i : i + CHUNK].to(engine.device)) for i in starts
    ]
    return torch.cat([lens.view(lens.embed(part.to(engine.device)), some) for part, some in parts])


def given(events: Events, preprocessor: Preprocessor) -> Tensor | None:
    """The standardised conditions of events, if they have any."""
    return None if events.conditions is None else preprocessor.forward_conditions(events.conditions)


def in_chunks(preprocessor: Preprocessor, events: Events, chunk: int = 65_536) -> Tensor:
    """Standardised events in float32, transformed a chunk at a time."""
    edges = [*range(0, len(events), chunk), len(events)]
    return torch.cat([preprocessor.standard(events.take(slice(a, b))) for a, b in pairwise(edges)])


def sampling_weights(events: Events, engine: Engine) -> Tensor | None:
    """The weights with which events are drawn, which must be positive; None where there are none."""
    if events.weights is None:
        return None
    if negative := int(np.sum(events.weights < 0)):
        raise InputError(
            f"{negative} of {len(events)} event weights are negative; the game draws events with probabilities "
            "proportional to their weights: train on events with positive weights, and give all to compare."
        )
    return torch.from_numpy(events.weights.astype(np.float32)).to(engine.device)
