"""The loop: a training that stops anywhere goes on to the same numbers, and one that diverges says so."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from zerosum.data.events import Events
from zerosum.errors import InputError, RunError
from zerosum.game.dynamics import DYNAMICS
from zerosum.training import checkpoint
from zerosum.training.checkpoint import Checkpoints
from zerosum.training.config import Config
from zerosum.training.engine import Engine
from zerosum.training.history import History
from zerosum.training.loop import play
from zerosum.training.setup import Setup, prepare

CHOICES = {"steps": 60, "log_every": 7, "checkpoint_every": 20, "batch": 32, "width": 16, "judgements": 0}


def events(n: int = 500) -> Events:
    rng = np.random.default_rng(0)
    return Events.table(rng.normal(size=(n, 3)) * [1, 5, 0.1] + [0, 3, 1])


def ready(choices: dict[str, object], data: Events | None = None) -> Setup:
    data = events() if data is None else data
    config = Config.of(CHOICES | choices).resolved(data)
    train, validation, _ = data.split((0.8, 0.1, 0.1), config.seed)
    return prepare(config, train, validation, Engine(device="cpu"))


def run(setup: Setup, folder: Path, until: int | None = None, resume: bool = False) -> list[dict[str, float]]:
    folder.mkdir(exist_ok=True)
    history, checkpoints = History(folder), Checkpoints(folder / "checkpoints", keep=2)
    if resume:
        _, tensors, facts, _ = checkpoints.read_newest()
        setup.training.restore(tensors, facts)
        history.rewind(setup.training.step)
    records = play(
        setup.training,
        config=setup.config,
        history=history,
        checkpoints=checkpoints,
        watch=setup.value,
        judge=lambda _: {},
        keep=lambda _: None,
        stop=lambda: setup.training.step == until,
    )
    return list(records)


def parameters(setup: Setup) -> torch.Tensor:
    return torch.cat([p.flatten() for player in setup.training.game for p in player.module.parameters()])


@pytest.mark.parametrize("until", [1, 20, 33, 59])
def test_a_stopped_training_goes_on_to_the_same_numbers(tmp_path: Path, until: int) -> None:
    """Stopped at any step and continued by a new process: history and parameters are equal bit for bit."""
    whole = ready({})
    run(whole, tmp_path / "whole")
    run(ready({}), tmp_path / "parts", until=until)
    rest = ready({})
    run(rest, tmp_path / "parts", resume=True)
    assert (tmp_path / "parts/history.jsonl").read_bytes() == (tmp_path / "whole/history.jsonl").read_bytes()
    assert torch.equal(parameters(rest), parameters(whole))


@pytest.mark.parametrize(
    "choices",
    [{"dynamics": name} for name in DYNAMICS if name != "alternating"]
    + [{"spectral": True, "penalty": "gradient"}, {"packing": 4}, {"objective": "hinge", "penalty": "none"}],
    ids=str,
)
def test_every_way_to_play_goes_on_to_the_same_numbers(tmp_path: Path, choices: dict[str, object]) -> None:
    """What a dynamics remembers and where the power iterations stand are part of the state."""
    whole = ready(choices)
    run(whole, tmp_path / "whole")
    run(ready(choices), tmp_path / "parts", until=33)
    rest = ready(choices)
    run(rest, tmp_path / "parts", resume=True)
    assert (tmp_path / "parts/history.jsonl").read_bytes() == (tmp_path / "whole/history.jsonl").read_bytes()
    assert torch.equal(parameters(rest), parameters(whole))


def test_two_seeds_differ_and_one_seed_does_not(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run(ready({"seed": seed}), tmp_path / name)
    texts = {name: (tmp_path / name / "history.jsonl").read_text() for name in "abc"}
    assert texts["a"] == texts["b"]
    assert texts["a"] != texts["c"]


def test_only_the_newest_checkpoints_are_kept(tmp_path: Path) -> None:
    run(ready({}), tmp_path)
    assert Checkpoints(tmp_path / "checkpoints").steps() == [40, 60]


def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path) -> None:
    run(ready({}), tmp_path)
    broken = tmp_path / "checkpoints/step-60/tensors.safetensors"
    broken.write_bytes(broken.read_bytes()[:100])
    step, _, _, damaged = Checkpoints(tmp_path / "checkpoints").read_newest()
    assert step == 40
    assert len(damaged) == 1
    assert "step 60" in damaged[0]


@pytest.mark.parametrize("name", ["tensors.safetensors", "state.json"])
def test_a_flipped_bit_is_noticed_and_the_checkpoint_before_it_serves(tmp_path: Path, name: str) -> None:
    """In the last byte of the tensors and in a digit of the state: files that still read well."""
    run(ready({}), tmp_path)
    broken = tmp_path / "checkpoints/step-60" / name
    content = bytearray(broken.read_bytes())
    content[-1 if name == "tensors.safetensors" else content.index(b"60")] ^= 1
    broken.write_bytes(content)
    step, _, _, notices = Checkpoints(tmp_path / "checkpoints").read_newest()
    assert step == 40
    assert notices == ["the checkpoint of step 60 is damaged (its checksum does not fit) and was passed over"]


def test_a_checkpoint_of_other_code_says_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = {"zerosum": "0.0.9", "torch": "2.1", "source": "ab" * 32}
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "code", lambda: earlier)
        run(ready({}), tmp_path, until=20)
    _, tensors, facts, notices = Checkpoints(tmp_path / "checkpoints").read_newest()
    assert len(notices) == 1
    assert "written by zerosum 0.0.9 (source abababababab) with torch 2.1; this is zerosum" in notices[0]
    ready({}).training.restore(tensors, facts)


def test_a_checkpoint_of_another_training_is_refused_with_a_sentence(tmp_path: Path) -> None:
    run(ready({}), tmp_path)
    _, tensors, facts, _ = Checkpoints(tmp_path / "checkpoints").read_newest()
    with pytest.raises(RunError, match="does not fit this training"):
        ready({"width": 8}).training.restore(tensors, facts)
    with pytest.raises(RunError, match="drawn is -1"):
        ready({}).training.restore(tensors, facts | {"drawn": -1})


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_full_disk_loses_no_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """No space left at the first, second or third call that flushes: a sentence, and what was there is whole."""
    run(ready({}), tmp_path, until=20)
    before = {path: path.read_bytes() for path in (tmp_path / "checkpoints").rglob("*") if path.is_file()}
    calls = iter(range(10))

    def full(descriptor: int) -> None:
        if next(calls) == after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    setup = ready({})
    with pytest.raises(RunError, match=r"could not be written \(No space left on device\); earlier ones are"):
        run(setup, tmp_path, resume=True)
    kept = [path for path in (tmp_path / "checkpoints").rglob("*") if path.is_file()]
    assert set(before) <= set(kept)
    assert all(path.read_bytes() == content for path, content in before.items())
    assert not list((tmp_path / "checkpoints").glob(".*"))


def test_a_loss_that_is_not_finite_ends_the_run_with_step_and_player(tmp_path: Path) -> None:
    setup = ready({})
    with torch.no_grad():
        next(iter(setup.discriminator.parameters())).fill_(float("nan"))
    with pytest.raises(RunError, match="discriminator is nan at step 7"):
        run(setup, tmp_path)


def test_weights_decide_how_often_an_event_is_seen() -> None:
    weighted = Events.table(np.linspace(1, 2, 100)[:, None], weights=np.where(np.arange(100) < 50, 0.0, 1.0))
    setup = ready({"batch": 64}, weighted)
    seen = torch.cat([setup.training.sampler.draw(0.0).seen for _ in range(20)])
    kept = setup.preprocessor.forward(np.array([[1.49], [1.5]]))
    assert float(seen.min()) > float(kept.mean())


def test_negative_weights_are_refused_with_their_number() -> None:
    weights = np.ones(100)
    weights[:3] = -1
    with pytest.raises(InputError, match="of 80 event weights are negative"):
        ready({}, Events.table(np.random.default_rng(0).normal(size=(100, 2)), weights=weights))
