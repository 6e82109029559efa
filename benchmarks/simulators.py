"""How fast the built-in sources are: events per second on one thread.

    python benchmarks/simulators.py [--quick] [--json FILE]

Each row is one source or one calorimeter, drawn in chunks and thrown away. The last column is the time for 100,000
events at that rate; where it was not run with so many it is an extrapolation.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from zerosum.data.events import Events
from zerosum.data.simulators import SOURCES
from zerosum.data.simulators.source import BLOCK

Stream = Callable[[int], Iterator[Events]]


def rows() -> dict[str, tuple[Stream, int]]:
    """A stream and its number of events for each row."""
    showers, ising = SOURCES["showers"].stream, SOURCES["ising"].stream
    table: dict[str, tuple[Stream, int]] = {
        "showers, 368 voxels, 1 GeV to 1 TeV": (lambda n: showers(n, 1), 100_000),
        "showers, 6480 voxels, 1 GeV to 1 TeV": (lambda n: showers(n, 1, geometry="silicon-like"), 10_000),
        "showers, 16 x 16, 10 to 100 GeV": (lambda n: SOURCES["shower-images"].stream(n, 1), 100_000),
        "showers, 12 x 12 x 12, 1 GeV to 1 TeV": (lambda n: showers(n, 1, geometry="volume"), 20_000),
        "ising, L = 8, K_c": (lambda n: ising(n, 1, side=8), 20_000),
        "ising, L = 16, K_c": (lambda n: ising(n, 1), 10_000),
        "ising, L = 32, K_c": (lambda n: ising(n, 1, side=32), 2_000),
        "ring": (lambda n: SOURCES["ring"].stream(n, 1), 1_000_000),
        "grid": (lambda n: SOURCES["grid"].stream(n, 1), 1_000_000),
    }
    return table


def measure(name: str, stream: Stream, n: int) -> dict[str, object]:
    """Time of drawing n events, and the fraction of numbers that are exactly zero."""
    start, zeros, numbers = time.perf_counter(), 0, 0
    for events in stream(n):
        zeros += int(np.count_nonzero(events.values == 0))
        numbers += events.values.size
    seconds = time.perf_counter() - start
    return {"source": name, "n": n, "seconds": seconds, "per_second": n / seconds, "zeros": zeros / numbers}


def machine() -> str:
    """Where the numbers were taken."""
    info = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if "model name" in line]
    load = os.getloadavg()[0]
    return (
        f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores, load {load:.1f}, "
        f"Python {platform.python_version()}, NumPy {np.__version__}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a twentieth of the events")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table here, too")
    arguments = parser.parse_args()
    results = []
    where = machine()
    print(
        f"{where}\n{'source':40} {'events':>9} {'seconds':>9} {'events/s':>10} {'zeros':>6} {'s/100,000':>10}"
    )
    for name, (stream, n) in rows().items():
        row = measure(name, stream, max(BLOCK, n // 20) if arguments.quick else n)
        results.append(row)
        print(
            f"{name:40} {row['n']:9d} {row['seconds']:9.2f} {row['per_second']:10.0f} {row['zeros']:6.2f} "
            f"{1e5 / row['per_second']:10.2f}",
            flush=True,
        )
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": where, "rows": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
