"""What may stand beside `zerosum train --resume`: what the run was started with; anything else is refused."""

import os
import signal
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
from tests.data.test_fuzzed_files import called

from zerosum.cli import training
from zerosum.cli.training import train
from zerosum.data.events import Events
from zerosum.data.formats import load, save
from zerosum.training.config import Config
from zerosum.workflow.run import Run

START = {
    "steps": 20,
    "log_every": 10,
    "checkpoint_every": 20,
    "judgements": 0,
    "width": 8,
    "depth": 2,
    "batch": 300,
}

# Each option of the verb: words that say what the run does, and others that do not; None where there are none.
OPTIONS: dict[str, tuple[list[str] | None, list[str] | None]] = {
    "model": (["--model", "gan"], ["--model", "flow"]),
    "columns": (["--columns", "a", "b"], ["--columns", "a"]),
    "condition": (["--condition", "c"], ["--condition", "a"]),
    "weight": (["--weight", "w"], ["--weight", "a"]),
    "image": (None, ["--image", "16"]),
    "geometry": (None, ["--geometry", "compact"]),
    "observable": (["--observable", "s=a+b"], ["--observable", "d=a-b"]),
    "network": (None, ["--network", "mine:FAMILY"]),
    "steps": (["--steps", "20"], ["--steps", "21"]),
    "seed": (["--seed", "0"], ["--seed", "1"]),
    "devices": (["--devices", "1"], ["--devices", "2"]),
    "nodes": (["--nodes", "1"], ["--nodes", "2"]),
}
HONOURED = {
    "data",
    "out",
    "config",
    "resume",
    "live",
    "quiet",
}  # what has tests of its own, or changes no number


def some() -> Events:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(800, 4))
    values[:, 3] = 1 + np.arange(800) % 3
    return Events.table(values, names=["a", "b", "c", "w"])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has been started."""
    folder = tmp_path_factory.mktemp("resume")
    save(some(), folder / "events.npz")
    choices = START | {"columns": ("a", "b"), "condition": ("c",), "weight": "w", "observable": ("s=a+b",)}
    events = load(folder / "events.npz", columns=["a", "b"], conditions=["c"], weight="w")
    started = Run.start(events, folder / "run", choices | {"data": str(folder / "events.npz")})
    assert [record["step"] for record in started.play()] == [10, 20]
    return folder / "run"


@pytest.fixture
def accepted(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """The runs that were let through to be played."""
    runs: list[Run] = []
    monkeypatch.setattr(training, "show_training", lambda one, stop, *, quiet: runs.append(one))
    monkeypatch.setattr(training, "StopSignal", lambda: None)
    return runs


def test_the_table_has_every_option_of_the_verb() -> None:
    assert OPTIONS.keys() | HONOURED == signature(train).parameters.keys()


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_is_refused_unless_it_is_the_runs_own(run: Path, accepted: list[Run], option: str) -> None:
    same, other = OPTIONS[option]
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    if same:
        assert called("train", "--resume", "--out", run, *same)[0] == 0
        assert accepted.pop().config == Config.of_run(run / "config.yaml")
    if other:
        code, out, err = called("train", "--resume", "--out", run, *other)
        assert (code, out) == (2, "")
        assert f"--{option} is {' '.join(other[1:])}, but" in err
        assert f"leave --{option} out" in err
        assert err.count("\n") == 1
    assert not accepted
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_every_key_of_a_configuration_is_refused_unless_it_is_the_runs_own(
    run: Path, tmp_path: Path, accepted: list[Run]
) -> None:
    others = {
        "columns": "null", "stream": "true", "batch": "64", "latent": "5", "signs": "1", "width": "16", "depth": "3",
        "objective": "hinge", "penalty": "none", "gamma": "[1, 2]", "spectral": "true", "packing": "2",
        "dynamics": "simultaneous", "learning_rate": "[0.1, 0.1]", "schedule": "cosine", "beta1": "0.5",
        "beta2": "[0.5, 0.5]", "decoder": "fixed",
        "ema_half_life": "0.5", "discriminator_updates": "2", "log_every": "5", "checkpoint_every": "7", "keep": "3",
        "judgements": "4", "patience": "1", "device": "gpu", "precision": "bf16-mixed", "threads": "2",
        "generator": "mine:G", "discriminator": "mine:D",
    }  # fmt: skip
    assert others.keys() | OPTIONS.keys() | {"data"} == Config.model_fields.keys()
    config = tmp_path / "x.yaml"
    for key, choice in others.items():
        config.write_text(f"{key}: {choice}\n")
        code, _, err = called("train", "--resume", "--out", run, "--config", config)
        assert code == 2, key
        assert key in err
        assert err.count("\n") == 1
        assert not accepted, key
    config.write_text("unknown: 1\n")
    assert "there is no option unknown" in called("train", "--resume", "--out", run, "--config", config)[2]


def test_the_command_that_started_a_run_may_be_repeated(
    run: Path, tmp_path: Path, accepted: list[Run]
) -> None:
    """Also where a choice was rounded (batches of 300 of 640 events), and with the run's own configuration."""
    config = tmp_path / "x.yaml"
    config.write_text("".join(f"{key}: {choice}\n" for key, choice in START.items()))
    for path in (config, run / "config.yaml"):
        called("train", run.parent / "events.npz", "--resume", "--out", run, "--config", path, "--quiet")
        assert accepted.pop().step == 20


def test_events_may_have_moved_but_not_changed(run: Path, tmp_path: Path, accepted: list[Run]) -> None:
    save(some(), tmp_path / "moved.h5")
    assert called("train", tmp_path / "moved.h5", "--resume", "--out", run)[0] == 0
    assert accepted.pop().config.data == str(tmp_path / "moved.h5")
    save(some().take(slice(799)), tmp_path / "fewer.h5")
    code, _, err = called("train", tmp_path / "fewer.h5", "--resume", "--out", run)
    assert code == 2
    assert "their digests differ" in err
    original = run.parent / "events.npz"
    try:
        original.rename(run.parent / "gone.npz")
        code, _, err = called("compare", run, tmp_path / "moved.h5")
    finally:
        (run.parent / "gone.npz").rename(original)
    assert code == 2
    assert f"{run} was trained on {original}, which is not there" in err


def test_a_signal_after_the_last_step_ends_at_once(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(Run, "finish", lambda self: os.kill(os.getpid(), signal.SIGTERM))
    try:
        code, out, err = called("train", "--resume", "--out", run, "--quiet")
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert (code, out) == (0, "")
    assert err == f"trained to the end, but not compared; compare with: zerosum train --resume --out {run}\n"
