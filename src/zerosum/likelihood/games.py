"""The models of maximum likelihood by name. To add one, write its module and one row of MODELS.

`generator_of` builds the generator of any blueprint, adversarial or not.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import nn

from zerosum.errors import InputError
from zerosum.game.blueprint import Blueprint
from zerosum.likelihood.decoders import decoder_of
from zerosum.likelihood.flow import Flow
from zerosum.likelihood.gaussian import Gaussian
from zerosum.likelihood.mixture import Mixture
from zerosum.likelihood.player import LikelihoodModel
from zerosum.likelihood.vae import build_vae


@dataclass(frozen=True)
class Pace:
    """How Adam moves over a training.

    Attributes:
        schedule: What leads from the first learning rate to the last, as the configuration names it.
        beta1: The decay of the mean gradient: momentum, which helps one player, and turns two in circles.
        beta2: The decay of the mean square of the gradient, at the start and at the end.
    """

    schedule: Literal["geometric", "cosine"]
    beta1: float
    beta2: tuple[float, float]


OF_THE_GAME = Pace("geometric", 0.0, (0.9, 0.99))


@dataclass(frozen=True)
class Row:
    """How a model is built and trained.

    Attributes:
        build: From a blueprint to the model.
        latent: From the numbers of an event and the chosen latent dimensions to the dimensions of the prior.
        kinds: The kinds of events that it is made for.
        sizes: Width and depth for a table; None where they are the networks' own.
        steps: How many steps it needs where that is known: 1 for a closed form.
        batch: Events in an update.
        learning_rate: Adam's, at the start and at the end.
        pace: Adam's other numbers.
        gamma: The weight of a VAE's KL term, at the start and at the end.
    """

    build: Callable[[Blueprint], LikelihoodModel]
    latent: Callable[[int, int], int]
    kinds: tuple[str, ...] = ("table",)
    sizes: tuple[int, int] | None = None
    steps: int | None = None
    batch: int = 256
    learning_rate: tuple[float, float] = (2e-3, 2e-5)
    pace: Pace = Pace("cosine", 0.9, (0.999, 0.999))
    gamma: tuple[float, float] = (1.0, 1.0)


def _vae(b: Blueprint) -> LikelihoodModel:
    return build_vae(
        b.kind,
        b.shape,
        b.conditions,
        code=b.latent - math.prod(b.shape),
        width=b.width,
        depth=b.depth,
        decoder=decoder_of(b),
    )


MODELS: dict[str, Row] = {
    "gaussian": Row(
        lambda b: Gaussian(b.shape, b.conditions), lambda numbers, _: numbers, ("table", "grid"), (1, 1), 1
    ),
    "mixture": Row(
        lambda b: Mixture(b.shape[0], b.conditions, b.width), lambda numbers, _: numbers + 1, sizes=(32, 1)
    ),
    "flow": Row(
        lambda b: Flow(b.shape[0], b.conditions, b.width, b.depth), lambda numbers, _: numbers, sizes=(64, 4)
    ),
    "vae": Row(_vae, lambda numbers, latent: latent + numbers, ("table", "grid")),
}


def row_for(model: str, kind: str) -> Row:
    """The row of a model that serves this kind of events, or the reason why none does."""
    row = MODELS[model]
    if kind not in row.kinds:
        able = [name for name, other in MODELS.items() if kind in other.kinds]
        raise InputError(
            f"the model {model} is for a {' or '.join(row.kinds)}, not for a {kind}; "
            f"choose {', '.join(['gan', *able])}."
        )
    return row


def generator_of(blueprint: Blueprint) -> nn.Module:
    """G of any model, from latents (N, L) and conditions (N, K) to the game's space."""
    if blueprint.model == "gan":
        return blueprint.generator()
    return row_for(blueprint.model, blueprint.kind).build(blueprint)
