"""A run of the first version, in tests/fixtures: it loads, samples the same events and resumes in later versions."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from zerosum.data.events import Events
from zerosum.workflow import Run, load_run

FIXTURE = Path(__file__).parent / "fixtures" / "first_version"
NAMES = ["pt", "phi", "hits", "energy"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A copy of the run, stopped half-way, and its events."""
    shutil.copytree(FIXTURE / "run", tmp_path / "run")
    events = Events.table(np.load(FIXTURE / "events.npy"), names=NAMES).given(["energy"])
    return load_run(tmp_path / "run", events)


def test_it_is_small() -> None:
    assert sum(path.stat().st_size for path in FIXTURE.rglob("*") if path.is_file()) < 100_000


def test_it_loads_and_samples_the_same_events(run: Run) -> None:
    expected = np.load(FIXTURE / "expected.npz")
    events = run.model.sample(len(expected["values"]), seed=7)
    assert events.names == NAMES[:3]
    np.testing.assert_array_equal(events.conditions, expected["conditions"])
    np.testing.assert_allclose(events.values, expected["values"], rtol=1e-4, atol=1e-5)


def test_it_resumes_and_ends_where_it_would_have_ended(run: Run) -> None:
    """Losses to 1e-3: other machines and versions of torch round otherwise; the estimate of JS within its errors."""
    assert run.step == 20
    notices: list[str] = []
    for _ in run.play(notice=notices.append):
        pass
    assert not [sentence for sentence in notices if "written by" not in sentence]
    whole = [json.loads(line) for line in (FIXTURE / "whole.jsonl").read_text().splitlines()]
    assert [record["step"] for record in run.history] == [record["step"] for record in whole]
    for record, expected in zip(run.history, whole, strict=True):
        for name in ("loss_discriminator", "loss_generator", "penalty_discriminator", "value"):
            assert record[name] == pytest.approx(expected[name], rel=1e-3)
    last = run.history[-1]
    assert abs(last["js_estimate"] - whole[-1]["js_estimate"]) < 4 * whole[-1]["js_error"]
