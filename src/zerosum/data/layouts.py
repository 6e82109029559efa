"""Which named arrays make which events: one function for each layout, for HDF5 and npz alike.

| layout        | arrays                                                               | kind   |
|---------------|----------------------------------------------------------------------|--------|
| zerosum       | features, conditions, weights, mask                                   | any    |
| CaloChallenge | incident_energies (N, 1) and showers (N, voxels), both in MeV         | table  |
| CaloGAN       | energy (N, 1) in GeV; layer_0 (N, rows, columns), ... in MeV; overflow | table  |
| JetNet        | particle_features (N, M, F), and mask (N, M) or (N, M, 1), jet_features | cloud |
| one array     | one array with names, or the one that `dataset` names                 | by its shape |
| columns       | one-dimensional arrays of one length; records                         | table  |

The first that recognises the arrays reads them. CaloChallenge: arXiv:2410.21611; CaloGAN: arXiv:1705.02355; JetNet:
arXiv:2106.11535. What has the columns of one of the two layouts of showers is written in it, all else as zerosum's own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zerosum.data.columns import Column, Existing, Part, Role, Source, source_of_parts
from zerosum.data.events import Events, Kind
from zerosum.data.shower_layouts import calochallenge, calochallenge_arrays, calogan, calogan_arrays
from zerosum.errors import InputError

CHANNEL_AXIS: dict[str, int] = {"table": 1, "grid": 1, "cloud": -1}


@dataclass(frozen=True)
class Container:
    """Named arrays with optional labels.

    Attributes:
        arrays: Anything with shape, dtype and slicing, by name.
        labels: Names and units of the columns of some of the arrays.
        header: What the file says about itself: kind, source, attributes.
        dataset: The array that the user chose, or None.
    """

    arrays: Mapping[str, Any]
    labels: Mapping[str, Sequence[Column]] = field(default_factory=dict)
    header: Mapping[str, Any] = field(default_factory=dict)
    dataset: str | None = None

    def matrix(self, name: str, role: Role, names: Sequence[str] = (), unit: str = "") -> Part:
        """An array (N, ..., F) whose last axis holds columns."""
        columns = self.labels.get(name) or [Column(label, unit) for label in names]
        width = self.arrays[name].shape[-1]
        if len(columns) != width:
            columns = [Column(f"{name}_{i}", unit) for i in range(width)]
        return Part(self.arrays[name], tuple(Column(c.name, c.unit, role) for c in columns), -1)


def source_of(container: Container) -> Source:
    """The events in a container, by the first layout that recognises it."""
    if container.dataset is not None and container.dataset not in container.arrays:
        raise InputError(f"it has no array {container.dataset}; its arrays are {_listed(container)}")
    for layout in LAYOUTS:
        source = layout(container)
        if source is not None:
            return source
    raise InputError(
        f"it holds {_listed(container)}; several arrays could be the events, or none: choose one by dataset"
    )


def zerosum(container: Container) -> Source | None:
    """What zerosum writes."""
    arrays, kind = container.arrays, container.header.get("kind")
    if kind not in CHANNEL_AXIS or "features" not in arrays or "features" not in container.labels:
        return None
    parts = [Part(arrays["features"], tuple(container.labels["features"]), CHANNEL_AXIS[kind])]
    if "mask" in arrays:
        parts.append(Part(arrays["mask"], (Column("mask", "", "mask"),)))
    if "conditions" in arrays:
        parts.append(container.matrix("conditions", "condition"))
    if "weights" in arrays:
        parts.append(Part(arrays["weights"], (Column("weight", "", "weight"),)))
    return source_of_parts(kind, parts, dict(container.header.get("attributes", {})))


def jetnet(container: Container) -> Source | None:
    """Padded particles; the jet's features are extras, read where they are named as conditions or weight."""
    points = container.arrays.get("particle_features")
    if points is None or len(points.shape) != 3:
        return None
    names = ["eta_rel", "phi_rel", "pt_rel", "mask"][: points.shape[-1]]
    part = container.matrix("particle_features", "feature", names)
    columns = tuple(Column(c.name, c.unit, "mask" if c.name == "mask" else "feature") for c in part.columns)
    parts = [Part(points, columns, -1)]
    if "mask" in container.arrays:
        mask = container.arrays["mask"]
        parts.append(Part(mask, (Column("mask", "", "mask"),), -1 if len(mask.shape) == 3 else None))
    elif all(column.role == "feature" for column in columns):
        parts.append(Part(Existing(points), (Column("mask", "", "mask"),)))
    if "jet_features" in container.arrays:
        parts.append(container.matrix("jet_features", "extra"))
    return source_of_parts("cloud", parts)


def columns(container: Container) -> Source | None:
    """One-dimensional arrays (or (N, 1)) of one length."""
    arrays = container.arrays
    if container.dataset is not None or not arrays:
        return None
    if not all(len(a.shape) == 1 or a.shape[1:] == (1,) for a in arrays.values()):
        return None
    if any(array.dtype.names for array in arrays.values()):
        return None
    return source_of_parts("table", [_column(container, name, "feature") for name in arrays])


def one_array(container: Container) -> Source | None:
    """The chosen array, or the only one of several dimensions; columns of its length beside it are extras."""
    arrays = container.arrays
    wide = [name for name, array in arrays.items() if len(array.shape) > 1 or array.dtype.names]
    name = container.dataset or (wide[0] if len(wide) == 1 else None)
    if name is None:
        return None
    beside = [
        _column(container, other, "extra")
        for other, array in arrays.items()
        if other != name and array.shape in ((len(arrays[name]),), (len(arrays[name]), 1))
    ]
    kind, parts = parts_of_array(arrays[name], container.labels.get(name))
    taken = {column.name for part in parts for column in part.columns}
    return source_of_parts(kind, parts + [p for p in beside if p.columns[0].name not in taken])


def parts_of_array(array: Any, labels: Sequence[Column] | None = None) -> tuple[Kind, list[Part]]:
    """The events in one array: records, (N,), (N, F), images (N, H, W), grids (N, C, sides...)."""
    if array.dtype.names:
        return "table", [_record(array, name) for name in array.dtype.names]
    dimensions = len(array.shape)
    if not 1 <= dimensions <= 5:
        raise InputError(
            f"its array has shape {array.shape}; give (N,) or (N, F) for a table, (N, H, W) or "
            "(N, C, sides...) with two or three sides for a grid"
        )
    if dimensions == 1:
        return "table", [Part(array, tuple(labels or [Column("x0")]))]
    if dimensions == 2:
        return "table", [Part(array, _labelled(labels, array.shape[1], "x"), 1)]
    if dimensions == 3:
        return "grid", [Part(array, tuple(labels or [Column("value")])[:1])]
    default = [Column("value")] if array.shape[1] == 1 else None
    return "grid", [Part(array, _labelled(labels or default, array.shape[1], "c"), 1)]


@dataclass(frozen=True)
class _Record:
    """One field of an array of records, as an array."""

    records: Any
    name: str

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, rows: slice) -> Any:
        return self.records[rows][self.name]


def _record(array: Any, name: str) -> Part:
    if array.dtype[name].shape:
        raise InputError(f"its field {name} has an array in each row; only flat records make a table")
    return Part(_Record(array, name), (Column.parse(name),))


def _column(container: Container, name: str, role: Role) -> Part:
    array = container.arrays[name]
    label = next(iter(container.labels.get(name, ())), Column.parse(name))
    return Part(array, (Column(label.name, label.unit, role),), None if len(array.shape) == 1 else 1)


def _labelled(labels: Sequence[Column] | None, width: int, letter: str) -> tuple[Column, ...]:
    if labels and len(labels) == width:
        return tuple(labels)
    return tuple(Column(f"{letter}{i}") for i in range(width))


def _listed(container: Container) -> str:
    return ", ".join(f"{name} {array.shape}" for name, array in container.arrays.items()) or "no arrays"


LAYOUTS: tuple[Callable[[Container], Source | None], ...] = (
    zerosum,
    calochallenge,
    calogan,
    jetnet,
    columns,
    one_array,
)


def arrays_of(events: Events) -> dict[str, Any]:
    """The arrays in which events are written: those of the first layout of `WRITTEN` that takes them."""
    return next(arrays for layout in WRITTEN if (arrays := layout(events)) is not None)


def own_arrays(events: Events) -> dict[str, Any]:
    """The arrays of the layout "zerosum"."""
    named = {
        "features": events.values,
        "conditions": events.conditions,
        "weights": events.weights,
        "mask": events.mask,
    }
    return {name: array for name, array in named.items() if array is not None}


WRITTEN: tuple[Callable[[Events], dict[str, Any] | None], ...] = (
    calochallenge_arrays,
    calogan_arrays,
    own_arrays,
)
