"""From events and a configuration to a training that is ready to play."""

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zerosum.data.blocks import Stream
from zerosum.data.chain import Chain
from zerosum.data.discrete import Snap, Sparse
from zerosum.data.events import Events, FloatArray, IndexArray
from zerosum.data.kinematics import pairs
from zerosum.data.steps import Affine, Angle
from zerosum.data.transforms import Preprocessor
from zerosum.data.voxels import cells_of, geometry_of
from zerosum.errors import InputError
from zerosum.game.blueprint import Blueprint
from zerosum.game.drawn import Drawn
from zerosum.game.given import SAMPLE
from zerosum.game.lens import Lens, Sight
from zerosum.game.objectives import OBJECTIVES, calibrated, calibration, value, value_error
from zerosum.game.packing import pack
from zerosum.game.penalties import PENALTIES
from zerosum.game.players import Game, adversarial_game
from zerosum.game.showers import SHOWERS, ShowerGenerator
from zerosum.game.sight import PairSight
from zerosum.game.sums import Entry, Sum, Summed, Total, sums_of
from zerosum.game.voxels import VoxelSight
from zerosum.likelihood.games import MODELS
from zerosum.likelihood.player import LikelihoodModel, likelihood_game
from zerosum.training.config import Config
from zerosum.training.engine import Engine
from zerosum.training.history import Record
from zerosum.training.sampler import Sampler
from zerosum.training.state import Training
from zerosum.training.streaming import StreamSampler

LOOKED_AT = 50_000  # events from which sums that are nearly fixed are found
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
    preprocessor = Preprocessor.fit(train, seed=config.seed, density=config.model != "gan")
    standard = in_chunks(preprocessor, train)
    c = given(train, preprocessor)
    plain = config.model != "gan" or (
        config.networks and cells_of(train)
    )  # what only built-in networks understand
    sight = None if plain else sight_of(train, preprocessor, standard, c)
    blueprint = blueprint_of(config, train, preprocessor, standard, sight.seen if sight else ())
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
    seen, moved = shown(standard, c)
    if stream is None:
        sampler = Sampler(seen, moved, sampling_weights(train, engine), **size)
    else:
        sampler = StreamSampler(
            stream,
            lambda part: shown(preprocessor.standard(part), given(part, preprocessor)),
            seen,
            moved,
            **size,
        )
    torch.manual_seed(config.seed)
    build = adversarial if config.model == "gan" else likelihood
    game = build(config, blueprint, lens, sampler, train)
    learned = game[-1].module
    if isinstance(learned, ShowerGenerator):
        some = typical(train, config.seed)[:SAMPLE]
        learned.initialise(standard[some], None if c is None else c[some])
    watched = validation.take(slice(min(WATCHED, len(validation)) // config.packing * config.packing))
    return Setup(
        config,
        engine,
        blueprint,
        preprocessor,
        lens,
        Training(game, sampler, engine),
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


def blueprint_of(
    config: Config, events: Events, preprocessor: Preprocessor, standard: Tensor, seen: tuple[str, ...]
) -> Blueprint:
    """The networks' sizes and the space of the game; a density needs one dimension for each number of an event."""
    sized = Blueprint(
        kind=events.kind,
        shape=tuple(standard.shape[1:]),
        conditions=len(events.condition_features),
        latent=config.latent or 1,
        width=config.width or 1,
        depth=config.depth or 1,
        seen=seen,
        packing=config.packing,
        spectral=config.spectral,
        model=config.model,
        networks=config.networks,
    )
    if config.model != "gan":
        return _for_density(sized, preprocessor)
    if (cells := cells_of(events)) and not config.networks:
        return replace(sized, latent=SHOWERS.latents(sized.shape, sized.latent), cells=cells)
    return _for_game(sized, events, preprocessor)


def _for_density(sized: Blueprint, preprocessor: Preprocessor) -> Blueprint:
    levels = [two_levels(chain) for chain in preprocessor.chains]
    return replace(
        sized,
        latent=MODELS[sized.model].latent(math.prod(sized.shape), sized.latent),
        low=tuple(low for low, _ in levels),
        high=tuple(high for _, high in levels),
    )


def _for_game(sized: Blueprint, events: Events, preprocessor: Preprocessor) -> Blueprint:
    chains, cloud = preprocessor.chains, events.kind == "cloud"
    first = (None,) if cloud else ()  # row 0 of a cloud says which points exist
    framed = replace(
        sized,
        periods=tuple((len(first) + index, period) for index, period in periods(preprocessor)),
        low=first + tuple(lowest(chain) for chain in chains),
        high=first + tuple(highest(chain, events.values[:, i]) for i, chain in enumerate(chains)),
    )
    sums = () if events.kind == "table" else _sums(framed.lens(), preprocessor, events)
    summed = {one.entry.channel for one in sums if isinstance(one, Total)}
    latents = sized.family.latents(sized.shape, sized.latent)
    return replace(
        framed,
        sums=tuple(one.state() for one in sums),
        high=tuple(None if i in summed else edge for i, edge in enumerate(framed.high)),
        latent=latents + (Drawn.latents if sums else 0),
    )


def _sums(lens: Lens, preprocessor: Preprocessor, events: Events) -> tuple[Sum, ...]:
    """What events add up to, where that is nearly fixed; angles go round and add up to nothing."""
    first = int(lens.cloud)
    entries = {
        feature.name: Entry(lens.place(first + i), chain)
        for i, (feature, chain) in enumerate(zip(preprocessor.features, preprocessor.chains, strict=True))
        if first + i in lens.straight
    }
    return sums_of(in_channels(events.take(slice(LOOKED_AT)), lens), entries, cloud=lens.cloud)


def in_channels(events: Events, lens: Lens) -> Tensor:
    """Events in physical units, the straight channels as in the game, shape (N, C, ...), in double precision."""
    values = torch.from_numpy(np.asarray(events.values, dtype=np.float64))
    if events.mask is not None:
        exists = torch.from_numpy(events.mask).double().unsqueeze(1)
        values = torch.cat([exists, values.transpose(1, 2)], dim=1)
    return values[:, lens.straight]


def typical(events: Events, seed: int) -> IndexArray:
    """The indices of at most `LOOKED_AT` events; weighted ones as often as their weights say."""
    if events.weights is None:
        return np.arange(min(len(events), LOOKED_AT))
    share = events.weights / events.weights.sum()
    return np.random.default_rng(seed).choice(len(events), min(len(events), LOOKED_AT), p=share)


def adversarial(config: Config, blueprint: Blueprint, lens: Lens, sampler: Sampler, events: Events) -> Game:
    """The game of discriminator and generator."""
    device = sampler.seen.device
    generator, discriminator = blueprint.generator(), blueprint.discriminator().to(device)
    if isinstance(generator, Summed):
        some = typical(events, config.seed)
        given = None if sampler.conditions is None else sampler.conditions[some].cpu()
        generator.initialise(in_channels(events.take(some), lens), given, config.seed)
    generator.to(device)
    return adversarial_game(
        generator,
        discriminator,
        lens=lens,
        objective=OBJECTIVES[config.objective],
        penalty=PENALTIES[config.penalty],
        discriminator_updates=config.discriminator_updates,
        packing=config.packing,
    )


def likelihood(config: Config, blueprint: Blueprint, lens: Lens, sampler: Sampler, events: Events) -> Game:
    """The game of one player who raises its likelihood of the events."""
    del lens, events
    model = MODELS[blueprint.model].build(blueprint).to(sampler.seen.device)
    model.initialise(sampler.seen, sampler.conditions, sampler.weights, config.seed)
    return likelihood_game(model)


def sight_of(events: Events, preprocessor: Preprocessor, standard: Tensor, c: Tensor | None) -> Sight | None:
    """What the discriminator should see beside events like these, or in their place, if anything."""
    if cells_of(events) and (geometry := geometry_of(events)):
        return VoxelSight(geometry, standard, c)
    if events.kind != "table" or not pairs(events.names):
        return None
    return PairSight(events.names, preprocessor.inverse, standard[:100_000])


def periods(preprocessor: Preprocessor) -> tuple[tuple[int, float], ...]:
    """Index and period, in standardised units, of each angle among the features."""
    return tuple(
        (index, step.period / chain.steps[-1].scale)
        for index, chain in enumerate(preprocessor.chains)
        for step in chain.steps
        if isinstance(step, Angle) and isinstance(chain.steps[-1], Affine)
    )


def lowest(chain: Chain) -> float | None:
    """The standardised value of an empty cell, below which there is nothing; None where every value is possible."""
    if not any(isinstance(step, Sparse) for step in chain.steps):
        return None
    return float(chain.forward(torch.zeros(1, dtype=torch.float64), torch.Generator()))


def highest(chain: Chain, values: FloatArray) -> float | None:
    """The standardised value of the fullest cell of a sparse grid, whose logarithm makes far tails cheap; or None."""
    if not any(isinstance(step, Sparse) for step in chain.steps):
        return None
    return float(chain.forward(torch.tensor([float(values.max())], dtype=torch.float64), torch.Generator()))


def two_levels(chain: Chain) -> tuple[float | None, float | None]:
    """The two standardised values of a channel that has no others (spins); None and None for any other."""
    found = [step.levels for step in chain.steps if isinstance(step, Snap) and len(step.levels) == 2]
    if not found:
        return None, None
    low, high = chain.forward(torch.tensor(found[0], dtype=torch.float64), torch.Generator()).tolist()
    return low, high


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
