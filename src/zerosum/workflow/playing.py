"""A run's game, played: begun or gone on with, judged by the validation split, its best generator kept."""

import copy
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np

from zerosum.data.blocks import Stream
from zerosum.data.events import Events
from zerosum.evaluation.breadth import breadth
from zerosum.evaluation.judge import MOST, judge
from zerosum.evaluation.observables import with_observables
from zerosum.model import Model
from zerosum.report.snapshots import Field, Snapshots
from zerosum.training.config import Config
from zerosum.training.engine import Engine, is_first
from zerosum.training.history import Record
from zerosum.training.loop import play
from zerosum.training.run import RunFolder
from zerosum.training.setup import Setup, prepare
from zerosum.training.state import Training

KNOWN = 100_000  # conditions that a model keeps, from which it draws


@dataclass(frozen=True)
class Playing:
    """A run's game, and what it is played with.

    Attributes:
        folder: The run's folder.
        config: The resolved configuration.
        train: The events of the game.
        validation: Those that watch it, and that choose the generator.
        stream: The file from which batches are read, where `train` is only a part of it.
    """

    folder: RunFolder
    config: Config
    train: Events
    validation: Events
    stream: Stream | None

    def records(self, stop: Callable[[], bool], notice: Callable[[str], None]) -> Iterator[Record]:
        """Play to the end or until `stop()`; arguments as for `Run.play`."""
        config, folder, first = self.config, self.folder, is_first(self.config.processes)
        folder.checkpoints.keep = config.keep
        folder.history.writes = folder.checkpoints.writes = first
        with folder.locked() if first else nullcontext():
            setup = self._begun(notice)
            engine, step = setup.engine, setup.training.step
            snapshots = Snapshots(folder.path / "snapshots", config, self.validation, _field(setup))
            if first:
                folder.stop.unlink(missing_ok=True)
                snapshots.begin(step)
            engine.barrier()
            asked: list[int] = []
            for record in play(
                setup.training,
                config=config,
                history=folder.history,
                checkpoints=folder.checkpoints,
                watch=engine.once(setup.value),
                judge=engine.once(lambda training: self._judged(self._model(setup, training))),
                keep=engine.once(lambda training: self._model(setup, training).save(folder.model)),
                stop=lambda: engine.any(bool(asked) or stop(), setup.training.step),
            ):
                if first and snapshots.due(record):
                    snapshots.write(record["step"], self._model(setup, setup.training))
                yield record
                if folder.stop.exists():
                    asked.append(record["step"])
            engine.barrier()

    def _begun(self, notice: Callable[[str], None]) -> Setup:
        """The game at its first step, or as its newest checkpoint has it; the history ends there, too."""
        config, history, checkpoints = self.config, self.folder.history, self.folder.checkpoints
        engine = Engine(
            device=config.device,
            precision=config.precision,
            threads=config.threads,
            devices=config.devices,
            nodes=config.nodes,
        )
        setup = prepare(config, self.train, self.validation, engine, self.stream)
        if checkpoints.steps():
            _, tensors, facts, notices = checkpoints.read_newest()
            for sentence in notices:
                notice(sentence)
            setup.training.restore(tensors, facts)
        setup.training.agree()
        history.rewind(setup.training.step)
        if reason := history.stopped:
            notice(f"the run is finished: it stopped by itself at step {history.step}: {reason}.")
        return setup

    def _model(self, setup: Setup, training: Training) -> Model:
        """The averaged generator as a model."""
        known = self.train.conditions
        return Model(
            setup.blueprint,
            setup.preprocessor,
            copy.deepcopy(training.averaged).cpu(),
            self.train.kind,
            self.train.features,
            self.train.condition_features,
            None if known is None else np.asarray(known[:KNOWN], dtype=np.float64),
            {"step": training.step, "seed": self.config.seed, "attributes": self.train.attributes},
        )

    def _judged(self, model: Model) -> Record:
        """How far the generator is, from the validation split; decides which generator is kept."""
        n = len(self.validation) + min(MOST, len(self.train))
        generated = model.sample(n, seed=self.config.seed + 1)
        train, validation, fake = (
            with_observables(part, self.config.observable, like=self.train)
            for part in (self.train, self.validation, generated)
        )
        found = judge(train, validation, fake, seed=self.config.seed)
        width = breadth(self.validation, generated.take(slice(len(self.validation), None)))
        return {"js_estimate": found.value, "js_error": found.error} | width


def _field(setup: Setup) -> Field | None:
    """D at points of the plane, where there is a discriminator of single events."""
    return setup.field if setup.config.model == "gan" and setup.config.packing == 1 else None
