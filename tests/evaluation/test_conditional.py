"""A generator that is wrong at one energy is found there and nowhere else."""

import json

import numpy as np
import pytest

from zerosum.data.events import Events, Feature
from zerosum.evaluation.conditional import binned, by_condition
from zerosum.evaluation.critics import Polynomial, Trees
from zerosum.evaluation.folds import examine

QUICK = (Polynomial("quadratic", 2), Trees("trees", 15, 60))
ENERGY = (Feature("energy", "GeV"),)


def showers(seed, *, wrong_at=None, prior=None, n=6000, shift=1.0):
    """x ~ N(energy, 1), shifted where the energy is `wrong_at`."""
    rng = np.random.default_rng(seed)
    energy = rng.choice([1.0, 2.0, 4.0], n, p=prior)
    x = energy + rng.normal(size=n) + shift * (energy == wrong_at)
    return Events.table(x[:, None], ["x"], conditions=energy[:, None], condition_features=ENERGY)


def found(reference, generated):
    folds = examine(reference, generated, seed=0, critics=QUICK)
    return by_condition(reference, generated, folds, names=["energy"])


def test_the_wrong_energy_is_named():
    bins = found(showers(0), showers(1, wrong_at=4.0))
    assert [one.low for one in bins] == [1.0, 2.0, 4.0]
    assert [one.p_value < 0.01 for one in bins] == [False, False, True]
    right, wrong = bins[0].jensen_shannon, bins[2].jensen_shannon
    assert abs(right.value) < 4 * right.error + 1e-3
    assert wrong.value == pytest.approx(0.1113, abs=4 * wrong.error + 0.01)  # D_JS of N(0, 1) and N(1, 1)
    assert bins[0].name == "energy [GeV]"
    json.dumps([one.to_json() for one in bins], allow_nan=False)


def test_another_spectrum_of_the_condition_is_no_difference_within_a_bin():
    bins = found(showers(2), showers(3, prior=[0.6, 0.3, 0.1]))
    for one in bins:
        assert abs(one.jensen_shannon.value) < 4 * one.jensen_shannon.error + 2e-3
        assert one.p_value > 1e-3


def test_p_values_are_uniform_where_nothing_differs():
    """Holm keeps the chance of any p < 0.1 in three bins at 10 %: at most 9 of 30 repeats (probability 0.999)."""
    critics = QUICK[:1]
    lowest = []
    for seed in range(30):
        pair = showers(100 + seed, n=900), showers(200 + seed, n=900)
        folds = examine(*pair, seed=seed, critics=critics)
        lowest.append(min(one.p_value for one in by_condition(*pair, folds, names=["energy"])))
    assert np.sum(np.array(lowest) < 0.1) <= 9


def test_bins_of_a_continuous_condition_are_a_partition():
    rng = np.random.default_rng(6)
    x, y = rng.random(1000), rng.random(500) ** 2
    bins = binned((x, y))
    assert len(bins) == 5
    for side, values in enumerate((x, y)):
        assert (sum(inside[side].astype(int) for _, _, inside in bins) == 1).all()
        for low, high, inside in bins:
            assert ((values[inside[side]] >= low) & (values[inside[side]] <= high)).all()


def test_bins_with_few_events_are_left_out():
    bins = found(showers(7, n=600), showers(8, n=600, prior=[0.5, 0.48, 0.02]))
    assert [one.low for one in bins] == [1.0, 2.0]
