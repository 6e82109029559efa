"""The demonstration, made short: every chapter is told, every file written, and a folder that exists is left alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zerosum.data.formats import load
from zerosum.data.simulators import SOURCES
from zerosum.errors import InputError
from zerosum.evaluation.critics import Polynomial
from zerosum.workflow import Run, story


def shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    short = {name: replace(tale, events=800, steps=10) for name, tale in story.TALES.items()}
    monkeypatch.setattr(story, "TALES", short)
    monkeypatch.setattr(story, "DRAWN", 300)
    monkeypatch.setattr(story, "PROBED", 200)
    monkeypatch.setattr("zerosum.evaluation.folds.ladder", lambda _: (Polynomial("linear", 1),))


def played(run: Run) -> bool:
    for _ in run.play():
        pass
    return run.finished


@pytest.mark.slow
def test_the_story_of_showers_ends_with_a_page_that_shows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shortly(monkeypatch)
    lines: list[str] = []
    found = story.tell(tmp_path / "demo", say=lines.append, train=played)
    assert found is not None
    told = "\n".join(lines)
    assert [chapter in told for chapter in ("1. simulated", "2. training", "3. drew", "4. compared")] == [
        True
    ] * 4
    page = (tmp_path / "demo/report.html").read_text()
    assert 'id="showers"' in page
    assert "Single showers" in page
    simulated, generated = (load(tmp_path / f"demo/fixed_{name}.h5") for name in ("simulated", "generated"))
    for events in (simulated, generated):
        assert len(events) == 200
        np.testing.assert_allclose(np.asarray(events.conditions), 5e3)
    for name in ("events.h5", "generated.h5", "certificate.json", "run/model/model.safetensors"):
        assert (tmp_path / "demo" / name).stat().st_size > 0


def test_what_is_fixed_in_the_simulation_is_what_is_asked_of_the_generator() -> None:
    tale = story.TALES["showers"]
    assert list(tale.where.values()) == list(tale.fixed["energies"])
    low, high = tale.options["energies"]
    assert low < tale.where["incident_energy"] < high
    assert story.TALES.keys() <= SOURCES.keys()


def test_a_story_that_is_stopped_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shortly(monkeypatch)
    lines: list[str] = []
    assert story.tell(tmp_path / "demo", "dimuon", say=lines.append, train=lambda run: False) is None
    assert "zerosum train --resume --out" in lines[-1]


def test_an_unknown_source_or_an_old_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="showers or dimuon"):
        story.tell(tmp_path / "demo", "ising", say=print, train=played)
    assert not (tmp_path / "demo").exists()
    with pytest.raises(InputError, match="--out"):
        story.tell(tmp_path, say=print, train=played)
