"""Several processes that play one game: the same events, latents, parameters and files as in one process."""

import json
import subprocess
import sys
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
    with pytest.raises(InputError, match="too few for 300 processes"):
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
