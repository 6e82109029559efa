"""Invertible maps of one feature: small frozen objects that a `Chain` (chain.py) puts one after the other.

Each step has `forward(x, generator)`, `inverse(y)`, `log_jacobian(x)` = ln|dy/dx| and `state()`, on float64 tensors of
any shape. `inverse` is made of operations that ONNX has.
"""

# ruff: noqa: ARG002, D102  -- every step has the methods of Step, which are described there

import math
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

NEAREST = 2.0**-40  # how near to an edge, in units of the range, a value may come


class Step(ABC):
    """An increasing map of the real line, or of a part of it."""

    @abstractmethod
    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """From physical to standard values."""

    @abstractmethod
    def inverse(self, y: Tensor) -> Tensor:
        """From standard to physical values."""

    @abstractmethod
    def log_jacobian(self, x: Tensor) -> Tensor:
        """ln|dy/dx|, shape like x."""

    def state(self) -> dict[str, Any]:
        """All that is needed to make the step again, as plain JSON."""
        return {"step": type(self).__name__.lower(), **asdict(self)}  # type: ignore[call-overload]


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
class Angle(Step):
    """y = x, which goes round: the inverse wraps any y into [low, low + period)."""

    low: float = -math.pi
    period: float = 2 * math.pi

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return x

    def inverse(self, y: Tensor) -> Tensor:
        return self.low + torch.remainder(y - self.low, self.period)

    def log_jacobian(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)

    def __str__(self) -> str:
        return f"angle from {self.low:.3g} to {self.low + self.period:.3g}"


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
class Between(Step):
    """A map of u = (x - low) / (high - low) in (0, 1): no value passes either edge."""

    low: float
    high: float

    def _fraction(self, x: Tensor) -> Tensor:
        return ((x - self.low) / (self.high - self.low)).clamp(NEAREST, 1 - NEAREST)

    def _value(self, fraction: Tensor) -> Tensor:
        return self.low + (self.high - self.low) * fraction.clamp(NEAREST, 1 - NEAREST)


@dataclass(frozen=True)
class Probit(Between):
    """y = Φ⁻¹(u), u = (x - low) / (high - low): a uniform feature becomes normal."""

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        y: Tensor = torch.special.ndtri(self._fraction(x))
        return y

    def inverse(self, y: Tensor) -> Tensor:
        return self._value(0.5 + 0.5 * torch.erf(y * math.sqrt(0.5)))

    def log_jacobian(self, x: Tensor) -> Tensor:
        y: Tensor = torch.special.ndtri(self._fraction(x))
        return 0.5 * y**2 + 0.5 * math.log(2 * math.pi) - math.log(self.high - self.low)

    def __str__(self) -> str:
        return f"probit, edges at {self.low:g} and {self.high:g}"


@dataclass(frozen=True)
class Logit(Between):
    """y = ln(u / (1 - u)), u = (x - low) / (high - low): for features that pile up at both edges."""

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        u = self._fraction(x)
        return u.log() - (-u).log1p()

    def inverse(self, y: Tensor) -> Tensor:
        return self._value(torch.sigmoid(y))

    def log_jacobian(self, x: Tensor) -> Tensor:
        u = self._fraction(x)
        return -u.log() - (-u).log1p() - math.log(self.high - self.low)

    def __str__(self) -> str:
        return f"logit, edges at {self.low:g} and {self.high:g}"


def edges_below(x: Tensor, edges: Tensor, *, touched: bool) -> Tensor:
    """How many of the ascending edges are below x, or at it where `touched`; in an exported graph by comparisons."""
    if torch.compiler.is_exporting():
        one = x.unsqueeze(-1)
        return (one >= edges if touched else one > edges).sum(-1)
    return torch.bucketize(x.detach().contiguous(), edges, right=touched)


@dataclass(frozen=True)
class Warp(Step):
    """Piecewise linear through the knots (x_k, y_k), with straight tails: quantiles onto those of a normal."""

    x: tuple[float, ...]
    y: tuple[float, ...]

    def __post_init__(self) -> None:
        _ = self._tables  # made now, and not while a graph is traced

    @cached_property
    def _tables(self) -> tuple[Tensor, Tensor, Tensor]:
        """The knots x and y, and the slopes from each to the next."""
        x, y = (torch.tensor(knots, dtype=torch.float64) for knots in (self.x, self.y))
        return x, y, y.diff() / x.diff()

    def _at(self, value: Tensor, axis: int) -> tuple[Tensor, ...]:
        """The knot (x, y) before each value on an axis, 0 or 1, and the slope there."""
        tables = tuple(table.to(value) for table in self._tables)
        k = edges_below(value, tables[axis][1:-1], touched=True)
        return tuple(table[k] for table in tables)

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        x0, y0, slope = self._at(x, 0)
        return y0 + (x - x0) * slope

    def inverse(self, y: Tensor) -> Tensor:
        x0, y0, slope = self._at(y, 1)
        return x0 + (y - y0) / slope

    def log_jacobian(self, x: Tensor) -> Tensor:
        return self._at(x, 0)[2].log()

    def __str__(self) -> str:
        return f"quantiles to a normal ({len(self.x)} knots)"
