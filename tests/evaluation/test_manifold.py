"""Precision falls with invented events, recall and coverage with missing ones; all beside their null."""

import numpy as np
import pytest

from zerosum.errors import InputError
from zerosum.evaluation.manifold import manifold, prdc


def test_precision_falls_with_invented_and_recall_with_missing_modes():
    rng = np.random.default_rng(3)
    modes = 10.0 * rng.integers(0, 4, (8000, 1)) + rng.normal(size=(8000, 2))
    kept, wide = modes[modes[:, 0] < 25], modes[:4000] + 5 * rng.integers(0, 2, (4000, 1)) * [0, 5]
    names = ["precision", "recall", "density", "coverage"]
    same, dropped, invented = (
        dict(zip(names, manifold(modes[:4000], one, seed=0), strict=True))
        for one in (modes[4000:], kept[-2500:], wide)
    )
    assert all(one.p_value > 1e-4 for one in same.values())
    assert dropped["recall"].value < same["recall"].value - 0.15
    assert dropped["coverage"].value < same["coverage"].value - 0.15
    assert dropped["precision"].value == pytest.approx(same["precision"].value, abs=0.06)
    assert invented["precision"].value < 0.6
    assert dropped["recall"].p_value < 1e-4
    assert same["coverage"].null == pytest.approx(same["coverage"].value, abs=0.05)


def test_prdc_by_hand():
    """Unit spacing: balls of radius 1 around -1, 0, 1, 2; 0.5 lies in two of them, 9 in none."""
    real = np.array([[-1.0], [0.0], [1.0], [2.0]])
    precision, _, density, coverage = prdc(real, np.array([[0.5], [9.0], [9.5]]), 1)
    assert precision == pytest.approx(1 / 3)
    assert density == pytest.approx(2 / 3)
    assert coverage == pytest.approx(2 / 4)


def test_p_values_of_equal_distributions_are_seldom_small():
    """Four metrics in 15 repeats: below 0.05 about 3 of 60, more than 10 with probability 4e-4 if independent."""
    rng = np.random.default_rng(4)
    found = [one.p_value for s in range(15) for one in manifold(*rng.normal(size=(2, 1000, 2)), seed=s)]
    assert np.sum(np.array(found) < 0.05) <= 10


def test_small_samples_are_refused():
    with pytest.raises(InputError, match="precision and recall need"):
        manifold(np.ones((50, 2)), np.ones((50, 2)), seed=0)
