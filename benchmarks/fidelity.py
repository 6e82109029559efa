"""How good is a generator that was trained with default settings? Pairs of muons, simulated and real.

For each sample: the invariant mass in 60-120 GeV beside the data's, its 16-84 % range, and the certificate with it
among the critics' inputs, against all events of the file. Real collisions are used where a file is given, such as
Zmumu_Run2011A.csv of the CMS open data (record 545 of the CERN Open Data portal).

    python benchmarks/fidelity.py [--quick] [--json FILE] [--data FILE] [--plot FILE] [--steps N]
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import zerosum
from zerosum.data.events import Events, Feature, FloatArray
from zerosum.data.simulators import source
from zerosum.evaluation.observables import parse
from zerosum.report.histograms import overlay
from zerosum.report.plots import feature_figure

COLUMNS = ["pt1", "eta1", "phi1", "pt2", "eta2", "phi2"]
MASS = parse("m=mass(1,2)")


def measured(events: Events, steps: int | None, plot: Path | None) -> dict[str, Any]:
    """Train, sample as many events as there are, and measure."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        run = zerosum.train(events, out=Path(folder) / "run", **({"steps": steps} if steps else {}))
        seconds = time.monotonic() - started
        generated = run.model.sample(len(events), seed=5)
    comparison = zerosum.compare(events, generated, observables=["m=mass(1,2)"])
    blind = zerosum.certify(events.values, generated.values)
    real, fake = MASS(events), MASS(generated)
    if plot:
        found = overlay(Feature("invariant mass of the pair", "GeV"), real, fake, bins=60)
        feature_figure(found).savefig(plot, dpi=200)
    return {
        "events": len(events),
        "steps": run.config.steps,
        "seconds": seconds,
        "mass": {"data": shape(real), "generated": shape(fake)},
        "auc": [comparison.auc.value, comparison.auc.error],
        "js": [comparison.jensen_shannon.estimate, comparison.jensen_shannon.error],
        "js_lower": comparison.jensen_shannon.lower,
        "js_without_the_mass": [blind.estimate, blind.error],
    }


def shape(mass: FloatArray) -> dict[str, float]:
    """Mean and width in 60-120 GeV, and the 16, 50 and 84 % points of all, in GeV."""
    window = mass[(mass > 60) & (mass < 120)]
    low, middle, high = np.percentile(mass, [16, 50, 84])
    return {"mean": window.mean(), "width": window.std(), "p16": low, "p50": middle, "p84": high}


def main() -> None:
    """Measure each sample and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="300 steps: a test of the script alone")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--data", type=Path, help="a file with columns pt1 eta1 phi1 pt2 eta2 phi2")
    parser.add_argument("--plot", type=Path, help="where the mass of the last sample is drawn")
    parser.add_argument("--steps", type=int)
    arguments = parser.parse_args()
    steps = 300 if arguments.quick else arguments.steps
    samples = {"simulated": next(source("dimuon").stream(10_000, seed=0))}
    if arguments.data:
        samples = {arguments.data.name: zerosum.load(arguments.data, columns=COLUMNS)}
    found = {}
    for name, events in samples.items():
        found[name] = row = measured(events, steps, arguments.plot)
        print(f"{name}: {row['events']} events, {row['steps']} steps, {row['seconds']:.0f} s")
        print(f"  {'':10}{'mean':>8}{'width':>8}{'16 %':>8}{'50 %':>8}{'84 %':>8}  [GeV]")
        for side, numbers in row["mass"].items():
            print(f"  {side:10}" + "".join(f"{number:8.2f}" for number in numbers.values()))
        print(f"  AUC {row['auc'][0]:.3f} ± {row['auc'][1]:.3f} with the mass among the critics' inputs")
        print(f"  JS {row['js'][0]:.4f} ± {row['js'][1]:.4f} nats, at least {row['js_lower']:.4f} (95 %)")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1, default=float) + "\n")


if __name__ == "__main__":
    main()
