"""Training on files larger than memory: resident memory, and the time of a step beside that from memory.

    python benchmarks/streaming.py [--quick] [--json FILE] [--gib 1] [--large 20] [--rounds 4] [--folder DIR]
                                   [--formats h5 parquet root npy]

Files of pseudo-random events (float32; half a GiB of them, repeated) are trained on with default settings and
`stream: true`: one of each format with 16 columns and `--gib` GiB, then HDF5 without compression (`raw.h5`) with 1024
columns and `--large` GiB. *Memory* is the peak of the resident memory of a process that trains through some pools, or,
of the large file, once through the whole of it. *Time*: another process plays two trainings in turn, the streamed one
and one on the first 100,000 events (at 1024 columns, 19,531) held in memory, as many steps as one or more whole pools
have, reading included; the ratios of their wall times and of their CPU times (all threads) are medians over the rounds,
with the smallest and largest.
"""

import argparse
import itertools
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from zerosum.data.events import Events
from zerosum.data.formats import Writer, load, save
from zerosum.training.streaming import POOL

GIB = 2**30
FEW = 100_000, 20_000_000  # events, and numbers, of the training from memory, at most
TURN = 1000  # steps of one turn, at least
PIECE = 2**23  # bytes that are written at once
DIFFERENT = 64  # pieces
DRAWS = 2  # batches in a step: one for each player

CHILD = """
import json, resource, sys, time
from zerosum.training.config import Config
from zerosum.workflow import Run, open_events

def started(choices, folder):
    run = Run.start(open_events(Config.of(choices)), folder, choices)
    return run, run.play()

def one(choices, folder):
    run, records = started(choices, folder)
    for last in records:
        pass
    trained = len(run.stream or run.train_events)
    return {"events": trained, "steps": last["step"], "drawn": 2 * last["events"]}

def turns(first, second, folder):
    plays = [started(choices, folder + name)[1] for choices, name in ((first, "-a"), (second, "-b"))]
    times = []
    for records in zip(*map(timed, plays)):
        times.append(records)
    return {"times": times}

def timed(records):
    while True:
        wall, cpu = time.perf_counter(), time.process_time()
        if next(records, None) is None:
            return
        yield time.perf_counter() - wall, time.process_time() - cpu

*choices, folder = json.loads(sys.argv[1])
found = one(*choices, folder) if len(choices) == 1 else turns(*choices, folder)
print(json.dumps(found | {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
"""


def pieces(columns: int) -> Iterator[Events]:
    """Tables of events, without end: `DIFFERENT` ones and these again, which are quicker to have."""
    rng = np.random.default_rng(0)
    scales = np.exp(rng.normal(size=columns)).astype(np.float32)
    names, known = [f"x{i}" for i in range(columns)], []
    for _ in range(DIFFERENT):
        x = rng.standard_normal((PIECE // (4 * columns), columns), np.float32) * scales
        x[:, 1:] += 0.5 * x[:, :-1]
        known.append(Events.table(x, names))
        yield known[-1]
    yield from itertools.cycle(known)


@contextmanager
def raw(path: Path, like: Events) -> Iterator[Callable[[Events], None]]:
    """HDF5 as many programs write it: one dataset that grows, not compressed."""
    import h5py

    with h5py.File(path, "w") as file:
        width = like.values.shape[1]
        stored = file.create_dataset(
            "features", (0, width), "f4", maxshape=(None, width), chunks=(1024, width)
        )
        stored.attrs["columns"] = like.names

        def append(events: Events) -> None:
            stored.resize(len(stored) + len(events), axis=0)
            stored[len(stored) - len(events) :] = events.values

        yield append


def write(path: Path, size: float, columns: int) -> int:
    """Write events until they have at least so many bytes in memory; returns how many events there are."""
    source, n = pieces(columns), 0
    first = next(source)
    if ".raw" in path.name:
        with raw(path, first) as append:
            while n * 4 * columns < size:
                append(next(source))
                n += len(first)
        return n
    with Writer(path, first) as writer:
        while n * 4 * columns < size:
            writer.append(next(source))
            n += len(first)
    return n


def child(*choices: dict[str, object], folder: Path) -> dict[str, object]:
    """What a process of its own measures."""
    found = subprocess.run(
        [sys.executable, "-c", CHILD, json.dumps([*choices, str(folder)])],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    return dict(json.loads(found.stdout.splitlines()[-1]))


def measure(
    suffix: str, columns: int, gib: float, rounds: int, folder: Path, *, whole: bool
) -> dict[str, object]:
    """One row: a file of this format, trained on once as a whole or through some pools."""
    data, few = folder / f"large.{suffix}", folder / "few.npy"
    n = write(data, gib * GIB, columns)
    save(load(data, max_events=min(FEW[0], FEW[1] // columns)), few)
    per_step = DRAWS * 256  # the default batch
    pool = POOL // (4 * columns) // per_step
    turn = pool * math.ceil(TURN / pool)
    plain = {"judgements": 0, "checkpoint_every": 10**9, "log_every": turn}
    streamed = plain | {"data": str(data), "stream": True}
    alone = child(
        streamed | {"steps": max(2 * turn + 100, n // per_step if whole else 0)},
        folder=folder / "run-alone",
    )
    steps = {"steps": turn * (rounds + 1)}
    times = np.array(
        child(
            streamed | steps, plain | {"data": str(few), "stream": False} | steps, folder=folder / "run-turns"
        )["times"]
    )[1:]  # the first pair of turns starts the two
    wall, cpu = (times[:, 0] / times[:, 1]).T
    return {
        "format": suffix,
        "columns": columns,
        "events": n,
        "file_gib": data.stat().st_size / GIB,
        "alone": alone,
        "step_ms": 1e3 * float(np.median(times[:, 1, 0])) / turn,
        "wall": wall.tolist(),
        "cpu": cpu.tolist(),
    }


def shown(row: dict[str, object]) -> str:
    """A row of the table."""
    alone = dict(row["alone"])  # type: ignore[call-overload]

    def spread(name: str) -> str:
        ratios = np.array(row[name])
        return f"{np.median(ratios):.2f} ({ratios.min():.2f}-{ratios.max():.2f})"

    return (
        f"| {row['format']} | {row['columns']} | {row['events']:,} | {row['file_gib']:.1f} | "
        f"{alone['drawn'] * 4 * int(str(row['columns'])) / GIB:.1f} | {alone['peak'] / GIB:.2f} | "
        f"{row['step_ms']:.2f} | {spread('wall')} | {spread('cpu')} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a quarter of a GiB, one format, one round")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table here, too")
    parser.add_argument("--gib", type=float, default=1.0, help="size of the events of each format")
    parser.add_argument("--large", type=float, default=20.0, help="of the large file, in GiB; 0: none")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--formats", nargs="*", default=["h5", "parquet", "root", "npy"])
    parser.add_argument(
        "--folder", type=Path, help="where the files are written; a temporary folder by default"
    )
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.gib, arguments.large, arguments.rounds, arguments.formats = 0.25, 0, 1, ["h5"]
    cases = [(suffix, 16, arguments.gib) for suffix in arguments.formats]
    cases += [("raw.h5", 1024, arguments.large)] if arguments.large else []
    print(
        "| format | columns | events | file [GiB] | trained on [GiB] | peak memory [GiB] | step from memory [ms] | "
        "streamed / from memory, time | CPU time |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    rows = []
    for suffix, columns, gib in cases:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            rows.append(
                measure(suffix, columns, gib, arguments.rounds, Path(folder), whole=gib == arguments.large)
            )
        print(shown(rows[-1]), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
