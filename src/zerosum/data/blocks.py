"""Files larger than memory, as blocks of neighbouring events that are read in any order.

A file of N events is cut into blocks of about `BLOCK` bytes (a Parquet file into its row groups). A tenth of the
blocks, chosen by the seed and at most `HELD` bytes of them, are held out: half of their events validate, the other half
test. All other blocks are for training, which reads them in random order (training/streaming.py).
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zerosum.data.columns import Source
from zerosum.data.events import SPLIT, Events, IndexArray
from zerosum.data.formats import open_source
from zerosum.data.selection import Chosen, Selection
from zerosum.errors import InputError

BLOCK = 2**21  # bytes of a block, at least 64 events
LARGEST = 2**26  # bytes of a row group
HELD = 2**26  # bytes of the events that validate and test
SAMPLE = 2**26  # bytes of the events from which transforms are chosen
MOST_SAMPLED = 200_000  # events, likewise
FEWEST = 20  # blocks


@dataclass(frozen=True)
class Blocks:
    """A file as blocks of events.

    Attributes:
        path: The file.
        selection: Which of its columns become features and conditions.
        edges: The number of the first event of each block, and the number of all events.
        bytes_each: The size of one event in memory.
        change: What is done to events when they are read, such as making images of clouds.
    """

    path: Path
    selection: Selection
    edges: tuple[int, ...]
    bytes_each: int
    change: Callable[[Events], Events] = lambda events: events

    @classmethod
    def open(
        cls,
        path: str | Path,
        selection: Selection,
        change: Callable[[Events], Events] = lambda events: events,
    ) -> "Blocks":
        """Cut a file into blocks."""
        path = Path(path)
        with opened(path, selection) as (source, chosen):
            if source.rows is None:
                raise InputError(
                    "it can only be read from its beginning; convert it to HDF5, Parquet or ROOT to train on more "
                    "events than memory holds"
                )
            if selection.weight is not None or chosen.weight is not None:
                raise InputError(
                    "it has event weights, which need all events in memory; train with stream: false, or leave the "
                    "weights out"
                )
            each = _bytes(chosen.events(next(source.chunks(chosen.names, 64)), str(path)))
            edges = source.edges or (*range(0, source.length, max(64, BLOCK // each)), source.length)
            if (largest := int(np.diff(edges).max()) * each) > LARGEST:
                raise InputError(
                    f"a row group takes {largest / 2**20:.0f} MiB, more than the {LARGEST // 2**20} MiB that are read "
                    "at a time; write the file again with a smaller row_group_size"
                )
            if len(edges) <= FEWEST:
                raise InputError(
                    f"it has {len(edges) - 1} blocks, and training from disk needs at least {FEWEST}; train with "
                    "stream: false, which holds all events in memory"
                )
        return cls(path, selection, edges, each, change)

    def __len__(self) -> int:
        return len(self.edges) - 1

    def sizes(self) -> IndexArray:
        """How many events each block has, shape (B,)."""
        return np.diff(self.edges)

    def each(self, numbers: Sequence[int]) -> Iterator[Events]:
        """The events of some blocks, one block after the other."""
        with opened(self.path, self.selection) as (source, chosen):
            read = chosen.reader(source, str(self.path))
            for number in numbers:
                yield self.change(read(self.edges[number], self.edges[number + 1]))

    def read(self, numbers: Sequence[int]) -> Events:
        """The events of some blocks together."""
        return Events.joined(list(self.each(numbers)))


@dataclass(frozen=True)
class Stream:
    """A file that is trained on without being held in memory.

    Attributes:
        blocks: The file.
        training: The numbers of the blocks that are trained on.
        train: Events of some of them, from which transforms are chosen.
        validation: Held-out events.
        test: Further held-out events.
    """

    blocks: Blocks
    training: IndexArray
    train: Events
    validation: Events
    test: Events

    @classmethod
    def open(cls, blocks: Blocks, seed: int) -> "Stream":
        """Hold events out, and read some of the others."""
        order = np.random.default_rng((SPLIT, seed)).permutation(len(blocks))
        size = float(np.mean(blocks.sizes())) * blocks.bytes_each
        held = int(np.clip(HELD / size, 2, len(order) // 10))
        some = int(np.clip(min(SAMPLE / size, MOST_SAMPLED * blocks.bytes_each / size), 2, len(order) - held))
        validation, test = blocks.read(np.sort(order[:held]).tolist()).split((0.5, 0.5), seed)
        return cls(
            blocks, order[held:], blocks.read(np.sort(order[held : held + some]).tolist()), validation, test
        )

    def __len__(self) -> int:
        return int(self.blocks.sizes()[self.training].sum())

    def digest(self) -> str:
        """A SHA-256 of the held-out events, the number of events and the size of the file."""
        parts = (
            self.validation.digest(),
            self.test.digest(),
            self.blocks.edges[-1],
            self.blocks.path.stat().st_size,
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()


@contextmanager
def opened(path: Path, selection: Selection) -> Iterator[tuple[Source, Chosen]]:
    """An open file and the columns that were asked for."""
    with open_source(path, None) as source:
        yield source, selection.resolve(source)


def _bytes(events: Events) -> int:
    arrays = [array for array in (events.values, events.conditions, events.mask) if array is not None]
    return sum(array[:1].nbytes for array in arrays)
