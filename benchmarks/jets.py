"""How good are generated jets? W and QCD jets as clouds of particles and as images of 16 x 16 and 32 x 32 pixels.

By default settings; "de-convolutional" are images by `--network zerosum.game.networks:GRIDS` instead. Each model is
trained for the stated processor time, given the jet's pt; those of both classes are also given the class. Against the
test split, class by class: where the mass peaks and which share of jets is in the W window; W1M and W1P in the
definition of JetNet (arXiv:2106.11535, masses and pt relative to the jet's), with errors that come from whole jets; FPD
of the observables that zerosum compares (of clouds mass, pt, girth, tau21, C2 and multiplicity; of images widths and
centres), which are not JetNet's energy-flow polynomials; and the certificate. In brackets: what equal samples of this
size give.

    python benchmarks/jets.py --data W.h5 QCD.h5 [--quick] [--json FILE] [--seconds 180] [--only NAME ...] [--plot FILE]

The files have particles eta_rel, phi_rel, pt_rel and the jets' pt in GeV.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter1d

import zerosum
from zerosum.data.events import Events, Feature, FloatArray
from zerosum.data.jets import jet_images, jet_mass
from zerosum.duel.contest import clock_of, steps_within
from zerosum.evaluation.jet_distances import w1m, w1p
from zerosum.evaluation.metric import Metric
from zerosum.evaluation.two_sample import wasserstein
from zerosum.report.histograms import overlay
from zerosum.report.plots import feature_figure
from zerosum.workflow import Run

CLASSES = ("QCD", "W")
WINDOW = 65.0, 95.0  # GeV
DECONVOLUTIONAL = "zerosum.game.networks:GRIDS"
GENERATED = 10_000  # jets of each class


@dataclass(frozen=True)
class Case:
    """What a model is trained on: jets of these classes, as images of a side or as clouds; and networks, if others."""

    classes: tuple[int, ...]
    side: int | None = None
    network: str | None = None


CASES = {
    "clouds, W": Case((1,)),
    "clouds, both classes": Case((0, 1)),
    "16 x 16, W": Case((1,), 16),
    "16 x 16, both classes": Case((0, 1), 16),
    "16 x 16, de-convolutional, W": Case((1,), 16, DECONVOLUTIONAL),
    "32 x 32, W": Case((1,), 32),
    "32 x 32, both classes": Case((0, 1), 32),
}


def jets_of(paths: Sequence[Path], case: Case) -> Events:
    """The jets of a case, given their pt and, where there are several classes, the class."""
    parts = []
    for label in case.classes:
        events = zerosum.load(paths[label], conditions=["pt"])
        events = jet_images(events, side=case.side) if case.side else events
        parts.append((events, np.full((len(events), 1), float(label))))
    whole = parts[0][0]
    values = [part.values for part, _ in parts]
    masks = [part.mask for part, _ in parts if part.mask is not None]
    given = np.concatenate([np.asarray(part.conditions)[:, :1] for part, _ in parts])
    label = np.concatenate([label for _, label in parts])
    several = len(parts) > 1
    return replace(
        whole,
        values=np.concatenate(values),
        mask=np.concatenate(masks) if masks else None,
        conditions=np.hstack([given, label]) if several else given,
        condition_features=(Feature("pt", "GeV"), *([Feature("is_w")] if several else [])),
    )


def of_class(events: Events, label: int) -> Events:
    """The jets of one class, with their pt alone given."""
    given = np.asarray(events.conditions)
    chosen = events.take(np.flatnonzero(given[:, 1] == label)) if given.shape[1] > 1 else events
    return replace(
        chosen,
        conditions=np.asarray(chosen.conditions)[:, :1],
        condition_features=chosen.condition_features[:1],
    )


def mass_of(events: Events) -> FloatArray:
    """Jet masses in GeV."""
    return jet_mass(events, np.asarray(events.conditions)[:, 0])


def peak(mass: FloatArray) -> float:
    """Where the distribution of masses is highest, in GeV, smoothed over 3 GeV."""
    counts, edges = np.histogram(mass, np.arange(0.0, 200.5, 0.5))
    return float(edges[gaussian_filter1d(counts.astype(float), 6).argmax()] + 0.25)


def distances(test: Events, fake: Events) -> list[Metric]:
    """W1M, and of clouds W1P."""
    if test.kind == "cloud":
        return [w1m(test, fake, seed=0), w1p(test, fake, seed=0)]
    return [replace(wasserstein(jet_mass(test), jet_mass(fake), seed=0), name="W1M")]


def measured(test: Events, fake: Events) -> dict[str, Any]:
    """One class of one model beside the test split."""
    real_mass, fake_mass = mass_of(test), mass_of(fake)
    found = zerosum.compare(test, fake, metrics=True)
    named = {one.name: one for one in (*found.metrics, *distances(test, fake))}
    js = found.jensen_shannon
    return {
        "test": len(test),
        "generated": len(fake),
        "peak": [peak(real_mass), peak(fake_mass)],
        "window": [float(((m > WINDOW[0]) & (m < WINDOW[1])).mean()) for m in (real_mass, fake_mass)],
        **{
            name: [named[name].value, named[name].error, named[name].null]
            for name in ("W1M", "W1P", "FPD")
            if name in named
        },
        "js": [js.estimate, js.error, js.lower, js.null_floor],
        "auc": [found.auc.value, found.auc.error],
        "masses": [real_mass, fake_mass],
    }


def trained(name: str, case: Case, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Train one model and measure its classes."""
    events = jets_of(arguments.data[::-1], case)
    with tempfile.TemporaryDirectory() as folder:
        choices: dict[str, Any] = {"judgements": 0, "network": case.network}
        place = Path(folder) / "run"
        choices["steps"] = steps_within(events, place, choices, arguments.seconds)
        run = Run.start(events, place, choices)
        clock = clock_of(run.config)
        started = clock()
        for _ in run.play():
            pass
        seconds = clock() - started
        model, test, rows = run.model, run.test, []
        for label in case.classes:
            where = {"is_w": float(label)} if len(case.classes) > 1 else {}
            fake = model.sample(arguments.generated, where=where, seed=5)
            rows.append(
                {"model": name, "class": CLASSES[label], "steps": run.config.steps, "seconds": seconds}
                | measured(of_class(test, label), of_class(fake, label))
            )
    return rows


def line(row: dict[str, Any]) -> str:
    """A row of the table; distances in 10^-3."""

    def distance(name: str) -> str:
        if name not in row:
            return "-"
        value, error, null = row[name]
        return f"{1e3 * value:.2f} ± {1e3 * error:.2f} ({1e3 * (null or 0):.2f})"

    estimate, error, lower, _ = row["js"]
    return (
        f"| {row['model']} | {row['class']} | {row['steps']}, {row['seconds']:.0f} s | "
        f"{row['peak'][0]:.1f} / {row['peak'][1]:.1f} | {row['window'][0]:.3f} / {row['window'][1]:.3f} | "
        f"{distance('W1M')} | {distance('W1P')} | {distance('FPD')} | {estimate:.3f} ± {error:.3f} | {lower:.3f} | "
        f"{row['auc'][0]:.3f} ± {row['auc'][1]:.3f} |"
    )


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """The masses of the first row, data and generated."""
    real, fake = rows[0]["masses"]
    feature_figure(overlay(Feature("jet mass", "GeV"), real, fake, bins=60)).savefig(path, dpi=200)


def main() -> None:
    """Train every case and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, nargs=2, metavar=("W", "QCD"), required=True, help="files of jets"
    )
    parser.add_argument("--quick", action="store_true", help="5 seconds each: a test of the script alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here, too")
    parser.add_argument("--seconds", type=float, default=180.0, help="of training, for each model")
    parser.add_argument("--generated", type=int, default=GENERATED, help="jets drawn of each class")
    parser.add_argument("--only", nargs="+", default=list(CASES), choices=list(CASES), metavar="NAME")
    parser.add_argument("--plot", type=Path, help="where the masses of the first row are drawn")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.seconds, arguments.generated, arguments.only = 5.0, 2_000, ["clouds, W"]
    print(
        "| model | jets | steps | mass peak, data / generated [GeV] | in 65-95 GeV | W1M [1e-3] (equal samples) | "
        "W1P [1e-3] | FPD [1e-3] | D_JS [nats] | at least (95 %) | AUC |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    rows = []
    for name in arguments.only:
        found = trained(name, CASES[name], arguments)
        rows += found
        for row in found:
            print(line(row), flush=True)
    if arguments.plot:
        draw(rows, arguments.plot)
    if arguments.json:
        kept = [{key: value for key, value in row.items() if key != "masses"} for row in rows]
        arguments.json.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
