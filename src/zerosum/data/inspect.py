"""What is in a file: names, units, ranges, and whatever would stop a training, shown rather than refused."""

import math
import os
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zerosum.data.columns import Array, Chunk, Column, Source, is_numeric
from zerosum.data.events import Kind
from zerosum.data.formats import CHUNK, open_source

MOST_DISTINCT = 1000
FEW = 30  # distinct values that are worth a remark
WIDTH = 80
HEAD = ("name", "unit", "type", "min", "max", "mean", "std")


@dataclass(frozen=True)
class Summary:
    """One column of a file.

    Attributes:
        name: Its name.
        unit: Its unit, "" where it is not known.
        role: What it is for: feature, condition, weight, mask, or extra (read only where it is named).
        dtype: How it is stored; "text" or "object" where it is not numeric.
        numeric: Whether all of it is numbers.
        integer: Whether all its finite values are whole numbers.
        n: Values looked at; of a cloud, those of points that exist.
        missing: How many are NaN or empty.
        infinite: How many are infinite.
        minimum: The smallest finite value, or None.
        maximum: The largest finite value, or None.
        mean: The mean of the finite values, or None.
        std: Their standard deviation, or None.
        distinct: How many different values there are, counted up to MOST_DISTINCT.
    """

    name: str
    unit: str
    role: str
    dtype: str
    numeric: bool
    integer: bool
    n: int
    missing: int
    infinite: int
    minimum: float | None
    maximum: float | None
    mean: float | None
    std: float | None
    distinct: int


@dataclass(frozen=True)
class Inspection:
    """What is in a file.

    Attributes:
        path: The file.
        kind: What its events are.
        n: How many events it has.
        event_shape: The shape of one event (features only).
        columns: One summary for each column, in the file's order.
        attributes: Facts about the whole sample that the file carries.
    """

    path: str
    kind: Kind
    n: int
    event_shape: tuple[int, ...]
    columns: tuple[Summary, ...]
    attributes: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """All of it as plain JSON; numbers that do not exist are null."""
        return asdict(self)

    def summary(self) -> str:
        """A table for people."""
        shape = " x ".join(map(str, self.event_shape))
        lines = [f"{self.path}: {self.n} events, {self.kind} of shape {shape}"]
        cells = [_cells(column) for column in self.columns]
        widths = [
            max(map(len, column)) for column in zip(HEAD, *(found[:-1] for found in cells), strict=True)
        ]
        widths[0] = max(min(widths[0], WIDTH - sum(widths[1:]) - 2 * len(widths[1:])), len(HEAD[0]))
        lines += [_line(HEAD, widths)]
        full = sum(widths) + 2 * len(widths)
        for *found, remarks in cells:
            line = _line(found, widths)
            fits = full + len(remarks) <= WIDTH and "\n" not in line
            lines.append((line.ljust(full) + remarks).rstrip() if fits else line)
            lines += (
                [] if fits else textwrap.wrap(remarks, WIDTH, initial_indent="    ", subsequent_indent="    ")
            )
        return "\n".join(lines)


def inspect(path: str | os.PathLike[str], *, dataset: str | None = None) -> Inspection:
    """Look at every value of a file, a chunk at a time.

    Raises:
        InputError: Where the file is not there, damaged, or of an unknown format; never for its values.

    Examples:
        >>> from zerosum import Events, save
        >>> save(Events.table([[20.0], [35.0]], names=["pt"], units=["GeV"]), "events.parquet")
        >>> found = inspect("events.parquet")
        >>> found.n, found.columns[0].unit, found.columns[0].maximum
        (2, 'GeV', 35.0)
    """
    path = Path(path)
    with open_source(path, dataset) as source, np.errstate(over="ignore", invalid="ignore"):
        names = source.names()
        tallies = {column.name: _Tally(column) for column in source.columns}
        n = 0
        shape: tuple[int, ...] = (len(source.names("feature")),)
        for chunk in source.chunks(names, CHUNK):
            n += len(chunk[names[0]])
            shape = _event_shape(source, chunk)
            mask = _mask(source, chunk)
            for column in source.columns:
                values = chunk[column.name]
                under = mask is not None and column.role == "feature"
                tallies[column.name].add(values[mask] if under else values)
        summaries = tuple(tally.summary() for tally in tallies.values())
        return Inspection(str(path), source.kind, n, shape, summaries, source.attributes)


@dataclass
class _Tally:
    """Running sums of one column."""

    column: Column
    dtype: str = ""
    numeric: bool = True
    integer: bool = True
    n: int = 0
    missing: int = 0
    infinite: int = 0
    finite: int = 0
    minimum: float = math.inf
    maximum: float = -math.inf
    mean: float = 0.0
    squares: float = 0.0
    seen: set[Any] = field(default_factory=set)

    def add(self, values: Array) -> None:
        """Take further values into account."""
        self.n += values.size
        if not is_numeric(values):
            self.numeric = self.integer = False
            words = [value for value in values.reshape(-1).tolist() if isinstance(value, str | bytes)]
            self.dtype = "text" if words else str(values.dtype)
            self.missing += sum(value is None for value in values.reshape(-1).tolist())
            self._see(words)
            return
        self.dtype = self.dtype or str(values.dtype)
        finite = values[np.isfinite(values)].astype(np.float64)
        self.missing += int(np.isnan(values).sum())
        self.infinite += int(np.isinf(values).sum())
        self.integer = self.integer and bool(np.all(finite == np.round(finite)))
        self._see(finite if len(self.seen) < MOST_DISTINCT else [])
        if finite.size:
            self._add_moments(finite)

    def _see(self, values: Any) -> None:
        self.seen.update(np.unique(values)[:MOST_DISTINCT].tolist())

    def _add_moments(self, x: Array) -> None:
        """Merge the moments of two samples (Chan, Golub and LeVeque, Am. Stat. 37 (1983) 242)."""
        total, shift = self.finite + x.size, float(x.mean()) - self.mean
        self.squares += float(((x - x.mean()) ** 2).sum()) + shift * shift * self.finite * x.size / total
        self.mean += shift * x.size / total
        self.finite = total
        self.minimum, self.maximum = min(self.minimum, float(x.min())), max(self.maximum, float(x.max()))

    def summary(self) -> Summary:
        """What was found."""
        known = self.numeric and self.finite > 0
        return Summary(
            name=self.column.name,
            unit=self.column.unit,
            role=self.column.role,
            dtype=self.dtype,
            numeric=self.numeric,
            integer=self.integer and known,
            n=self.n,
            missing=self.missing,
            infinite=self.infinite,
            minimum=self.minimum if known else None,
            maximum=self.maximum if known else None,
            mean=_finite(self.mean) if known else None,
            std=_finite(math.sqrt(self.squares / self.finite)) if known else None,
            distinct=min(len(self.seen), MOST_DISTINCT),
        )


def _finite(number: float) -> float | None:
    """A number, or None where it is too large for one."""
    return number if math.isfinite(number) else None


def _event_shape(source: Source, chunk: Chunk) -> tuple[int, ...]:
    features = source.names("feature")
    inner = chunk[features[0]].shape[1:]
    return (*inner, len(features)) if source.kind == "cloud" else (len(features), *inner)


def _mask(source: Source, chunk: Chunk) -> Array | None:
    return chunk[source.names("mask")[0]].astype(bool) if source.names("mask") else None


def _cells(column: Summary) -> tuple[str, ...]:
    """A column of the file as the cells of HEAD, and a remark."""
    remarks = [] if column.role == "feature" else [column.role]
    remarks += [] if column.numeric else ["not numeric"]
    remarks += [f"{column.missing} missing"] if column.missing else []
    remarks += [f"{column.infinite} infinite"] if column.infinite else []
    few = 1 < column.distinct < FEW
    remarks += ["constant"] if column.distinct == 1 else [f"{column.distinct} values"] if few else []
    numbers = (column.minimum, column.maximum, column.mean, column.std)
    return (
        column.name,
        column.unit,
        column.dtype,
        *("-" if number is None else f"{number:.4g}" for number in numbers),
        ", ".join(remarks),
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """One line; a name that is too long for its column stands above."""
    name, *rest = cells
    above = "" if len(name) <= widths[0] else f"{name}\n"
    row = [("" if above else name).ljust(widths[0]), *map(str.ljust, rest, widths[1:])]
    return above + "  ".join(row).rstrip()
