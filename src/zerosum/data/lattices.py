"""Which events are lattices of spins: images of two values, and whether their edges meet."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zerosum.data.events import Events

LOOKED_AT = 10_000  # lattices that tell whether there are only two values, and whether edges meet


@dataclass(frozen=True)
class Lattice:
    """A square or rectangular lattice of spins.

    Attributes:
        levels: The two values.
        periodic: Whether the last row and column are neighbours of the first: a torus.
    """

    levels: tuple[float, float]
    periodic: bool


def lattice_of(events: Events) -> Lattice | None:
    """The lattice that these events live on; None where they are something else."""
    shape = events.event_shape
    if events.kind != "grid" or len(shape) != 3 or shape[0] != 1 or not len(events):
        return None
    some = events.values[:LOOKED_AT, 0]
    low, high = float(some.min()), float(some.max())
    if low == high or not all(np.isin(part, (low, high)).all() for part in (some, events.values)):
        return None
    return Lattice((low, high), all(_meets(some, axis) for axis in (1, 2)))


def _meets(values: npt.NDArray[np.floating], axis: int) -> bool:
    """Whether the first and the last site along an axis are more alike than sites half of the lattice apart.

    On a torus they are neighbours, elsewhere farther apart than any others.
    """
    spins = np.moveaxis(values - values.mean(), axis, 1).astype(np.float64)
    side = spins.shape[1]

    def alike(apart: int) -> float:
        return float(np.mean(spins[:, apart:] * spins[:, : side - apart]))

    return alike(side - 1) > (alike(1) + alike(math.ceil(side / 2))) / 2
