"""Networks of the user's own: the contract, and that nothing of theirs is executed unasked."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from zerosum.data.events import Events, Feature
from zerosum.errors import InputError
from zerosum.model import Model
from zerosum.training.config import Config
from zerosum.workflow import Run, load_run, sample

MINE = """
from pathlib import Path
import torch
from torch import nn
from zerosum.game.networks import Family

Path(__file__).with_name("executed").touch()

class G(nn.Module):
    def __init__(self, latent, conditions, shape, width, depth):
        super().__init__()
        self.shape = shape
        self.line = nn.Linear(latent + conditions, torch.Size(shape).numel())
    def forward(self, z, c=None):
        return self.line(z if c is None else torch.cat([z, c], 1)).reshape(-1, *self.shape)

class D(nn.Module):
    def __init__(self, shape, conditions, width, depth):
        super().__init__()
        first = nn.Linear(torch.Size(shape).numel() + conditions, width)
        self.layers = nn.Sequential(first, nn.GELU(), nn.Linear(width, 1))
    def forward(self, x, c=None):
        x = x.flatten(1)
        return self.layers(x if c is None else torch.cat([x, c], 1)).squeeze(1)

class Wide(D):
    def forward(self, x, c=None):
        return super().forward(x, c).unsqueeze(1)

class Broken(G):
    def forward(self, z, c=None):
        return self.line(z.double())

FAMILY = Family(G, D, width=12, depth=1, batch=32, gamma=(0.5, 0.1))
"""
SHORT = {"steps": 20, "log_every": 10, "judgements": 0}


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of the user's in the working directory, not yet imported; its name."""
    name = f"networks_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    yield name
    sys.modules.pop(name, None)


def executed() -> bool:
    return Path("executed").exists()


def table() -> Events:
    x = np.random.default_rng(0).normal(size=(800, 3))
    return Events.table(x, ["x", "y", "energy"])


KINDS = {
    "table": lambda: table(),
    "given": lambda: table().given(["energy"]),
    "grid": lambda: Events.grid(np.random.default_rng(0).normal(size=(300, 1, 6, 5))),
    "cloud": lambda: cloud(),
}


def cloud() -> Events:
    rng = np.random.default_rng(0)
    mask = np.arange(7) < rng.integers(2, 7, (300, 1))
    values = rng.normal(size=(300, 7, 2)) * mask[..., None]
    return Events(values, (Feature("x"), Feature("y")), kind="cloud", mask=mask)


@pytest.mark.parametrize("kind", KINDS)
def test_a_family_trains_and_draws_again_when_named_again(mine: str, kind: str) -> None:
    names = [f"{mine}:FAMILY"]
    run = Run.start(KINDS[kind](), "run", SHORT | {"network": names[0]})
    assert (run.config.width, run.config.batch, run.config.gamma) == (12, 32, (0.5, 0.1))
    assert len(list(run.play())) == 2
    again = Model.load("run/model", names)
    np.testing.assert_array_equal(run.model.sample(50, seed=1).values, again.sample(50, seed=1).values)


def test_two_classes_are_recorded_by_name(mine: str) -> None:
    choices = SHORT | {"generator": f"{mine}:G", "discriminator": f"{mine}:D"}
    run = Run.start(table(), "run", choices)
    list(run.play())
    recorded = json.loads(Path("run/model/model.json").read_text())["blueprint"]["networks"]
    assert recorded == [f"{mine}:G", f"{mine}:D"]
    assert Config.read("run/config.yaml")["generator"] == f"{mine}:G"


def test_nothing_is_executed_unless_it_is_named_again(mine: str) -> None:
    names = [f"{mine}:FAMILY"]
    list(Run.start(table(), "run", SHORT | {"network": names[0]}).play())
    sys.modules.pop(mine)
    Path("executed").unlink()
    run = load_run("run", table())
    for forbidden in (
        lambda: Model.load("run/model"),
        lambda: Model.load("run/model", ["other:FAMILY"]),
        lambda: run.model,
        lambda: next(run.play()),
        lambda: sample("run", 10, "few.npy"),
    ):
        with pytest.raises(InputError, match=f"--network {mine}:FAMILY"):
            forbidden()
    assert not executed()
    sample("run", 10, "few.npy", networks=names)
    assert executed()


def test_a_stopped_training_goes_on_to_the_same_numbers(mine: str) -> None:
    names = [f"{mine}:FAMILY"]
    choices = SHORT | {"network": names[0], "checkpoint_every": 10}
    whole = list(Run.start(table(), "whole", choices).play())
    asked = iter([*[False] * 9, *[True] * 99])
    list(Run.start(table(), "parts", choices).play(lambda: next(asked)))
    rest = list(Run.resume("parts", table(), names).play())
    assert rest[-1]["loss_generator"] == whole[-1]["loss_generator"]


WRONG = {
    "nothing": "names no network",
    "{}:missing": "cannot be imported",
    "no_such_module:G": "cannot be imported",
    "{}:G": "is no zerosum.game.networks.Family",
    "{}:G {}:Wide": r"discriminator returns \(3, 1\) for 3 events; it must return \(3,\)",
    "{}:Broken {}:D": "generator fails on 3 events of zeros",
    "{}:G {}:Path": "discriminator cannot be constructed",
}


@pytest.mark.parametrize("names", WRONG)
def test_what_breaks_the_contract_is_one_sentence(mine: str, names: str) -> None:
    parts = names.format(mine, mine).split()
    keys = ["network"] if len(parts) == 1 else ["generator", "discriminator"]
    with pytest.raises(InputError, match=WRONG[names]):
        list(Run.start(table(), "run", SHORT | dict(zip(keys, parts, strict=True))).play())


@pytest.mark.parametrize(
    "choices",
    [
        {"generator": "a:G"},
        {"network": "a:F", "generator": "a:G", "discriminator": "a:D"},
        {"network": "a:F", "model": "flow"},
    ],
)
def test_choices_that_contradict_one_another_are_refused(choices: dict[str, str]) -> None:
    with pytest.raises(InputError, match=r"network|networks"):
        Config.of(choices)


def test_the_command_line_takes_them_and_asks_for_them_again(mine: str) -> None:
    from zerosum.data.formats import save

    save(table(), "events.npy")
    pair = ["--network", f"{mine}:G", f"{mine}:D"]
    Path("short.yaml").write_text("judgements: 0\nlog_every: 10\n")

    def zerosum(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "zerosum", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    trained = zerosum("train", "events.npy", "--config", "short.yaml", "--steps", "20", "-q", *pair)
    assert trained.returncode == 0, trained.stderr
    refused = zerosum("sample", "run", "-n", "10", "-o", "few.npy")
    assert refused.returncode == 2
    assert f"--network {mine}:G {mine}:D" in refused.stderr
    assert zerosum("sample", "run", "-n", "10", "-o", "few.npy", *pair).returncode == 0
