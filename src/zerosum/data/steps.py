"""Invertible maps of one feature: small frozen objects that a `Chain` puts one after the other.

Each step has `forward(x, generator)`, `inverse(y)`, `log_jacobian(x)` = ln|dy/dx| and `state()`, on float64 tensors of
any shape. Only `Levels`, `Integers` and `Spike` draw random numbers. `inverse` is made of operations that ONNX has.
"""

# ruff: noqa: ARG002, D102  -- every step has the methods of Step, which are described there

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

NEAREST = 2.0**-40  # how near to an edge, in units of the range, a value may come
MARGIN = 2.0**-8  # how near to the edge of its cell, in units of the cell, a de-quantised value may come


class Step:
    """An increasing map of the real line, or of a part of it."""

    registry: ClassVar[dict[str, type["Step"]]] = {}

    def __init_subclass__(cls) -> None:
        cls.registry[cls.__name__.lower()] = cls

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """From physical to standard values."""
        raise NotImplementedError

    def inverse(self, y: Tensor) -> Tensor:
        """From standard to physical values."""
        raise NotImplementedError

    def log_jacobian(self, x: Tensor) -> Tensor:
        """ln|dy/dx|, shape like x."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """All that is needed to make the step again, as plain JSON."""
        return {"step": type(self).__name__.lower(), **asdict(self)}  # type: ignore[call-overload]

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Step":
        """The step of a state."""
        parts = {key: tuple(value) if isinstance(value, list) else value for key, value in state.items()}
        return cls.registry[str(parts.pop("step"))](**parts)


@dataclass(frozen=True)
class Affine(Step):
    """y = (x - shift) / scale."""

    shift: float = 0.0
    scale: float = 1.0

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return (x - self.shift) / self.scale

    def inverse(self, y: Tensor) -> Tensor:
        return y * self.scale + self.shift

    def log_jacobian(self, x: Tensor) -> Tensor:
        return torch.full_like(x, -math.log(self.scale))

    def __str__(self) -> str:
        return "standardised"


@dataclass(frozen=True)
class Log(Step):
    """y = ±ln(±(x - edge) + offset): no value passes the edge; side is +1 above it, -1 below it."""

    edge: float = 0.0
    offset: float = 0.0
    side: int = 1

    def _distance(self, x: Tensor) -> Tensor:
        return ((x - self.edge) * self.side).clamp_min(0.0) + self.offset

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return self.side * self._distance(x).clamp_min(1e-300).log()

    def inverse(self, y: Tensor) -> Tensor:
        return self.edge + self.side * ((self.side * y).exp() - self.offset).clamp_min(0.0)

    def log_jacobian(self, x: Tensor) -> Tensor:
        return -self._distance(x).clamp_min(1e-300).log()

    def __str__(self) -> str:
        return f"log, edge at {self.edge:g}"


@dataclass(frozen=True)
class Probit(Step):
    """y = Φ⁻¹((x - low) / (high - low)): a uniform feature becomes normal, and no value passes either edge."""

    low: float
    high: float

    def _fraction(self, x: Tensor) -> Tensor:
        return ((x - self.low) / (self.high - self.low)).clamp(NEAREST, 1 - NEAREST)

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        y: Tensor = torch.special.ndtri(self._fraction(x))
        return y

    def inverse(self, y: Tensor) -> Tensor:
        fraction = 0.5 + 0.5 * torch.erf(y * math.sqrt(0.5))
        return self.low + (self.high - self.low) * fraction.clamp(NEAREST, 1 - NEAREST)

    def log_jacobian(self, x: Tensor) -> Tensor:
        y: Tensor = torch.special.ndtri(self._fraction(x))
        return 0.5 * y**2 + 0.5 * math.log(2 * math.pi) - math.log(self.high - self.low)

    def __str__(self) -> str:
        return f"probit, edges at {self.low:g} and {self.high:g}"


@dataclass(frozen=True)
class Logit(Step):
    """y = ln(u / (1 - u)), u = (x - low) / (high - low): for features that pile up at both edges."""

    low: float
    high: float

    def _fraction(self, x: Tensor) -> Tensor:
        return ((x - self.low) / (self.high - self.low)).clamp(NEAREST, 1 - NEAREST)

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        u = self._fraction(x)
        return u.log() - (-u).log1p()

    def inverse(self, y: Tensor) -> Tensor:
        return self.low + (self.high - self.low) * torch.sigmoid(y).clamp(NEAREST, 1 - NEAREST)

    def log_jacobian(self, x: Tensor) -> Tensor:
        u = self._fraction(x)
        return -u.log() - (-u).log1p() - math.log(self.high - self.low)

    def __str__(self) -> str:
        return f"logit, edges at {self.low:g} and {self.high:g}"


@dataclass(frozen=True)
class Warp(Step):
    """Piecewise linear through the knots (x_k, y_k), with straight tails: quantiles onto those of a normal."""

    x: tuple[float, ...]
    y: tuple[float, ...]

    def _segment(self, value: Tensor, knots: Sequence[float]) -> Tensor:
        inner = torch.tensor(knots[1:-1], dtype=value.dtype, device=value.device)
        return (value.unsqueeze(-1) >= inner).sum(-1)

    def _slopes(self) -> list[float]:
        return [(self.y[k + 1] - self.y[k]) / (self.x[k + 1] - self.x[k]) for k in range(len(self.x) - 1)]

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        k, table = self._segment(x, self.x), x.new_tensor
        return table(self.y)[k] + (x - table(self.x)[k]) * table(self._slopes())[k]

    def inverse(self, y: Tensor) -> Tensor:
        k = self._segment(y, self.y)
        x0, y0, slope = (
            torch.tensor(knots, dtype=y.dtype, device=y.device)[k]
            for knots in (self.x, self.y, self._slopes())
        )
        return x0 + (y - y0) / slope

    def log_jacobian(self, x: Tensor) -> Tensor:
        return x.new_tensor(self._slopes())[self._segment(x, self.x)].log()

    def __str__(self) -> str:
        return f"quantiles to a normal ({len(self.x)} knots)"


@dataclass(frozen=True)
class Integers(Step):
    """y = x + u with u uniform in (0, 1); x = floor(y). The density of y is the probability of x."""

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return x.round() + _uniform(x, generator)

    def inverse(self, y: Tensor) -> Tensor:
        return y.floor()

    def log_jacobian(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)

    def __str__(self) -> str:
        return "integers, de-quantised"


@dataclass(frozen=True)
class Levels(Step):
    """A few allowed values: y = (number of the nearest level) + u with u uniform in (0, 1)."""

    levels: tuple[float, ...]

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return _nearest(x, self.levels).to(x.dtype) + _uniform(x, generator)

    def inverse(self, y: Tensor) -> Tensor:
        levels = torch.tensor(self.levels, dtype=y.dtype, device=y.device)
        return levels[y.floor().clamp(0, len(self.levels) - 1).to(torch.int64)]

    def log_jacobian(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)

    def __str__(self) -> str:
        return f"{len(self.levels)} levels, de-quantised"


@dataclass(frozen=True)
class Snap(Step):
    """y = x; the inverse is the nearest level (spins, grey values), so that no value in between comes out."""

    levels: tuple[float, ...]

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return x

    def inverse(self, y: Tensor) -> Tensor:
        return torch.tensor(self.levels, dtype=y.dtype, device=y.device)[_nearest(y, self.levels)]

    def log_jacobian(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)

    def __str__(self) -> str:
        return f"{len(self.levels)} levels, rounded"


@dataclass(frozen=True)
class Spike(Step):
    """A value that many events share, at an end of the rest: it is spread over an interval beyond that end.

    On the way back everything in the interval and beyond becomes the value again, exactly. The logarithm of the
    Jacobian at the spike has ln(width), so that the density there is the spike's probability.
    """

    value: float
    width: float
    side: int = -1

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        spread = self.value + self.side * self.width * _uniform(x, generator)
        return torch.where(x == self.value, spread, x)

    def inverse(self, y: Tensor) -> Tensor:
        return y.clamp_min(self.value) if self.side < 0 else y.clamp_max(self.value)

    def log_jacobian(self, x: Tensor) -> Tensor:
        return torch.where(x == self.value, math.log(self.width), 0.0).to(x.dtype)

    def __str__(self) -> str:
        return f"spike at {self.value:g}"


@dataclass(frozen=True)
class Sparse(Step):
    """y = ln(1 + x/unit) for x > 0 and y = -gap for x = 0: images with many empty cells.

    Everything at y <= 0 comes back as exactly 0. Zeros have no density; their log-Jacobian is 0.
    """

    unit: float
    gap: float

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return torch.where(x > 0, (x / self.unit).clamp_min(0.0).log1p(), -self.gap)

    def inverse(self, y: Tensor) -> Tensor:
        return self.unit * torch.expm1(y.clamp_min(0.0))

    def log_jacobian(self, x: Tensor) -> Tensor:
        return torch.where(x > 0, -(self.unit + x.clamp_min(0.0)).log(), 0.0)

    def __str__(self) -> str:
        return "sparse, log of the filled cells"


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
        return cls(tuple(Step.from_state(one) for one in state))

    def __str__(self) -> str:
        spoken = [str(step) for step in self.steps if not isinstance(step, Affine)]
        return "; ".join(spoken) or "standardised"


def _uniform(x: Tensor, generator: torch.Generator) -> Tensor:
    u = torch.rand(x.shape, generator=generator, dtype=x.dtype, device=generator.device).to(x.device)
    return MARGIN + (1 - 2 * MARGIN) * u


def _nearest(x: Tensor, levels: Sequence[float]) -> Tensor:
    """The number of the level nearest to x."""
    middles = [0.5 * (a + b) for a, b in pairwise(levels)]
    return (x.unsqueeze(-1) > torch.tensor(middles, dtype=x.dtype, device=x.device)).sum(-1)
