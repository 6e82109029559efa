"""CSV: one header line of labels such as "pt [GeV]", then one line for each event.

Comma, semicolon or tab; a first line of numbers means that there is no header (columns x0, x1, ...). An empty
field is a missing value. Conditions and weights are ordinary columns here: name them when loading.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from zerosum.data.columns import Array, Chunk, Column, Source, chunk_of, columns_of
from zerosum.data.events import Events
from zerosum.errors import InputError

MISSING = ["", "NA", "N/A", "NaN", "nan", "NAN", "null", "NULL", "None"]


@contextmanager
def read(path: Path, dataset: str | None) -> Iterator[Source]:
    """Open a CSV file; all columns are read as text first, so that a word in row 10^6 is found and named."""
    if dataset is not None:
        raise InputError(f"a CSV file has no datasets, but {dataset} was asked for; leave the dataset out")
    with path.open(encoding="utf-8-sig", newline="") as file:
        line = file.readline()
    if not line.strip():
        raise InputError("its first line is empty; a header such as 'pt [GeV],eta' was expected")
    delimiter = max(",;\t", key=line.count)
    labels = [label.strip() for label in next(csv.reader([line.lstrip("# ")], delimiter=delimiter))]
    headless = all(_is_number(label) for label in labels)
    if headless:
        labels = [f"x{i}" for i in range(len(labels))]
    if "" in labels:
        raise InputError(f"column {labels.index('') + 1} of its header has no name; give it one")

    def chunks(names: Sequence[str], size: int) -> Iterator[Chunk]:
        from pyarrow import string
        from pyarrow.csv import ConvertOptions, ParseOptions, ReadOptions, open_csv

        keys = [f"{i}" for i in range(len(labels))]
        key_of = {column.name: key for column, key in zip(columns, keys, strict=True)}
        reader = open_csv(
            path,
            ReadOptions(use_threads=False, column_names=keys, skip_rows=0 if headless else 1),
            ParseOptions(delimiter=delimiter),
            ConvertOptions(
                column_types=dict.fromkeys(keys, string()),
                include_columns=[key_of[name] for name in names],
                null_values=MISSING,
                strings_can_be_null=True,
            ),
        )
        for batch in reader:
            for start in range(0, batch.num_rows, size):
                rows = batch.slice(start, size)
                yield {name: _numbers(rows.column(i)) for i, name in enumerate(names)}

    columns = tuple(Column.parse(label) for label in labels)
    yield Source("table", columns, chunks)


@contextmanager
def write(path: Path, like: Events) -> Iterator[Callable[[Events], None]]:
    """Write labels, then rows as they come; numbers have the shortest digits that give them back exactly."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.feature.label for column in columns_of(like)])

        def append(events: Events) -> None:
            # str() of a numpy number is its shortest exact form, in its own precision.
            writer.writerows(zip(*(column.astype(str) for column in chunk_of(events).values()), strict=True))

        yield append


def _numbers(column: object) -> Array:
    """Text as numbers, NaN where a value is missing; as it stands where some of it is no number."""
    from pyarrow import ArrowInvalid, float64
    from pyarrow.compute import cast, utf8_trim_whitespace

    try:
        numbers: Array = cast(utf8_trim_whitespace(column), float64()).to_numpy(zero_copy_only=False)
    except ArrowInvalid:
        return np.asarray(column, dtype=object)
    return numbers


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
