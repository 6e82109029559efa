"""Calorimeters: layers in depth, cells across, and the material that the shower formulas need.

    Geometry
    ├── material: Material      radiation length, Molière radius, critical energy, sampling
    └── layers: Layer, ...      depth from `start` to `stop` in radiation lengths, and a face
        └── face: Rings or Pixels      the cells across the shower axis

Voxels are numbered as in CaloChallenge files: r fastest, then alpha, then layer (arXiv:2410.21611). Pixels: x
fastest, then y, then layer. Lengths are in mm, energies in MeV, depths in radiation lengths X0.
"""

from dataclasses import asdict, dataclass
from functools import cached_property
from math import inf, pi
from pathlib import Path
from reprlib import repr as brief
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from zerosum.errors import InputError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Material:
    """An effective medium; the defaults of the last three make it homogeneous.

    Attributes:
        name: What it is.
        radiation_length: X0 in mm.
        moliere_radius: R_M in mm.
        critical_energy: E_c in MeV.
        atomic_number: Effective Z.
        sampling_frequency: F_S = X0 / (thickness of one absorber and one active plate); infinite if homogeneous.
        e_over_mip: Signal of the shower's electrons relative to a minimum ionising particle; 1 if homogeneous.
        stochastic: c in sigma/E = c / sqrt(E / GeV), the sampling fluctuations; 0 if homogeneous.
    """

    name: str
    radiation_length: float
    moliere_radius: float
    critical_energy: float
    atomic_number: float
    sampling_frequency: float = inf
    e_over_mip: float = 1.0
    stochastic: float = 0.0

    def __post_init__(self) -> None:
        for name in (
            "radiation_length",
            "moliere_radius",
            "critical_energy",
            "atomic_number",
            "sampling_frequency",
        ):
            if not _number(getattr(self, name)) or not getattr(self, name) > 0:
                raise InputError(
                    f"{name} of a material is {brief(getattr(self, name))}; give a number larger than 0."
                )
        if self.sampling != (self.stochastic > 0):
            raise InputError(
                f"sampling_frequency is {self.sampling_frequency} and stochastic is {self.stochastic}; a sampling "
                "calorimeter needs both, a homogeneous one neither."
            )

    @property
    def sampling(self) -> bool:
        """Whether absorber and active medium differ."""
        return self.sampling_frequency < inf


@dataclass(frozen=True)
class Rings:
    """Cells in polar coordinates: rings between `r_edges` (mm), each cut into `n_alpha` equal sectors."""

    r_edges: tuple[float, ...]
    n_alpha: int = 1

    def __post_init__(self) -> None:
        _check_edges("r_edges", self.r_edges, lowest=0.0)
        if not isinstance(self.n_alpha, int) or self.n_alpha < 1:
            raise InputError(f"n_alpha is {brief(self.n_alpha)}; give a whole number of sectors, at least 1.")

    @property
    def shape(self) -> tuple[int, int]:
        """(n_alpha, number of rings)."""
        return self.n_alpha, len(self.r_edges) - 1

    def shares(self, radius: Array) -> Array:
        """Fractions (N, cells) of f(r) = 2 r R² / (r² + R²)² for each R of `radius` (N,), in mm."""
        r2 = np.square(np.asarray(self.r_edges, np.float64))
        rings = np.diff(r2 / (r2 + np.square(radius)[:, None]), axis=1)
        return np.tile(rings / self.n_alpha, (1, self.n_alpha))


@dataclass(frozen=True)
class Pixels:
    """Rectangular cells between `x_edges` and `y_edges` (mm); infinite outer edges are allowed."""

    x_edges: tuple[float, ...]
    y_edges: tuple[float, ...] = (-inf, inf)

    def __post_init__(self) -> None:
        _check_edges("x_edges", self.x_edges)
        _check_edges("y_edges", self.y_edges)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows in y, columns in x)."""
        return len(self.y_edges) - 1, len(self.x_edges) - 1

    def shares(self, radius: Array) -> Array:
        """Fractions (N, cells) of the density R² / (π (x² + y² + R²)²) for each R of `radius` (N,), in mm.

        Its integral over [0, x] × [0, y] is [a atan(y / u) + b atan(x / v)] / 2π, where u² = x² + R², v² = y² + R²,
        a = x / u, b = y / v (the bivariate t distribution with two degrees of freedom).
        """
        far = 1e9 * radius.max()  # atan(inf / inf) has no value; beyond this no energy is left
        x = np.clip(np.asarray(self.x_edges), -far, far)[None, None, :]
        y = np.clip(np.asarray(self.y_edges), -far, far)[None, :, None]
        r2 = np.square(radius)[:, None, None]
        u, v = np.sqrt(x * x + r2), np.sqrt(y * y + r2)
        integral = (x / u * np.arctan(y / u) + y / v * np.arctan(x / v)) / (2 * pi)
        cells: Array = np.diff(np.diff(integral, axis=1), axis=2).reshape(len(radius), -1)
        return cells.clip(min=0.0)  # differences in far corners may be -1e-17


Face = Rings | Pixels


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer.

    Attributes:
        start: Where it begins, in radiation lengths from the front.
        stop: Where it ends.
        face: Its cells.
    """

    start: float
    stop: float
    face: Face

    def __post_init__(self) -> None:
        if not (_number(self.start) and _number(self.stop) and 0 <= self.start < self.stop < inf):
            raise InputError(
                f"a layer goes from {brief(self.start)} to {brief(self.stop)} radiation lengths; "
                "give 0 <= start < stop."
            )

    @property
    def n_cells(self) -> int:
        """How many cells."""
        rows, columns = self.face.shape
        return rows * columns


@dataclass(frozen=True)
class Geometry:
    """A calorimeter.

    Attributes:
        name: What it is called in files and plots.
        material: The effective medium.
        layers: The layers, front to back; what lies between them is dead material.
        shape: The sides of an event where it is a grid, such as (16, 16); None where it is a table of voxels.
    """

    name: str
    material: Material
    layers: tuple[Layer, ...]
    shape: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if not self.layers:
            raise InputError("a geometry has no layer; give at least one.")
        for before, after in zip(self.layers, self.layers[1:], strict=False):
            if after.start < before.stop:
                raise InputError(
                    f"a layer starts at {after.start} radiation lengths, before the one in front of it stops at "
                    f"{before.stop}; order the layers by depth."
                )
        if self.shape is not None and int(np.prod(self.shape)) != self.n_voxels:
            raise InputError(
                f"the shape {self.shape} does not hold the {self.n_voxels} voxels of the layers."
            )

    def to_json(self) -> dict[str, Any]:
        """As plain data, from which `from_json` makes it again."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """From what `to_json` gave; anything else raises a KeyError, TypeError, ValueError or InputError."""
        layers = tuple(
            Layer(layer["start"], layer["stop"], _face(layer["face"])) for layer in content["layers"]
        )
        shape = content["shape"] and tuple(content["shape"])
        return cls(str(content["name"]), Material(**content["material"]), layers, shape)

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """Where each layer's voxels begin, and the total at the end."""
        return (0, *np.cumsum([layer.n_cells for layer in self.layers]).tolist())

    @property
    def n_voxels(self) -> int:
        """How many voxels."""
        return self.offsets[-1]

    @staticmethod
    def from_xml(path: str | Path, particle: str | None = None) -> "Geometry":
        """A CaloChallenge binning file, with depths and material from `zerosum.data.calorimeters`.

        Args:
            path: The file; document types, and with them entities, are refused.
            particle: Which `Bin` of the file to take ("photon"); not needed where there is one.
        """
        from zerosum.data.geometry_files import read_binning

        return read_binning(Path(path), particle)

    @staticmethod
    def from_yaml(path: str | Path) -> "Geometry":
        """A file with `name`, `material` (the fields of `Material`) and `layers` (start, stop, r_edges, n_alpha)."""
        from zerosum.data.geometry_files import read_yaml

        return read_yaml(Path(path))


def _face(fields: dict[str, Any]) -> Face:
    """The cells whose fields these are."""
    tuples: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
    return Rings(**tuples) if "r_edges" in fields else Pixels(**tuples)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _check_edges(name: str, edges: tuple[float, ...], lowest: float = -inf) -> None:
    if len(edges) < 2 or not all(map(_number, edges)) or edges[0] < lowest or np.any(np.diff(edges) <= 0):
        raise InputError(
            f"{name} are {brief(list(edges))}; give at least two, increasing{', from 0 on' * (lowest == 0)}."
        )
