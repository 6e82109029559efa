"""Which columns of a file become features, conditions and weights; what is not a finite number is refused."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from zerosum.data.columns import Array, Chunk, Column, Source, is_numeric, values_of
from zerosum.data.events import Events, Feature, Kind, absent
from zerosum.errors import InputError


@dataclass(frozen=True)
class Selection:
    """What the user asked for; see `zerosum.data.formats.load`."""

    columns: Sequence[str] | None = None
    conditions: Sequence[str] = ()
    weight: str | None = None
    max_events: int | None = None

    def resolve(self, source: Source) -> "Chosen":
        """The columns of this source that were asked for."""
        if self.max_events is not None and self.max_events < 1:
            raise InputError(f"max_events is {self.max_events}; give a positive number of events")
        if isinstance(self.columns, str) or isinstance(self.conditions, str):
            raise InputError("columns and conditions are lists of names; put the one name in a list")
        marked = source.names("condition")
        conditions = marked + [name for name in self.conditions if name not in marked]
        weight = self.weight if self.weight is not None else next(iter(source.names("weight")), None)
        taken = {*conditions, weight}
        features = self.columns
        if features is None:
            features = [name for name in source.names("feature") if name not in taken]
        mask = source.names("mask")[:1]
        wanted = [*features, *conditions, *([] if weight is None else [weight])]
        available = set(source.names()) - set(mask)
        missing = [name for name in wanted if name not in available]
        if missing:
            raise InputError(absent(missing, [name for name in source.names() if name not in mask]))
        if not features:
            raise InputError("no column is left for the features; name fewer conditions")
        twice = sorted(name for name, times in Counter(wanted).items() if times > 1)
        if twice:
            raise InputError(
                f"{', '.join(twice)} was chosen more than once among columns, conditions and weight"
            )
        column = {one.name: one for one in source.columns}
        return Chosen(
            source.kind,
            tuple(column[name] for name in features),
            tuple(column[name] for name in conditions),
            weight,
            mask[0] if mask else None,
            source.attributes,
            self.max_events,
        )


@dataclass(frozen=True)
class Chosen:
    """The columns of one source that become events."""

    kind: Kind
    features: tuple[Column, ...]
    conditions: tuple[Column, ...]
    weight: str | None
    mask: str | None
    attributes: Mapping[str, Any]
    max_events: int | None

    @property
    def names(self) -> list[str]:
        """All columns to read."""
        numbers = [column.name for column in self.features + self.conditions]
        return numbers + [name for name in (self.weight, self.mask) if name is not None]

    def gather(self, source: Source, size: int) -> Chunk:
        """All chunks as one, up to max_events."""
        parts: list[Chunk] = []
        left = self.max_events
        for part in source.chunks(self.names, size if left is None else min(size, left)):
            parts.append(part if left is None else {name: array[:left] for name, array in part.items()})
            if left is not None:
                left -= len(part[self.names[0]])
                if left <= 0:
                    break
        if not parts:
            raise InputError("it has no events")
        return {name: _joined([part[name] for part in parts]) for name in self.names}

    def events(self, chunk: Chunk, path: str, first: int = 0) -> Events:
        """The events of a chunk that begins at row `first`; refuses what is not a finite number."""
        if len(chunk[self.names[0]]) == 0:
            raise InputError("it has no events")
        self._refuse_words(chunk)
        mask = None if self.mask is None else _booleans(chunk[self.mask])
        features = {column.name for column in self.features}
        for name in self.names:
            _refuse_missing(name, chunk[name], mask if name in features else None, first)
        values = _stacked([chunk[column.name] for column in self.features], 1 if self.kind == "grid" else -1)
        conditions = [chunk[column.name] for column in self.conditions]
        weights = None if self.weight is None else _stacked([chunk[self.weight]], -1)[:, 0]
        return self._made(values, _stacked(conditions, -1) if conditions else None, weights, mask, path)

    def reader(self, source: Source, path: str) -> Callable[[int, int], Events]:
        """Reads the events from one row up to another of a source that has `rows`.

        Where features and conditions are arrays of the file as they are, these are taken whole: to look at thousands
        of voxels one by one would take longer than to train on them. All else is read by columns, and so is what is
        to be refused, because they have names.
        """
        assert source.rows is not None
        by_names, wanted = source.rows, [columns for columns in (self.features, self.conditions) if columns]
        parts = [part for part in source.parts if part.axis is not None]
        arrays = [part.array for columns in wanted for part in parts if part.columns == columns]

        def by_columns(start: int, stop: int) -> Events:
            return self.events(by_names(self.names, start, stop), path, start)

        def whole(start: int, stop: int) -> Events:
            found = [_floating(np.asarray(array[start:stop])) for array in arrays]
            if not all(np.isfinite(array).all() for array in found):
                return by_columns(start, stop)
            return self._made(found[0], found[1] if self.conditions else None, None, None, path)

        plain = self.kind != "cloud" and self.weight is None and len(arrays) == len(wanted)
        return whole if plain else by_columns

    def _made(
        self, values: Array, conditions: Array | None, weights: Array | None, mask: Array | None, path: str
    ) -> Events:
        return Events(
            values if mask is None else np.where(mask[..., None], values, values.dtype.type(0)),
            self._named[0],
            self.kind,
            conditions,
            self._named[1],
            weights,
            mask,
            path,
            dict(self.attributes),
        )

    @cached_property
    def _named(self) -> tuple[tuple[Feature, ...], tuple[Feature, ...]]:
        """Features and conditions with their units."""
        return tuple(column.feature for column in self.features), tuple(
            column.feature for column in self.conditions
        )

    def _refuse_words(self, chunk: Chunk) -> None:
        words = [name for name in self.names if not is_numeric(chunk[name])]
        if words:
            numeric = [name for name in self.names if name not in words and name != self.mask]
            raise InputError(
                f"column {', '.join(words)} is not numeric ({len(chunk[words[0]])} rows read); "
                f"choose among the numeric columns with --columns {' '.join(numeric) or '(there are none)'}"
            )


def check_trainable(events: Events) -> None:
    """Refuse what no generator can be trained on.

    Raises:
        InputError: Where a feature or condition has one value only, or fewer than two events are there.
    """
    where = events.source or "the sample"
    if len(events) < 2:
        raise InputError(f"{where} has {len(events)} event; training needs at least 2.")
    constant = [
        name
        for name, values in zip(events.names, values_of(events), strict=True)
        if np.min(values, initial=np.inf) >= np.max(values, initial=-np.inf)
    ]
    conditions = () if events.conditions is None else events.conditions.T
    constant += [
        name
        for name, values in zip(events.condition_names, conditions, strict=True)
        if values.min() == values.max()
    ]
    if constant:
        raise InputError(
            f"{where}: column {', '.join(constant)} has the same value in all {len(events)} rows; "
            "leave it out by naming the others with --columns."
        )


def _refuse_missing(name: str, array: Array, mask: Array | None, first: int) -> None:
    """Refuse NaN and infinite entries, with how many there are and where the first one is."""
    wrong: Array = ~np.isfinite(array)
    if mask is not None:
        wrong &= mask
    wrong = np.any(wrong.reshape(len(array), -1), axis=1, keepdims=True)[:, 0]
    if wrong.any():
        infinite = bool(np.isinf(array[int(np.argmax(wrong))]).any())
        values = "value" if wrong.sum() == 1 else "values"
        raise InputError(
            f"column {name} has {int(wrong.sum())} {'infinite' if infinite else 'missing'} {values} in "
            f"{len(array)} rows (first at row {first + int(np.argmax(wrong)) + 1}); "
            "remove those rows or choose other columns"
        )


def _stacked(arrays: Sequence[Array], axis: int) -> Array:
    """Columns as one array: float32 where all of them are, float64 otherwise."""
    dtype = np.float32 if all(array.dtype == np.float32 for array in arrays) else np.float64
    return np.stack([array.astype(dtype, copy=False) for array in arrays], axis=axis)


def _floating(array: Array) -> Array:
    """The same of one array, which may lie in a file: a copy in memory."""
    return array.astype(np.float32 if array.dtype == np.float32 else np.float64)


def _joined(arrays: Sequence[Array]) -> Array:
    """Chunks of one column; objects where any of them is not numeric."""
    numeric = all(is_numeric(array) for array in arrays)
    return np.concatenate(arrays if numeric else [array.astype(object) for array in arrays])


def _booleans(mask: Array) -> Array:
    """A mask as booleans; anything but 0 and 1 is refused."""
    if not np.isin(mask, (0, 1)).all():
        raise InputError("its mask has entries other than 0 and 1")
    booleans: Array = mask.astype(bool)
    return booleans
