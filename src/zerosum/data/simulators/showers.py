"""Electromagnetic showers with known truth, in any calorimeter.

Each shower follows Grindhammer and Peters (hep-ex/0001020; the formulas are in `profiles`):

1. A photon converts after an exponential depth of mean 9/7 X0; an electron starts at the front.
2. ln alpha and ln T are drawn, correlated; the gamma profile gives the energy dE of each slice in depth.
3. The slice's energy is shared equally by max(1, Poisson) spots. A spot falls into a voxel with the probability
   that the radial profile gives it, so a voxel's count is Poisson and empty voxels are exactly 0.
4. In a sampling calorimeter, the energy e of every spot becomes gamma distributed with mean e and variance c² e (e in
   GeV), and independent of the others'. By the additivity of gamma variables dE then has the mean dE and the variance
   c² dE of the parametrisation, however it is shared; what is sampled in one voxel says nothing of the next.
5. Voxels below the threshold are set to 0.

A spot may fall outside the cells, and a slice outside the layers: that energy leaks out.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from math import ceil, exp
from typing import Any

import numpy as np
import numpy.typing as npt

from zerosum.data.calorimeters import geometry as geometry_named
from zerosum.data.events import Events, Feature
from zerosum.data.geometry import Geometry, Layer
from zerosum.data.simulators import profiles
from zerosum.data.simulators.source import stream_blocks
from zerosum.errors import InputError

Array = npt.NDArray[np.float64]

SLICE = 2.0  # the largest thickness of a slice, in X0
GEV = 1000.0  # in MeV
LOWEST_LN_Y = 3.0  # at 2.8, sigma(ln T) in a sampling calorimeter reaches 1, and then it diverges
CONVERSION = {"electron": 0.0, "photon": 9 / 7}  # mean depth of the start, in X0
ENERGIES = (1e3, 1e6)
CHUNK_VOXELS = 2**24


def simulate_showers(n: int, *, seed: int = 0, **options: Any) -> Events:
    """All n showers at once; the options are those of `stream_showers`."""
    return Events.joined(list(stream_showers(n, seed, **options)))


def stream_showers(
    n: int,
    seed: int = 0,
    *,
    geometry: Geometry | str = "atlas-like",
    energies: Sequence[float] | float = ENERGIES,
    discrete: bool = False,
    particle: str = "photon",
    threshold: float = 0.01515,
    chunk: int | None = None,
) -> Iterator[Events]:
    """Yield showers, `chunk` at a time.

    Args:
        n: How many.
        seed: The seed; the events do not depend on `chunk`.
        geometry: The calorimeter, or the name or file of one.
        energies: Incident energies in MeV: (low, high), log-uniform, or the values if `discrete`.
        discrete: Draw the energy uniformly among the values of `energies`.
        particle: "photon" or "electron".
        threshold: Voxels with less energy (MeV) are set to 0.
        chunk: How many at a time; by default 10,000, or fewer so that a chunk stays near 64 MiB.

    Yields:
        Voxel energies in MeV given `incident_energy` in MeV: a table, or a grid where the geometry is one.

    Raises:
        InputError: For an energy below exp(3) critical energies, where the parametrisation ends.
    """
    calorimeter = geometry_named(geometry) if isinstance(geometry, str) else geometry
    energies = (energies,) if isinstance(energies, int | float) else energies
    _check(calorimeter, energies, discrete, particle, threshold)
    draw = partial(
        _draw,
        geometry=calorimeter,
        energies=np.asarray(energies, np.float64),
        discrete=discrete,
        conversion=CONVERSION[particle],
        threshold=threshold,
    )
    return stream_blocks(draw, n, seed, chunk=chunk or min(10_000, CHUNK_VOXELS // calorimeter.n_voxels))


def _draw(
    rng: np.random.Generator,
    n: int,
    *,
    geometry: Geometry,
    energies: Array,
    discrete: bool,
    conversion: float,
    threshold: float,
) -> Events:
    energy = rng.choice(energies, n) if discrete else _log_uniform(rng, n, *energies)
    voxels = deposit(rng, energy, conversion * rng.standard_exponential(n), geometry)
    voxels = np.where(voxels < threshold, 0.0, voxels).astype(np.float32)
    given = {
        "conditions": energy[:, None].astype(np.float32),
        "condition_features": (Feature("incident_energy", "MeV"),),
        "source": "showers",
        "attributes": {"geometry": geometry.name, "calorimeter": geometry.to_json()},
    }
    if geometry.shape is not None:
        return Events.grid(voxels.reshape(n, 1, *geometry.shape), ("energy",), "MeV", **given)
    names = [f"voxel_{i}" for i in range(geometry.n_voxels)]
    return Events.table(voxels, names, ["MeV"] * len(names), **given)


def _log_uniform(rng: np.random.Generator, n: int, low: float, high: float) -> Array:
    return np.exp(rng.uniform(np.log(low), np.log(high), n))


def deposit(rng: np.random.Generator, energy: Array, start: Array, geometry: Geometry) -> Array:
    """Voxel energies (N, voxels) in MeV of showers with `energy` (N,) in MeV that begin at `start` (N,) in X0."""
    material = geometry.material
    shape = profiles.draw_shape(rng, np.log(energy / material.critical_energy), material)
    number, spot_shape = profiles.spots(shape, energy / GEV, material)
    voxels = np.zeros((len(energy), geometry.n_voxels))
    for layer, low, high in zip(geometry.layers, geometry.offsets, geometry.offsets[1:], strict=False):
        for front, back in _slices(layer):
            share = shape.cumulative(back - start) - shape.cumulative(front - start)
            spots = number * (spot_shape.cumulative(back - start) - spot_shape.cumulative(front - start))
            tau = ((front + back) / 2 - start) / shape.t_max
            cells = _cells(profiles.radial(tau, energy / GEV, material), layer, material.moliere_radius)
            dose = scatter(rng, energy * share, spots, cells)
            voxels[:, low:high] += sampled(rng, dose, material.stochastic)
    return voxels


def _slices(layer: Layer) -> Iterator[tuple[float, float]]:
    """A layer in slices of equal thickness, at most SLICE."""
    edges = np.linspace(layer.start, layer.stop, ceil((layer.stop - layer.start) / SLICE - 1e-9) + 1)
    return pairwise(edges.tolist())


def sampled(rng: np.random.Generator, energy: Array, stochastic: float) -> Array:
    """Gamma fluctuations of each energy E, mean E and variance c² E; energies in MeV, c in sqrt(GeV)."""
    quantum = GEV * stochastic**2
    if quantum == 0:
        return energy
    seen, filled = np.zeros_like(energy), energy > 0
    seen[filled] = quantum * rng.standard_gamma(energy[filled] / quantum)
    return seen


def _cells(radial: profiles.Radial, layer: Layer, moliere_radius: float) -> Array:
    """The probability (N, cells) that a spot falls into each cell."""
    core = layer.face.shares(radial.core * moliere_radius)
    tail = layer.face.shares(radial.tail * moliere_radius)
    return tail + radial.weight[:, None] * (core - tail)


def scatter(rng: np.random.Generator, dose: Array, spots: Array, cells: Array) -> Array:
    """Share `dose` (N,) equally among max(1, Poisson(spots)) spots, each in a cell or outside all cells."""
    counts = rng.poisson(spots[:, None] * cells)
    outside = rng.poisson(spots * np.maximum(1 - cells.sum(axis=1), 0.0))
    total = counts.sum(axis=1) + outside
    lonely = np.flatnonzero((total == 0) & (dose > 0))
    chosen = (rng.random(len(lonely))[:, None] >= cells[lonely].cumsum(axis=1)).sum(axis=1)
    inside = chosen < cells.shape[1]
    counts[lonely[inside], chosen[inside]] = 1
    spot: Array = dose / np.maximum(total, 1)
    return counts * spot[:, None]


def _check(
    geometry: Geometry, energies: Sequence[float], discrete: bool, particle: str, threshold: float
) -> None:
    lowest = geometry.material.critical_energy * exp(LOWEST_LN_Y)
    if particle not in CONVERSION:
        raise InputError(f"the particle is {particle}; give {' or '.join(CONVERSION)}.")
    if not discrete and (len(energies) != 2 or not energies[0] < energies[1]):
        raise InputError(f"energies are {list(energies)}; give (low, high), or values with discrete.")
    if not energies or not all(lowest <= energy < float("inf") for energy in energies):
        raise InputError(
            f"energies are {list(energies)} MeV; in {geometry.material.name} the parametrisation holds from "
            f"{lowest:.0f} MeV on."
        )
    if not 0 <= threshold < float("inf"):
        raise InputError(f"threshold is {threshold} MeV; give 0 or more.")
