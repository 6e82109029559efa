"""Mode collapse: does the generator, with default settings, find every mode?

Definitions: ring-8 (radius 1, sigma 0.01) and grid-25 ({-4,...,4}^2, sigma 0.05) with 100,000 training events, 2,500
generated ones, and high quality = within 3 sigma of the nearest mode (PacGAN, arXiv:1712.04086, section 4.1; there
without seeds). A perfect sampler reaches 98.89 % high quality, and a reverse KL of 0.0014 (8) and 0.0048 (25) from
counting noise alone. Stacked digits: three 8x8 digits of scikit-learn as channels make 1000 modes; 26,000 generated
images are counted by a classifier that was trained on single digits. 1200-D: ten Gaussians of width 0.1 in 700
dimensions, centres drawn from N(0, 1), turned into 1200 dimensions by one random map with orthonormal columns (after
VEEGAN, arXiv:1705.07761, section 4.1, which gives no widths: not comparable with its table); 10,000 training events;
high quality = within 3 sigma of the nearest mode in root mean square over the 700 dimensions, and of 0 over all others.

    python benchmarks/modes.py [--quick] [--json FILE] [--seeds N] [--only NAME ...] [--set KEY=VALUE ...]
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from zerosum.data.events import Events
from zerosum.data.simulators.mixtures import GRID_SIGMA, RING_SIGMA, grid_centres, ring_centres
from zerosum.workflow import Run

Array = npt.NDArray[np.float64]
Counts = dict[str, float]


@dataclass(frozen=True)
class Case:
    """A distribution with known modes, how many events are generated, and how they are counted."""

    data: Callable[[np.random.Generator], Events]
    generated: int
    count: Callable[[Events], Counts]
    floor: str
    choices: dict[str, Any]


def mixture(centres: Array, sigma: float) -> Case:
    """Equal Gaussians of width sigma at the centres (K, d)."""
    modes, dimensions = centres.shape

    def data(rng: np.random.Generator) -> Events:
        chosen = centres[rng.integers(modes, size=100_000)]
        return Events.table(chosen + sigma * rng.normal(size=chosen.shape))

    def count(events: Events) -> Counts:
        distance = np.linalg.norm(events.values[:, None] - centres, axis=2)
        good = distance.min(1) < 3 * sigma
        return counted(distance.argmin(1)[good], modes) | {"high_quality": float(good.mean())}

    floor = "HQ 98.89 %, KL " + {8: "0.0014", 25: "0.0048"}[modes]
    assert dimensions == 2
    return Case(data, 2_500, count, floor, {})


def embedded(seed: int = 0, inside: int = 700, outside: int = 1200, sigma: float = 0.1) -> Case:
    """Ten Gaussians in a subspace of many dimensions."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(outside, inside)))[0].T
    centres = rng.normal(size=(10, inside))

    def data(rng: np.random.Generator) -> Events:
        chosen = centres[rng.integers(10, size=10_000)]
        return Events.table((chosen + sigma * rng.normal(size=chosen.shape)) @ turn)

    def count(events: Events) -> Counts:
        found = events.values @ turn.T
        beside = np.sum((events.values - found @ turn) ** 2, axis=1) / (outside - inside) < (3 * sigma) ** 2
        distance2 = np.stack([np.mean((found - centre) ** 2, axis=1) for centre in centres], axis=1)
        good = beside & (distance2.min(1) < (3 * sigma) ** 2)
        return counted(distance2.argmin(1)[good], 10) | {"high_quality": float(good.mean())}

    return Case(data, 2_500, count, "HQ 100 %, KL 0.0018", {})


def counted(labels: npt.NDArray[np.int64], modes: int) -> Counts:
    """How many modes were found, and the reverse KL of the found frequencies from equal ones."""
    frequency = np.bincount(labels, minlength=modes) / max(len(labels), 1)
    found = frequency[frequency > 0]
    return {"modes": float(len(found)), "reverse_kl": float(np.sum(found * np.log(found * modes)))}


def stacked_digits() -> Case:
    """Three digits as channels; the classifier is held out: it never sees the images that are stacked."""
    from sklearn.datasets import load_digits
    from sklearn.svm import SVC

    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    half = order[: len(order) // 2]
    classifier = SVC(C=10, gamma=0.001).fit(images[half], labels[half])
    pool = images[order[len(order) // 2 :]].reshape(-1, 8, 8)
    digit = labels[order[len(order) // 2 :]]
    by_digit = [pool[digit == k] for k in range(10)]

    def data(rng: np.random.Generator) -> Events:
        wanted = rng.integers(10, size=(50_000, 3))
        stacked = np.empty((50_000, 3, 8, 8), dtype=np.float32)
        for k in range(10):
            event, channel = np.nonzero(wanted == k)
            stacked[event, channel] = by_digit[k][rng.integers(len(by_digit[k]), size=len(event))]
        return Events.grid(stacked, names=("red", "green", "blue"))

    def count(events: Events) -> Counts:
        digits = classifier.predict(events.values.reshape(-1, 64)).reshape(-1, 3)
        return counted(digits @ np.array([100, 10, 1]), 1000)

    return Case(data, 26_000, count, "KL 0.0193", {})


def cases() -> dict[str, Callable[[], Case]]:
    """All cases by name."""
    return {
        "ring-8": lambda: mixture(ring_centres(), RING_SIGMA),
        "grid-25": lambda: mixture(grid_centres(), GRID_SIGMA),
        "stacked digits": stacked_digits,
        "1200-D, 10 modes": embedded,
    }


def trained(case: Case, seed: int, choices: dict[str, Any]) -> Counts:
    """One training with default settings, counted; the last averaged generator, no choice among checkpoints."""
    events = case.data(np.random.default_rng(seed))
    with tempfile.TemporaryDirectory() as folder:
        everything = {"seed": seed, "judgements": 0} | case.choices | choices
        run = Run.start(events, Path(folder) / "run", everything)
        started = time.monotonic()
        for _ in run.play():
            pass
        seconds = time.monotonic() - started
        counts = case.count(run.model.sample(case.generated, seed=seed))
        return counts | {"seconds": seconds, "steps_per_second": run.config.steps / seconds}


def main() -> None:
    """Train every case with every seed and print means and standard errors."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="one seed and 300 steps: a test of the script alone"
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", nargs="*", default=list(cases()))
    parser.add_argument("--set", nargs="*", default=[], help="options of the configuration, KEY=VALUE")
    arguments = parser.parse_args()
    choices = {key: yaml.safe_load(text) for key, text in (pair.split("=", 1) for pair in arguments.set)}
    if arguments.quick:
        arguments.seeds, choices = 1, {"steps": 300} | choices
    table = []
    for name in arguments.only:
        case = cases()[name]()
        results = [trained(case, seed, choices) for seed in range(arguments.seeds)]
        row: dict[str, Any] = {"case": name, "seeds": arguments.seeds, "floor": case.floor}
        for key in results[0]:
            numbers = np.array([result[key] for result in results])
            error = numbers.std(ddof=1) / np.sqrt(len(numbers)) if len(numbers) > 1 else float("nan")
            row[key] = {"mean": numbers.mean(), "error": error, "all": numbers.tolist()}
        table.append(row)
        cells = (f"{key} {row[key]['mean']:.4g} ± {row[key]['error']:.2g}" for key in results[0])
        print(f"{name}: {', '.join(cells)} (floor: {case.floor})", flush=True)
    print()
    for row in table:
        key = "high_quality" if "high_quality" in row else "reverse_kl"
        print(f"{row['case']}, seed by seed: {key} {', '.join(f'{one:.4f}' for one in row[key]['all'])}")
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
