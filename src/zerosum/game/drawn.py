"""Numbers of an event that are drawn from the data, not learned: how many points it has, what its cells add up to.

A generator that is differentiable cannot learn a whole number of points, and hardly learns that a sum is fixed to a few
per cent. Both are one or two numbers, so their joint distribution given the conditions is read off the training events:
a latent u = Φ(z) chooses one of the events whose conditions are nearest, and its numbers are taken together and as they
are, so that what is exactly fixed for a part of the events stays so.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

from zerosum.data.events import FloatArray, IndexArray

CELLS, NEAREST = 256, 256  # places in the space of conditions, and the events that are kept for each
ROWS = 4096  # events that are kept where there are no conditions


class Drawn(nn.Module):
    """A table of events' numbers for each place in the space of conditions.

    Args:
        numbers: K, how many numbers an event has.
        conditions: How many standardised conditions are given.
    """

    centres: Tensor
    table: Tensor

    latents = 1  # how many of the latents it uses

    def __init__(self, numbers: int, conditions: int) -> None:
        super().__init__()
        cells, rows = (CELLS, NEAREST) if conditions else (1, ROWS)
        self.register_buffer("centres", torch.zeros(cells, conditions))
        self.register_buffer("table", torch.zeros(cells, rows, numbers, dtype=torch.float64))

    def fit(self, numbers: Tensor, conditions: Tensor | None, seed: int) -> None:
        """Fill the tables from the numbers (N, K) and standardised conditions (N, C) of the training events."""
        rng = np.random.default_rng(seed)
        values = numbers.double().cpu().numpy()
        given = np.zeros((len(values), 0)) if conditions is None else conditions.double().cpu().numpy()
        centres, members = _neighbourhoods(given, len(self.centres), self.table.shape[1], rng)
        rows = np.stack([_resized(values[index], self.table.shape[1], rng) for index in members])
        self.centres.copy_(torch.from_numpy(centres))
        self.table.copy_(torch.from_numpy(rows))

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """From latents, of which one is used, (N, L), and standardised conditions (N, C) to the numbers (N, K)."""
        u = 0.5 + 0.5 * torch.erf(z[:, 0] * math.sqrt(0.5))
        rows = self.table.shape[1]
        row = (u * rows).long().clamp(0, rows - 1)
        cell = torch.zeros_like(row)
        if c is not None and self.centres.shape[1]:
            apart = (c.unsqueeze(1) - self.centres).square().sum(2)
            cell = apart.argmin(1)
        return self.table[cell, row]


def _neighbourhoods(
    given: FloatArray, cells: int, nearest: int, rng: np.random.Generator
) -> tuple[FloatArray, list[IndexArray]]:
    """Places in the space of conditions, shape (cells, C), and the indices of the events that belong to each.

    Where there are few different conditions, such as classes, each is a place with all its events; else some of the
    events are places, each with the events that are nearest to it.
    """
    from scipy.spatial import cKDTree

    if given.shape[1] == 0:
        return np.zeros((1, 0)), [np.arange(len(given))]
    distinct, owner = np.unique(given, axis=0, return_inverse=True)
    owner = owner.reshape(-1)
    if len(distinct) <= cells:
        again = np.resize(np.arange(len(distinct)), cells)
        return distinct[again], [np.flatnonzero(owner == place) for place in again]
    centres = given[rng.choice(len(given), cells, replace=len(given) < cells)]
    _, index = cKDTree(given).query(centres, k=min(nearest, max(len(given) // 8, 1)))
    return centres, list(np.asarray(index).reshape(cells, -1))


def _resized(values: FloatArray, rows: int, rng: np.random.Generator) -> FloatArray:
    """So many rows of the values: some of them where there are more, each equally often where there are fewer."""
    if len(values) > rows:
        return values[rng.choice(len(values), rows, replace=False)]
    return np.resize(values, (rows, values.shape[1]))
