"""Everything that changes during a training, in one place, so that it can be written down and restored exactly."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from zerosum.errors import RunError, reason
from zerosum.game.players import Game, Losses, Player
from zerosum.training.adam import Adam, one_vector
from zerosum.training.checkpoint import Tensors
from zerosum.training.engine import Engine
from zerosum.training.sampler import Sampler


class Meter:
    """Means of the losses since the last record, summed on the device so that no step waits for it.

    Args:
        engine: Over whose processes they are averaged, whenever they are read or written down.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.sums: Tensors = {}
        self.counted = 0

    def add(self, name: str, losses: Losses) -> None:
        """Add the parts of one player's loss."""
        for part, number in losses.items():
            key = f"{part}_{name}"
            self.sums[key] = self.sums[key] + number.detach() if key in self.sums else number.detach()

    def settle(self) -> Tensors:
        """The sums, made the same in all processes."""
        if self.sums and self.engine.processes > 1:
            names = sorted(self.sums)
            averaged = self.engine.mean(torch.stack([self.sums[name] for name in names]))
            self.sums = dict(zip(names, averaged.unbind(), strict=True))
        return self.sums

    def read(self) -> dict[str, float]:
        """The means, and start again."""
        self.settle()
        means = {key: float(self.sums[key]) / self.counted for key in sorted(self.sums)}
        self.sums, self.counted = {}, 0
        return means


class Training:
    """The players, their optimisers, the averaged generator, the sampler and the step.

    Args:
        game: The players; the last one is the generator.
        sampler: Where batches come from.
        engine: Device, precision and processes.
        beta1: Adam's decay of the mean gradient.
    """

    def __init__(self, game: Game, sampler: Sampler, engine: Engine, beta1: float = 0.0) -> None:
        self.game, self.sampler, self.engine = game, sampler, engine
        self.step, self.gamma = 0, 0.0
        self.memory: Tensors = {}
        self.best: dict[str, Any] = {}
        self.meter = Meter(engine)
        self.parameters = {player.name: [*player.module.parameters()] for player in game}
        self.optimizers = {name: Adam(parameters, beta1) for name, parameters in self.parameters.items()}
        self._averaged: nn.Module = copy.deepcopy(game[-1].module).requires_grad_(False)
        self._mean_theta = one_vector(self._averaged.parameters())

    @property
    def averaged(self) -> nn.Module:
        """The generator with its parameters averaged over the last steps, and its present buffers."""
        for old, new in zip(self._averaged.buffers(), self.game[-1].module.buffers(), strict=True):
            old.copy_(new)
        return self._averaged

    def agree(self) -> None:
        """Start all processes from the first one's parameters, whatever their machines' arithmetic."""
        for theta in (*(optimizer.theta for optimizer in self.optimizers.values()), self._mean_theta):
            theta.copy_(self.engine.shared(theta))

    def set_rates(self, learning_rate: float, beta2: float) -> None:
        """The optimisers' rates for the next updates."""
        for optimizer in self.optimizers.values():
            optimizer.rate, optimizer.beta2 = learning_rate, beta2

    def losses(self, player: Player, *, joint: bool = False) -> Losses:
        """A player's losses on the next batch."""
        with self.engine.autocast():
            return player.loss(self.sampler.draw(self.gamma, joint=joint))

    def gradients(
        self, loss: Tensor, parameters: Sequence[nn.Parameter], *, graph: bool = False
    ) -> list[Tensor]:
        """The gradients of a loss by these parameters only."""
        return self.engine.gradients(loss, parameters, graph=graph)

    def update(self, name: str, gradients: list[Tensor]) -> None:
        """One update of a player's parameters."""
        self.optimizers[name].update(gradients)

    def gradient_norms(self) -> dict[str, float]:
        """|gradient| of each player's last update, where beta1 is 0; else of Adam's mean gradient."""
        means = {name: optimizer.state["mean"] for name, optimizer in self.optimizers.items()}
        return {f"gradient_{name}": float(mean.norm()) for name, mean in means.items() if mean.numel()}

    @torch.no_grad()
    def average(self, half_life: float) -> None:
        """Move the averaged generator towards the present one, by one step.

        Args:
            half_life: In steps; early in a training at most a tenth of the steps so far.
        """
        share = 1 - 0.5 ** (1 / min(half_life, self.step / 10))
        self._mean_theta.lerp_(self.optimizers[self.game[-1].name].theta, share)

    def tensors(self) -> Tensors:
        """All tensors of the state, by name."""
        found: Tensors = {"random": self.sampler.random.get_state()}
        found |= {f"meter.{key}": value for key, value in self.meter.settle().items()}
        found |= {f"memory.{key}": value for key, value in self.memory.items()}
        for player in self.game:
            found |= {f"{player.name}.{key}": value for key, value in player.module.state_dict().items()}
            moments = self.optimizers[player.name].state
            found |= {f"{player.name}.adam.{key}": value for key, value in moments.items()}
        return found | {f"averaged.{key}": value for key, value in self.averaged.state_dict().items()}

    def facts(self) -> dict[str, Any]:
        """All of the state that is no tensor."""
        return {
            "step": self.step,
            "drawn": self.sampler.drawn,
            "best": self.best,
            "counted": self.meter.counted,
        }

    def restore(self, tensors: Tensors, facts: dict[str, Any]) -> None:
        """Take over a state that `tensors` and `facts` gave.

        Raises:
            RunError: Where it is the state of another training.
        """
        try:
            self._restore(tensors, facts)
        except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise RunError(
                f"the checkpoint does not fit this training ({reason(error)}); resume with the version of "
                "zerosum that wrote it, or train again into a new folder."
            ) from None

    def _restore(self, tensors: Tensors, facts: dict[str, Any]) -> None:
        whole = {name: facts[name] for name in ("step", "drawn", "counted")}
        for name, number in whole.items():
            if type(number) is not int or not 0 <= number < 2**63:
                raise ValueError(f"{name} is {number!s:.40}")
        if not isinstance(facts["best"], dict):
            raise ValueError("best is no dictionary")
        self.step, self.best = whole["step"], facts["best"]
        self.sampler.drawn = whole["drawn"]
        self.sampler.random.set_state(tensors["random"])
        self.meter.counted = whole["counted"]
        device = self.sampler.seen.device
        self.meter.sums = _within(tensors, "meter.", device)
        self.memory = _within(tensors, "memory.", device)
        for player in self.game:
            player.module.load_state_dict(_under(tensors, player.name, player.module))
            optimizer = self.optimizers[player.name]
            moments = _within(tensors, f"{player.name}.adam.", device)
            if {k: (t.shape, t.dtype) for k, t in moments.items()} != {
                k: (t.shape, t.dtype) for k, t in optimizer.state.items()
            }:
                raise ValueError(f"the moments of the {player.name} have other shapes")
            optimizer.state = moments
        self._averaged.load_state_dict(_under(tensors, "averaged", self.averaged))


def _within(tensors: Tensors, prefix: str, device: torch.device) -> Tensors:
    found = {key: tensor for key, tensor in tensors.items() if key.startswith(prefix)}
    return {key.removeprefix(prefix): tensor.to(device) for key, tensor in found.items()}


def _under(tensors: Tensors, prefix: str, module: nn.Module) -> Tensors:
    return {key: tensors[f"{prefix}.{key}"] for key in module.state_dict()}
