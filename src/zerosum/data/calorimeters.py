"""Built-in calorimeters.

The numbers are rounded and ours. `atlas_like` has the cells of CaloChallenge's dataset 1 for photons (368 voxels)
and depths near those of the ATLAS barrel at small rapidity (JINST 3 (2008) S08003); `silicon_like` the 45 x 16 x 9
cells of its dataset 2; `calogan_like` the three layers of the CaloGAN data; `compact` is small enough to learn in
minutes; `front_view`, `side_view` and `volume` are plain grids in a lead tungstate crystal.
"""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np

from zerosum.data.geometry import Geometry, Layer, Material, Pixels, Rings
from zerosum.errors import InputError

LEAD_ARGON = Material("lead and liquid argon", 19.0, 38.0, 10.7, 61.0, 3.1, 0.69, 0.10)
TUNGSTEN_SILICON = Material("tungsten and silicon", 4.22, 11.0, 8.1, 70.0, 2.5, 0.70, 0.15)
LEAD_TUNGSTATE = Material("lead tungstate", 8.9, 21.9, 8.74, 68.4)

Depths = dict[int, tuple[float, float]]
ATLAS_DEPTHS: Depths = {
    0: (1.7, 2.1),  # presampler, behind dead material
    1: (2.3, 6.6),  # strips
    2: (6.6, 22.6),  # middle
    3: (22.6, 24.6),  # back
    12: (26.0, 46.0),  # tiles
    13: (46.0, 86.0),
    14: (86.0, 106.0),
}
SILICON_DEPTHS: Depths = {layer: (0.8 * layer, 0.8 * (layer + 1)) for layer in range(45)}
STACKS = ((LEAD_ARGON, ATLAS_DEPTHS), (TUNGSTEN_SILICON, SILICON_DEPTHS))

ATLAS_RINGS: dict[int, Rings] = {
    0: Rings((0, 5, 10, 30, 50, 100, 200, 400, 600)),
    1: Rings((0, 2, 4, 6, 8, 10, 12, 15, 20, 30, 40, 50, 70, 90, 120, 150, 200), 10),
    2: Rings((0, 2, 5, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100, 130, 160, 200, 250, 300, 350, 400), 10),
    3: Rings((0, 50, 100, 200, 400, 600)),
    12: Rings((0, 100, 200, 400, 1000, 2000)),
}


def atlas_like() -> Geometry:
    """Dataset 1 for photons: 8 + 16 x 10 + 19 x 10 + 5 + 5 = 368 voxels."""
    layers = (Layer(*ATLAS_DEPTHS[number], face) for number, face in ATLAS_RINGS.items())
    return Geometry("atlas-like", LEAD_ARGON, tuple(layers))


def silicon_like() -> Geometry:
    """Dataset 2: 45 layers of 16 sectors and 9 rings, 6480 voxels."""
    face = Rings(tuple(round(4.65 * ring, 2) for ring in range(10)), 16)
    layers = (Layer(*depth, face) for depth in SILICON_DEPTHS.values())
    return Geometry("silicon-like", TUNGSTEN_SILICON, tuple(layers))


def calogan_like() -> Geometry:
    """The three layers of the CaloGAN data (arXiv:1705.02355), 480 mm wide: 3 x 96, 12 x 12 and 12 x 6 pixels."""
    depths = (0.0, 90.0, 437.0, 480.0)  # mm
    faces = [Pixels(_edges(columns, 480 / columns), _edges(rows, 480 / rows)) for rows, columns in CALOGAN]
    layers = [
        Layer(front / LEAD_ARGON.radiation_length, back / LEAD_ARGON.radiation_length, face)
        for (front, back), face in zip(pairwise(depths), faces, strict=True)
    ]
    return Geometry("calogan-like", LEAD_ARGON, tuple(layers))


def compact() -> Geometry:
    """Four layers of tungsten and silicon, each of 8 sectors and 4 rings: 128 voxels."""
    layers = (Layer(*depth, Rings(edges, 8)) for depth, edges in COMPACT.items())
    return Geometry("compact", TUNGSTEN_SILICON, tuple(layers))


def front_view(side: int = 16, pitch: float = 6.0, depth: float = 25.0) -> Geometry:
    """Energy on a square of side x side pixels of `pitch` mm, seen along the shower axis."""
    edges = _edges(side, pitch)
    return Geometry("front-view", LEAD_TUNGSTATE, (Layer(0.0, depth, Pixels(edges, edges)),), (side, side))


def side_view(side: int = 16, pitch: float = 6.0, depth: float = 25.0) -> Geometry:
    """Depth (rows) against one transverse coordinate (columns)."""
    return Geometry(
        "side-view", LEAD_TUNGSTATE, _slabs(side, depth, Pixels(_edges(side, pitch))), (side, side)
    )


def volume(side: int = 12, pitch: float = 8.0, depth: float = 25.0) -> Geometry:
    """A cube of side x side x side cells: depth, y, x."""
    edges = _edges(side, pitch)
    return Geometry("volume", LEAD_TUNGSTATE, _slabs(side, depth, Pixels(edges, edges)), (side, side, side))


COMPACT = {  # depths in X0, and rings that widen with the shower
    (0.0, 4.0): (0, 2, 6, 14, 30),
    (4.0, 8.0): (0, 3, 8, 16, 35),
    (8.0, 13.0): (0, 4, 10, 20, 40),
    (13.0, 20.0): (0, 6, 14, 25, 50),
}
CALOGAN = ((3, 96), (12, 12), (12, 6))  # rows in phi, columns in eta

GEOMETRIES: dict[str, Callable[[], Geometry]] = {
    "atlas-like": atlas_like,
    "silicon-like": silicon_like,
    "calogan-like": calogan_like,
    "compact": compact,
    "front-view": front_view,
    "side-view": side_view,
    "volume": volume,
}


def geometry(name: str) -> Geometry:
    """A built-in geometry by its name, or one from a .xml (CaloChallenge) or .yaml file."""
    suffix = Path(name).suffix.lower()
    if suffix == ".xml":
        return Geometry.from_xml(name)
    if suffix in (".yaml", ".yml"):
        return Geometry.from_yaml(name)
    if name not in GEOMETRIES:
        raise InputError(
            f"there is no geometry {name}; give one of {', '.join(GEOMETRIES)}, or a .xml or .yaml file."
        )
    return GEOMETRIES[name]()


def _edges(side: int, pitch: float) -> tuple[float, ...]:
    return tuple((pitch * (np.arange(side + 1) - side / 2)).tolist())


def _slabs(count: int, depth: float, face: Pixels) -> tuple[Layer, ...]:
    return tuple(Layer(*edges, face) for edges in pairwise(np.linspace(0.0, depth, count + 1).tolist()))
