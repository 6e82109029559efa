"""One sample in several HDF5 files: each process writes its own, and one index shows them as a single file.

    generated.h5                       the index: virtual datasets, which any program reads like a file of all events
    generated-00000-of-00004.h5, ...   the shards, each a whole file of its own

The index says only what follows from the names and the numbers of events, so every process can write it, at any time,
and always writes the same. It is complete when all shards are there; before, reading it is refused.
"""

import io
from collections.abc import Sequence
from pathlib import Path

from zerosum.data.events import Events
from zerosum.data.files import write_bytes
from zerosum.data.hdf5 import describe
from zerosum.data.layouts import arrays_of
from zerosum.errors import InputError

MOST = 99_999


def checked_shard(shard: int, shards: int, blocks: int, path: Path) -> None:
    """Refuse shards that cannot be: beyond their number, without a block of events, or not of an HDF5 file."""
    if not 0 < shards <= MOST:
        raise InputError(f"{shards} shards were asked for; ask for 1 to {MOST}.")
    if not 0 <= shard < shards:
        raise InputError(
            f"shard {shard} of {shards} was asked for; the shards of {shards} are 0 to {shards - 1}."
        )
    if shards > blocks:
        raise InputError(
            f"{shards} shards were asked for, but so many events are drawn in {blocks} blocks; ask for at most "
            f"{blocks}."
        )
    if path.suffix.lower() not in (".h5", ".hdf5"):
        raise InputError(f"{path} cannot be the index of several files; write shards to .h5.")


def part_of(count: int, shard: int, shards: int) -> range:
    """The numbers of the blocks of one shard, of so many in all: neighbours, and as many in each."""
    return range(count * shard // shards, count * (shard + 1) // shards)


def path_of(path: Path, shard: int, shards: int) -> Path:
    """The file of one shard."""
    return path.with_name(f"{path.stem}-{shard:05d}-of-{shards:05d}{path.suffix}")


def bytes_of(path: Path) -> int:
    """The size of a file, with that of the shards that lie beside it where it is an index."""
    shards = path.parent.glob(f"{path.stem}-?????-of-?????{path.suffix}") if path.suffix else []
    return sum(one.stat().st_size for one in (path, *shards))


def write_index(path: Path, like: Events, sizes: Sequence[int], writer: int) -> None:
    """Write the index of shards with so many events each.

    Args:
        path: The index.
        like: Some of the events.
        sizes: The number of events in each shard, in order.
        writer: The shard of who writes it.
    """
    import h5py

    content = io.BytesIO()
    with h5py.File(content, "w", libver=("v110", "latest")) as file:
        for name, array in arrays_of(like).items():
            layout = h5py.VirtualLayout((sum(sizes), *array.shape[1:]), array.dtype)
            start = 0
            for shard, size in enumerate(sizes):
                source = path_of(path, shard, len(sizes)).name
                layout[start : start + size] = h5py.VirtualSource(source, name, (size, *array.shape[1:]))
                start += size
            file.create_virtual_dataset(name, layout)
        describe(file, like)
    write_bytes(path, content.getvalue(), f".{writer}")
