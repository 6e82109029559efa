"""The two-dimensional Ising model on an L x L torus, by the cluster algorithm of Swendsen and Wang.

    p(s) = exp(K sum_<ij> s_i s_j) / Z,    s_i = +1 or -1,    K = J / kT

One sweep opens each bond between equal spins with probability 1 - exp(-2K), finds the clusters and flips each with
probability 1/2 (Phys. Rev. Lett. 58 (1987) 86). Every event is a chain of its own, so events are independent. Half
of the chains start ordered and half disordered: what is left of the start has opposite signs in the two halves.
"""

from collections.abc import Iterator
from functools import partial
from math import ceil

import numpy as np
import numpy.typing as npt

from zerosum.data.events import Events
from zerosum.data.simulators.source import stream_blocks
from zerosum.errors import InputError

Spins = npt.NDArray[np.int8]

CRITICAL = float(np.log(1 + np.sqrt(2)) / 2)  # K_c


def simulate_ising(
    n: int, *, side: int = 16, coupling: float = CRITICAL, seed: int = 0, sweeps: int | None = None
) -> Events:
    """All n lattices at once; the options are those of `stream_ising`."""
    return Events.joined(list(stream_ising(n, seed, side=side, coupling=coupling, sweeps=sweeps)))


def stream_ising(
    n: int,
    seed: int = 0,
    *,
    side: int = 16,
    coupling: float = CRITICAL,
    sweeps: int | None = None,
    chunk: int = 10_000,
) -> Iterator[Events]:
    """Yield lattices of spins, shape (N, 1, L, L).

    Args:
        n: How many.
        seed: The seed.
        side: L, at least 3 (on smaller tori two bonds join the same spins).
        coupling: K = J / kT, at least 0; K_c = ln(1 + sqrt 2) / 2 by default.
        sweeps: Sweeps before a lattice is taken; 24 L^(1/4) by default. At K_c the energy relaxes as exp(-t / tau)
            with tau = 3.2 sweeps for L = 16 and 4.1 for L = 32: what is left of the start is below exp(-13).
        chunk: How many at a time.
    """
    if not isinstance(side, int) or side < 3:
        raise InputError(f"side is {side}; give a whole number of at least 3.")
    if not 0 <= coupling < float("inf"):
        raise InputError(f"coupling is {coupling}; give K = J / kT, at least 0.")
    if sweeps is not None and sweeps < 1:
        raise InputError(f"sweeps is {sweeps}; give at least 1.")
    draw = partial(_draw, side=side, coupling=coupling, sweeps=sweeps or ceil(24 * side**0.25))
    return stream_blocks(draw, n, seed, chunk=chunk)


def energy(spins: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """E / J = -sum over bonds of s_i s_j, shape (N,), for spins (N, ..., L, L)."""
    s = np.asarray(spins, np.float64)
    bonds = s * (np.roll(s, 1, -1) + np.roll(s, 1, -2))
    total: npt.NDArray[np.float64] = bonds.reshape(len(s), -1).sum(axis=1)
    return -total


def _draw(rng: np.random.Generator, n: int, *, side: int, coupling: float, sweeps: int) -> Events:
    spins = rng.choice(np.array([-1, 1], np.int8), (n, side, side))
    spins[::2] = 1
    ends = _ends(n, side)
    for _ in range(sweeps):
        spins = _sweep(rng, spins, -np.expm1(-2 * coupling), ends)
    return Events.grid(
        spins.astype(np.float32), ("spin",), source="ising", attributes={"coupling": float(coupling)}
    )


def _ends(n: int, side: int) -> npt.NDArray[np.int32]:
    """For every site its neighbours to the right and below, as site numbers, shape (N L L, 2)."""
    sites = np.arange(n * side * side, dtype=np.int32).reshape(n, side, side)
    return np.stack([np.roll(sites, -1, 2), np.roll(sites, -1, 1)], axis=-1).reshape(-1, 2)


def _sweep(rng: np.random.Generator, spins: Spins, probability: float, ends: npt.NDArray[np.int32]) -> Spins:
    """One Swendsen-Wang update of every chain; the chains are the parts of one graph that never touch."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    flat = spins.reshape(-1)
    is_open = (flat[ends] == flat[:, None]) & (rng.random(ends.shape, np.float32) < probability)
    starts = np.concatenate([[0], np.cumsum(is_open.sum(axis=1))]).astype(np.int32)
    to = ends[is_open]
    graph = csr_array((np.ones(len(to), np.int8), to, starts), shape=(flat.size, flat.size))
    count, cluster = connected_components(graph, directed=False)
    flips = rng.choice(np.array([-1, 1], np.int8), count)
    flipped: Spins = flat * flips[cluster]
    return flipped.reshape(spins.shape)
