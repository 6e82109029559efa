"""Sampling by several processes: the file of one process, whatever their number."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from zerosum import workers
from zerosum.data.events import Events
from zerosum.errors import InputError, RunError
from zerosum.workers import stream_by
from zerosum.workflow import Run, drawer, sample


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    table = Events.table(rng.normal(size=(400, 3)), names=["a", "b", "energy"])
    out = tmp_path_factory.mktemp("workers") / "run"
    trained = Run.start(
        table.given(["energy"]), out, {"steps": 20, "log_every": 20, "judgements": 0, "width": 8}
    )
    for _ in trained.play():
        pass
    return out


@pytest.mark.slow
def test_any_number_of_workers_writes_the_same_file(run: Path, tmp_path: Path) -> None:
    n = 9 * drawer(run).block - 17
    for number in (1, 2, 4):
        sample(run, n, tmp_path / f"{number}.csv", workers=number, seed=5, where={"energy": 0.5})
    one, two, four = ((tmp_path / f"{number}.csv").read_bytes() for number in (1, 2, 4))
    assert one == two == four
    assert one.count(b"\n") == n + 1


def test_wrong_requests_are_refused_before_any_process_starts(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "ProcessPoolExecutor", None)
    for more, sentence in (
        ({"workers": 0}, "0 workers"),
        ({"workers": 2, "where": {"energy": 99.0}}, "outside the range"),
        ({"workers": 2, "where": {"mass": 1.0}}, "mass"),
    ):
        with pytest.raises(InputError, match=sentence):
            sample(run, 10, tmp_path / "no.csv", **more)
    assert not list(tmp_path.iterdir())


def dying() -> Any:
    """A drawer that checks everything and dies when it draws."""
    return SimpleNamespace(block=10, check=lambda *_, **__: None, piece=lambda *_, **__: os._exit(9))


def test_a_worker_that_dies_is_said() -> None:
    with pytest.raises(RunError, match="a worker process ended"):
        list(stream_by(2, dying, 100, range(10)))
