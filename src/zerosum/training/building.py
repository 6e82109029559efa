"""The space of the game and the networks that play in it, from standardised events and a configuration."""

import math
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from zerosum.data.chain import Chain
from zerosum.data.discrete import Levels, Snap, Sparse
from zerosum.data.events import Events, FloatArray, IndexArray
from zerosum.data.jets import entries_of_particles
from zerosum.data.kinematics import pairs
from zerosum.data.steps import Affine, Angle
from zerosum.data.structure import Structure
from zerosum.data.transforms import Preprocessor
from zerosum.game.blueprint import Blueprint
from zerosum.game.drawn import Drawn
from zerosum.game.jets import JetSight
from zerosum.game.lattices import LATTICES, LatticeSight
from zerosum.game.lens import Lens, Sight
from zerosum.game.objectives import OBJECTIVES
from zerosum.game.penalties import PENALTIES
from zerosum.game.players import Game, adversarial_game
from zerosum.game.showers import SHOWERS
from zerosum.game.sight import PairSight
from zerosum.game.sums import Entry, Sum, Summed, Total, sums_of
from zerosum.game.voxels import VoxelSight
from zerosum.likelihood.games import MODELS
from zerosum.likelihood.player import likelihood_game
from zerosum.training.config import Config
from zerosum.training.sampler import Sampler

LOOKED_AT = 50_000  # events from which sums that are nearly fixed are found


def blueprint_of(
    config: Config,
    events: Events,
    preprocessor: Preprocessor,
    standard: Tensor,
    seen: tuple[str, ...],
    structure: Structure,
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
        signs=config.signs or 0,
        spectral=config.spectral,
        model=config.model,
        networks=config.networks,
        decoder=config.decoder,
    )
    if config.model != "gan":
        return _for_density(sized, preprocessor)
    if lattice := structure.lattice:
        latent = LATTICES.latents(sized.shape, sized.latent)
        spins = standardised(preprocessor.chains[0], *lattice.levels)
        return replace(sized, latent=latent, spins=spins, periodic=lattice.periodic)
    if cells := structure.cells:
        return replace(sized, latent=SHOWERS.latents((sum(cells),), sized.latent), cells=cells)
    return _for_game(sized, events, preprocessor)


def _for_density(sized: Blueprint, preprocessor: Preprocessor) -> Blueprint:
    edges, levels = [two_levels(chain) for chain in preprocessor.chains], 0
    if sized.decoder == "levels" and len(edges) == 1 and (cells := cells_of_levels(preprocessor.chains[0])):
        *edge, levels = cells
        edges = [(edge[0], edge[1])]
    return replace(
        sized,
        latent=MODELS[sized.model].latent(math.prod(sized.shape), sized.latent),
        low=tuple(low for low, _ in edges),
        high=tuple(high for _, high in edges),
        levels=levels,
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


def sight_of(
    events: Events,
    structure: Structure,
    preprocessor: Preprocessor,
    standard: Tensor,
    c: Tensor | None,
) -> Sight | None:
    """What the discriminator should see beside events like these, or in their place, if anything."""
    if structure.layers:
        return VoxelSight(structure.layers, standard, c)
    if lattice := structure.lattice:
        spins = standardised(preprocessor.chains[0], *lattice.levels)
        return LatticeSight(spins, lattice.periodic, standard, c)
    if events.kind == "cloud" and (entries := entries_of_particles(events)):
        eta, phi, pt = (preprocessor.chains[i] for i in entries)
        first, second, third = (1 + i for i in entries)
        return JetSight((first, second, third), (eta, phi, pt), standard, c)
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
    return standardised(chain, 0.0)[0]


def highest(chain: Chain, values: FloatArray) -> float | None:
    """The standardised value of the fullest cell of a sparse grid, whose logarithm makes far tails cheap; or None."""
    if not any(isinstance(step, Sparse) for step in chain.steps):
        return None
    return standardised(chain, float(values.max()))[0]


def two_levels(chain: Chain) -> tuple[float | None, float | None]:
    """The two standardised values of a channel that has no others (spins); None and None for any other."""
    found = [step.levels for step in chain.steps if isinstance(step, Snap) and len(step.levels) == 2]
    if not found:
        return None, None
    low, high = standardised(chain, *found[0])
    return low, high


def standardised(chain: Chain, *values: float) -> tuple[float, ...]:
    """These physical values as the game has them; of chains that draw nothing."""
    return tuple(chain.forward(torch.tensor(values, dtype=torch.float64), torch.Generator()).tolist())


def cells_of_levels(chain: Chain) -> tuple[float, float, int] | None:
    """The standardised outer edges of a channel's de-quantised levels, and how many there are; None for any other."""
    match chain.steps:
        case (Levels(levels=levels), Affine() as scale):
            low, high = scale.forward(torch.tensor([0.0, len(levels)]), torch.Generator()).tolist()
            return low, high, len(levels)
    return None
