"""The demonstration: the whole line on events of a built-in source, in one folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zerosum.data.events import Events
from zerosum.data.formats import load
from zerosum.errors import InputError
from zerosum.evaluation.comparison import Comparison
from zerosum.workflow.files import compare_paths, sample, simulate
from zerosum.workflow.run import Run

DRAWN, PROBED = 10_000, 2_000  # events drawn in all, and where conditions are fixed


@dataclass(frozen=True)
class Tale:
    """What is told of one source.

    Attributes:
        what: Its events, in words.
        events: How many are simulated.
        steps: Of the game.
        options: Of the source.
        choices: Of the training, beside the steps.
        where: Conditions at which more events are drawn and looked at; none where empty.
        fixed: The options of the source with which it draws at these conditions.
    """

    what: str
    events: int
    steps: int
    options: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, Any] = field(default_factory=dict)
    where: Mapping[str, float] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)


TALES = {
    "showers": Tale(
        "photon showers of 1 to 10 GeV in a calorimeter of 128 cells",
        events=30_000,
        steps=3_000,
        options={"geometry": "compact", "energies": (1e3, 1e4)},
        choices={"width": 128, "batch": 128, "schedule": "cosine"},
        where={"incident_energy": 5e3},
        fixed={"geometry": "compact", "energies": (5e3,), "discrete": True},
    ),
    "dimuon": Tale("pairs of muons from a Z and a continuum", events=20_000, steps=8_000),
}


def tell(
    out: str | Path, source: str = "showers", *, say: Callable[[str], None], train: Callable[[Run], bool]
) -> Comparison | None:
    """The whole story, in a folder: simulate, train, sample, compare, report.

    Args:
        out: The folder, made new.
        source: A name of TALES.
        say: Told each chapter.
        train: Plays a run to its end and shows its progress; whether it came to its end.
    """
    if source not in TALES:
        raise InputError(f"no story is told of {source}; choose {' or '.join(TALES)}.")
    tale, out = TALES[source], Path(out)
    if out.exists():
        raise InputError(f"{out} exists; choose another folder with --out.")
    out.mkdir(parents=True)
    data, run_folder, generated = out / "events.h5", out / "run", out / "generated.h5"
    n = simulate(source, tale.events, data, **tale.options)
    say(f"1. simulated {n} {tale.what}: {data}")
    choices = {"data": str(data), "steps": tale.steps, "judgements": 6} | dict(tale.choices)
    run = Run.start(load(data), run_folder, choices)
    say(f"2. training a generator on {len(run.train_events)} of them, {tale.steps} steps of the game")
    if not train(run):
        say(f"stopped; continue with: zerosum train --resume --out {run_folder}")
        return None
    sample(run_folder, DRAWN, generated, seed=1)
    say(f"3. drew {DRAWN} new events: {generated}")
    for line in probe(tale, source, run_folder, out):
        say(line)
    report = out / "report.html"
    comparison = compare_paths(run_folder, generated, json_file=out / "certificate.json", report_file=report)
    say("4. compared them with events that the training never saw:\n")
    say(comparison.summary())
    say(f"\nopen {report} in a browser")
    return comparison


def probe(tale: Tale, source: str, run: Path, out: Path) -> list[str]:
    """Events at fixed conditions, generated and simulated anew: the mean and width of what they sum up to."""
    if not tale.where:
        return []
    paths = [out / f"fixed_{name}.h5" for name in ("generated", "simulated")]
    sample(run, PROBED, paths[0], where=tale.where, seed=2)
    simulate(source, PROBED, paths[1], seed=1, **tale.fixed)
    given = ", ".join(f"{name} = {value:g}" for name, value in tale.where.items())
    first, second = (_response(load(path)) for path in paths)
    return [
        f"   and {PROBED} with {given}; the energy seen is {first} of it, in the simulation {second}",
    ]


def _response(events: Events) -> str:
    """Mean and standard deviation of the energy in all cells over the incident one, with the error of the mean."""
    share = events.flat().sum(axis=1, dtype=np.float64) / np.asarray(events.conditions)[:, 0]
    return f"{share.mean():.4f} ± {share.std() / len(share) ** 0.5:.4f} (width {share.std():.4f})"
