r"""Optimisers of games: at which parameters the players' gradients are taken, and how they move.

A game of players with losses L_i and parameters theta_i has the vector field

    v(theta) = (grad_{theta_1} L_1, grad_{theta_2} L_2, ...),

and an equilibrium is a zero of v, not a minimum. Following -v need not lead there: on the bilinear game
L_1 = -L_2 = theta_1 theta_2 the field turns around the equilibrium, simultaneous steps spiral outwards and alternating
ones circle for ever (Gidel et al. 2019, arXiv:1802.10551, proposition 1; Mescheder et al. 2018, arXiv:1801.04406).

An optimiser of games is an object with one method, `step`. What one player does with a gradient (Adam, in a run) is the
arena's business: with an update rule u, theta <- theta + u(gradient). To add one, write one class and one line of
`DYNAMICS`; its memory between steps goes into `arena.memory`, which checkpoints keep.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from zerosum.game.players import Game, Losses, Player

Gradients = list[Tensor]


class Arena(Protocol):
    """Where a step is played.

    Attributes:
        game: The players, in the order in which they move.
        parameters: Each player's parameters, by its name.
        memory: Tensors that a step leaves for the next one.
    """

    game: Game
    parameters: dict[str, list[nn.Parameter]]
    memory: dict[str, Tensor]

    def losses(self, player: Player, *, joint: bool = False) -> Losses:
        """A player's losses on a fresh batch; with `joint`, differentiable by the other players' parameters too."""

    def gradients(
        self, loss: Tensor, parameters: Sequence[nn.Parameter], *, graph: bool = False
    ) -> Gradients:
        """The gradient of a loss by these parameters, itself differentiable with `graph`."""

    def update(self, name: str, gradients: Gradients) -> None:
        """Move a player's parameters by its update rule."""


class Dynamics(Protocol):
    """An optimiser of games."""

    def step(self, arena: Arena) -> dict[str, Losses]:
        """One step of every player; the losses by the players' names, for the history."""


@dataclass(frozen=True)
class Alternating:
    """One player after the other, each against what the others have become; `Player.updates` times each."""

    def step(self, arena: Arena) -> dict[str, Losses]:
        """theta_i <- theta_i + u(grad_i L_i), i = 1, 2, ... in turn."""
        found = {}
        for player in arena.game:
            for _ in range(player.updates):
                losses = arena.losses(player)
                arena.update(player.name, arena.gradients(losses["loss"], arena.parameters[player.name]))
            found[player.name] = losses
        return found


@dataclass(frozen=True)
class Simultaneous:
    """All players at once, each against what the others were: theta <- theta + u(v(theta))."""

    def step(self, arena: Arena) -> dict[str, Losses]:
        """All gradients first, then all updates."""
        found, field = _field(arena)
        _move(arena, field)
        return found


@dataclass(frozen=True)
class Extragradient:
    """Look ahead, come back, and step with the gradient found there (Korpelevich 1976).

    theta' = theta + u(v(theta)),   theta <- theta + u(v(theta')),   with fresh batches for both and Adam's moments
    updated by both: algorithm 4 ("ExtraAdam") of Gidel et al. 2019, arXiv:1802.10551.
    """

    def step(self, arena: Arena) -> dict[str, Losses]:
        """Two evaluations of the field, one step."""
        before = _copies(arena)
        _move(arena, _field(arena)[1])
        found, field = _field(arena)
        for name, parameters in arena.parameters.items():
            _copy(parameters, before[name])
        _move(arena, field)
        return found


@dataclass(frozen=True)
class Optimistic:
    """Extrapolation from the past: one evaluation of the field in each step (Popov 1980).

    theta_{t+1} = theta_t + 2 u_t - u_{t-1}: algorithm 1 ("optimistic Adam") of Daskalakis et al. 2018,
    arXiv:1711.00141. The first step has no past and is u_0.
    """

    def step(self, arena: Arena) -> dict[str, Losses]:
        """The plain step u_t, and beyond it by u_t - u_{t-1}."""
        before = _copies(arena)
        found, field = _field(arena)
        _move(arena, field)
        with torch.no_grad():
            for name, parameters in arena.parameters.items():
                for i, (parameter, old) in enumerate(zip(parameters, before[name], strict=True)):
                    step = parameter - old
                    parameter.add_(step - arena.memory.get(f"{name}.{i}", step))
                    arena.memory[f"{name}.{i}"] = step
        return found


@dataclass(frozen=True)
class Consensus:
    """The players also agree to make the field small (Mescheder et al. 2017, arXiv:1705.10461, eq. 12).

    theta <- theta + u(v + strength grad_theta |v|^2 / 2). All of v depends on all parameters, so the losses are
    differentiated through the other player's moves.

    Attributes:
        strength: gamma in the paper, in units of 1/curvature.
    """

    strength: float = 0.1

    def step(self, arena: Arena) -> dict[str, Losses]:
        """All gradients, their squared norm, and its gradient."""
        found = {player.name: arena.losses(player, joint=True) for player in arena.game}
        field = {
            name: arena.gradients(losses["loss"], arena.parameters[name], graph=True)
            for name, losses in found.items()
        }
        half_norm2 = sum(g.square().sum() for gradients in field.values() for g in gradients) / 2
        assert isinstance(half_norm2, Tensor)
        everyone = [p for parameters in arena.parameters.values() for p in parameters]
        pull = iter(arena.gradients(half_norm2, everyone))
        _move(
            arena,
            {
                name: [g.detach() + self.strength * next(pull) for g in gradients]
                for name, gradients in field.items()
            },
        )
        return found


DYNAMICS: dict[str, Dynamics] = {
    "alternating": Alternating(),
    "simultaneous": Simultaneous(),
    "extragradient": Extragradient(),
    "optimistic": Optimistic(),
    "consensus": Consensus(),
}


def _field(arena: Arena) -> tuple[dict[str, Losses], dict[str, Gradients]]:
    """The losses and v at the present parameters."""
    found = {player.name: arena.losses(player) for player in arena.game}
    return found, {
        name: arena.gradients(losses["loss"], arena.parameters[name]) for name, losses in found.items()
    }


def _move(arena: Arena, field: dict[str, Gradients]) -> None:
    for name, gradients in field.items():
        arena.update(name, gradients)


def _copies(arena: Arena) -> dict[str, list[Tensor]]:
    return {name: [p.detach().clone() for p in parameters] for name, parameters in arena.parameters.items()}


@torch.no_grad()
def _copy(parameters: list[nn.Parameter], values: list[Tensor]) -> None:
    for parameter, value in zip(parameters, values, strict=True):
        parameter.copy_(value)
