"""The game and its players: read this first.

The generator draws x = G(z) from a latent prior; the discriminator D(x) says how probable it is that x came from the
data. They play

    min_G max_D V(D, G),    V(D, G) = E_data[ln D(x)] + E_prior[ln(1 - D(G(z)))],

whose equilibrium is p_g = p_data with V = -ln 4 (Goodfellow et al. 2014, arXiv:1406.2661, eq. 1 and theorem 1).

A *game* is a tuple of players. A *player* has a name, parameters, a loss and a number of updates in each step; the loop
(training/loop.py) knows nothing else. A likelihood model is a game with one player.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from zerosum.game.lens import Lens
from zerosum.game.objectives import Objective
from zerosum.game.packing import pack
from zerosum.game.penalties import Penalty, Scored, with_gradient


@dataclass(frozen=True)
class Batch:
    """What a player is given for one update.

    Attributes:
        seen: Real events as the discriminator sees them (`Lens.view`), shape (B, ...).
        conditions: Their standardised conditions, shape (B, K), or None.
        latent: Draws from the prior, shape (B, L).
        gamma: The strength of the penalty now.
        random: Where further random numbers come from.
        joint: Whether a loss shall be differentiable by all players' parameters, not only by its own player's.
    """

    seen: Tensor
    conditions: Tensor | None
    latent: Tensor
    gamma: float
    random: torch.Generator
    joint: bool = False


Losses = dict[str, Tensor]


@dataclass(frozen=True)
class Player:
    """One who updates its own parameters to lower its own loss.

    Attributes:
        name: The name in the history, such as "generator".
        module: Whose parameters are updated.
        loss: From a batch to named parts; "loss" is what is minimised, the rest is logged.
        updates: Updates in each step of the game.
    """

    name: str
    module: nn.Module
    loss: Callable[[Batch], Losses]
    updates: int = 1


Game = tuple[Player, ...]


def adversarial_game(
    generator: nn.Module,
    discriminator: nn.Module,
    *,
    lens: Lens,
    objective: Objective,
    penalty: Penalty | None,
    discriminator_updates: int = 1,
    packing: int = 1,
) -> Game:
    """The discriminator and the generator, in the order in which they move.

    Args:
        generator: G, from latents (B, L) and conditions (B, K) to the game's space.
        discriminator: D, from what the lens shows (B, ...) and conditions (B, K) to logits (B,); packed with packing.
        lens: The space of the game.
        objective: The two losses.
        penalty: What keeps the discriminator's gradient small, or None.
        discriminator_updates: How often the discriminator moves for each move of the generator.
        packing: How many events the discriminator judges together.
    """

    def fake(batch: Batch) -> Tensor:
        return pack(
            lens.view(lens.project(generator(batch.latent, batch.conditions)), batch.conditions), packing
        )

    def given(batch: Batch) -> Tensor | None:
        return None if batch.conditions is None else pack(batch.conditions, packing)

    def discriminator_loss(batch: Batch) -> Losses:
        with torch.set_grad_enabled(batch.joint):
            events = torch.cat([pack(batch.seen, packing), fake(batch)])
        given_once = given(batch)
        conditions = None if given_once is None else torch.cat([given_once, given_once])
        if penalty is None or batch.gamma == 0:
            return {"loss": objective.discriminator(*discriminator(events, conditions).chunk(2)).mean()}
        if penalty.at_events:
            logits, gradient = with_gradient(discriminator, events, conditions)
        else:
            logits, gradient = discriminator(events, conditions), events.new_empty(0)
        cost = penalty(Scored(discriminator, events, given_once, gradient, batch.random))
        loss = objective.discriminator(*logits.chunk(2)).mean()
        return {"loss": loss + batch.gamma * cost, "penalty": cost}

    def generator_loss(batch: Batch) -> Losses:
        conditions = given(batch)
        with torch.set_grad_enabled(batch.joint):
            real = discriminator(pack(batch.seen, packing), conditions)
        unreal = discriminator(fake(batch), conditions)
        return {"loss": objective.generator(real, unreal).mean()}

    return (
        Player("discriminator", discriminator, discriminator_loss, discriminator_updates),
        Player("generator", generator, generator_loss),
    )
