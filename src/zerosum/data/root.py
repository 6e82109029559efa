"""ROOT: a TTree or an RNTuple of flat branches.

Written as a TTree named "events", beside a string "zerosum" (JSON) with each branch's unit and role. In other
people's files a unit is taken from a branch title such as "pt [GeV]".
"""

import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zerosum.data.columns import Chunk, Column, Source, chunk_of, columns_of
from zerosum.data.events import Events
from zerosum.errors import InputError

TREE = "events"
HEADER = "zerosum"


@contextmanager
def read(path: Path, dataset: str | None) -> Iterator[Source]:
    """Open the tree named `dataset`, or the only one in the file."""
    import uproot

    with uproot.open(path) as file:
        classes = file.classnames(cycle=False)
        trees = [name for name, kind in classes.items() if kind in ("TTree", "TNtuple", "ROOT::RNTuple")]
        if dataset is None and len(trees) != 1:
            raise InputError(
                f"it holds {len(trees)} trees ({', '.join(trees) or 'none'}); choose one by dataset"
            )
        if dataset is not None and dataset not in trees:
            raise InputError(f"it has no tree {dataset}; its trees are {', '.join(trees) or 'none'}")
        tree = file[dataset or trees[0]]
        header = json.loads(str(file[HEADER])) if classes.get(HEADER) == "TObjString" else {}

        def chunks(names: Sequence[str], size: int) -> Iterator[Chunk]:
            pieces = tree.iterate(list(names), step_size=size, library="np")
            while (piece := _quietly(lambda: next(pieces, None))) is not None:
                yield piece

        def rows(names: Sequence[str], start: int, stop: int) -> Chunk:
            found = _quietly(
                lambda: tree.arrays(list(names), entry_start=start, entry_stop=stop, library="np")
            )
            return {name: found[name] for name in names}

        columns = tuple(_column(name, tree, header.get("columns", {})) for name in tree.keys(recursive=False))
        yield Source("table", columns, chunks, header.get("attributes", {}), rows, tree.num_entries)


@contextmanager
def write(path: Path, like: Events) -> Iterator[Callable[[Events], None]]:
    """Write a TTree by `mktree` (assignment makes an RNTuple in recent uproot), a basket for each append."""
    import uproot

    header = {
        "columns": {column.name: {"unit": column.unit, "role": column.role} for column in columns_of(like)},
        "attributes": like.attributes,
    }
    with uproot.recreate(path) as file:
        file[HEADER] = json.dumps(header)
        tree = file.mktree(TREE, {name: array.dtype for name, array in chunk_of(like).items()})
        yield lambda events: tree.extend(chunk_of(events))


def _quietly(read: Callable[[], Any]) -> Any:
    """What is read, without the library's remarks on aliases that nobody asked for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read()


def _column(name: str, tree: Any, header: dict[str, Any]) -> Column:
    if name in header:
        return Column(name, header[name]["unit"], header[name]["role"])
    return Column(name, Column.parse(getattr(tree[name], "title", "") or "").unit)
