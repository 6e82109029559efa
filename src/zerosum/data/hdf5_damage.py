"""What the HDF5 library (2.0) does not notice in a damaged file: it makes up numbers, never ends, or ends the process.

Each check answers one of these before the library is asked: InputError where a file must not be read.
"""

import math
import mmap
from pathlib import Path
from typing import Any

from zerosum.errors import InputError

HEAP = (
    b"GCOL\x01\x00\x00\x00"  # how a collection of the global heap begins, which holds strings of any length
)
SCANNED = 2**26  # bytes at the beginning and at the end of a file in which such collections are looked for


def demand_whole(name: str, array: Any, folder: Path) -> None:
    """Refuse a dataset of which less lies in the file than it says (HDF5 makes up the rest), or whose records overlap.

    Args:
        name: Its name.
        array: An h5py dataset with a shape.
        folder: Where the files lie that an index of several files names.
    """
    if array.is_virtual:
        absent = [
            source.file_name for source in array.virtual_sources() if not (folder / source.file_name).exists()
        ]
        if absent:
            raise InputError(
                f"its part {absent[0]} is not there ({len(absent)} are missing); copy all parts beside it"
            )
    elif not array.external:
        if array.chunks is None:
            whole = array.id.get_storage_size() == array.size * array.id.get_type().get_size()
        else:
            whole = _tiled(array)
        if not whole:
            raise InputError(
                f"its dataset {name} {array.shape} is not complete: it was not written to the end, or is damaged"
            )
    if overlapping(array.dtype):
        raise InputError(f"its dataset {name} is damaged: the fields of its records overlap")


def _tiled(array: Any) -> bool:
    """Whether the chunks of a dataset cover it."""
    sides = list(zip(array.shape, array.chunks, strict=True))
    places: set[tuple[int, ...]] = set()
    array.id.chunk_iter(lambda chunk: places.add(tuple(chunk.chunk_offset)))
    if len(places) != math.prod(-(-n // side) for n, side in sides):
        return False
    return all(
        start % side == 0 and start < n
        for place in places
        for start, (n, side) in zip(place, sides, strict=True)
    )


def overlapping(dtype: Any) -> bool:
    """Whether fields of records lie over one another or beyond the end: a float of an odd format does that in h5py."""
    if dtype.names is None:
        return False
    fields = sorted((dtype.fields[name][1], dtype.fields[name][0]) for name in dtype.names)
    ends = [*(offset for offset, _ in fields[1:]), dtype.itemsize]
    too_long = any(offset + one.itemsize > end for (offset, one), end in zip(fields, ends, strict=True))
    return too_long or any(overlapping(one) for _, one in fields)


def demand_heaps(path: Path) -> None:
    """Refuse a file with a damaged collection of strings, in which the library would go round for ever.

    The layout is that of the HDF5 file format specification, III.E. Large files are searched at both ends, where the
    heaps of their attributes lie.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        size = len(content)
        for start, stop in {(0, min(size, SCANNED)), (max(0, size - SCANNED), size)}:
            at = content.find(HEAP, start, stop)
            while at >= 0:
                if not _ends(content, at):
                    raise InputError("a collection of its strings is damaged")
                at = content.find(HEAP, at + 1, stop)


def _ends(content: mmap.mmap, at: int) -> bool:
    """Whether the objects of a collection follow one another to its end, or to its free space."""
    end = at + int.from_bytes(content[at + 8 : at + 16], "little")
    if end > len(content):
        return False
    at += 16
    while end - at >= 16:
        number = int.from_bytes(content[at : at + 2], "little")
        size = int.from_bytes(content[at + 8 : at + 16], "little")
        step = 16 + -(-size // 8) * 8 if number else size
        if not 16 <= step <= end - at:
            return False
        at += step
    return True
