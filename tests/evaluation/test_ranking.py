"""AUC against a count over all pairs; p-values uniform under the null."""

import numpy as np
import pytest
from scipy import stats

from zerosum.evaluation.ranking import asymptotic_p_value, auc, effective_size, permutation_p_value


def ones(*arrays):
    return tuple(np.ones(len(a)) for a in arrays)


def test_auc_counts_pairs_with_ties_by_half():
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 6, 40).astype(float), rng.integers(0, 5, 30).astype(float)
    wins = (x[:, None] > y) + 0.5 * (x[:, None] == y)
    assert auc(x, y, ones(x, y)).value == pytest.approx(wins.mean())
    w = rng.random(40), rng.random(30)
    assert auc(x, y, w).value == pytest.approx(np.average(wins, weights=np.outer(*w)))


def test_auc_error_is_the_spread_over_samples():
    rng = np.random.default_rng(2)
    found = []
    for _ in range(300):
        x, y = rng.normal(1, 1, 200), rng.normal(0, 1, 300)
        found.append(auc(x, y, ones(x, y)))
    values = np.array([one.value for one in found])
    assert values.mean() == pytest.approx(0.7602499, abs=4 * values.std() / np.sqrt(300))
    assert np.mean([one.error for one in found]) == pytest.approx(values.std(), rel=0.15)


def test_p_values_are_uniform_under_the_null_and_small_otherwise():
    rng = np.random.default_rng(3)
    p = [permutation_p_value(*rng.normal(size=(2, 40)), seed=i, most=199) for i in range(300)]
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert permutation_p_value(rng.normal(2, 1, 100), rng.normal(0, 1, 37), seed=0) == pytest.approx(0.001)
    assert permutation_p_value(rng.normal(0, 1, 37), rng.normal(1, 1, 100), seed=0) > 0.9


def test_weighted_p_values_are_uniform_with_negative_weights():
    rng = np.random.default_rng(4)
    w = rng.choice([1.0, -0.4], (2, 400), p=[0.8, 0.2])
    p = [asymptotic_p_value(*rng.normal(size=(2, 400)), (w[0], w[1])) for _ in range(300)]
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_effective_size():
    assert effective_size(np.full(7, 3.0)) == pytest.approx(7)
    assert effective_size(np.array([1.0, 1.0, -1.0])) == pytest.approx(1 / 3)
