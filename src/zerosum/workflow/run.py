"""A training and its folder: start, play, resume, finish."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zerosum.data.blocks import Stream
from zerosum.data.events import Events
from zerosum.data.files import write_text
from zerosum.data.notebook import table
from zerosum.data.selection import check_trainable
from zerosum.errors import InputError
from zerosum.evaluation.breadth import breadth
from zerosum.evaluation.judge import MOST, judge
from zerosum.evaluation.memorisation import LEAST_EVENTS, memorised
from zerosum.evaluation.observables import observed_pair, with_observables
from zerosum.game.own import agreed
from zerosum.model import Model
from zerosum.report.compared import Compared, compare
from zerosum.report.curves import training_figure
from zerosum.report.html import write_report
from zerosum.report.snapshots import Snapshots
from zerosum.report.style import Style, using
from zerosum.training.config import Config
from zerosum.training.diagnosis import warned
from zerosum.training.engine import Engine, is_first
from zerosum.training.history import Record
from zerosum.training.loop import play
from zerosum.training.run import RunFolder, provenance
from zerosum.training.setup import Setup, prepare
from zerosum.training.state import Training
from zerosum.workflow.reading import open_events

SPLIT = (0.8, 0.1, 0.1)  # train, validation, test
MOST_REMEMBERED = 5_000  # events of each sample for the test of memorisation after a training
WATCHED = {
    "value": "V, held-out",
    "log_likelihood": "ln p, held-out [nats]",
    "js_estimate": "D_JS, judged [nats]",
}


class Run:
    """A training and its folder.

    Args:
        folder: The run's folder.
        config: The resolved configuration.
        events: All events, before the split; or a file that is read block by block, of which only some are held.
        networks: The user's own networks, as MODULE:NAME, whose code may be executed.

    Examples:
        >>> import numpy as np
        >>> events = Events.table(np.random.default_rng(0).normal(size=(1000, 2)))
        >>> run = Run.start(events, "run", {"model": "gaussian", "steps": 20, "log_every": 10})
        >>> [record["step"] for record in run.play()]
        [1]
        >>> len(run.test), run.config.model
        (100, 'gaussian')
    """

    def __init__(
        self, folder: RunFolder, config: Config, events: Events | Stream, networks: Sequence[str] = ()
    ) -> None:
        self.folder, self.config, self.networks = folder, config, tuple(networks)
        self.stream = events if isinstance(events, Stream) else None
        if isinstance(events, Stream):
            self.train_events, self.validation, self.test = events.train, events.validation, events.test
        else:
            self.train_events, self.validation, self.test = events.split(SPLIT, config.seed)

    @classmethod
    def start(cls, events: Events | Stream, out: str | Path, choices: dict[str, Any]) -> "Run":
        """A new run: check the events, resolve the configuration, make the folder."""
        some = events.train if isinstance(events, Stream) else events
        check_trainable(some)
        if len(events) < 100:
            raise InputError(f"there are {len(events)} events; training needs at least 100 (better 10,000).")
        config = Config.of(choices | {"stream": isinstance(events, Stream)}).resolved(some)
        folder = RunFolder(out)
        run = cls(folder, config, events, config.networks)
        if not is_first(config.processes):  # the first process makes the folder
            return run
        folder.create()
        digest = events.digest()
        trained = run.train_events if run.stream is None else run.stream
        sizes = [len(trained), len(run.validation), len(run.test)]
        folder.write_json(
            "splits.json",
            {"seed": config.seed} | dict(zip(("train", "validation", "test"), sizes, strict=True)),
        )
        folder.write_json("provenance.json", provenance("train", digest, config.data or some.source))
        write_text(folder.config, config.to_yaml())
        return run

    @classmethod
    def resume(cls, out: str | Path, events: Events | None = None, networks: Sequence[str] = ()) -> "Run":
        """A run that stopped; its events come from the file they came from, or are given again.

        Networks of the user's own must be named again before anything is done with them.
        """
        folder = RunFolder(out).existing()
        config = Config.of_run(folder.config)
        found = events if events is not None else cls._events_of(config)
        recorded = folder.read_json("provenance.json")["data"]["sha256"]
        if found.digest() != recorded:
            raise InputError(
                f"the events in {config.data or 'memory'} are not those that {out} was trained on (their digests "
                "differ); restore the file, or start a new run with --out."
            )
        return cls(folder, config, found, networks)

    @staticmethod
    def _events_of(config: Config) -> Events | Stream:
        if config.data is None:
            raise InputError("the run's events came from Python; give them again as `events`.")
        return open_events(config)

    def play(
        self, stop: Callable[[], bool] = lambda: False, notice: Callable[[str], None] = lambda _: None
    ) -> Iterator[Record]:
        """Train to the end or until `stop()`; yields the records of history.jsonl as they are written.

        Args:
            stop: Asked after each step; the file RUN/stop, which the live page writes, stops likewise when seen.
            notice: Told what a user should know, such as that a damaged checkpoint was passed over
                or that other code wrote it.
        """
        config, checkpoints = self.config, self.folder.checkpoints
        agreed(config.networks, self.networks, str(self.folder.path))
        checkpoints.keep = config.keep
        first = self.first
        self.folder.history.writes = checkpoints.writes = first
        with self.folder.locked() if first else nullcontext():
            engine = Engine(
                device=config.device,
                precision=config.precision,
                threads=config.threads,
                devices=config.devices,
                nodes=config.nodes,
            )
            setup = prepare(config, self.train_events, self.validation, engine, self.stream)
            if checkpoints.steps():
                _, tensors, facts, notices = checkpoints.read_newest()
                for sentence in notices:
                    notice(sentence)
                setup.training.restore(tensors, facts)
            setup.training.agree()
            self.folder.history.rewind(setup.training.step)
            if self.stopped:
                notice(f"the run is finished: it stopped by itself at step {self.step}: {self.stopped}.")
            if first:
                self.folder.stop.unlink(missing_ok=True)
            field = setup.field if config.model == "gan" and config.packing == 1 else None
            snapshots = Snapshots(self.folder.path / "snapshots", config, self.validation, field)
            if first:
                snapshots.begin(setup.training.step)
            engine.barrier()
            asked: list[int] = []
            for record in play(
                setup.training,
                config=config,
                history=self.folder.history,
                checkpoints=checkpoints,
                watch=engine.once(setup.value),
                judge=engine.once(lambda training: self._judge(self._model(setup, training))),
                keep=engine.once(lambda training: self._model(setup, training).save(self.folder.model)),
                stop=lambda: engine.any(bool(asked) or stop(), setup.training.step),
            ):
                if first and snapshots.due(record):
                    snapshots.write(record["step"], self._model(setup, setup.training))
                yield record
                if self.folder.stop.exists():
                    asked.append(record["step"])
            engine.barrier()
        self.__dict__.pop("model", None)

    def _model(self, setup: Setup, training: Training) -> Model:
        """The averaged generator as a model."""
        known = self.train_events.conditions
        return Model(
            setup.blueprint,
            setup.preprocessor,
            copy.deepcopy(training.averaged).cpu(),
            self.train_events.kind,
            self.train_events.features,
            self.train_events.condition_features,
            None if known is None else np.asarray(known[:100_000], dtype=np.float64),
            {"step": training.step, "seed": self.config.seed, "attributes": self.train_events.attributes},
        )

    def _judge(self, model: Model) -> Record:
        """How far the generator is, from the validation split; decides which generator is kept."""
        n = len(self.validation) + min(MOST, len(self.train_events))
        generated = model.sample(n, seed=self.config.seed + 1)
        train, validation, fake = (
            with_observables(part, self.config.observable, like=self.train_events)
            for part in (self.train_events, self.validation, generated)
        )
        found = judge(train, validation, fake, seed=self.config.seed)
        width = breadth(self.validation, generated.take(slice(len(self.validation), None)))
        return {"js_estimate": found.value, "js_error": found.error} | width

    @property
    def history(self) -> list[Record]:
        """The records so far."""
        return self.folder.history.records()

    @property
    def stopped(self) -> str | None:
        """Why the run ended before all its steps, if it did so by itself (`patience`)."""
        records = self.history
        return records[-1].get("stopped") if records else None

    @property
    def finished(self) -> bool:
        """Whether the run has come to its end."""
        return self.step == self.config.steps or self.stopped is not None

    @property
    def warnings(self) -> list[tuple[int, str]]:
        """What the training found wrong with its game, with the step at which it did."""
        return warned(self.history)

    @cached_property
    def model(self) -> Model:
        """The best generator so far, by the validation split."""
        return Model.load(self.folder.model, self.networks)

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes the run's folder; where there is one process, it is."""
        return is_first(self.config.processes)

    @property
    def step(self) -> int:
        """The last step that was logged."""
        records = self.history
        return int(records[-1]["step"]) if records else 0

    def plot(self, *, style: Style = "plain") -> Figure:
        """The training against the step: V beside -ln 4, the judged divergence, losses, gradient norms."""
        with using(style):
            return training_figure(self.history)

    def _repr_html_(self) -> str:
        """For notebooks."""
        records, config = self.history, self.config
        n = len(self.train_events if self.stream is None else self.stream)
        rows = [
            ("model", config.model),
            ("step", f"{self.step:,} of {config.steps:,}"),
            ("training events", f"{n:,}"),
        ]
        for key, name in WATCHED.items():
            if found := [record[key] for record in records if record.get(key) is not None]:
                rows.append((name, f"{found[-1]:.4f}"))
        certificate = self.folder.path / "certificate.json"
        notes = [self.folder.read_json(certificate.name)["verdict"]] if certificate.is_file() else []
        return table(f"Run {self.folder.path}", (), rows, notes)

    def finish(self) -> Compared:
        """Compare with the test split, which nothing else has touched; write certificate.json and report.html."""
        generated = self.model.sample(max(len(self.test), 10_000), seed=self.config.seed + 2)
        observables = self.config.observable
        comparison = self._remembered(
            compare(self.test, generated, observables=observables, seed=self.config.seed), generated
        )
        self.folder.write_json("certificate.json", comparison.to_json())
        write_report(
            self.folder.path / "report.html",
            comparison=comparison.to_json(),
            reference=self.test,
            generated=generated,
            observables=observed_pair(self.test, generated, observables),
            history=self.history,
            provenance=self.folder.read_json("provenance.json"),
            title=f"Run {self.folder.path.name}",
        )
        return comparison

    def _remembered(self, comparison: Compared, generated: Events) -> Compared:
        """The comparison with the test of memorisation, where there are no conditions and enough events."""
        if self.test.conditions is not None or min(len(self.test), len(generated)) < LEAST_EVENTS:
            return comparison
        found = memorised(
            self.train_events, self.test, generated, seed=self.config.seed, most=MOST_REMEMBERED
        )
        return replace(comparison, memorisation=found)


def train(
    data: Events | str | Path,
    *,
    out: str | Path,
    columns: Sequence[str] | None = None,
    condition: Sequence[str] = (),
    **choices: Any,
) -> Run:
    """Train a generator and compare it with the test split.

    Args:
        data: Events, or a file of events.
        out: The run's folder, made new.
        columns: The features to generate; all columns by default.
        condition: Columns that are given, not generated.
        **choices: Any other option of `Config`, such as steps or seed.

    Examples:
        >>> import numpy as np
        >>> events = Events.table(np.random.default_rng(0).normal(size=(1000, 2)), names=["x", "y"])
        >>> run = train(events, out="run", model="gaussian", steps=50, log_every=10)
        >>> run.model.sample(5, seed=1).names
        ['x', 'y']
        >>> sorted(path.name for path in Path("run").iterdir() if path.suffix == ".json")
        ['certificate.json', 'provenance.json', 'splits.json']
    """
    events: Events | Stream
    if isinstance(data, Events):
        chosen = data if columns is None else data.select([*columns, *condition])
        events = chosen.given(condition)
    else:
        choices |= {"data": str(data), "columns": columns, "condition": tuple(condition)}
        events = open_events(Config.of(choices))
    run = Run.start(events, out, choices)
    for _ in run.play():
        pass
    if run.first:
        run.finish()
    return run


def load_run(folder: str | Path, events: Events | None = None, networks: Sequence[str] = ()) -> Run:
    """A run that was trained before; events must be given again where they came from Python.

    So must networks of the user's own, as MODULE:NAME, because to import them executes their code.

    Examples:
        >>> import numpy as np
        >>> events = Events.table(np.random.default_rng(0).normal(size=(1000, 2)))
        >>> started = Run.start(events, "run", {"model": "gaussian", "steps": 20, "log_every": 10})
        >>> for record in started.play():
        ...     pass
        >>> load_run("run", events).step
        1
    """
    return Run.resume(folder, events, networks)
