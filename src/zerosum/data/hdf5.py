"""HDF5: datasets `features`, `conditions`, `weights`, `mask`, with attributes `columns` and `units`.

    import h5py
    file = h5py.File("events.h5")
    file.attrs["kind"]                                          # "table", "grid" or "cloud"
    file["features"][:], file["features"].attrs["columns"], file["features"].attrs["units"]

Other people's layouts: see `zerosum.data.layouts`.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from zerosum.data.columns import Column, Source
from zerosum.data.events import Events
from zerosum.data.hdf5_damage import demand_heaps, demand_whole
from zerosum.data.hdf5_disk import Disk
from zerosum.data.layouts import Container, arrays_of, source_of
from zerosum.errors import InputError


@contextmanager
def read(path: Path, dataset: str | None) -> Iterator[Source]:
    """Open an HDF5 file in any known layout; `dataset` chooses one array by its full name."""
    import h5py

    demand_heaps(path)
    with h5py.File(path, "r") as file:
        arrays: dict[str, Any] = {}
        file.visititems(lambda name, item: arrays.update({name: item}) if hasattr(item, "dtype") else None)
        arrays = {name: array for name, array in arrays.items() if array.shape}
        for name, array in arrays.items():
            demand_whole(name, array, path.parent)
        labels = {name: _labels(name, array) for name, array in arrays.items() if _labels(name, array)}
        header = {"kind": file.attrs.get("kind"), "attributes": _facts(file)}
        yield source_of(Container(arrays, labels, header, dataset))


@contextmanager
def write(path: Path, like: Events) -> Iterator[Callable[[Events], None]]:
    """Write datasets that grow with each append."""
    import h5py

    # Since HDF5 1.8 an attribute may be larger than 64 kB, which the names of thousands of voxels are; since 1.10
    # (2016) the list of chunks has a checksum.
    disk = Disk(path)
    with closing(disk), h5py.File(disk, "w", libver=("v110", "latest")) as file:
        for name, array in arrays_of(like).items():
            rows = max(1, min(1024, 2**18 // max(1, array[:1].nbytes)))
            file.create_dataset(
                name,
                (0, *array.shape[1:]),
                array.dtype,
                maxshape=(None, *array.shape[1:]),
                chunks=(rows, *array.shape[1:]),
                compression="gzip",
                compression_opts=1,
                shuffle=True,
            )
        describe(file, like)

        def append(events: Events) -> None:
            for name, array in arrays_of(events).items():
                stored = file[name]
                stored.resize(len(stored) + len(array), axis=0)
                stored[len(stored) - len(array) :] = array
            disk.demand()

        yield append
    disk.demand()


def describe(file: Any, like: Events) -> None:
    """Write what events are: kind, attributes, names and units."""
    file.attrs["kind"] = like.kind
    file.attrs["attributes"] = json.dumps(like.attributes)
    for name, features in (("features", like.features), ("conditions", like.condition_features)):
        if name in file:
            file[name].attrs["columns"] = [feature.name for feature in features]
            file[name].attrs["units"] = [feature.unit for feature in features]


def _labels(name: str, array: Any) -> list[Column]:
    """Names and units from the attributes of a dataset."""
    import numpy as np

    names = [_text(label) for label in np.atleast_1d(array.attrs.get("columns", []))]
    units = [_text(unit) for unit in np.atleast_1d(array.attrs.get("units", []))]
    if not names and "unit" in array.attrs:
        return [Column(name, _text(array.attrs["unit"]))]
    if not units:
        return [Column.parse(label) for label in names]
    if len(units) != len(names):
        raise InputError(f"its dataset {name} has {len(names)} column names and {len(units)} units")
    return [Column(label, "" if unit == "1" else unit) for label, unit in zip(names, units, strict=True)]


def _facts(file: Any) -> dict[str, Any]:
    """The attributes that zerosum wrote, or any text attributes of the file."""
    if "attributes" in file.attrs:
        return dict(json.loads(file.attrs["attributes"]))
    return {}


def _text(label: Any) -> str:
    return label.decode() if isinstance(label, bytes) else str(label)
