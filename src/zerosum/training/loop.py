"""The loop: read this second, after game/players.py.

Each step moves every player (game/dynamics.py says how); the loop knows nothing of what the players do.
It reports by yielding the records that it appends to history.jsonl: whoever wants to show them iterates.
"""

import time
from collections.abc import Callable, Iterator
from typing import Protocol

from zerosum.errors import RunError
from zerosum.game.dynamics import DYNAMICS
from zerosum.likelihood.games import OF_THE_GAME
from zerosum.training.checkpoint import Checkpoints
from zerosum.training.config import Config
from zerosum.training.diagnosis import diagnose
from zerosum.training.history import History, Record
from zerosum.training.schedule import SCHEDULES, cosine
from zerosum.training.state import Training
from zerosum.training.stopping import stalled


class Judge(Protocol):
    """Says from held-out events how far the averaged generator is from the data."""

    def __call__(self, training: Training) -> Record:
        """What goes into the record; "js_estimate" decides which generator is kept."""


def play(
    training: Training,
    *,
    config: Config,
    history: History,
    checkpoints: Checkpoints,
    watch: Judge,
    judge: Judge,
    keep: Callable[[Training], None],
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Record]:
    """Play the game from `training.step` to `config.steps`, or until `stop()` says so or `config.patience` ends.

    Args:
        training: The players, optimisers and random states; changed in place.
        config: Schedules and intervals.
        history: Where each record is appended before it is yielded.
        checkpoints: Where the state is written.
        watch: Measures V on held-out events for each record.
        judge: Measures the divergence on held-out events, rarely.
        keep: Called when the judge finds the averaged generator better than ever, and at the end without a judge.
        stop: Asked after each step; the state is written before the loop ends.
    """
    records = history.records()
    started = time.monotonic() - (records or [{}])[-1].get("seconds", 0.0)
    ended = bool(records) and "stopped" in records[-1]
    dynamics, schedule = DYNAMICS[config.dynamics], SCHEDULES[config.schedule or OF_THE_GAME.schedule]
    judged = max(config.steps // config.judgements, 1) if config.judgements else 0

    while training.step < config.steps and not ended and not stop():
        # The schedules.
        progress = training.step / config.steps
        training.gamma = schedule(config.gamma or (0.0, 0.0), progress)
        training.set_rates(
            schedule(config.learning_rate or (0.0, 0.0), progress),
            cosine(config.beta2 or OF_THE_GAME.beta2, progress),
        )

        # Each player moves.
        for name, losses in dynamics.step(training).items():
            training.meter.add(name, losses)
        training.meter.counted += 1
        training.step += 1
        training.average(config.ema_half_life * config.steps)

        # What is logged, judged and kept.
        last = training.step == config.steps
        if training.step % config.log_every == 0 or last:
            record: Record = {"step": training.step, "events": training.step * training.sampler.batch}
            record |= {
                name: _finite(mean, name, training.step) for name, mean in training.meter.read().items()
            }
            record |= training.gradient_norms() | watch(training)
            if judged and (training.step % judged < config.log_every or last):
                record |= judge(training)
                if record["js_estimate"] < training.best.get("js_estimate", float("inf")):
                    training.best = {"step": training.step, "js_estimate": record["js_estimate"]}
                    keep(training)

            # What is wrong, and whether it is enough.
            records.append(record)
            if warnings := diagnose(records, config):
                record["warnings"] = warnings
            if not last and (reason := stalled(records, config.patience)):
                record["stopped"], ended = reason, True
            history.append(record, time.monotonic() - started)
            yield record

        # The state, from which the same numbers follow.
        if training.step % config.checkpoint_every == 0 or last:
            checkpoints.write(training.step, training.tensors(), training.facts())

    if training.step < config.steps:
        checkpoints.write(training.step, training.tensors(), training.facts())
    if not training.best:
        keep(training)


def _finite(number: float, name: str, step: int) -> float:
    """The number, or the end of the run where it is none."""
    if number - number == 0:
        return number
    raise RunError(
        f"{name} is {number} at step {step}: the game diverged; raise gamma or lower learning_rate in the "
        "configuration and train again (the checkpoints before this step are intact)."
    )
