"""Does a trained generator know the critical Ising model? L = 16 at K_c against exact energies and cluster sampling.

The game is trained for the stated processor time on lattices of the built-in source (Swendsen-Wang clusters, one chain
for each lattice). Energy, magnetisation and two-point function G(r) = <s(x) s(x + r)> along the axes, with errors,
stand beside those of fresh lattices and the exact <E> of Kaufman (1949); the certificate compares with the fresh
lattices.

    python benchmarks/ising.py [--quick] [--json FILE] [--seconds 300] [--side 16] [--lattices 20000]
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import zerosum
from zerosum.data.events import Events, FloatArray
from zerosum.data.simulators import simulate_ising
from zerosum.data.simulators.lattice import CRITICAL, energy
from zerosum.duel.contest import clock_of, steps_within
from zerosum.theory.ising import Ising
from zerosum.workflow import Run

Pair = tuple[float, float]


def mean(values: FloatArray) -> Pair:
    """The mean over independent lattices and its standard error."""
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def observed(lattices: Events) -> dict[str, Pair]:
    """Energy and magnetisation per site, and the two-point function along both axes."""
    spins = np.asarray(lattices.values[:, 0], np.float64)
    side = spins.shape[1]
    found = {"<E>/L^2": mean(energy(spins) / side**2), "<|m|>": mean(np.abs(spins.mean((1, 2))))}
    for r in range(1, side // 2 + 1):
        both = [(spins * np.roll(spins, r, axis)).mean((1, 2)) for axis in (1, 2)]
        found[f"G({r})"] = mean((both[0] + both[1]) / 2)
    return found


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Train, and measure against fresh lattices."""
    side, n = arguments.side, arguments.lattices
    data, fresh = (simulate_ising(n, side=side, seed=seed) for seed in (1, 2))
    with tempfile.TemporaryDirectory() as folder:
        choices: dict[str, Any] = {"judgements": 0}
        place = Path(folder) / "run"
        choices["steps"] = steps_within(data, place, choices, arguments.seconds)
        run = Run.start(data, place, choices)
        clock = clock_of(run.config)
        started = clock()
        for _ in run.play():
            pass
        seconds = clock() - started
        generated = run.model.sample(n, seed=5)
    found = zerosum.compare(fresh, generated)
    js = found.jensen_shannon
    return {
        "lattices": n,
        "steps": run.config.steps,
        "seconds": seconds,
        "exact_energy": Ising(side, CRITICAL).mean_energy / side**2,
        "reference": observed(fresh),
        "generated": observed(generated),
        "js": [js.estimate, js.error, js.lower, js.null_floor],
        "auc": [found.auc.value, found.auc.error],
    }


def table(found: dict[str, Any]) -> str:
    """The table, and the certificate below it."""
    lines = ["| | exact | cluster sampling | generated | difference / error |", "|---|---|---|---|---|"]
    for name, (truth, error) in found["reference"].items():
        value, of_value = found["generated"][name]
        exact = f"{found['exact_energy']:.4f}" if name.startswith("<E>") else ""
        pull = (value - truth) / np.hypot(error, of_value)
        lines.append(
            f"| {name} | {exact} | {truth:.4f} ± {error:.4f} | {value:.4f} ± {of_value:.4f} | {pull:+.1f} |"
        )
    estimate, error, lower, floor = found["js"]
    return "\n".join(lines) + (
        f"\n\n{found['lattices']} lattices of each sample, {found['steps']} steps in {found['seconds']:.0f} s: D_JS "
        f"{estimate:.4f} ± {error:.4f} nats, at least {lower:.4f} (95 %), equal samples {floor:.4f}; "
        f"AUC {found['auc'][0]:.3f} ± {found['auc'][1]:.3f}"
    )


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="L = 8, 2,000 lattices, 5 seconds: a test of the script"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here, too")
    parser.add_argument("--seconds", type=float, default=300.0, help="of training")
    parser.add_argument("--side", type=int, default=16, help="L")
    parser.add_argument("--lattices", type=int, default=20_000)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.side, arguments.lattices, arguments.seconds = 8, 2_000, 5.0
    found = measure(arguments)
    print(table(found))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
