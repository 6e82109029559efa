"""Two mixtures of normal distributions in the plane on which generators lose modes.

The definitions are those of PacGAN (arXiv:1712.04086): eight modes on a ring, and 25 on a square grid.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
import numpy.typing as npt

from zerosum.data.events import Events
from zerosum.data.simulators.source import stream_blocks

Array = npt.NDArray[np.float64]

RING_SIGMA = 0.01
GRID_SIGMA = 0.05


def ring_centres() -> Array:
    """Eight points on the unit circle, shape (8, 2)."""
    angle = 2 * np.pi * np.arange(8) / 8
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def grid_centres() -> Array:
    """The points {-4, -2, 0, 2, 4} x {-4, -2, 0, 2, 4}, shape (25, 2)."""
    side = np.arange(-4.0, 5.0, 2.0)
    return np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)


def stream_ring(n: int, seed: int = 0, *, chunk: int = 10_000) -> Iterator[Events]:
    """Eight modes of equal weight, sigma = 0.01, on the unit circle."""
    draw = partial(_draw, centres=ring_centres(), sigma=RING_SIGMA, source="ring")
    return stream_blocks(draw, n, seed, chunk=chunk)


def stream_grid(n: int, seed: int = 0, *, chunk: int = 10_000) -> Iterator[Events]:
    """Twenty-five modes of equal weight, sigma = 0.05, on a square grid of spacing 2."""
    draw = partial(_draw, centres=grid_centres(), sigma=GRID_SIGMA, source="grid")
    return stream_blocks(draw, n, seed, chunk=chunk)


def _draw(rng: np.random.Generator, n: int, *, centres: Array, sigma: float, source: str) -> Events:
    modes = rng.integers(len(centres), size=n)
    values = centres[modes] + sigma * rng.standard_normal((n, 2))
    return Events.table(values.astype(np.float32), ["x", "y"], source=source)
