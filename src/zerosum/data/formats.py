"""Load and save events; the format follows the file's suffix.

| suffix      | kinds              | keeps                                    | streams |
|-------------|--------------------|------------------------------------------|---------|
| .csv        | table              | names, units                             | yes     |
| .npy        | table, grid        | values only                              | yes     |
| .npz        | table, grid, cloud | everything                               | no      |
| .h5, .hdf5  | table, grid, cloud | everything                               | yes     |
| .parquet    | table              | everything                               | yes     |
| .root       | table              | everything                               | yes     |

"Everything" is names, units, conditions, weights, attributes. In a CSV, conditions and weights are ordinary
columns; name them when loading. A format is one `Format` object in `FORMATS`; nothing else knows the list.
"""

import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from zerosum.data import arrays, hdf5, parquet, root, text
from zerosum.data.columns import Source, columns_of
from zerosum.data.events import Events, Kind
from zerosum.data.selection import Selection
from zerosum.errors import InputError, RunError, printable, reason

CHUNK = 65_536  # events read at a time


@dataclass(frozen=True)
class Format:
    """How one kind of file is read and written.

    Attributes:
        name: What people call it.
        suffixes: The endings of its files, in lower case.
        read: Opens a path (and a dataset or tree in it) as a `Source`.
        write: Opens a path for events like the given ones; yields the function that appends.
        kinds: What it can hold.
        random: Whether events can be read from anywhere in the file, without what stands before them.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Path, str | None], AbstractContextManager[Source]]
    write: Callable[[Path, Events], AbstractContextManager[Callable[[Events], None]]]
    kinds: tuple[Kind, ...] = ("table",)
    random: bool = True


FORMATS = (
    Format("CSV", (".csv",), text.read, text.write, random=False),
    Format("NumPy", (".npy",), arrays.read_npy, arrays.write_npy, ("table", "grid")),
    Format(
        "NumPy archive",
        (".npz",),
        arrays.read_npz,
        arrays.write_npz,
        ("table", "grid", "cloud"),
        random=False,
    ),
    Format("HDF5", (".h5", ".hdf5"), hdf5.read, hdf5.write, ("table", "grid", "cloud")),
    Format("Parquet", (".parquet",), parquet.read, parquet.write),
    Format("ROOT", (".root",), root.read, root.write),
)


def format_of(path: Path) -> Format:
    """The format of a file, by its suffix."""
    for candidate in FORMATS:
        if path.suffix.lower() in candidate.suffixes:
            return candidate
    suffixes = ", ".join(suffix for one in FORMATS for suffix in one.suffixes)
    given = f"suffix {path.suffix}" if path.suffix else "no suffix"
    raise InputError(f"{path} has {given}, which names no known format; use one of {suffixes}.")


def load(
    path: str | os.PathLike[str],
    *,
    columns: Sequence[str] | None = None,
    conditions: Sequence[str] = (),
    weight: str | None = None,
    max_events: int | None = None,
    dataset: str | None = None,
) -> Events:
    """Load events from a file.

    Args:
        path: The file; its suffix names the format.
        columns: The features to keep, in this order; all of them where None.
        conditions: Columns that are given, beside those that the file marks as conditions.
        weight: The column of event weights; the one that the file marks, if any, where None.
        max_events: Stop after so many events.
        dataset: Which tree (ROOT) or array (HDF5, npz) to read, where there are several.

    Raises:
        InputError: Where the file is not there, damaged, empty, or holds anything but finite numbers in the
            chosen columns.

    Examples:
        >>> save(Events.table([[20.0, 0.1], [35.0, -1.2]], names=["pt", "eta"], units=["GeV", ""]), "events.csv")
        >>> load("events.csv", columns=["pt"]).features
        (Feature(name='pt', unit='GeV'),)
    """
    path = Path(path)
    selection = Selection(columns, conditions, weight, max_events)
    with open_source(path, dataset) as source:
        chosen = selection.resolve(source)
        return chosen.events(chosen.gather(source, CHUNK), str(path))


def iterate(
    path: str | os.PathLike[str],
    chunk: int = CHUNK,
    *,
    columns: Sequence[str] | None = None,
    conditions: Sequence[str] = (),
    weight: str | None = None,
    dataset: str | None = None,
) -> Iterator[Events]:
    """Load at most `chunk` events at a time, in constant memory (not .npz); arguments as `load`."""
    if chunk < 1:
        raise InputError(f"chunk is {chunk}; give a positive number of events.")
    path, first = Path(path), 0
    with open_source(path, dataset) as source:
        chosen = Selection(columns, conditions, weight).resolve(source)
        for part in source.chunks(chosen.names, chunk):
            events = chosen.events(part, str(path), first)
            first += len(events)
            yield events
        if first == 0:
            raise InputError("it has no events")


def save(events: Events, path: str | os.PathLike[str]) -> None:
    """Save events; the file appears complete or not at all.

    Raises:
        InputError: Where the format cannot hold them.
        RunError: Where the file cannot be written.

    Examples:
        >>> save(Events.table([[0.0], [1.0]], names=["x"]), "events.h5")
        >>> len(load("events.h5"))
        2
    """
    with Writer(path, events) as writer:
        writer.append(events)


@dataclass
class Writer:
    """Writes events piece by piece, in constant memory (.npz collects them and writes at the end).

    The file gets its name when the `with` block ends; where it ends by an error, nothing is left behind.

    Attributes:
        path: The file; its suffix names the format.
        like: Events with the features, conditions and weights that will come.
    """

    path: str | os.PathLike[str]
    like: Events
    _n: int = field(default=0, init=False)
    _stack: ExitStack = field(default_factory=ExitStack, init=False, repr=False)

    def __enter__(self) -> Self:
        path, like = Path(self.path), self.like
        form = format_of(path)
        if like.kind not in form.kinds:
            able = ", ".join(s for one in FORMATS if like.kind in one.kinds for s in one.suffixes)
            raise InputError(f"{path}: {form.name} holds no {like.kind}; save it as one of {able}.")
        if path.is_dir() or not path.parent.is_dir():
            wrong = f"{path} is a folder" if path.is_dir() else f"there is no folder {path.parent}"
            raise InputError(f"{wrong}; give the name of a file in a folder that exists.")
        self._temporary = path.with_name(f".{path.stem}.{uuid4().hex[:8]}{path.suffix}")
        with self._failing():
            self._append = self._stack.enter_context(form.write(self._temporary, like))
        return self

    def append(self, events: Events) -> None:
        """Write further events."""
        if columns_of(events) != columns_of(self.like) or events.event_shape != self.like.event_shape:
            raise InputError(
                f"{self.path}: the appended events have other features, conditions, weights or shape."
            )
        with self._failing():
            self._append(events)
        self._n += len(events)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None and self._n == 0:
                error = InputError(f"{self.path}: there are no events to save.")
                self._stack.__exit__(InputError, error, None)
                raise error
            with self._failing():
                self._stack.__exit__(kind, error, trace)
                if error is None:
                    self._temporary.replace(self.path)
        finally:
            self._temporary.unlink(missing_ok=True)

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Remove the temporary file, and say in one sentence what went wrong."""
        try:
            yield
        except InputError as error:
            self._temporary.unlink(missing_ok=True)
            raise InputError(f"{self.path}: {error}.") from None
        except OSError as error:
            self._temporary.unlink(missing_ok=True)
            raise RunError(f"{self.path} cannot be written ({error.strerror or error}).") from error


@contextmanager
def open_source(path: Path, dataset: str | None) -> Iterator[Source]:
    """Open a file; every failure while it is open becomes one sentence that names it."""
    if path.is_dir() or not path.exists():
        wrong = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(f"{path} {wrong}; give the name of a file.")
    form = format_of(path)
    try:
        if path.stat().st_size == 0:
            raise InputError("it is empty (0 bytes)")
        with form.read(path, dataset) as source:
            _check(source)
            yield source
    except InputError as error:
        raise InputError(f"{path}: {printable(str(error).rstrip('.'))}.") from error.__cause__
    except PermissionError as error:
        raise InputError(f"{path} may not be read; ask for permission to read it.") from error
    except MemoryError as error:
        raise RunError(
            f"{path} needs more memory than there is ({reason(error)}); read fewer columns or events, unless the file "
            "is damaged and claims too many."
        ) from None
    except Exception as error:  # the libraries raise dozens of kinds for a damaged file
        raise InputError(
            f"{path} cannot be read as {form.name}; it may be truncated or another format ({reason(error)})."
        ) from error


def _check(source: Source) -> None:
    names = source.names()
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise InputError(f"column {', '.join(twice)} stands more than once; rename it")
    if not source.names("feature"):
        raise InputError("it has no columns")
    for number, column in enumerate(source.columns, 1):
        if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in column.feature.label):
            raise InputError(
                f"the name or unit of column {number} holds control characters ({column.feature.label[:40]!r}); "
                "rename it"
            )
