"""Closed forms, honest errors, uniform p-values, and what each metric is for."""

import numpy as np
import pytest
from scipy import stats

from zerosum.data.events import Events
from zerosum.errors import InputError
from zerosum.evaluation.critics import Polynomial
from zerosum.evaluation.field_metrics import (
    calochallenge,
    fpd,
    fpd_as_published,
    frechet,
    kpd,
    kpd_as_published,
)
from zerosum.evaluation.folds import examine


def normal(seed, n=2000, d=3, shift=0.0):
    return np.random.default_rng(seed).normal(size=(n, d)) + shift


def bounded(seed, n=2000, shift=0.0):
    """Uniform on a cube with fixed corners, so that columns are divided by 1."""
    x = np.random.default_rng(seed).uniform(-1, 1, (n, 3)) + shift
    if shift == 0:
        x[:1] = 1.0
    return x


def test_frechet_of_gaussians_in_closed_form():
    zero, one = np.zeros(2), np.eye(2)
    assert frechet((zero, one), (zero + 3, one)) == pytest.approx(18)
    assert frechet((zero, one), (zero, 4 * one)) == pytest.approx(2)
    tilted = np.array([[2.0, 1.0], [1.0, 2.0]])
    assert frechet((zero, tilted), (zero, tilted)) == pytest.approx(0, abs=1e-12)
    assert frechet((zero, one), (zero, tilted)) == pytest.approx((np.sqrt(3) - 1) ** 2)


def test_kernel_distance_of_constants():
    twos, zeros = np.full((100, 4), 2.0), np.zeros((100, 4))
    assert kpd(twos, zeros, seed=0, normalise=False).value == pytest.approx(5**4 + 1 - 2)
    published = kpd_as_published(twos, zeros, seed=0, normalise=False, batch=50)
    assert published.value == pytest.approx(624)
    assert published.error == pytest.approx(0)


def test_fpd_has_no_bias_and_an_honest_error():
    truth = 3 * 0.1**2
    found = [fpd(bounded(s), bounded(500 + s, shift=0.1), seed=s) for s in range(30)]
    pulls = [(one.value - truth) / one.error for one in found]
    assert abs(np.mean(pulls)) < 4 / np.sqrt(30)
    assert 0.5 < np.std(pulls) < 1.6
    null = [fpd(bounded(s), bounded(700 + s), seed=s) for s in range(30)]
    assert abs(np.mean([one.value / one.error for one in null])) < 0.8


@pytest.mark.parametrize("metric", [fpd, kpd])
def test_p_values_are_uniform_where_nothing_differs(metric):
    p = [metric(normal(s, 400), normal(1000 + s, 400), seed=s).p_value for s in range(40)]
    assert stats.kstest(p, "uniform").pvalue > 0.01


@pytest.mark.parametrize("metric", [fpd, kpd])
def test_a_shift_is_seen(metric):
    same, near, far = (metric(normal(1, 4000), normal(2, 4000, shift=s), seed=0) for s in (0, 0.3, 0.6))
    assert same.p_value > 0.01
    assert near.p_value < 0.01
    assert near.value > 4 * near.error
    assert far.value > near.value


def test_kpd_error_is_the_scatter_of_repeats():
    found = [kpd(bounded(s), bounded(500 + s, shift=0.3), seed=s) for s in range(30)]
    scatter = np.std([one.value for one in found], ddof=1)
    assert np.mean([one.error for one in found]) == pytest.approx(scatter, rel=0.4)


def test_fpd_as_published_is_biased_with_a_small_error():
    """The line in 1/N takes off the bias of the batches, not that of the pool from which they are drawn."""
    x, y = bounded(1, 1000), bounded(2, 1000)
    published = fpd_as_published(x, y, seed=0, least=500, most=1000)
    assert published.value > 0
    assert published.error < fpd(x, y, seed=0).error
    assert published.p_value is None
    shifted = fpd_as_published(x, bounded(2, 1000, shift=0.3), seed=0, least=500, most=1000)
    assert shifted.value == pytest.approx(0.27, abs=0.05)


def test_calochallenge_numbers_in_bits():
    pair = Events.table(normal(4, 4000, 1)), Events.table(normal(5, 4000, 1, shift=1.0))
    area, js = calochallenge(examine(*pair, seed=0, critics=[Polynomial("linear", 1)]))
    assert area.value == pytest.approx(stats.norm.cdf(1 / np.sqrt(2)), abs=4 * area.error)
    assert js.value == pytest.approx(0.1113 / np.log(2), abs=4 * js.error + 0.003)  # D_JS in nats over ln 2
    assert js.p_value < 0.01
    assert (area.null, js.null) == (0.5, 0.0)


def test_what_is_too_small_is_refused():
    with pytest.raises(InputError, match="FPD of 3 columns needs more than"):
        fpd(normal(0, 50), normal(1, 50), seed=0)
    with pytest.raises(InputError, match="same columns"):
        fpd(normal(0), normal(1, d=2), seed=0)
    with pytest.raises(InputError, match="KPD needs"):
        kpd(normal(0, 10), normal(1, 10), seed=0)
