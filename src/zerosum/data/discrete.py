"""Steps for what is not continuous: whole numbers, levels, spikes, empty cells.

`Integers`, `Levels` and `Spike` draw random numbers in `forward`; `inverse` takes them off again exactly. They spread a
value x with the probability P(x) over an interval of length V in y, and their log-Jacobian is ln V, so that for every
density p of y, by Jensen's inequality,

    E[ln p(y)] + ln V <= ln of the integral of p over the interval <= ln P_p(x),

with equality where p is flat there: what is maximised is a lower bound of the values' log-probability (Theis, van den
Oord and Bethge 2016, arXiv:1511.01844, section 3.1, where V = 1).
"""
# ruff: noqa: ARG002, D102  -- every step has the methods of Step, which are described there

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from zerosum.data.steps import Step, edges_below

MARGIN = 2.0**-8  # how near to the edge of its cell, in units of the cell, a de-quantised value may come
CELL = 1 - 2 * MARGIN  # the length of what is filled


@dataclass(frozen=True)
class Integers(Step):
    """y = x + u with u uniform in (0, 1), less a margin; x = floor(y)."""

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return x.round() + _uniform(x, generator)

    def inverse(self, y: Tensor) -> Tensor:
        return y.floor()

    def log_jacobian(self, x: Tensor) -> Tensor:
        return torch.full_like(x, math.log(CELL))

    def __str__(self) -> str:
        return "integers, de-quantised"


@dataclass(frozen=True)
class Levels(Step):
    """A few allowed values: y = (number of the nearest level) + u with u uniform in (0, 1), less a margin."""

    levels: tuple[float, ...]

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return _nearest(x, self.levels).to(x.dtype) + _uniform(x, generator)

    def inverse(self, y: Tensor) -> Tensor:
        levels = torch.tensor(self.levels, dtype=y.dtype, device=y.device)
        return levels[y.floor().clamp(0, len(self.levels) - 1).to(torch.int64)]

    def log_jacobian(self, x: Tensor) -> Tensor:
        return torch.full_like(x, math.log(CELL))

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

    On the way back everything in the interval and beyond becomes the value again, exactly.
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
        return torch.where(x == self.value, math.log(CELL * self.width), 0.0).to(x.dtype)

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


def _uniform(x: Tensor, generator: torch.Generator) -> Tensor:
    u = torch.rand(x.shape, generator=generator, dtype=x.dtype, device=generator.device).to(x.device)
    return MARGIN + CELL * u


def _nearest(x: Tensor, levels: Sequence[float]) -> Tensor:
    """The number of the level nearest to x."""
    middles = [0.5 * (a + b) for a, b in pairwise(levels)]
    return edges_below(x, torch.tensor(middles, dtype=x.dtype, device=x.device), touched=False)
