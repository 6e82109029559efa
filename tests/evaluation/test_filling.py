"""Filling in and dropped modes, on samples where both fractions are known."""

import numpy as np
import pytest

from zerosum.data.events import Events
from zerosum.errors import InputError
from zerosum.evaluation.filling import filling_in, uncovered

N = 4000


def peaks(n: int, seed: int, dimensions: int = 2) -> Events:
    """Two narrow peaks, 12 widths apart along the first axis."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, dimensions))
    x[:, 0] += np.where(rng.random(n) < 0.5, -6, 6)
    return Events.table(x)


@pytest.mark.parametrize("dimensions", [1, 2, 6])
def test_the_same_distribution_neither_fills_in_nor_drops(dimensions: int) -> None:
    parts = [peaks(N, seed, dimensions) for seed in range(3)]
    for found in (filling_in(*parts), uncovered(parts[0], parts[1])):
        assert abs(found.value) < 4 * found.error


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_what_lies_between_the_peaks_is_counted(share: float) -> None:
    generated = peaks(N, 2).values.copy()
    between = np.random.default_rng(3).uniform(-1, 1, size=(int(share * N), 2))
    generated[: len(between)] = between
    found = filling_in(peaks(N, 0), peaks(N, 1), Events.table(generated))
    assert found.value == pytest.approx(share, abs=4 * found.error)


def test_a_dropped_mode_is_uncovered_and_fills_nothing_in() -> None:
    one_peak = peaks(2 * N, 2)
    one_peak = one_peak.take(one_peak.values[:, 0] < 0)
    assert abs(filling_in(peaks(N, 0), peaks(N, 1), one_peak).value) < 0.01
    found = uncovered(peaks(N, 1), one_peak)
    assert found.value == pytest.approx(0.5, abs=0.03)


def test_the_fit_of_one_gaussian_fills_in_and_covers() -> None:
    """The Gaussian of the same mean and variance, the minimum of forward KL: the lecture's picture."""
    data = peaks(N, 0).values
    generated = np.random.default_rng(1).normal(size=(N, 2)) * data.std(0) + data.mean(0)
    assert filling_in(peaks(N, 2), peaks(N, 3), Events.table(generated)).value > 0.3
    assert uncovered(peaks(N, 2), Events.table(generated)).value < 0.01


def test_other_columns_and_few_events_are_refused() -> None:
    with pytest.raises(InputError, match="at least 100"):
        filling_in(peaks(N, 0), peaks(N, 1), peaks(50, 2))
    with pytest.raises(InputError, match="same 2 columns"):
        filling_in(peaks(N, 0), peaks(N, 1), peaks(N, 2, 3))
