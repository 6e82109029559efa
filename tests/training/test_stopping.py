"""A training ends by itself when judgements bring nothing new, says why, and stays ended."""

from pathlib import Path

import numpy as np
import pytest

from zerosum.cli import main
from zerosum.data.events import Events
from zerosum.errors import InputError
from zerosum.training.config import Config
from zerosum.training.stopping import stalled
from zerosum.workflow import Run

CHOICES = {"steps": 200, "log_every": 5, "judgements": 20, "batch": 32, "width": 8, "checkpoint_every": 1000}


def judged(*estimates: float, error: float = 0.01) -> list[dict[str, float]]:
    return [
        {"step": 10 * (i + 1), "js_estimate": js, "js_error": error, "value": -1.0}
        for i, js in enumerate(estimates)
    ]


def test_it_goes_on_while_judgements_improve() -> None:
    assert stalled(judged(0.5, 0.4, 0.3, 0.2), 1) is None
    assert stalled(judged(0.5, 0.5, 0.5), None) is None
    assert stalled([], 1) is None


def test_an_improvement_within_its_error_is_none() -> None:
    assert stalled(judged(0.5, 0.495, 0.492), 2) is not None
    assert stalled(judged(0.5, 0.495, 0.48), 2) is None
    reason = stalled(judged(0.5, 0.2, 0.21, 0.22, 0.195), 3)
    assert reason is not None
    assert "since step 20" in reason
    assert "0.2000 ± 0.0100" in reason


def test_it_ends_only_at_a_judgement() -> None:
    records = [*judged(0.5, 0.5, 0.5), {"step": 31, "value": -1.0}]
    assert stalled(records, 1) is None


def test_patience_beyond_the_judgements_is_refused() -> None:
    with pytest.raises(InputError, match="more judgements than patience"):
        Config.of({"patience": 3, "judgements": 3})
    with pytest.raises(InputError, match="patience"):
        Config.of({"patience": 0})


def events() -> Events:
    return Events.table(np.random.default_rng(0).normal(size=(600, 2)))


def test_a_run_that_stopped_by_itself_is_finished(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The last record says why, the state is written, and neither --resume nor `play` goes on."""
    path = tmp_path / "events.npy"
    np.save(path, events().values)
    run = Run.start(events(), tmp_path / "run", CHOICES | {"patience": 2, "data": str(path)})
    records = list(run.play())
    assert records[-1]["step"] < 200
    assert "patience is 2" in records[-1]["stopped"]
    assert all("stopped" not in record for record in records[:-1])
    assert run.finished
    assert run.folder.checkpoints.steps() == [records[-1]["step"]]
    assert run.folder.model.is_dir()

    before = run.folder.history.path.read_bytes()
    told: list[str] = []
    assert list(run.play(notice=told.append)) == []
    assert len(told) == 1
    assert "finished" in told[0]
    with pytest.raises(SystemExit) as caught:
        main(["train", "--resume", "--out", str(run.folder.path)])
    assert caught.value.code == 0
    assert "is finished: it stopped by itself" in " ".join(capsys.readouterr().err.split())
    assert run.folder.history.path.read_bytes() == before


def test_a_run_cut_off_before_it_stops_by_itself_stops_at_the_same_step(tmp_path: Path) -> None:
    choices = CHOICES | {"patience": 2}
    whole = Run.start(events(), tmp_path / "whole", choices)
    last = list(whole.play())[-1]["step"]
    parts = Run.start(events(), tmp_path / "parts", choices)
    asked: list[int] = []
    for record in parts.play(stop=lambda: len(asked) >= 3):
        asked.append(record["step"])
    assert parts.step < last
    assert not parts.finished
    list(Run.resume(tmp_path / "parts", events()).play())
    histories = [(tmp_path / name / "history.jsonl").read_bytes() for name in ("whole", "parts")]
    assert histories[0] == histories[1]
