"""How long the report of large samples takes to build, and how large its page is.

    python benchmarks/report.py [--quick] [--json FILE]

Two samples of correlated normal features, a tenth of a standard deviation apart. The comparison is made beforehand, of
the first events by one linear critic: what is timed is the page of all events, with every figure as SVG, PNG and PDF.
The median of the rounds counts, by the clock and in CPU time.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from zerosum.data.events import Events
from zerosum.evaluation.critics import Polynomial
from zerosum.report.compared import Compared, compare

SIZES = ((1_000, 5), (10_000, 20), (100_000, 20))  # events of each sample, features
COMPARED = 1_000  # events
CRITICS = (Polynomial("linear", 1),)


def sample(n: int, features: int, shift: float, seed: int) -> Events:
    """Correlated normal features."""
    mixing = np.random.default_rng(1).normal(size=(features, features)) / np.sqrt(features)
    values = np.random.default_rng(seed).normal(size=(n, features)) @ mixing
    return Events.table(values + shift, [f"x{i}" for i in range(features)])


def measure(n: int, features: int, rounds: int) -> dict[str, Any]:
    """Seconds and bytes of one page."""
    pair = sample(n, features, 0.0, 2), sample(n, features, 0.1, 3)
    few = [events.take(slice(COMPARED)) for events in pair]
    found = Compared.of(compare(*few, critics=CRITICS), *pair)
    taken, used = [], []
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        for _ in range(rounds):
            started = time.perf_counter(), time.process_time()
            found.report(page)
            taken.append(time.perf_counter() - started[0])
            used.append(time.process_time() - started[1])
        size = page.stat().st_size
    return {
        "events": n,
        "features": features,
        "seconds": statistics.median(taken),
        "CPU": statistics.median(used),
        "megabytes": size / 1e6,
    }


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as Markdown."""
    lines = ["| events | features | seconds | CPU seconds | MB |", "|---|---|---|---|---|"]
    return "\n".join(
        lines
        + [
            f"| {r['events']} | {r['features']} | {r['seconds']:.2f} | {r['CPU']:.2f} | {r['megabytes']:.2f} |"
            for r in rows
        ]
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the smallest samples, once")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    sizes, rounds = (SIZES[:1], 1) if arguments.quick else (SIZES, 3)
    rows = [measure(n, features, rounds) for n, features in sizes]
    print(table(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
