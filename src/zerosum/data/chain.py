"""Steps one after the other: the whole transform of one feature."""

from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from zerosum.data.discrete import Integers, Levels, Snap, Sparse, Spike
from zerosum.data.steps import Affine, Angle, Log, Logit, Probit, Step, Warp

STEPS: dict[str, type[Step]] = {
    kind.__name__.lower(): kind
    for kind in (Affine, Angle, Log, Probit, Logit, Warp, Integers, Levels, Snap, Spike, Sparse)
}


@dataclass(frozen=True)
class Chain:
    """Steps, applied from the first to the last."""

    steps: tuple[Step, ...]

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """From physical to standard values."""
        for step in self.steps:
            x = step.forward(x, generator)
        return x

    def inverse(self, y: Tensor) -> Tensor:
        """From standard to physical values."""
        for step in reversed(self.steps):
            y = step.inverse(y)
        return y

    def log_jacobian(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """ln|dy/dx| at the y that `forward` gives with the same generator."""
        total = torch.zeros_like(x)
        for step in self.steps:
            total = total + step.log_jacobian(x)
            x = step.forward(x, generator)
        return total

    def state(self) -> list[dict[str, Any]]:
        """The steps' states."""
        return [step.state() for step in self.steps]

    @classmethod
    def from_state(cls, state: list[dict[str, Any]]) -> Self:
        """The chain of a state."""
        return cls(tuple(_step(one) for one in state))

    def __str__(self) -> str:
        spoken = [str(step) for step in self.steps if not isinstance(step, Affine)]
        return "; ".join(spoken) or "standardised"


def _step(state: dict[str, Any]) -> Step:
    """The step of a state; JSON's lists become tuples."""
    parts = {key: tuple(value) if isinstance(value, list) else value for key, value in state.items()}
    return STEPS[str(parts.pop("step"))](**parts)
