"""A conditional generator of calorimeter showers with default settings, measured as in CaloChallenge.

Photon showers of this package's own simulation in a calorimeter with CaloChallenge's layout; the generator is given the
incident energy. Classifiers see either (low level) log10 E_inc and every voxel over E_inc, or (high level) log10 E_inc
and the logarithms of total and layer energies, occupancy, depths, centres and widths. AUC and JSD in bits are those of
held-out events; D_JS is certified. The reference is simulated anew: no event of it was trained on.

Published GANs on dataset 1, photons (CaloChallenge, arXiv:2410.21611) had AUC low/high 0.927/0.966 (BoloGAN) and
0.928/0.947 (CaloShower3GAN), at best 1.7 ms for a shower on a CPU in batches of 100. Those are Geant4 showers, judged
by another classifier: the task is alike, the numbers are not of the same data.

    python benchmarks/showers.py [--quick] [--json FILE] [--geometry FILE] [--minutes M] [--events N] [--run DIR]
"""

import argparse
import json
import tempfile
import time
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from zerosum.data.events import Events
from zerosum.data.simulators import source
from zerosum.evaluation.calorimeter import calorimeter
from zerosum.evaluation.compare import compare
from zerosum.workflow import Run

BATCH = 100  # showers of a call, for the speed
KINDS = ("low level", "high level")


def simulated(n: int, seed: int, geometry: str) -> Events:
    """Showers with their incident energies."""
    parts = source("showers").stream(n, seed=seed, geometry=geometry)
    first = next(parts)
    return Events.joined(list(chain([first], parts)))


def seen(events: Events, like: Events) -> dict[str, Events]:
    """What the two classifiers see, as tables."""
    energy = np.asarray(events.conditions, np.float64)[:, :1]
    named = {feature.name: values for feature, values in calorimeter(events, like).items()}
    shares = [name for name in named if name == "total" or name.startswith("layer")]
    high = [np.log10(np.maximum(named[name], 0) + 1e-8) if name in shares else named[name] for name in named]
    log = np.log10(energy)
    return {
        "low level": Events.table(np.concatenate([log, events.values / energy], 1, dtype=np.float32)),
        "high level": Events.table(np.column_stack([log[:, 0], *high])),
    }


def trained(events: Events, folder: Path, minutes: float) -> tuple[Run, float]:
    """A run with default settings whose steps fill the time: a short pilot measures the speed."""
    choices: dict[str, Any] = {"judgements": 4}
    pilot = Run.start(events, folder / "pilot", choices | {"log_every": 20})
    clock: list[tuple[int, float]] = []
    for record in pilot.play(stop=lambda: len(clock) > 2):
        clock.append((record["step"], time.monotonic()))
    (a, t0), (b, t1) = clock[0], clock[-1]
    steps = max(int(60 * minutes * (b - a) / (t1 - t0)), 100)
    run = Run.start(events, folder / "run", choices | {"steps": steps})
    started = time.monotonic()
    for _ in run.play():
        pass
    return run, time.monotonic() - started


def speed(run: Run) -> float:
    """Milliseconds for a shower in batches of `BATCH`, in physical units: the median of 20 calls."""
    rng = np.random.default_rng(0)
    model, seconds = run.model, []
    known = np.asarray(model.known_conditions)[:BATCH]
    for _ in range(23):
        latent = rng.standard_normal((BATCH, model.latents), dtype=np.float32)
        started = time.perf_counter()
        model.generate(latent, known)
        seconds.append(time.perf_counter() - started)
    return 1e3 * float(np.median(seconds[3:])) / BATCH


def measured(run: Run, reference: Events, seconds: float) -> dict[str, Any]:
    """All numbers of one run."""
    generated = run.model.sample(len(reference), seed=7)
    pair = [seen(events, reference) for events in (reference, generated)]
    row: dict[str, Any] = {
        "events": len(run.train_events),
        "reference": len(reference),
        "steps": run.config.steps,
        "seconds": seconds,
        "ms_per_shower": speed(run),
    }
    for kind in KINDS:
        found = compare(pair[0][kind], pair[1][kind])
        js = found.jensen_shannon
        row[kind] = {
            "auc": [found.auc.value, found.auc.error],
            "jsd_bits": [js.estimate / np.log(2), js.error / np.log(2)],
            "js": [js.estimate, js.error],
            "js_lower": js.lower,
        }
    return row


def main() -> None:
    """Train, measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="2,000 showers, seconds of training: a test of the script"
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument("--geometry", default="atlas-like", help="a built-in calorimeter, or a binning file")
    parser.add_argument("--minutes", type=float, default=20.0, help="of training")
    parser.add_argument("--events", type=int, default=100_000, help="simulated for the training")
    parser.add_argument("--run", type=Path, help="keep the run here")
    arguments = parser.parse_args()
    n, minutes, held = arguments.events, arguments.minutes, 40_000
    if arguments.quick:
        n, minutes, held = 2_000, 0.05, 1_000
    started = time.monotonic()
    events = simulated(n, 1, arguments.geometry)
    simulation = time.monotonic() - started
    with tempfile.TemporaryDirectory() as folder:
        run, seconds = trained(events, arguments.run or Path(folder), minutes)
        row = measured(run, simulated(held, 2, arguments.geometry), seconds)
    row |= {"voxels": events.values.shape[1], "simulation_seconds": simulation}
    print(f"{n} showers of {row['voxels']} voxels simulated in {simulation:.0f} s; {row['steps']} steps")
    print(
        f"in {seconds / 60:.1f} minutes on one thread; {row['ms_per_shower']:.4f} ms per generated shower\n"
    )
    print("| classifier sees | AUC | JSD [bits] | D_JS [nats] | D_JS >= (95 %) |")
    print("|---|---|---|---|---|")
    for kind in KINDS:
        auc, bits, js = (row[kind][key] for key in ("auc", "jsd_bits", "js"))
        cells = [f"{a:.4f} ± {b:.4f}" for a, b in (auc, bits, js)]
        print(f"| {kind} | {' | '.join(cells)} | {row[kind]['js_lower']:.4f} |")
    if arguments.json:
        arguments.json.write_text(json.dumps(row, indent=1, default=float) + "\n")


if __name__ == "__main__":
    main()
