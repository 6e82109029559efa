"""Pairs of muons: a mixture of a Z resonance and a falling continuum, in six columns.

Nine tenths of the pairs have a Breit-Wigner mass (91.1876 GeV, width 2.4952 GeV, PDG 2024), one tenth an exponential
one, between 60 and 120 GeV. The pair has a transverse momentum and a rapidity, decays as 1 + cos^2 theta in its rest
frame, and is boosted to the laboratory; each transverse momentum is smeared by 1.5 %. Both muons have pt > 20 GeV and
|eta| < 2.4. The mass is a narrow curved surface in the six columns: a generator may fit every column and miss it.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from zerosum.data.events import Events
from zerosum.data.simulators.source import stream_blocks

Array = npt.NDArray[np.float64]

MASS, WIDTH = 91.1876, 2.4952  # GeV
LOWEST, HIGHEST = 60.0, 120.0  # GeV
CONTINUUM, SLOPE = 0.1, 25.0  # fraction, GeV
NAMES = ["pt1", "eta1", "phi1", "pt2", "eta2", "phi2"]
UNITS = ["GeV", "", "", "GeV", "", ""]


def stream_dimuon(n: int, seed: int = 0, *, chunk: int = 10_000) -> Iterator[Events]:
    """Pairs of muons from a Z and a continuum: pt in GeV, pseudorapidity and azimuth of both."""
    return stream_blocks(_draw, n, seed, chunk=chunk)


def _draw(rng: np.random.Generator, n: int) -> Events:
    accepted = np.empty((0, 6))
    while len(accepted) < n:
        pairs = _muons(rng, 4 * n)
        inside = np.all((pairs[:, [0, 3]] > 20) & (np.abs(pairs[:, [1, 4]]) < 2.4), axis=1)
        accepted = np.concatenate([accepted, pairs[inside]])
    return Events.table(accepted[:n].astype(np.float32), NAMES, UNITS, source="dimuon")


def _masses(rng: np.random.Generator, n: int) -> Array:
    """Masses between 60 and 120 GeV by inverting both cumulative distributions."""
    u = rng.random(n)
    low, high = (np.arctan(2 * (edge - MASS) / WIDTH) for edge in (LOWEST, HIGHEST))
    resonance = MASS + WIDTH / 2 * np.tan(low + u * (high - low))
    continuum = LOWEST - SLOPE * np.log1p(-u * (1 - np.exp((LOWEST - HIGHEST) / SLOPE)))
    masses: Array = np.where(rng.random(n) < CONTINUUM, continuum, resonance)
    return masses


def _muons(rng: np.random.Generator, n: int) -> Array:
    """pt, eta, phi of both muons in the laboratory, shape (n, 6)."""
    import vector

    pair: Any = vector.array(
        {
            "mass": _masses(rng, n),
            "pt": rng.gamma(1.6, 7.0, n),
            "phi": rng.uniform(-np.pi, np.pi, n),
            "eta": np.zeros(n),
        }
    )
    cosine = _decay_cosines(rng, n)
    angle, sine = rng.uniform(-np.pi, np.pi, n), np.sqrt(1 - cosine**2)
    columns = []
    rapidity = rng.normal(0, 1.0, n)
    for sign in (1, -1):
        p = sign * pair.mass / 2
        rest: Any = vector.array(
            {
                "px": p * sine * np.cos(angle),
                "py": p * sine * np.sin(angle),
                "pz": p * cosine,
                "E": pair.mass / 2,
            }
        )
        muon = rest.boost_p4(pair).boostZ(beta=np.tanh(rapidity))
        columns += [muon.pt * (1 + 0.015 * rng.standard_normal(n)), muon.eta, muon.phi]
    return np.stack(columns, axis=1)


def _decay_cosines(rng: np.random.Generator, n: int) -> Array:
    """Decay cosines with density 3/8 (1 + c^2): the real root of c^3 + 3c = 8u - 4, by Cardano's formula."""
    half = 4 * rng.random(n) - 2
    root = np.sqrt(half**2 + 1)
    return np.cbrt(half + root) + np.cbrt(half - root)
