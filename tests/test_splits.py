"""What the splits are for: validation chooses the generator, and nothing but the certificate sees the test."""

import json
from pathlib import Path

import numpy as np
import pytest

from zerosum.data.events import Events
from zerosum.workflow import Run, finishing, playing

CHOICES = {"steps": 60, "log_every": 5, "judgements": 2, "batch": 32, "width": 8, "checkpoint_every": 60}


def events(n: int = 800) -> Events:
    return Events.table(np.random.default_rng(0).normal(size=(n, 2)) * [1, 3])


def garbage(like: Events) -> Events:
    return Events.table(np.full((len(like), 2), 1e3) + np.arange(len(like))[:, None], like.names)


def played(folder: Path, replaced: str | None = None) -> Run:
    run = Run.start(events(), folder, CHOICES)
    if replaced:
        setattr(run, replaced, garbage(getattr(run, replaced)))
    list(run.play())
    return run


def files(run: Run) -> dict[str, bytes]:
    return {
        name: (run.folder.path / name).read_bytes() for name in ("history.jsonl", "model/model.safetensors")
    }


def test_the_test_split_changes_neither_training_nor_choice(tmp_path: Path) -> None:
    """With other events in the test split, history and kept generator are the same, byte for byte."""
    assert files(played(tmp_path / "a")) == files(played(tmp_path / "b", "test"))


def test_the_validation_split_decides_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge gets training events, the validation split and generated events, and the lowest estimate is kept."""
    given: list[tuple[np.ndarray, np.ndarray]] = []
    judge = playing.judge

    def seen(train: Events, validation: Events, generated: Events, *, seed: int):
        given.append((train.values, validation.values))
        return judge(train, validation, generated, seed=seed)

    monkeypatch.setattr(playing, "judge", seen)
    run = played(tmp_path / "run")
    judged = {r["step"]: r["js_estimate"] for r in run.history if "js_estimate" in r}
    assert len(given) == len(judged) >= 2
    for train, validation in given:
        np.testing.assert_array_equal(train, run.train_events.values)
        np.testing.assert_array_equal(validation, run.validation.values)
    assert run.model.facts["step"] == min(judged, key=lambda step: judged[step])
    other = [r.get("js_estimate") for r in played(tmp_path / "other", "validation").history]
    assert other != [r.get("js_estimate") for r in run.history]


def test_the_three_splits_share_no_event(tmp_path: Path) -> None:
    run = Run.start(events(), tmp_path / "run", CHOICES)
    parts = [{tuple(row) for row in part.values} for part in (run.train_events, run.validation, run.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 800
    sizes = json.loads((tmp_path / "run/splits.json").read_text())
    assert [len(part) for part in parts] == [sizes[name] for name in ("train", "validation", "test")]


def test_the_certificate_is_of_the_test_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = played(tmp_path / "run")

    class Seen(Exception):
        """Compared; the comparison itself is not needed."""

    def seen(reference: Events, generated: Events, **_: object) -> None:
        raise Seen(reference, generated)

    monkeypatch.setattr(finishing, "compare", seen)
    with pytest.raises(Seen) as caught:
        run.finish()
    np.testing.assert_array_equal(caught.value.args[0].values, run.test.values)
