"""The columns that tell samples apart are named, correlations included, and no others."""

import numpy as np
import pytest

from zerosum.data.events import Events
from zerosum.evaluation.importance import rank_features

N = 5000


def gaussian(seed, correlation=0.0, shift=0.0):
    x = np.random.default_rng(seed).normal(size=(N, 4))
    x[:, 1] = correlation * x[:, 0] + np.sqrt(1 - correlation**2) * x[:, 1]
    x[:, 3] += shift
    return Events.table(x.astype(np.float32), ["a", "b", "c", "d"])


def test_a_shifted_column_takes_all():
    found = rank_features(gaussian(0), gaussian(1, shift=0.5), seed=0)
    assert [one.name for one in found] == ["d"]
    assert found[0].share == pytest.approx(1)
    assert found[0].loss == pytest.approx(
        0.0304, abs=0.012
    )  # D_JS of N(0, 1) and N(0.5, 1), and overconfidence


def test_a_flipped_correlation_is_shared_by_both_columns():
    found = rank_features(gaussian(2, correlation=0.7), gaussian(3, correlation=-0.7), seed=0)
    assert {one.name for one in found} == {"a", "b"}
    assert sum(one.share for one in found) == pytest.approx(1)
    assert min(one.share for one in found) > 0.3


def test_identical_samples_have_no_ranking():
    assert sum(bool(rank_features(gaussian(4 + i), gaussian(40 + i), seed=i)) for i in range(10)) <= 1


def test_weights_can_undo_a_difference():
    rng = np.random.default_rng(5)
    x, y = rng.normal(0, 1, (N, 1)), rng.normal(0.5, 1, (N, 1))
    weights = np.exp(0.5 * x[:, 0] - 0.125)
    assert rank_features(Events.table(x), Events.table(y), seed=0)
    assert not rank_features(Events.table(x, weights=weights), Events.table(y), seed=0)
