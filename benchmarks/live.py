"""What the live page costs a training: steps per second with and without a page that watches, in one training.

    python benchmarks/live.py [--quick] [--json FILE]

One game on 2-D events trains in this process. The server of `zerosum watch` and a reader of its stream run beside it
and are halted (SIGSTOP) in every second block of steps, so that both speeds are those of one training on one machine;
each pair of neighbouring blocks gives one ratio, and their median counts: of the clock, and of the training's own CPU
time, which other programs on the machine hardly change. The server's CPU time is given as a share of the clock. What a
training writes for the page whether or not anybody watches, its snapshots, is timed by itself; their number does not
grow with the steps, so their share is smaller in a longer training.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zerosum.data.simulators import source
from zerosum.report.snapshots import Snapshots
from zerosum.workflow import Run

LOG_EVERY, BLOCK = 20, 5  # steps between records, records in a block: more often than by default
READER = """
import sys, urllib.request
stream = urllib.request.urlopen(sys.argv[1] + "events")
while stream.readline():
    pass
"""


def beside(folder: Path) -> list[subprocess.Popen[str]]:
    """The server of a folder and a reader of its stream."""
    call = [sys.executable, "-m", "zerosum", "watch", str(folder)]
    server = subprocess.Popen(call, stdout=subprocess.PIPE, text=True)
    assert server.stdout
    address = server.stdout.readline().partition("#")[0]
    return [server, subprocess.Popen([sys.executable, "-c", READER, address], text=True)]


def timed_snapshots() -> list[float]:
    """Filled with the seconds of each snapshot from now on."""
    taken: list[float] = []
    write = Snapshots.write

    def timed(self: Snapshots, *given: Any) -> None:
        started = time.perf_counter()
        write(self, *given)
        taken.append(time.perf_counter() - started)

    Snapshots.write = timed  # type: ignore[method-assign]
    return taken


def cpu(process: int) -> float:
    """The CPU seconds that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def blocks(run: Run, watching: list[subprocess.Popen[str]]) -> Iterator[tuple[bool, float, float]]:
    """Whether each block of steps was watched, its seconds by the clock and its CPU seconds."""
    watched, count, started = True, 0, (time.perf_counter(), time.process_time())
    for _ in run.play():
        count += 1
        if count % BLOCK:
            continue
        yield watched, time.perf_counter() - started[0], time.process_time() - started[1]
        watched = not watched
        for process in watching:
            os.kill(process.pid, signal.SIGCONT if watched else signal.SIGSTOP)
        started = (time.perf_counter(), time.process_time())


def measure(pairs: int) -> list[dict[str, Any]]:
    """Speeds of both kinds of blocks, the ratio of neighbours, and the share of the snapshots."""
    steps = (2 * pairs + 2) * BLOCK * LOG_EVERY
    snapshots = timed_snapshots()
    with tempfile.TemporaryDirectory() as folder:
        choices = {"steps": steps, "log_every": LOG_EVERY, "judgements": 0}
        run = Run.start(next(source("ring").stream(10_000, 0)), Path(folder) / "run", choices)
        watching = beside(Path(folder))
        try:
            started, used = time.perf_counter(), cpu(watching[0].pid)
            found = list(blocks(run, watching))[2:]  # the first two warm up
            total, used = time.perf_counter() - started, cpu(watching[0].pid) - used
        finally:
            for process in watching:
                process.kill()
                process.wait()
    size = BLOCK * LOG_EVERY
    pairs_of = list(zip(found[::2], found[1::2], strict=True))
    return [
        {"what": "steps/s, watched", "median": size / statistics.median(a[1] for a, _ in pairs_of)},
        {"what": "steps/s, not watched", "median": size / statistics.median(b[1] for _, b in pairs_of)},
        ratio("clock, watched / not watched", [a[1] / b[1] for a, b in pairs_of]),
        ratio("CPU of the training, watched / not watched", [a[2] / b[2] for a, b in pairs_of]),
        {"what": "CPU of the server / clock, while watched", "median": 2 * used / total},
        {"what": "snapshots / clock", "median": sum(snapshots) / total, "snapshots": len(snapshots)},
    ]


def ratio(what: str, ratios: list[float]) -> dict[str, Any]:
    """The median of ratios with their quartiles."""
    ordered, quarter = sorted(ratios), len(ratios) // 4
    half = [ordered[quarter], ordered[-1 - quarter]]
    return {"what": what, "median": statistics.median(ordered), "middle half": half, "pairs": len(ratios)}


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as Markdown."""
    lines = ["| quantity | median | middle half |", "|---|---|---|"]
    for row in rows:
        middle = " to ".join(f"{number:.3f}" for number in row.get("middle half", ()))
        lines.append(f"| {row['what']} | {row['median']:.4g} | {middle} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="10 pairs of blocks instead of 60")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    rows = measure(10 if arguments.quick else 60)
    print(table(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
