"""What a critic of tables sees of an event: one row of numbers, whatever the kind of the events.

A table gives its columns. A grid and a cloud give summaries that need no training: totals, occupancy,
profiles along each axis and products of neighbours (the energy of a lattice) for a grid; multiplicity and
moments over the points for a cloud. Conditions and derived observables stand behind them as further columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from zerosum.data.events import Events, FloatArray

LONGEST_PROFILE = 64


def rows(events: Events) -> FloatArray:
    """The events as a matrix (N, K) of float32: features or their summaries, then conditions."""
    return np.concatenate([*_columns(events).values()], axis=1, dtype=np.float32)


def names(events: Events) -> list[str]:
    """The names of the columns of `rows`."""
    few = _columns(events.take(slice(0, 1)))
    return [name for title, part in few.items() for name in _numbered(title, part.shape[1])]


def _numbered(title: str, number: int) -> list[str]:
    return [title] if number == 1 else [f"{title}[{i}]" for i in range(number)]


def _columns(events: Events) -> dict[str, FloatArray]:
    """Named blocks of columns, each of shape (N, k)."""
    blocks = SUMMARIES[events.kind](events)
    given = {} if events.conditions is None else _split(events.condition_names, events.conditions)
    return blocks | given


def _split(titles: Sequence[str], matrix: FloatArray) -> dict[str, FloatArray]:
    return {title: matrix[:, i : i + 1] for i, title in enumerate(titles)}


def _table(events: Events) -> dict[str, FloatArray]:
    return _split(events.names, events.values)


def _grid(events: Events) -> dict[str, FloatArray]:
    """For each channel: mean, spread, occupancy, maximum, neighbour products, the profile along each axis."""
    blocks: dict[str, FloatArray] = {}
    for channel, name in enumerate(events.names):
        x = events.values[:, channel]
        sides = tuple(range(1, x.ndim))
        blocks |= {
            f"mean({name})": x.mean(sides)[:, None],
            f"spread({name})": x.std(sides)[:, None],
            f"occupancy({name})": (x != 0).mean(sides)[:, None],
            f"maximum({name})": x.max(sides)[:, None],
        }
        for axis in sides:
            blocks[f"neighbours({name}, axis {axis})"] = (x * np.roll(x, 1, axis)).mean(sides)[:, None]
            if x.shape[axis] <= LONGEST_PROFILE:
                others = tuple(side for side in sides if side != axis)
                blocks[f"profile({name}, axis {axis})"] = x.mean(others)
    return blocks


def _cloud(events: Events) -> dict[str, FloatArray]:
    """The number of points; for each feature its sum, mean, spread, minimum and maximum over the points."""
    present = np.asarray(events.mask)
    number = present.sum(1)
    some, filled = np.maximum(number, 1), number > 0
    blocks = {"points": number[:, None]}
    for name, x in zip(events.names, np.moveaxis(events.values, 2, 0), strict=True):
        total = np.where(present, x, 0).sum(1)
        squares = np.where(present, x - (total / some)[:, None], 0) ** 2
        least, most = np.where(present, x, np.inf).min(1), np.where(present, x, -np.inf).max(1)
        blocks |= {
            f"sum({name})": total[:, None],
            f"mean({name})": (total / some)[:, None],
            f"spread({name})": np.sqrt(squares.sum(1) / some)[:, None],
            f"minimum({name})": np.where(filled, least, 0)[:, None],
            f"maximum({name})": np.where(filled, most, 0)[:, None],
        }
    return blocks


SUMMARIES = {"table": _table, "grid": _grid, "cloud": _cloud}


@dataclass(frozen=True, slots=True)
class Scale:
    """Centre and width of each column; wide tails are compressed as z -> 3 asinh(z / 3).

    Attributes:
        centre: Median of each column, shape (K,).
        width: Interquartile range over 1.349 (a Gaussian's sigma), or the spread where that is 0, shape (K,).
    """

    centre: FloatArray
    width: FloatArray

    @classmethod
    def fit(cls, matrix: FloatArray) -> Self:
        """Centre and width from a matrix (N, K)."""
        low, centre, high = np.quantile(matrix, [0.25, 0.5, 0.75], axis=0)
        width, spread = (high - low) / 1.349, matrix.std(axis=0, dtype=np.float64)
        width = np.where(width > 1e-3 * spread, width, spread)
        return cls(centre.astype(np.float32), np.where(width > 0, width, 1).astype(np.float32))

    def __call__(self, matrix: FloatArray) -> FloatArray:
        """The standardised columns, float32."""
        return (3 * np.arcsinh((matrix - self.centre) / self.width / 3)).astype(np.float32)
