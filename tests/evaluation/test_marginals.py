"""One feature at a time, against closed forms and scipy."""

import numpy as np
import pytest
from scipy import stats

from zerosum.evaluation.marginals import binned_jensen_shannon, kolmogorov_smirnov, marginal


def ones(x, y):
    return np.ones(len(x)), np.ones(len(y))


def test_binned_divergence_of_shifted_gaussians():
    rng = np.random.default_rng(0)
    x, y = rng.normal(1, 1, 50_000), rng.normal(0, 1, 20_000)
    assert binned_jensen_shannon((x, y), ones(x, y)) == pytest.approx(0.111421, abs=0.004)


def test_binned_divergence_has_no_bias_under_the_null():
    rng = np.random.default_rng(1)
    found = []
    for _ in range(200):
        x, y = rng.normal(size=1000), rng.normal(size=400)
        found.append(binned_jensen_shannon((x, y), ones(x, y)))
    plug_in_bias = 19 * (1 / 1000 + 1 / 400) / 8
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(200) + 0.05 * plug_in_bias


def test_kolmogorov_smirnov_as_scipy():
    rng = np.random.default_rng(2)
    x, y = rng.normal(0.1, 1, 900), rng.normal(size=1100)
    distance, p = kolmogorov_smirnov((x, y), ones(x, y))
    scipy = stats.ks_2samp(x, y, method="asymp")
    assert distance == pytest.approx(scipy.statistic)
    assert p == pytest.approx(scipy.pvalue, rel=0.05)


def test_weights_count_events():
    rng = np.random.default_rng(3)
    x, y = rng.integers(0, 9, 300).astype(float), rng.integers(0, 9, 200).astype(float)
    w = rng.integers(1, 4, 300)
    repeated = np.repeat(x, w)
    weighted = marginal("m", (x, y), (w.astype(float), np.ones(200)), 1)
    plain = marginal("m", (repeated, y), ones(repeated, y), 1)
    assert weighted.wasserstein == pytest.approx(plain.wasserstein)
    assert weighted.ks == pytest.approx(plain.ks)


def test_p_value_carries_the_number_of_trials():
    rng = np.random.default_rng(4)
    x, y = rng.normal(0.3, 1, 300), rng.normal(size=300)
    one, ten = (marginal("m", (x, y), ones(x, y), trials) for trials in (1, 10))
    assert ten.p_value == pytest.approx(10 * one.p_value)
