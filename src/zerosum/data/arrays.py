"""NumPy's files: .npy is one bare array, .npz holds the same named arrays as zerosum's HDF5.

A table's .npy has shape (N, F) and loses its names (x0, x1, ...); records keep theirs when read.
A grid has shape (N, C, sides...).
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from zerosum.data.columns import Array, Column, Source, source_of_parts
from zerosum.data.events import Events, Feature
from zerosum.data.layouts import Container, arrays_of, parts_of_array, source_of
from zerosum.errors import InputError

HEADER = ("kind", "attributes", "columns", "units", "condition_columns", "condition_units")


@contextmanager
def read_npy(path: Path, dataset: str | None) -> Iterator[Source]:
    """Open an array without loading it (memory map)."""
    if dataset is not None:
        raise InputError(f"an .npy file has no datasets, but {dataset} was asked for; leave the dataset out")
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise InputError("it is an archive of several arrays under a wrong name; rename it to .npz")
    yield source_of_parts(*parts_of_array(array))


@contextmanager
def write_npy(path: Path, like: Events) -> Iterator[Callable[[Events], None]]:
    """Write one array that grows; the header, which holds the length, is written again at the end."""
    if like.conditions is not None or like.weights is not None:
        raise InputError("an .npy file is one array without conditions or weights; choose .npz or .h5")
    shape, dtype, n = like.values.shape[1:], like.values.dtype, 0

    def header() -> dict[str, Any]:
        descr = np.lib.format.dtype_to_descr(dtype)
        return {"descr": descr, "fortran_order": False, "shape": (n, *shape)}

    with path.open("wb") as file:
        # NumPy leaves room in the header for a length of up to 21 digits.
        np.lib.format.write_array_header_1_0(file, header())
        start = file.tell()

        def append(events: Events) -> None:
            nonlocal n
            file.write(np.ascontiguousarray(events.values, dtype).data)
            n += len(events)

        yield append
        file.seek(0)
        np.lib.format.write_array_header_1_0(file, header())
        if file.tell() != start:
            raise InputError("the array has too many events for its header; choose .h5")


@contextmanager
def read_npz(path: Path, dataset: str | None) -> Iterator[Source]:
    """Open an archive of arrays; each array is loaded whole when it is first needed."""
    with path.open("rb") as file:
        archive = np.load(file, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise InputError("it is a single array under a wrong name; rename it to .npy")
        arrays = {name: archive[name] for name in archive.files}
    header: dict[str, Any] = {}
    labels: dict[str, list[Column]] = {}
    if {"kind", "attributes", "columns", "units"} <= arrays.keys():
        header = {"kind": str(arrays["kind"]), "attributes": json.loads(str(arrays["attributes"]))}
        if "features" in arrays:
            labels["features"] = _labels(arrays["columns"], arrays["units"])
        if "conditions" in arrays:
            labels["conditions"] = _labels(arrays["condition_columns"], arrays["condition_units"])
        arrays = {name: array for name, array in arrays.items() if name not in HEADER}
    yield source_of(Container({k: a for k, a in arrays.items() if a.shape}, labels, header, dataset))


@contextmanager
def write_npz(path: Path, like: Events) -> Iterator[Callable[[Events], None]]:
    """Write an archive; it is kept in memory until the end, because a zip member cannot grow."""
    kept: list[dict[str, Array]] = []
    yield lambda events: kept.append(arrays_of(events))
    arrays = {name: np.concatenate([part[name] for part in kept]) for name in kept[0]}
    arrays |= {"kind": np.array(like.kind), "attributes": np.array(json.dumps(like.attributes))}
    arrays |= _described("", like.features) | _described("condition_", like.condition_features)
    np.savez_compressed(path, allow_pickle=False, **arrays)


def _described(prefix: str, features: tuple[Feature, ...]) -> dict[str, Any]:
    return {
        f"{prefix}columns": np.array([feature.name for feature in features], dtype=str),
        f"{prefix}units": np.array([feature.unit for feature in features], dtype=str),
    }


def _labels(names: Array, units: Array) -> list[Column]:
    return [Column(str(name), str(unit)) for name, unit in zip(names, units, strict=True)]
