"""Snapshots show what was generated, are few, and change nothing in the training."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from zerosum.data.events import Events
from zerosum.report.snapshots import FRAMES, Snapshots, chosen
from zerosum.report.watched import snapshot_steps as steps
from zerosum.training.config import Config
from zerosum.workflow import Run

QUICK = {"steps": 60, "log_every": 10, "checkpoint_every": 30, "batch": 32, "width": 16, "judgements": 1}


def circle(n: int = 600) -> Events:
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, n)
    return Events.table(
        np.c_[np.cos(angle), np.sin(angle)] + rng.normal(0, 0.02, (n, 2)), ["x", "y"], ["cm", ""]
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = Run.start(circle(), tmp_path_factory.mktemp("runs") / "whole", QUICK)
    list(run.play())
    return run


def metadata(path: Path) -> dict[str, object]:
    with safe_open(path, "np") as file:
        return json.loads(file.metadata()["facts"])


def test_a_snapshot_holds_events_and_the_discriminators_field(whole: Run) -> None:
    folder = whole.folder.path / "snapshots"
    assert steps(folder) == [10, 20, 30, 40, 50, 60]
    content, facts = load_file(folder / "step-60.safetensors"), metadata(folder / "step-60.safetensors")
    assert facts == {"step": 60, "names": ["x", "y"], "units": ["cm", ""]}
    assert content["events"].shape == (1000, 2)
    assert content["field"].shape == (64, 64)
    real = load_file(folder / "reference.safetensors")["events"]
    np.testing.assert_array_equal(real, whole.validation.values.astype(np.float32))
    (x0, x1), (y0, y1) = metadata(folder / "reference.safetensors")["box"]
    assert x0 < real[:, 0].min() < real[:, 0].max() < x1
    assert y0 < real[:, 1].min() < real[:, 1].max() < y1


def test_stopped_and_resumed_gives_the_same_files(whole: Run, tmp_path: Path) -> None:
    run = Run.start(circle(), tmp_path / "parts", QUICK)
    for record in run.play():
        if record["step"] == 40:
            break  # as if it died, ten steps after its checkpoint
    list(Run.resume(tmp_path / "parts", circle()).play())
    names = [f"snapshots/step-{step}.safetensors" for step in range(10, 70, 10)]
    for name in ["history.jsonl", "snapshots/reference.safetensors", *names]:
        assert (run.folder.path / name).read_bytes() == (whole.folder.path / name).read_bytes(), name


def test_the_history_does_not_know_of_snapshots(
    whole: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Snapshots, "due", lambda *_: False)
    run = Run.start(circle(), tmp_path / "none", QUICK)
    list(run.play())
    assert steps(run.folder.path / "snapshots") == []
    history = [(one.folder.path / "history.jsonl").read_bytes() for one in (run, whole)]
    assert history[0] == history[1]


@pytest.mark.parametrize(("total", "every"), [(20_000, 100), (1_000_000, 10), (500, 100), (7, 1)])
def test_snapshots_are_few_and_dense_at_the_beginning(total: int, every: int, tmp_path: Path) -> None:
    config = Config.of({"steps": total, "log_every": every, "judgements": 0})
    plan = Snapshots(tmp_path, config, circle(), None)
    found = [step for step in [*range(every, total, every), total] if plan.due({"step": step})]
    assert len(found) <= FRAMES + 1
    assert found[0] == every or total // every > FRAMES**2
    assert found[-1] == total
    if total // every > FRAMES:
        assert np.median(found) < total / 2


def test_a_plane_with_a_hard_edge_has_no_margin(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    positive = Events.table(rng.lognormal(0, 1.5, (800, 2)))
    run = Run.start(positive, tmp_path / "run", QUICK | {"steps": 10})
    list(run.play())
    box = metadata(run.folder.path / "snapshots/reference.safetensors")["box"]
    assert len(box) == 2
    assert load_file(run.folder.path / "snapshots/step-10.safetensors")["field"].any()


def test_grids_store_small_images_and_summaries(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    run = Run.start(Events.grid(rng.gamma(1.0, size=(300, 40, 40))), tmp_path / "run", QUICK | {"steps": 2})
    list(run.play())
    content = load_file(run.folder.path / "snapshots/step-2.safetensors")
    assert content["images"].shape == (6, 20, 20)
    assert content["events"].shape[1] == len(
        metadata(run.folder.path / "snapshots/step-2.safetensors")["names"]
    )


def test_profiles_are_left_out_unless_there_is_nothing_else() -> None:
    assert chosen(["a", "p[0]", "p[1]", "b"]) == [0, 3]
    assert chosen([f"x[{i}]" for i in range(30)]) == list(range(12))


def test_a_stop_file_stops_and_saves_and_is_gone_when_the_run_goes_on(tmp_path: Path) -> None:
    run = Run.start(circle(), tmp_path / "run", QUICK | {"checkpoint_every": 1000})
    for record in run.play():
        if record["step"] == 20:
            run.folder.stop.touch()
    assert run.step == 20
    assert run.folder.checkpoints.steps() == [20]
    rest = [record["step"] for record in Run.resume(tmp_path / "run", circle()).play()]
    assert rest == [30, 40, 50, 60]
