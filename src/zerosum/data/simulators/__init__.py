"""Sources of events with known truth.

    for events in SOURCES["showers"].stream(100_000, seed=1, particle="electron"):
        ...

A new source is one entry in `SOURCES`.
"""

from collections.abc import Mapping
from functools import partial

from zerosum.data.calorimeters import GEOMETRIES
from zerosum.data.simulators.dimuon import stream_dimuon
from zerosum.data.simulators.lattice import simulate_ising, stream_ising
from zerosum.data.simulators.mixtures import stream_grid, stream_ring
from zerosum.data.simulators.showers import simulate_showers, stream_showers
from zerosum.data.simulators.source import Source
from zerosum.errors import InputError

__all__ = ["SOURCES", "Source", "simulate_ising", "simulate_showers", "source"]

SHOWER_OPTIONS = {
    "geometry": f"a built-in calorimeter ({', '.join(GEOMETRIES)}) or its file",
    "energies": "incident energies in MeV: (low, high), log-uniform",
    "discrete": "draw the energy among the values of energies",
    "particle": "photon or electron",
    "threshold": "voxels with less energy, in MeV, are set to 0",
}

SOURCES: dict[str, Source] = {
    entry.name: entry
    for entry in (
        Source(
            "showers",
            "photon showers of 1 GeV to 1 TeV in 368 voxels, given the incident energy",
            stream_showers,
            SHOWER_OPTIONS,
        ),
        Source(
            "shower-images",
            "photon showers of 10 to 100 GeV in a crystal, seen from the side: 16 x 16 pixels",
            partial(stream_showers, geometry="side-view", energies=(1e4, 1e5)),
            SHOWER_OPTIONS,
        ),
        Source(
            "ising",
            "spins of the two-dimensional Ising model, 16 x 16, at the critical temperature",
            stream_ising,
            {"side": "L", "coupling": "K = J / kT", "sweeps": "sweeps before a lattice is taken"},
        ),
        Source("dimuon", "pairs of muons from a Z resonance and a continuum, in six columns", stream_dimuon),
        Source("ring", "eight narrow normal modes on the unit circle", stream_ring),
        Source("grid", "twenty-five narrow normal modes on a square grid", stream_grid),
    )
}


def source(name: str, more: Mapping[str, Source] | None = None) -> Source:
    """The source of this name, here or in `more`; a wrong name raises an InputError that lists all.

    Examples:
        >>> muons = next(source("dimuon").stream(1000, seed=1))
        >>> muons.names
        ['pt1', 'eta1', 'phi1', 'pt2', 'eta2', 'phi2']
    """
    known = SOURCES | dict(more or {})
    if name not in known:
        listed = "; ".join(f"{entry.name}: {entry.summary}" for entry in known.values())
        raise InputError(f"there is no source {name}; choose one ({listed}).")
    return known[name]
