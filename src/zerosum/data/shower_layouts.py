"""The two layouts in which showers are passed around: CaloChallenge's and CaloGAN's, read and written.

    import h5py
    file = h5py.File("showers.h5")
    file["incident_energies"][:]    # (N, 1), MeV
    file["showers"][:]              # (N, voxels), MeV: r fastest, then alpha, then layer

CaloChallenge: arXiv:2410.21611; CaloGAN: arXiv:1705.02355, whose images are rows in phi and columns in eta.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from zerosum.data.calorimeters import CALOGAN
from zerosum.data.columns import Column, Part, Source, source_of_parts
from zerosum.data.events import Events, Feature

if TYPE_CHECKING:
    from zerosum.data.layouts import Container

INCIDENT = "incident_energy"
VOXELS = {368: "atlas-like", 6480: "silicon-like"}  # of CaloChallenge files that do not name their geometry


def calochallenge(container: "Container") -> Source | None:
    """Voxel energies in MeV, flattened as in the file, given the incident energy in MeV."""
    if not {"incident_energies", "showers"} <= container.arrays.keys():
        return None
    width = container.arrays["showers"].shape[-1]
    voxels = container.matrix("showers", "feature", [f"voxel_{i}" for i in range(width)], "MeV")
    energy = container.matrix("incident_energies", "condition", [INCIDENT], "MeV")
    known = {"geometry": VOXELS[width]} if width in VOXELS else {}
    return source_of_parts("table", [voxels, energy], known | dict(container.header.get("attributes") or {}))


def calogan(container: "Container") -> Source | None:
    """Pixels of each layer in MeV, row after row, given the energy in GeV; overflow is read where it is named."""
    layers = _layers(container.arrays)
    if container.dataset is not None or not layers or "energy" not in container.arrays:
        return None
    parts = []
    for name in layers:
        array = container.arrays[name]
        pixels = (
            f"{name}_{row}_{column}" for row in range(array.shape[1]) for column in range(array.shape[2])
        )
        parts.append(Part(_Flat(array), tuple(Column(pixel, "MeV") for pixel in pixels), 1))
    parts.append(container.matrix("energy", "condition", ["energy"], "GeV"))
    if "overflow" in container.arrays:
        count = container.arrays["overflow"].shape[-1]
        names = [f"overflow_{i}" for i in range(count)]
        parts.append(container.matrix("overflow", "extra", names, "MeV"))
    shapes = tuple(tuple(container.arrays[name].shape[1:]) for name in layers)
    known = {"geometry": "calogan-like"} if shapes == CALOGAN else {}
    return source_of_parts("table", parts, known | dict(container.header.get("attributes") or {}))


def _layers(arrays: Mapping[str, Any]) -> list[str]:
    """The names layer_0, layer_1, ... that are there, each of images (N, rows, columns)."""
    names: list[str] = []
    while (name := f"layer_{len(names)}") in arrays and len(arrays[name].shape) == 3:
        names.append(name)
    return names


def calochallenge_arrays(events: Events) -> dict[str, Any] | None:
    """`incident_energies` (N, 1) and `showers` (N, voxels) of showers in MeV; None where other columns are there."""
    voxels = tuple(Feature(f"voxel_{i}", "MeV") for i in range(len(events.features)))
    if not _plain(events, voxels, Feature(INCIDENT, "MeV")):
        return None
    return {"incident_energies": events.conditions, "showers": events.values}


def calogan_arrays(events: Events) -> dict[str, Any] | None:
    """`energy` (N, 1) in GeV and `layer_0`, ... (N, rows, columns) in MeV; None where other columns are there."""
    pixels = tuple(
        Feature(f"layer_{layer}_{row}_{column}", "MeV")
        for layer, (rows, columns) in enumerate(CALOGAN)
        for row in range(rows)
        for column in range(columns)
    )
    if not _plain(events, pixels, Feature("energy", "GeV")):
        return None
    edges = [0, *accumulate(rows * columns for rows, columns in CALOGAN)]
    layers = {
        f"layer_{layer}": events.values[:, low:high].reshape(-1, *sides)
        for layer, (sides, (low, high)) in enumerate(zip(CALOGAN, pairwise(edges), strict=True))
    }
    return {"energy": events.conditions, **layers}


def _plain(events: Events, features: tuple[Feature, ...], energy: Feature) -> bool:
    """Whether events are showers of these features, given this energy, without weights."""
    return (
        events.kind == "table"
        and events.weights is None
        and events.condition_features == (energy,)
        and events.features == features
    )


@dataclass(frozen=True)
class _Flat:
    """Images (N, rows, columns) as rows (N, pixels)."""

    images: Any

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: slice) -> Any:
        chosen = self.images[rows]
        return chosen.reshape(len(chosen), -1)
