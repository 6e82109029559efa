"""The duel: every model on the same events, the same split and the same time, then one table.

The adversarial game has no likelihood; what all models have is samples, so all are measured by the same certificate on
the same test split, and the likelihood stands beside it where there is one.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from zerosum.data.events import Events
from zerosum.errors import InputError
from zerosum.evaluation.compare import Comparison, compare
from zerosum.evaluation.filling import LEAST, filling_in, uncovered
from zerosum.likelihood.games import MODELS
from zerosum.likelihood.player import LikelihoodModel
from zerosum.model import Model
from zerosum.theory.estimate import Estimate
from zerosum.theory.identity import LikelihoodIdentity, likelihood_identity
from zerosum.training.config import Config
from zerosum.workflow import Run

Densities = npt.NDArray[np.float64]

PILOT = 0.1  # the part of the time in which a model's speed is measured
DRAWN = 10_000  # generated events at least


@dataclass(frozen=True)
class Row:
    """One model of the duel.

    Attributes:
        model: Its name, with the width behind a colon where one was given.
        log_likelihood: The mean of ln p_g over the test split in physical units, in nats per event; None without one.
        reason: Why there is none, or how the number is to be read.
        identity: <ln p_g> = -S - D_KL(p_data || p_g) on the test split, term by term; None where it cannot be.
        filling: The share of generated events in places that are practically empty of data.
        uncovered: The share of the data in places that are practically empty of generated events.
        comparison: The certificate of its samples against the test split.
        steps: Steps of the training.
        seconds: Seconds of the training, as `clock_of` counts them.
        speed: Generated events per second.
        generated: The events it drew.
    """

    model: str
    log_likelihood: Estimate | None
    reason: str
    identity: LikelihoodIdentity | None
    filling: Estimate
    uncovered: Estimate
    comparison: Comparison
    steps: int
    seconds: float
    speed: float
    generated: Events

    @property
    def adversarial(self) -> bool:
        """Whether the model played the game of two players."""
        return self.model.partition(":")[0] not in MODELS

    def to_json(self) -> dict[str, Any]:
        """The row as plain numbers, strings and dictionaries."""
        terms = ("log_likelihood", "entropy", "kl")
        return {
            "model": self.model,
            "log_likelihood": measured(self.log_likelihood),
            "reason": self.reason,
            "identity": self.identity and {key: measured(getattr(self.identity, key)) for key in terms},
            "filling_in": {"fraction": self.filling.value, "error": self.filling.error},
            "uncovered": {"fraction": self.uncovered.value, "error": self.uncovered.error},
            "comparison": self.comparison.to_json(),
            "steps": self.steps,
            "seconds": self.seconds,
            "events_per_second": self.speed,
        }


def measured(one: Estimate | None) -> dict[str, float] | None:
    """Value and error as JSON, or None."""
    return None if one is None else {"estimate": one.value, "error": one.error}


def duel(
    events: Events,
    out: str | Path,
    seconds: float,
    *,
    models: Sequence[str] | None = None,
    seed: int = 0,
    say: Callable[[str], None] = lambda _: None,
    **choices: Any,
) -> list[Row]:
    """Train every model on identical splits for the same time, and compare each with the test split.

    A short pilot measures each model's speed; it sets the steps, so that the schedules come to their end in time. The
    time is that of the processor where one thread trains on a CPU, else that of the clock on the wall.

    Args:
        events: The events.
        out: A folder, made new, with one run for each model.
        seconds: Of training, for each model; judging the result is not counted.
        models: Their names; by default all that serve this kind of events. NAME:WIDTH takes part with that width,
            such as "mixture:3" with three components.
        seed: The seed of the split and of everything else.
        say: Told when a model begins and what it came to.
        **choices: Further options of `Config` for all of them.
    """
    folder = Path(out)
    if folder.exists():
        raise InputError(f"{folder} exists; choose another folder for the duel with --out.")
    if len(events) < 10 * LEAST:
        raise InputError(
            f"there are {len(events)} events; a duel needs {10 * LEAST}, a tenth of which judge."
        )
    if not seconds > 0:
        raise InputError(f"{seconds:g} seconds of training were given for each model; give more than 0.")
    able = ["gan", *(name for name, row in MODELS.items() if events.kind in row.kinds)]
    chosen = list(able if models is None else models)
    if unknown := [name for name in chosen if name.partition(":")[0] not in able]:
        raise InputError(f"{', '.join(unknown)} cannot take part; the models are {', '.join(able)}.")
    folder.mkdir(parents=True)
    common = {"judgements": 0} | choices | {"seed": seed}
    found = []
    for name in chosen:
        say(f"{name}: training for {seconds:g} s")
        row = contend(events, folder, name, seconds, common)
        say(f"{name}: {row.steps} steps, D_JS {row.comparison.jensen_shannon.estimate:.4f} nats")
        found.append(row)
    return found


def contend(events: Events, folder: Path, name: str, seconds: float, common: dict[str, Any]) -> Row:
    """One model: train it in the time, draw from it, measure it on the test split."""
    model, _, width = name.partition(":")
    choices = common | {"model": model} | ({"width": width} if width else {})
    place = folder / name.replace(":", "-")
    run = Run.start(events, place, choices | {"steps": steps_within(events, place, choices, seconds)})
    clock = clock_of(run.config)
    started = clock()
    list(run.play())
    trained = clock() - started
    started = time.monotonic()
    generated = run.model.sample(max(len(run.test), DRAWN), seed=run.config.seed + 2)
    speed = len(generated) / (time.monotonic() - started)
    log_prob, reason = log_densities(run.model, run.test)
    return Row(
        model=name,
        log_likelihood=None if log_prob is None else mean(log_prob),
        reason=reason,
        identity=None if log_prob is None else terms(log_prob, run),
        filling=filling_in(run.train_events, run.test, generated),
        uncovered=uncovered(run.test, generated),
        comparison=compare(run.test, generated, observables=run.config.observable, seed=run.config.seed),
        steps=run.step,
        seconds=trained,
        speed=speed,
        generated=generated,
    )


def steps_within(events: Events, place: Path, choices: dict[str, Any], seconds: float) -> int:
    """How many steps fit into the time, by a pilot run that is thrown away."""
    pilot = Run.start(events, place.with_name(f"{place.name}-pilot"), choices)
    clock = clock_of(pilot.config)
    ticks: list[float] = []

    def stop() -> bool:
        ticks.append(clock())
        return ticks[-1] - ticks[0] > PILOT * seconds

    list(pilot.play(stop))
    pilot.folder.remove()
    return max(int(seconds * (len(ticks) - 1) / max(ticks[-1] - ticks[0], 1e-9)), 1)


def clock_of(config: Config) -> Callable[[], float]:
    """Processor time where one thread of a CPU trains, so that other programs on it favour nobody; else the time."""
    on_cpu = config.device == "cpu" or (config.device == "auto" and not torch.accelerator.is_available())
    return time.process_time if on_cpu and config.threads == config.processes == 1 else time.monotonic


def log_densities(model: Model, test: Events) -> tuple[Densities | None, str]:
    """Ln p_g of each event of the test split, or why there is none."""
    try:
        found = model.log_prob(test)
    except InputError as error:
        return None, str(error).rstrip(".")
    bound = isinstance(model.generator, LikelihoodModel) and model.generator.bound
    return found, "its likelihood is a lower bound" if bound else ""


def mean(log_prob: Densities) -> Estimate:
    """<ln p_g> with its standard error."""
    return Estimate(
        float(log_prob.mean()),
        float(log_prob.std(ddof=1) / np.sqrt(len(log_prob))),
        len(log_prob),
        "monte carlo",
    )


def terms(log_prob: Densities, run: Run) -> LikelihoodIdentity | None:
    """The identity on the test split; None where the data's entropy is not that of a density in these columns.

    Nearest neighbours are sought among the training events, in the standardised features, where distances mean most.
    """
    test = run.test
    if test.kind != "table" or test.conditions is not None:
        return None
    preprocessor = run.model.preprocessor
    try:
        return likelihood_identity(
            log_prob,
            preprocessor.forward(test.values).numpy(),
            further=preprocessor.forward(run.train_events.values).numpy(),
            log_jacobian=preprocessor.log_jacobian(test.values).numpy(),
        )
    except InputError:  # events that stand twice have no finite nearest-neighbour entropy
        return None
