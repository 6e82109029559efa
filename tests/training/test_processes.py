"""Several processes that play one game: the same events, latents, parameters and files as in one process."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from zerosum.data.events import Events
from zerosum.data.formats import save
from zerosum.errors import InputError
from zerosum.training.checkpoint import Checkpoints
from zerosum.training.config import Config
from zerosum.training.engine import is_first
from zerosum.training.history import History
from zerosum.training.sampler import Sampler

ENVIRONMENT = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID")
CHOICES = {
    "batch": 128,
    "width": 16,
    "depth": 2,
    "log_every": 50,
    "checkpoint_every": 100,
    "judgements": 0,
}


def command(data: Path, out: Path, **choices: object) -> list[str]:
    config = out.with_suffix(".yaml")
    config.write_text(json.dumps(CHOICES | {"device": "cpu"} | choices), encoding="utf-8")
    return [sys.executable, "-m", "zerosum", "train", str(data), "--config", str(config), "--out", str(out)]


def events(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 2))
    path = folder / "events.npz"
    save(Events.table(np.column_stack([x[:, 0], x[:, 0] ** 2 + x[:, 1]]), names=["a", "b"]), path)
    return path


@pytest.mark.parametrize("weights", [None, torch.rand(100, generator=torch.Generator().manual_seed(1))])
def test_processes_share_the_batch_of_one(weights: torch.Tensor | None) -> None:
    seen = torch.arange(100.0).unsqueeze(1)

    def sampler(part: tuple[int, int]) -> Sampler:
        return Sampler(seen, -seen, weights, batch=12, latent=3, seed=5, part=part)

    whole, parts = sampler((0, 1)), [sampler((i, 3)) for i in range(3)]
    for _ in range(20):
        batch, shares = whole.draw(1.0), [part.draw(1.0) for part in parts]
        assert torch.equal(batch.seen, torch.cat([share.seen for share in shares]))
        assert torch.equal(batch.latent, torch.cat([share.latent for share in shares]))
        assert torch.equal(-batch.seen, torch.cat([s.conditions for s in shares if s.conditions is not None]))
        own = [torch.rand(1, generator=share.random) for share in shares]
        assert len(torch.cat(own).unique()) == 3


def test_who_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    assert is_first(4)
    for facts, first in (
        ({"RANK": "1", "LOCAL_RANK": "0"}, False),
        ({"RANK": "0", "LOCAL_RANK": "0"}, True),
        ({"SLURM_PROCID": "3"}, False),
        ({"LOCAL_RANK": "0", "NODE_RANK": "1"}, False),
        ({"LOCAL_RANK": "1"}, False),
        ({"NODE_RANK": "1"}, False),
    ):
        with monkeypatch.context() as patch:
            for name, value in facts.items():
                patch.setenv(name, value)
            assert is_first(4) is first, facts
            assert is_first(1)


def test_what_processes_cannot_share_is_refused() -> None:
    with pytest.raises(InputError, match="multiple of packing x devices x nodes, 6"):
        Config.of({"batch": 64, "devices": 3, "nodes": 2})
    with pytest.raises(InputError, match="consensus"):
        Config.of({"devices": 2, "dynamics": "consensus"})
    some = Events.table(np.zeros((1000, 1)))
    assert Config.of({"devices": 3}).resolved(some).batch == 249
    with pytest.raises(InputError, match="packing x devices x nodes is 300"):
        Config.of({"devices": 300}).resolved(some)


@pytest.mark.slow
def test_two_processes_play_the_game_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, one, two = events(tmp_path), tmp_path / "one", tmp_path / "two"
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    for out, devices in ((one, 1), (two, 2)):
        done = subprocess.run(
            command(data, out, steps=200, devices=devices), capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        assert "distributed" not in done.stderr
    (_, alone, facts, _), (_, shared, again, _) = (
        Checkpoints(out / "checkpoints").read_newest() for out in (one, two)
    )
    assert facts == again
    assert facts["step"] == 200
    for name in alone:
        if name.startswith(("discriminator.", "generator.", "averaged.")) and "adam" not in name:
            off = (alone[name].double() - shared[name].double()).norm()
            assert off <= 1e-5 * alone[name].double().norm(), name
    first, second = (
        [json.loads(line) for line in (out / "history.jsonl").read_text().splitlines()] for out in (one, two)
    )
    assert [r["step"] for r in first] == [r["step"] for r in second] == [50, 100, 150, 200]
    for a, b in zip(first, second, strict=True):
        assert a == pytest.approx(b, rel=1e-4)
    assert {path.name for path in one.iterdir()} == {path.name for path in two.iterdir()}


STOPPED = {"steps": 300, "devices": 2, "log_every": 10, "checkpoint_every": 300, "judgements": 3}


def both(command: list[str]) -> list[subprocess.Popen[bytes]]:
    """Two processes as torchrun or a batch system starts them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "NODE_RANK": "0"}
    return [
        subprocess.Popen(
            command, stdout=subprocess.DEVNULL, env=os.environ | place | {"LOCAL_RANK": str(rank)}
        )
        for rank in range(2)
    ]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two processes that nothing stopped."""
    folder = tmp_path_factory.mktemp("unbroken")
    processes = both(command(events(folder), folder / "run", **STOPPED))
    assert [process.wait(timeout=250) for process in processes] == [0, 0]
    return folder / "run"


def state(out: Path) -> dict[str, torch.Tensor]:
    """The tensors of the newest checkpoint."""
    return Checkpoints(out / "checkpoints").read_newest()[1]


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("asked", [(0,), (1,), (0, 1)])
def test_two_processes_that_a_batch_system_stops_go_on_to_the_same_numbers(
    tmp_path: Path, unbroken: Path, monkeypatch: pytest.MonkeyPatch, asked: tuple[int, ...]
) -> None:
    """SIGTERM to either, or to both: one checkpoint of one step, code 0, and then the numbers of a whole run."""
    data, parts = unbroken.parent / "events.npz", tmp_path / "parts"
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    processes = both(command(data, parts, **STOPPED))
    while not History(parts).records():
        assert all(process.poll() is None for process in processes)
        time.sleep(0.01)
    for rank in asked:
        processes[rank].send_signal(signal.SIGTERM)
    assert [process.wait(timeout=250) for process in processes] == [0, 0]
    (step,) = Checkpoints(parts / "checkpoints").steps()
    assert 0 < step < 300
    assert not (parts / "certificate.json").exists()
    again = both([sys.executable, "-m", "zerosum", "train", "--resume", "--out", str(parts)])
    assert [process.wait(timeout=250) for process in again] == [0, 0]
    first, second = state(unbroken), state(parts)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert (parts / "history.jsonl").read_bytes() == (unbroken / "history.jsonl").read_bytes()
