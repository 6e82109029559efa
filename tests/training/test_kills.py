"""A training that is killed, again and again, at any moment, comes to the same end as one that was left alone."""

import json
import multiprocessing
import signal
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import numpy as np
import pytest

from zerosum.training.checkpoint import Checkpoints
from zerosum.training.config import Config
from zerosum.training.history import History

KILLS = 100
CHOICES = {
    "steps": 1500, "log_every": 10, "checkpoint_every": 10, "judgements": 2, "width": 16, "depth": 2, "batch": 32,
}  # fmt: skip
ITS_OWN = {"timing.jsonl", "provenance.json", "config.yaml", ".lock"}  # the clock, the time, the path


def life(data: Path, out: Path) -> None:
    """Train until the end or death, from the last checkpoint where there is a run: what `zerosum train` does."""
    from zerosum.workflow import Run, open_events

    choices = CHOICES | {"data": str(data)}
    if (out / "config.yaml").exists():
        run = Run.resume(out)
    else:
        run = Run.start(open_events(Config.of(choices)), out, choices)
    for _ in run.play():
        pass


def files(run: Path) -> dict[str, bytes]:
    """All that a run holds, but for the clock."""
    found = {path.relative_to(run).as_posix(): path for path in run.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if path.name not in ITS_OWN}


def writing(out: Path) -> bool:
    """Whether a checkpoint, a model or a file is half written."""
    return any(path.name.endswith((".tmp", ".old")) for path in [*out.glob("*"), *out.glob("checkpoints/.*")])


def kill(process: ForkServerProcess, out: Path, rng: np.random.Generator) -> bool:
    """SIGKILL at a random moment, every other time while something is being written; whether it was still alive."""
    until = time.monotonic() + rng.exponential(0.35)
    while process.is_alive() and time.monotonic() < until:
        time.sleep(0.002)
    if rng.random() < 0.5:
        while process.is_alive() and not writing(out):
            time.sleep(0.0002)
    process.kill()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_hundred_kills_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    """Every resume succeeds from a whole checkpoint; history, checkpoints, model and snapshots are the same bytes."""
    data, whole = tmp_path / "events.npy", tmp_path / "whole"
    np.save(data, np.random.default_rng(0).normal(size=(600, 2)))
    context = multiprocessing.get_context(
        "forkserver"
    )  # each life is forked from a process that has imported all
    context.set_forkserver_preload(["zerosum.workflow", "lightning_fabric", "zuko", "sklearn.linear_model"])

    def start(out: Path) -> ForkServerProcess:
        process = context.Process(target=life, args=(data, out))
        process.start()
        return process

    alone = start(whole)
    alone.join()
    assert alone.exitcode == 0
    records = History(whole).records()
    rng, kills, while_writing, trainings = np.random.default_rng(1), 0, 0, 0
    while kills < KILLS:
        out, newest, alive = tmp_path / f"killed-{trainings}", 0, True
        while alive:
            process = start(out)
            alive = kill(process, out, rng) if kills < KILLS else process.join() is not None
            kills += alive
            while_writing += alive and writing(out)
            found = History(out).records()
            assert len(found) <= len(records)
            for record, expected in zip(found, records, strict=False):
                assert record | {"seconds": 0} == expected | {"seconds": 0}
            checkpoints = Checkpoints(out / "checkpoints")
            if checkpoints.steps():
                step, _, _, notices = checkpoints.read_newest()
                assert step >= newest
                assert not notices
                newest = step
        assert process.exitcode == 0
        assert files(out) == files(whole)
        same = [json.loads((run / "provenance.json").read_text())["data"]["sha256"] for run in (out, whole)]
        assert same[0] == same[1]
        trainings += 1
    assert while_writing > KILLS / 10
