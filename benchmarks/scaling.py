"""Two processes against one, the bytes that they exchange, and what follows for many machines.

    python benchmarks/scaling.py [--quick] [--json FILE]

Measured: the time of a step of the default game on a table, in one process with one thread and with two, and in two
processes that share every batch (gloo), with the same batch in all (strong scaling) and with the same batch in each
(weak scaling); the bytes that a process gives to all-reduces in a step, and the time it spends in them, waiting for the
other process included.

Simulated: weak scaling to N processes. A step lasts as long as the slowest of N draws from the measured times of a step
without communication (of the middle 90 %: the load of the measuring machine is not a property of the game), and an
all-reduce of S bytes in m messages, with latency a and bandwidth b, takes the shorter of a ring's 2 (N - 1) (m a + S /
(N b)) and a tree's 2 log2(N) (m a + S / b). The row "waiting alone" has no communication but waits all the same: what
remains there is the unevenness of steps on the machine that measured. An ensemble
communicates nothing: its efficiency is 1 by construction, and each of its games is a game of one process. What it buys
is the best of N games: with a spread sigma of D_JS from seed to seed and a validation error e of each, the chosen one
is on average sigma E[max of N normal numbers] / sqrt(1 + (e / sigma)^2) better than the mean.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zerosum.data.simulators import source
from zerosum.game.dynamics import DYNAMICS
from zerosum.training.config import Config
from zerosum.training.engine import Engine
from zerosum.training.setup import prepare

NETWORKS = {
    "10 Gb/s Ethernet": (30e-6, 1.25e9),
    "200 Gb/s InfiniBand": (3e-6, 25e9),
    "waiting alone": (0.0, float("inf")),
}  # latency [s], bandwidth [B/s]
PROCESSES = (2, 4, 8, 16, 64, 256, 1024)
MEASURED = (
    (1, 1, 256), (1, 2, 256), (2, 1, 256), (2, 1, 512), (1, 1, 2048), (1, 2, 2048), (2, 1, 2048), (2, 1, 4096)
)  # processes, threads, batch of all together  # fmt: skip


def play(processes: int, threads: int, batch: int, steps: int) -> dict[str, Any]:
    """The times of steps in this process, without and with communication, and what was communicated."""
    events = next(source("dimuon").stream(20_000, seed=0, chunk=20_000))
    engine = Engine(device="cpu", devices=processes, threads=threads)
    setup = prepare(
        Config.of({"batch": batch, "devices": processes, "threads": threads}).resolved(events),
        events,
        events,
        engine,
    )
    training, dynamics = setup.training, DYNAMICS["alternating"]
    training.set_rates(1e-3, 0.99)
    training.gamma = 0.1
    spent: list[tuple[float, int]] = []
    together = engine.mean

    def counted(numbers: torch.Tensor) -> torch.Tensor:
        started = time.perf_counter()
        found = together(numbers)
        spent.append((time.perf_counter() - started, numbers.numel() * numbers.element_size()))
        return found

    engine.mean = counted  # type: ignore[method-assign]
    whole, alone, sent = [], [], []
    for step in range(steps + 20):
        spent.clear()
        started = time.perf_counter()
        dynamics.step(training)
        taken = time.perf_counter() - started
        if step >= 20:
            whole.append(taken)
            alone.append(taken - sum(seconds for seconds, _ in spent))
            sent.append(sum(number for _, number in spent))
    return {
        "processes": processes,
        "threads": threads,
        "batch": batch,
        "step": statistics.median(whole),
        "communication": statistics.median(np.subtract(whole, alone).tolist()),
        "bytes": sent[0],
        "messages": len(spent),
        "alone": alone,
        "rank": engine.rank,
    }


def measured(processes: int, threads: int, batch: int, steps: int) -> dict[str, Any]:
    """`play` in processes of its own."""
    script = [sys.executable, str(Path(__file__).resolve())]
    given = ["--worker", str(processes), str(threads), str(batch), str(steps)]
    done = subprocess.run([*script, *given], check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def simulated(
    alone: list[float], size: int, messages: int, n: int, latency: float, bandwidth: float
) -> float:
    """The efficiency of n processes in weak scaling."""
    low, high = np.quantile(alone, [0.05, 0.95])
    times = np.asarray([t for t in alone if low <= t <= high])
    slowest = np.random.default_rng(n).choice(times, size=(500, n)).max(axis=1).mean()
    ring = 2 * (n - 1) * (messages * latency + size / (n * bandwidth))
    tree = 2 * np.log2(n) * (messages * latency + size / bandwidth)
    return float(times.mean() / (slowest + min(ring, tree)))


def best_of(n: int, error: float) -> float:
    """How much better than the mean the chosen of n games is, in standard deviations of their true quality."""
    draws = np.random.default_rng(n).standard_normal((4000, n)).max(axis=1)
    return float(draws.mean() / np.hypot(1.0, error))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="60 steps instead of 300")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--worker", nargs=4, type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        found = play(*arguments.worker)
        if found["rank"] == 0:
            print(json.dumps(found))
        return
    steps = 60 if arguments.quick else 300
    rows = [measured(*what, steps) for what in MEASURED]
    one = {row["batch"]: row["step"] for row in rows if (row["processes"], row["threads"]) == (1, 1)}
    print(
        "| processes | threads | batch, all | ms a step | ms in all-reduces | bytes a step | scaling | efficiency |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        n, batch = row["processes"] * row["threads"], row["batch"]
        kind, ideal = ("strong", one[batch] / n) if batch in one else ("weak", one[batch // n])
        row["efficiency"] = ideal / row["step"]
        print(
            f"| {row['processes']} | {row['threads']} | {batch} | {1e3 * row['step']:.2f} "
            f"| {1e3 * row['communication']:.2f} | {row['bytes']:,} | {kind if n > 1 else ''} "
            f"| {row['efficiency']:.2f} |"
        )
    size, messages = max((row["bytes"], row["messages"]) for row in rows)
    print("\nSimulated weak scaling: efficiency of N processes with the same batch in each.\n")
    print(
        "| batch in each | network | "
        + " | ".join(map(str, PROCESSES))
        + " |\n|---|---|"
        + "---|" * len(PROCESSES)
    )
    simulation = []
    for row in rows:
        if row["processes"] * row["threads"] > 1:
            continue
        for network, (latency, bandwidth) in NETWORKS.items():
            found = [simulated(row["alone"], size, messages, n, latency, bandwidth) for n in PROCESSES]
            simulation.append(
                {
                    "batch": row["batch"],
                    "network": network,
                    "efficiency": dict(zip(PROCESSES, found, strict=True)),
                }
            )
            print(f"| {row['batch']} | {network} | " + " | ".join(f"{e:.2f}" for e in found) + " |")
        print(f"| {row['batch']} | none: an ensemble | " + " | ".join("1" for _ in PROCESSES) + " |")
    print(
        "\nSimulated ensemble: how much better than the mean game the chosen one is, in spreads from seed to seed.\n"
    )
    print(
        "| validation error / spread | "
        + " | ".join(map(str, PROCESSES))
        + " |\n|---|"
        + "---|" * len(PROCESSES)
    )
    chosen = {str(error): [best_of(n, error) for n in PROCESSES] for error in (0.0, 0.5, 1.0, 2.0)}
    for error, gains in chosen.items():
        print(f"| {error} | " + " | ".join(f"{gain:.2f}" for gain in gains) + " |")
    if arguments.json:
        rows = [{key: value for key, value in row.items() if key != "alone"} for row in rows]
        arguments.json.write_text(
            json.dumps({"measured": rows, "simulated": simulation, "ensemble": chosen}, indent=1) + "\n",
            encoding="utf-8",
        )


if __name__ == "__main__":
    main()
