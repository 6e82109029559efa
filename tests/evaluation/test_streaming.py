"""Files are compared chunk by chunk with the same meaning as in memory."""

import numpy as np
import pytest

from zerosum.data.events import Events
from zerosum.data.formats import save
from zerosum.errors import InputError
from zerosum.evaluation.critics import Polynomial
from zerosum.evaluation.streaming import Subsample, compare_files

LINEAR = (Polynomial("linear", 1),)


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    save(Events.table(rng.normal(1, 1, (9000, 2)), ["a", "b"]), tmp_path / "reference.h5")
    save(Events.table(rng.normal(0, 1, (7000, 2)), ["b", "a"]), tmp_path / "generated.csv")
    return tmp_path / "reference.h5", tmp_path / "generated.csv"


def test_two_formats_in_small_chunks(files):
    found = compare_files(*files, critics=LINEAR, chunk=1000, budget=2000)
    exact = 0.19767  # delta = sqrt(2)
    assert found.jensen_shannon.estimate == pytest.approx(exact, abs=5 * found.jensen_shannon.error)
    assert 0.85 * exact < found.jensen_shannon.lower < exact
    assert (found.reference.n, found.generated.n) == (9000, 7000)
    assert "saw 2000 and 2000 of 9000 and 7000 events; 7000 and 5000 others certify" in found.notes[-1]
    assert found.columns == ("a", "b")


def test_the_number_of_certifying_events_is_bounded(files):
    found = compare_files(*files, critics=LINEAR, budget=1000, certified=2000)
    assert found.jensen_shannon.n_reference == pytest.approx(2000, abs=200)
    with pytest.raises(InputError, match="between 0 and 1"):
        compare_files(*files, confidence=2)


def test_training_and_certifying_events_are_disjoint_and_random():
    events = Events.table(np.arange(1000.0))
    chunks = [events.take(slice(start, start + 300)) for start in range(0, 1000, 300)]

    class Echo:
        def logits(self, part):
            return part.values.T

    sample = Subsample(lambda: iter(chunks), (1, 2), 200)
    kept = set(sample.events.values[:, 0])
    scored = set(sample.scores(Echo(), 10_000)[0][0])
    assert len(kept) == 200
    assert not kept & scored
    assert len(scored) == 800
    assert 400 < np.mean(list(kept)) < 600


def test_weights_and_tiny_files_are_handled(tmp_path):
    rng = np.random.default_rng(1)
    weighted = Events.table(rng.normal(size=(600, 1)), ["a"], weights=np.full(600, 2.0))
    save(weighted, tmp_path / "weighted.h5")
    save(Events.table(np.ones((60, 1)), ["a"]), tmp_path / "tiny.h5")
    found = compare_files(tmp_path / "weighted.h5", tmp_path / "weighted.h5", critics=LINEAR, chunk=100)
    assert found.jensen_shannon.lower is None
    assert found.jensen_shannon.effective == (300, 300)
    with pytest.raises(InputError, match="generated sample has 30 events"):
        compare_files(tmp_path / "weighted.h5", tmp_path / "tiny.h5", critics=LINEAR)


def test_conditions_have_bins_in_streams_too(tmp_path):
    rng = np.random.default_rng(2)
    for name, slope in (("reference.h5", 1.0), ("generated.h5", 1.3)):
        energy = rng.choice([1.0, 10.0], 6000)
        x = slope * (energy == 10) + rng.normal(size=6000)
        save(Events.table(np.c_[x, energy], ["x", "energy"]).given(["energy"]), tmp_path / name)
    found = compare_files(
        tmp_path / "reference.h5", tmp_path / "generated.h5", critics=(Polynomial("quadratic", 2),)
    )
    assert [(one.low, one.p_value < 0.01) for one in found.conditions] == [(1.0, False), (10.0, True)]
    assert found.conditions[1].jensen_shannon.value == pytest.approx(0.0111, abs=0.006)  # a shift of 0.3
