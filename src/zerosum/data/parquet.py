"""Parquet: one column for each feature; unit and role in the field's metadata."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Any

from zerosum.data.columns import Chunk, Column, Source, chunk_of, columns_of
from zerosum.data.events import Events
from zerosum.errors import InputError


@contextmanager
def read(path: Path, dataset: str | None) -> Iterator[Source]:
    """Open a Parquet file of flat columns."""
    from pyarrow.parquet import ParquetFile

    if dataset is not None:
        raise InputError(
            f"a Parquet file has no datasets, but {dataset} was asked for; leave the dataset out"
        )
    with ParquetFile(path, page_checksum_verification=True) as file:
        schema = file.schema_arrow

        def chunks(names: Sequence[str], size: int) -> Iterator[Chunk]:
            for batch in file.iter_batches(batch_size=size, columns=list(names), use_threads=False):
                yield {name: batch.column(name).to_numpy(zero_copy_only=False) for name in names}

        def rows(names: Sequence[str], start: int, stop: int) -> Chunk:
            first, last = edges.index(start), edges.index(stop)
            table = file.read_row_groups(range(first, last), columns=list(names), use_threads=False)
            return {name: table.column(name).to_numpy(zero_copy_only=False) for name in names}

        groups = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        edges = tuple(accumulate(groups, initial=0))
        attributes = json.loads((schema.metadata or {}).get(b"zerosum", b"{}"))
        yield Source("table", tuple(map(_column, schema)), chunks, attributes, rows, edges[-1], edges)


@contextmanager
def write(path: Path, like: Events) -> Iterator[Callable[[Events], None]]:
    """Write one row group for each appended sample."""
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    example = chunk_of(like)
    fields = [
        pyarrow.field(
            column.name,
            pyarrow.from_numpy_dtype(example[column.name].dtype),
            metadata={"unit": column.unit, "role": column.role},
        )
        for column in columns_of(like)
    ]
    schema = pyarrow.schema(fields, metadata={"zerosum": json.dumps(like.attributes)})
    with ParquetWriter(path, schema, write_page_checksum=True) as writer:
        yield lambda events: writer.write_table(pyarrow.table(chunk_of(events), schema=schema))


def _column(field: Any) -> Column:
    metadata = field.metadata or {}
    column = Column.parse(field.name)
    unit = metadata.get(b"unit", column.unit.encode()).decode()
    return Column(field.name, unit, metadata.get(b"role", b"feature").decode())
