"""Every model on the same data for the same time: likelihood, distance, filling in, and what the theory predicts.

The grid of 25 narrow modes, pairs of muons (the CMS collision data where a file with their columns is given, else the
built-in source), and four features of jets where a file of particles is given. "mixture:5" has five components, too few
for 25 modes; "mixture" has 32.

    python benchmarks/duel.py [--quick] [--json FILE] [--seconds S] [--muons FILE] [--jets FILE] [--only NAME ...]

With --rows FOLDER each model's numbers are kept there as soon as they are measured, and what is there is not measured
again: a long duel can be interrupted, or held model by model (--models).
"""

import argparse
import json
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

import zerosum
from zerosum.data.events import Events
from zerosum.data.simulators import source
from zerosum.duel.contest import Row, contend
from zerosum.duel.outcome import outcome
from zerosum.evaluation.comparison import Comparison
from zerosum.evaluation.shapes import shapes
from zerosum.theory.estimate import Estimate
from zerosum.theory.identity import LikelihoodIdentity

MUONS = ["pt1", "eta1", "phi1", "pt2", "eta2", "phi2"]
OF_JETS = ["jet mass", "girth", "tau21", "C2"]  # not the sum of pt, which is 1 up to rounding
MODELS = ["gan", "vae", "flow", "mixture", "mixture:5", "gaussian"]


def grid(n: int) -> Events:
    """Grid-25."""
    return next(source("grid").stream(n, seed=0, chunk=n))


def muons(path: Path | None, n: int) -> Events:
    """Six columns of two muons."""
    if path is None:
        return next(source("dimuon").stream(min(n, 10_000), seed=0))
    return zerosum.load(path, columns=MUONS)


def jets(path: Path) -> Events:
    """Four features that jet taggers use, from the particles."""
    particles = zerosum.load(path)
    values, features = shapes(particles, like=particles)
    return Events.table(
        values, [feature.name for feature in features], [feature.unit for feature in features]
    ).select(OF_JETS)


def measured(events: Events, name: str, seconds: float, kept: Path | None) -> Row:
    """One model's row, from the file where it was kept, or measured now."""
    if kept and kept.is_file():
        return row_of(json.loads(kept.read_text(encoding="utf-8")))
    with tempfile.TemporaryDirectory() as folder:
        row = contend(events, Path(folder), name, seconds, {"judgements": 0, "seed": 0})
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(row.to_json()) + "\n", encoding="utf-8")
    return row


def row_of(content: dict[str, Any]) -> Row:
    """A row that was kept, as far as the table and the predictions look at it."""

    def estimate(one: dict[str, float] | None, key: str = "estimate") -> Estimate | None:
        return None if one is None else Estimate(one[key], one["error"], 0, "kept")

    js, identity = content["comparison"]["jensen_shannon"], content["identity"]
    comparison = SimpleNamespace(jensen_shannon=SimpleNamespace(**js), to_json=lambda: content["comparison"])
    return Row(
        model=content["model"],
        log_likelihood=estimate(content["log_likelihood"]),
        reason=content["reason"],
        identity=identity
        and LikelihoodIdentity(**{key: cast(Estimate, estimate(one)) for key, one in identity.items()}),
        filling=cast(Estimate, estimate(content["filling_in"], "fraction")),
        uncovered=cast(Estimate, estimate(content["uncovered"], "fraction")),
        comparison=cast(Comparison, comparison),
        steps=content["steps"],
        seconds=content["seconds"],
        speed=content["events_per_second"],
        generated=Events.table(np.empty((0, 1))),
    )


def main() -> None:
    """Hold each duel and print its table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a second for each model: a test of the script")
    parser.add_argument("--json", type=Path)
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="of training (processor time), for each model"
    )
    parser.add_argument("--muons", type=Path, help="a file with columns pt1 eta1 phi1 pt2 eta2 phi2")
    parser.add_argument("--jets", type=Path, help="a file of particles of jets")
    parser.add_argument("--only", nargs="*", default=["grid-25", "muons", "jets"])
    parser.add_argument("--models", nargs="*", default=MODELS)
    parser.add_argument("--rows", type=Path, metavar="FOLDER", help="where each model's numbers are kept")
    arguments = parser.parse_args()
    n, seconds = (2_000, 1.0) if arguments.quick else (50_000, arguments.seconds)
    data = {"grid-25": lambda: grid(n), "muons": lambda: muons(arguments.muons, n)}
    if arguments.jets:
        data["jets"] = lambda: jets(arguments.jets)
    if arguments.quick:
        data = {"grid-25": data["grid-25"]}
    found: dict[str, Any] = {}
    for name in [name for name in data if name in arguments.only]:
        events = data[name]()
        kept = arguments.rows and arguments.rows / f"{name}, {seconds:g} s"
        rows = [
            measured(events, model, seconds, kept and kept / f"{model.replace(':', '-')}.json")
            for model in arguments.models
        ]
        found[name] = outcome(rows, path=name, n=len(events), seconds=seconds, seed=0)
        print(f"\n{name}: {len(events)} events, {seconds:g} s of training for each model (processor time)\n")
        print_table(found[name])
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


def print_table(found: dict[str, Any]) -> None:
    """One line for each model, then the predictions."""
    print(
        "| model | ln p_g [nats] | KL(data, g) by kNN | D_JS [nats] | D_JS >= | filling in | uncovered | AUC | steps |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for row in found["models"]:
        likelihood, identity, compared = row["log_likelihood"], row["identity"], row["comparison"]
        js, auc = compared["jensen_shannon"], compared["auc"]
        cells = [
            row["model"],
            "none" if likelihood is None else plus_minus(likelihood["estimate"], likelihood["error"], 3),
            "" if identity is None else plus_minus(identity["kl"]["estimate"], identity["kl"]["error"], 3),
            plus_minus(js["estimate"], js["error"], 4),
            f"{js['lower']:.4f}",
            plus_minus(100 * row["filling_in"]["fraction"], 100 * row["filling_in"]["error"], 2) + " %",
            plus_minus(100 * row["uncovered"]["fraction"], 100 * row["uncovered"]["error"], 2) + " %",
            plus_minus(auc["estimate"], auc["error"], 3),
            str(row["steps"]),
        ]
        print(f"| {' | '.join(cells)} |")
    print()
    for one in found["predictions"]:
        print(f"- {one['claim']}: {one['verdict']}. {one['found']}.")


def plus_minus(value: float, error: float, digits: int) -> str:
    """A value with its error."""
    return f"{value:.{digits}f} ± {error:.{digits}f}"


if __name__ == "__main__":
    main()
