"""A training and its folder: start, resume, play (playing.py), finish (finishing.py), and what it says of itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from matplotlib.figure import Figure

from zerosum.data.blocks import Stream
from zerosum.data.events import Events
from zerosum.data.files import write_text
from zerosum.data.notebook import table
from zerosum.data.selection import check_trainable
from zerosum.errors import InputError
from zerosum.evaluation.observables import with_observables
from zerosum.game.own import agreed
from zerosum.model import Model
from zerosum.report.compared import Compared
from zerosum.report.curves import training_figure
from zerosum.report.style import Style, using
from zerosum.training.config import Config
from zerosum.training.diagnosis import warned
from zerosum.training.engine import is_first
from zerosum.training.history import Record
from zerosum.training.run import RunFolder, provenance
from zerosum.workflow.finishing import finish
from zerosum.workflow.playing import Playing
from zerosum.workflow.reading import open_events
from zerosum.workflow.resuming import demand_same

SPLIT = (0.8, 0.1, 0.1)  # train, validation, test
LEAST_EVENTS = 100
LEAST_PACKS = 10  # of validation events: V is the mean over packs
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
        if len(events) < LEAST_EVENTS:
            raise InputError(
                f"there are {len(events)} events; training needs at least {LEAST_EVENTS} (better 10,000)."
            )
        config = Config.of(choices | {"stream": isinstance(events, Stream)}).resolved(some)
        folder = RunFolder(out)
        run = cls(folder, config, events, config.networks)
        check_packs(config.packing, len(run.validation))
        for part in (run.train_events, run.validation, run.test) if config.observable else ():
            with_observables(part, config.observable)  # refuses one that cannot be computed
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
    def resume(
        cls,
        out: str | Path,
        events: Events | None = None,
        networks: Sequence[str] = (),
        choices: Mapping[str, Any] = MappingProxyType({}),
        labels: Mapping[str, str] = MappingProxyType({}),
    ) -> "Run":
        """A run that stopped; its events come from the file they came from, or are given again.

        Args:
            out: The run's folder.
            events: Its events, where they came from Python.
            networks: Networks of the user's own, which must be named again before anything is done with them.
            choices: Choices of its configuration, all of which must be its own; `data` may name another place of the
                same events.
            labels: Where they were given, for the sentence that refuses one.
        """
        folder = RunFolder(out).existing()
        config = Config.of_run(folder.config)
        if choices.get("data") is not None:
            config = config.model_copy(update={"data": choices["data"]})
        found = events if events is not None else cls._events_of(config, out)
        recorded = folder.read_json("provenance.json")["data"]["sha256"]
        if found.digest() != recorded:
            raise InputError(
                f"the events in {config.data or 'memory'} are not those that {out} was trained on (their digests "
                "differ); restore the file, or start a new run with --out."
            )
        some = found.train if isinstance(found, Stream) else found
        demand_same(config, choices, some, str(out), labels)
        return cls(folder, config, found, networks)

    @staticmethod
    def _events_of(config: Config, out: str | Path) -> Events | Stream:
        if config.data is None:
            raise InputError("the run's events came from Python; give them again as `events`.")
        if not Path(config.data).exists():
            raise InputError(
                f"{out} was trained on {config.data}, which is not there; work in the folder where it was trained, or "
                "put the file back."
            )
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
        agreed(self.config.networks, self.networks, str(self.folder.path))
        game = Playing(self.folder, self.config, self.train_events, self.validation, self.stream)
        yield from game.records(stop, notice)
        self.__dict__.pop("model", None)

    @property
    def history(self) -> list[Record]:
        """The records so far."""
        return self.folder.history.records()

    @property
    def stopped(self) -> str | None:
        """Why the run ended before all its steps, if it did so by itself (`patience`)."""
        return self.folder.history.stopped

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
        return self.folder.history.step

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
        return finish(self.folder, self.config, self.train_events, self.test, self.model)


def check_packs(packing: int, validation: int) -> None:
    """Refuse a training whose validation events make too few packs to measure V."""
    if packing > 1 and validation < LEAST_PACKS * packing:
        raise InputError(
            f"packing is {packing}, and {validation} validation events make {validation // packing} packs; V needs at "
            f"least {LEAST_PACKS}: set packing to at most {max(validation // LEAST_PACKS, 1)}, or train on more events."
        )


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
