"""What every file looks like from inside: named columns that are read in chunks.

A `Source` is an opened file. Each of its columns is one feature of a table, one channel of a grid, one entry
of a cloud's points, or a condition, a weight, a mask. A chunk maps names to arrays of one common length N:

| column of       | array         |
|-----------------|---------------|
| a table         | (N,)          |
| a grid          | (N, *sides)   |
| a cloud, a mask | (N, M)        |
"""

import re
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from zerosum.data.events import Events, Feature, Kind
from zerosum.errors import InputError

Role = Literal["feature", "condition", "weight", "mask", "extra"]
Array = npt.NDArray[Any]
Chunk = dict[str, Array]


@dataclass(frozen=True, slots=True)
class Column:
    """A name with its unit and what it is for; an "extra" is read only where it is asked for by name."""

    name: str
    unit: str = ""
    role: Role = "feature"

    @classmethod
    def parse(cls, label: str, role: Role = "feature") -> "Column":
        """The column of a label such as "pt [GeV]"."""
        match = re.fullmatch(r"(.*\S)\s+\[([^\[\]]+)\]", label.strip())
        return cls(match[1], match[2], role) if match else cls(label.strip(), "", role)

    @property
    def feature(self) -> Feature:
        """Name and unit."""
        return Feature(self.name, self.unit)


@dataclass(frozen=True)
class Source:
    """An opened file.

    Attributes:
        kind: What its events are.
        columns: All columns, in the order of the file.
        chunks: Reads the named columns, at most so many events at a time.
        attributes: Facts about the whole sample that the file carries.
        rows: Reads the named columns of the events from one number up to another; None where a file can only be read
            from its beginning.
        length: How many events there are, where `rows` is there.
        edges: Where the file's own pieces begin, and the end, where it is read in whole pieces only.
        parts: The arrays that hold the columns, where the file is made of arrays.
    """

    kind: Kind
    columns: tuple[Column, ...]
    chunks: Callable[[Sequence[str], int], Iterator[Chunk]]
    attributes: dict[str, Any] = field(default_factory=dict)
    rows: Callable[[Sequence[str], int, int], Chunk] | None = None
    length: int = 0
    edges: tuple[int, ...] | None = None
    parts: tuple["Part", ...] = ()

    def names(self, *roles: Role) -> list[str]:
        """The names of the columns with one of these roles; all names without a role."""
        return [column.name for column in self.columns if not roles or column.role in roles]


@dataclass(frozen=True)
class Part:
    """One stored array and the columns in it.

    Attributes:
        array: Anything with a shape that can be sliced along its first axis.
        columns: Its columns.
        axis: Along which axis the columns lie; None where the array is one column.
    """

    array: Any
    columns: tuple[Column, ...]
    axis: int | None = None

    def read(self, start: int, stop: int, names: Container[str]) -> Chunk:
        """Those of its columns that are named, as views of one array that holds nothing else."""
        array = np.asarray(self.array[start:stop])
        if self.axis is None:
            return {self.columns[0].name: array}
        places = [i for i, column in enumerate(self.columns) if column.name in names]
        if len(places) < array.shape[self.axis]:
            array = array.take(places, axis=self.axis)
        views = np.moveaxis(array, self.axis, 0)
        return {self.columns[i].name: view for i, view in zip(places, views, strict=True)}


def source_of_parts(kind: Kind, parts: Sequence[Part], attributes: dict[str, Any] | None = None) -> Source:
    """A source whose columns lie in arrays that can be sliced, in memory or on disk."""
    lengths = {len(part.array) for part in parts}
    if len(lengths) != 1:
        sizes = ", ".join(f"{part.columns[0].name} has {len(part.array)}" for part in parts)
        raise InputError(f"the arrays differ in their number of rows ({sizes}); give one row for each event")

    length = lengths.pop()

    def rows(names: Sequence[str], start: int, stop: int) -> Chunk:
        chosen, chunk = set(names), Chunk()
        for part in parts:
            if any(column.name in chosen for column in part.columns):
                chunk |= part.read(start, stop, chosen)
        return {name: chunk[name] for name in names}

    def chunks(names: Sequence[str], size: int) -> Iterator[Chunk]:
        for start in range(0, length, size):
            yield rows(names, start, start + size)

    columns = tuple(column for part in parts for column in part.columns)
    return Source(kind, columns, chunks, attributes or {}, rows, length, parts=tuple(parts))


@dataclass(frozen=True)
class Existing:
    """The mask of a padded array without one: a point exists where any of its entries differs from zero."""

    array: Any

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, rows: slice) -> Array:
        exists: Array = np.any(np.asarray(self.array[rows]) != 0, axis=-1)
        return exists


def is_numeric(array: Array) -> bool:
    """Whether the entries are booleans, integers or real floating-point numbers."""
    return array.dtype.kind in "biuf"


def columns_of(events: Events) -> tuple[Column, ...]:
    """The columns that a table's file needs: features, conditions, weight."""
    weight = () if events.weights is None else (Column("weight", "", "weight"),)
    given = tuple(Column(feature.name, feature.unit, "condition") for feature in events.condition_features)
    return tuple(Column(feature.name, feature.unit) for feature in events.features) + given + weight


def chunk_of(events: Events) -> Chunk:
    """A table as named columns: features, conditions, weight."""
    arrays: list[Array] = list(events.values.T)
    arrays += [] if events.conditions is None else list(events.conditions.T)
    arrays += [] if events.weights is None else [events.weights]
    return {
        column.name: np.ascontiguousarray(array)
        for column, array in zip(columns_of(events), arrays, strict=True)
    }


def values_of(events: Events) -> list[Array]:
    """All values of each feature, one-dimensional; of a cloud, those of the points that exist."""
    if events.kind == "cloud":
        return list(events.values[events.mask].T)
    if events.kind == "grid":
        return [events.values[:, channel].reshape(-1) for channel in range(len(events.features))]
    return list(events.values.T)
