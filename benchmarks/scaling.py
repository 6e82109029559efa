"""Two processes against one, the bytes that they exchange, and what follows for many machines.

    python benchmarks/scaling.py [--quick] [--json FILE]

Measured: the time of a step of the default game on a table, in one process and in two that share every batch (gloo),
with the same batch in all (strong scaling) and with the same batch in each (weak scaling); the bytes that a process
gives to all-reduces in a step, and the time it spends in them.

Simulated: weak scaling to N processes. A step lasts as long as the slowest of N draws from the measured times of a step
without communication (of the middle 90 %: the load of the measuring machine is not a property of the game), and a ring
all-reduce of S bytes in m messages takes 2 (N - 1) (m a + S / (N b)) with latency a and bandwidth b. An ensemble
communicates nothing: its efficiency is 1 by construction, and each of its games is a game of one process.
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
}  # latency [s], bandwidth [B/s]
PROCESSES = (2, 4, 8, 16, 64, 256, 1024)


def play(processes: int, batch: int, steps: int) -> dict[str, Any]:
    """The times of steps in this process, without and with communication, and what was communicated."""
    events = next(source("dimuon").stream(20_000, seed=0, chunk=20_000))
    engine = Engine(device="cpu", devices=processes)
    setup = prepare(
        Config.of({"batch": batch, "devices": processes}).resolved(events), events, events, engine
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
        "batch": batch,
        "step": statistics.median(whole),
        "communication": statistics.median(np.subtract(whole, alone).tolist()),
        "bytes": sent[0],
        "messages": len(spent),
        "alone": alone,
        "rank": engine.rank,
    }


def measured(processes: int, batch: int, steps: int) -> dict[str, Any]:
    """`play` in processes of its own."""
    script = [sys.executable, str(Path(__file__).resolve())]
    given = ["--worker", str(processes), str(batch), str(steps)]
    done = subprocess.run([*script, *given], check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def simulated(
    alone: list[float], size: int, messages: int, n: int, latency: float, bandwidth: float
) -> float:
    """The efficiency of n processes in weak scaling."""
    low, high = np.quantile(alone, [0.05, 0.95])
    times = np.asarray([t for t in alone if low <= t <= high])
    slowest = np.random.default_rng(n).choice(times, size=(500, n)).max(axis=1).mean()
    return float(times.mean() / (slowest + 2 * (n - 1) * (messages * latency + size / (n * bandwidth))))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="100 steps instead of 1000")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--worker", nargs=3, type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        found = play(*arguments.worker)
        if found["rank"] == 0:
            print(json.dumps(found))
        return
    steps = 100 if arguments.quick else 1000
    rows = [
        measured(n, batch, steps)
        for n, batch in ((1, 256), (2, 256), (2, 512), (1, 2048), (2, 2048), (2, 4096))
    ]
    one = {row["batch"]: row["step"] for row in rows if row["processes"] == 1}
    print("| processes | batch, all | ms a step | ms communicating | bytes a step | scaling | efficiency |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        n, batch = row["processes"], row["batch"]
        kind, ideal = ("strong", one[batch] / n) if batch in one else ("weak", one[batch // n])
        row["efficiency"] = ideal / row["step"]
        print(
            f"| {n} | {batch} | {1e3 * row['step']:.2f} | {1e3 * row['communication']:.2f} | {row['bytes']:,} "
            f"| {kind if n > 1 else ''} | {row['efficiency']:.2f} |"
        )
    size, messages = rows[1]["bytes"], rows[1]["messages"]
    print("\nSimulated weak scaling: efficiency of N processes with the same batch in each.\n")
    print(
        "| batch in each | network | "
        + " | ".join(map(str, PROCESSES))
        + " |\n|---|---|"
        + "---|" * len(PROCESSES)
    )
    simulation = []
    for row in rows:
        if row["processes"] > 1:
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
    if arguments.json:
        rows = [{key: value for key, value in row.items() if key != "alone"} for row in rows]
        arguments.json.write_text(
            json.dumps({"measured": rows, "simulated": simulation}, indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
