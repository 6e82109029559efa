"""The exclusive region is where one sample is ten times as frequent as the other."""

import numpy as np
import pytest

from zerosum.data.events import Events
from zerosum.evaluation.folds import examine
from zerosum.evaluation.support import invented, missing, threshold


class Position:
    """A critic whose logit is the event itself."""

    name = "position"

    def fit(self, *samples, seed):
        return self

    def logit(self, events):
        return events.values[:, 0].astype(float)


def found(p, q):
    return examine(Events.table(p), Events.table(q), seed=0, critics=[Position()])


def test_the_threshold_separates_where_the_ratio_reaches_ten():
    here = np.r_[np.linspace(1, 2, 100), np.linspace(-1, 1, 100)]
    there = np.linspace(-1, 1, 400)
    assert 0.9 < threshold(here, there) < 1.0
    assert threshold(there, there) == pytest.approx(np.log(10))


def test_fractions_and_their_errors():
    rng = np.random.default_rng(0)
    p, q = (
        np.r_[rng.normal(0, 1, 9000), rng.normal(8, 1, 1000)],
        np.r_[rng.normal(0, 1, 4750), rng.normal(-8, 1, 250)],
    )
    folds = found(p, q)
    lost, excess = missing(folds), invented(folds)
    assert lost.value == pytest.approx(0.1, abs=4 * lost.error)
    assert excess.value == pytest.approx(0.05, abs=4 * excess.error)
    assert lost.error == pytest.approx(0.003, abs=0.001)


def test_equal_samples_lack_nothing():
    rng = np.random.default_rng(1)
    pulls = []
    for _ in range(40):
        one = missing(found(rng.normal(size=400), rng.normal(size=400)))
        pulls.append(one.value / one.error)
    assert abs(np.mean(pulls)) < 0.6
    assert np.max(np.abs(pulls)) < 4.5
