"""The duel: every model on the same events, the same split and the same time, then one table.

The adversarial game has no likelihood; what all models have is samples, so all are measured by the same certificate on
the same test split, and the likelihood stands beside it where there is one.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zerosum.data.events import Events
from zerosum.errors import InputError
from zerosum.evaluation.compare import Comparison, compare
from zerosum.likelihood.games import MODELS
from zerosum.likelihood.player import LikelihoodModel
from zerosum.model import Model
from zerosum.theory.estimate import Estimate
from zerosum.workflow import Run

PILOT = 0.1  # the part of the time in which a model's speed is measured


@dataclass(frozen=True)
class Row:
    """One model of the duel.

    Attributes:
        model: Its name.
        log_likelihood: The mean of ln p_g over the test split in physical units, in nats per event; None without one.
        reason: Why there is none, or how the number is to be read.
        comparison: The certificate of its samples against the test split.
        steps: Steps of the training.
        seconds: Seconds of the training.
        speed: Generated events per second.
    """

    model: str
    log_likelihood: Estimate | None
    reason: str
    comparison: Comparison
    steps: int
    seconds: float
    speed: float


def duel(
    events: Events,
    out: str | Path,
    seconds: float,
    *,
    models: Sequence[str] | None = None,
    seed: int = 0,
    **choices: Any,
) -> list[Row]:
    """Train every model on identical splits for the same time, and compare each with the test split.

    A short pilot measures each model's speed; it sets the steps, so that the schedules come to their end in time.

    Args:
        events: The events.
        out: A folder, made new, with one run for each model.
        seconds: Of training, for each model; judging the result is not counted.
        models: Their names; by default all that serve this kind of events.
        seed: The seed of the split and of everything else.
        **choices: Further options of `Config` for all of them.
    """
    folder = Path(out)
    if folder.exists():
        raise InputError(f"{folder} exists; choose another folder for the duel.")
    able = ["gan", *(name for name, row in MODELS.items() if events.kind in row.kinds)]
    chosen = list(able if models is None else models)
    if unknown := [name for name in chosen if name not in able]:
        raise InputError(f"{', '.join(unknown)} cannot take part; the models are {', '.join(able)}.")
    folder.mkdir(parents=True)
    common = {"judgements": 0} | choices | {"seed": seed}
    return [_row(events, folder, name, seconds, common) for name in chosen]


def table(rows: Sequence[Row]) -> str:
    """The rows as text, one line for each model, then what is to be said about their likelihoods."""
    lines = [_cells(row) for row in rows]
    heads = "".join(f"{head:>11}" for head in lines[0]) if lines else ""
    texts = ["".join(f"{cell:>11}" for cell in cells.values()) for cells in lines]
    return "\n".join([heads, *texts, *(f"{row.model}: {row.reason}." for row in rows if row.reason)])


def _cells(row: Row) -> dict[str, str]:
    found, likelihood = row.comparison, row.log_likelihood
    numbers = {
        "<ln p_g>": None if likelihood is None else likelihood.value,
        "D_JS >=": found.jensen_shannon.lower,
        "D_JS": found.jensen_shannon.estimate,
        "KL(d|g)": found.kl_forward.estimate,
        "KL(g|d)": found.kl_reverse.estimate,
        "missing": found.missing.value,
        "invented": found.invented.value,
        "AUC": found.auc.value,
    }
    texts = {key: "-" if number is None else f"{number:.4f}" for key, number in numbers.items()}
    return {"model": row.model} | texts | {"s": f"{row.seconds:.1f}", "events/s": f"{row.speed:.3g}"}


def _row(events: Events, folder: Path, name: str, seconds: float, common: dict[str, Any]) -> Row:
    choices = common | {"model": name, "steps": _steps(events, folder, name, seconds, common)}
    run = Run.start(events, folder / name, choices)
    started = time.monotonic()
    list(run.play())
    trained = time.monotonic() - started
    started = time.monotonic()
    generated = run.model.sample(max(len(run.test), 10_000), seed=run.config.seed + 2)
    speed = len(generated) / (time.monotonic() - started)
    likelihood, reason = _likelihood(run.model, run.test)
    comparison = compare(run.test, generated, observables=run.config.observable, seed=run.config.seed)
    return Row(name, likelihood, reason, comparison, run.step, trained, speed)


def _steps(events: Events, folder: Path, name: str, seconds: float, common: dict[str, Any]) -> int:
    """How many steps fit into the time, by a pilot run that is thrown away."""
    pilot = Run.start(events, folder / f"{name}-pilot", common | {"model": name})
    ticks: list[float] = []

    def stop() -> bool:
        ticks.append(time.monotonic())
        return ticks[-1] - ticks[0] > PILOT * seconds

    list(pilot.play(stop))
    pilot.folder.remove()
    return max(int(seconds * (len(ticks) - 1) / max(ticks[-1] - ticks[0], 1e-9)), 1)


def _likelihood(model: Model, test: Events) -> tuple[Estimate | None, str]:
    """The mean log-density of the test split, or why there is none."""
    try:
        found = model.log_prob(test)
    except InputError as error:
        return None, str(error).rstrip(".")
    bound = isinstance(model.generator, LikelihoodModel) and model.generator.bound
    note = "its likelihood is a lower bound" if bound else ""
    spread = float(found.std(ddof=1) / np.sqrt(len(found)))
    return Estimate(float(found.mean()), spread, len(found), "monte carlo"), note
