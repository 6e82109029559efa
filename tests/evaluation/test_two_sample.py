"""Closed forms, uniform p-values under the null, errors that match the scatter, distortions that are seen."""

import numpy as np
import pytest
from scipy import stats

from zerosum.errors import InputError
from zerosum.evaluation.two_sample import (
    Counts,
    chi_squared,
    energy_distance,
    separation_power,
    sliced_wasserstein,
    wasserstein,
)

EDGES = np.linspace(-3, 3, 13)


def normal(seed, n=400, d=2, shift=0.0):
    x = np.random.default_rng(seed).normal(size=(n, d))
    x[:, 0] += shift
    return x


def one_column(x, y, seed):
    return wasserstein(x[:, 0], y[:, 0], seed=seed)


def sliced(x, y, seed):
    return sliced_wasserstein(x, y, seed=seed, directions=8)


def energy(x, y, seed):
    return energy_distance(x, y, seed=seed)


def binned(test):
    return lambda x, y, seed: test(Counts.of(x[:, 0], EDGES), Counts.of(y[:, 0], EDGES))


ALL = [one_column, sliced, energy, binned(chi_squared), binned(separation_power)]


@pytest.mark.parametrize("distance", ALL)
def test_p_values_are_uniform_where_nothing_differs(distance):
    p = [distance(normal(s, 200), normal(1000 + s, 300), s).p_value for s in range(50)]
    assert stats.kstest(p, "uniform").pvalue > 0.01


@pytest.mark.parametrize("distance", ALL)
def test_a_shift_is_seen_and_a_larger_one_is_larger(distance):
    found = [distance(normal(1, 1000), normal(2, 1000, shift=s), 0) for s in (0.0, 0.3, 0.6)]
    assert [one.p_value < 0.01 for one in found] == [False, True, True]
    assert found[0].value < found[1].value < found[2].value


@pytest.mark.parametrize("distance", [one_column, sliced, energy, binned(separation_power)])
def test_errors_are_the_scatter_of_repeats(distance):
    found = [distance(normal(s), normal(1000 + s, shift=1.0), 0) for s in range(40)]
    scatter = np.std([one.value for one in found], ddof=1)
    assert np.mean([one.error for one in found]) == pytest.approx(
        scatter, rel=0.4 if distance != sliced else 1.0
    )


def test_closed_forms():
    shifted = one_column(normal(3, 4000), normal(4, 4000, shift=1.0), 0)
    assert shifted.value == pytest.approx(1, abs=4 * shifted.error)
    assert shifted.value == pytest.approx(
        stats.wasserstein_distance(normal(3, 4000)[:, 0], normal(4, 4000, shift=1.0)[:, 0])
    )
    assert shifted.n == (4000, 4000)
    x, y = normal(5, 30, 1), normal(6, 20, 1) + 3
    both = np.concatenate([x, y])
    quartiles = np.quantile(both.astype(np.float32), [0.25, 0.75], axis=0)
    z = both / ((quartiles[1] - quartiles[0]) / 1.349)
    distances = np.abs(z - z.T)
    u = 2 * distances[:30, 30:].mean() - distances[:30, :30].sum() / 870 - distances[30:, 30:].sum() / 380
    assert energy(x, y, 0).value == pytest.approx(u, rel=1e-4)


def test_histograms_in_closed_form():
    first, second = (Counts(np.array(sums), np.array(sums), 100) for sums in ([50.0, 50.0], [100.0, 0.0]))
    assert separation_power(first, second).value == pytest.approx((0.25 / 1.5 + 0.25 / 0.5) / 2)
    apart = Counts(np.array([0.0, 100.0]), np.array([0.0, 100.0]), 100)
    assert separation_power(second, apart).value == 1
    assert chi_squared(first, second).value == pytest.approx(2500 / 150 + 2500 / 50)


def test_missing_modes_and_weights():
    rng = np.random.default_rng(7)
    modes = 4 * rng.integers(0, 4, (3000, 2)) + rng.normal(size=(3000, 2))
    kept = modes[(modes > 2).any(1)]
    assert energy_distance(modes[:1500], kept[-1400:], seed=0).p_value < 0.01
    x, y = rng.normal(0, 1, 5000), rng.normal(0.5, 1, 5000)
    weighted = Counts.of(x, EDGES, np.exp(0.5 * x - 0.125))
    assert chi_squared(weighted, Counts.of(y, EDGES)).p_value > 1e-3
    assert chi_squared(Counts.of(x, EDGES), Counts.of(y, EDGES)).p_value < 1e-6


def test_distances_of_a_unit_shift_are_the_exact_ones():
    """N(0, 1) and N(1, 1): W1 = 1, and 2 E|x-y| - E|x-x'| - E|y-y'| = 0.541807."""
    x, y = normal(0, 2000, 1), normal(1, 2000, 1, shift=1.0)
    for found, exact in ((energy(x, y, 0), 0.5418065793059575), (one_column(x, y, 0), 1.0)):
        assert abs(found.value - exact) < 4 * found.error
        assert found.error < 0.06


def tilted(rng, n, slope):
    """N(0, 1) weighted to N(slope, 1)."""
    x = rng.normal(size=n)
    return x, np.exp(slope * x - slope**2 / 2)


WEIGHTED = {
    "none": lambda rng, n: (rng.normal(size=n), np.ones(n)),
    "equal": lambda rng, n: (rng.normal(size=n), np.full(n, 0.3)),
    "tilted": lambda rng, n: tilted(rng, n, -0.5),
    "independent": lambda rng, n: (rng.normal(size=n), rng.exponential(size=n)),
    "negative": lambda rng, n: (rng.normal(size=n), np.where(rng.random(n) < 0.15, -1.0, 1.0)),
}


@pytest.mark.parametrize(("n", "m"), [(400, 300), (4000, 3000)])
@pytest.mark.parametrize("kind", WEIGHTED)
def test_weighted_histograms_reject_no_more_often_than_they_say(kind, n, m):
    """Sparse bins in the tails; with their variances taken as they are, 9 to 20 % were rejected at 5 %."""
    rng, edges, p = np.random.default_rng(n), np.linspace(-4, 4, 21), []
    for _ in range(500):
        x, w = WEIGHTED[kind](rng, n)
        y = rng.normal(-0.5 if kind == "tilted" else 0.0, 1, m)
        p.append(chi_squared(Counts.of(x, edges, w), Counts.of(y, edges)).p_value)
    error = np.sqrt(0.05 * 0.95 / 500)
    assert 0.02 < np.mean(np.array(p) < 0.05) < 0.06 + 2.5 * error
    assert stats.kstest(p, "uniform").pvalue > 1e-4


def test_joined_bins_still_see_what_is_missing():
    rng, edges = np.random.default_rng(8), np.linspace(-4, 4, 21)
    x, y = rng.normal(size=(2, 3000))
    lost, weights = y[np.abs(y - 1) > 0.3], rng.exponential(size=3000)
    assert chi_squared(Counts.of(x, edges), Counts.of(lost, edges)).p_value < 1e-9
    assert chi_squared(Counts.of(x, edges, weights), Counts.of(lost, edges)).p_value < 1e-9
    few = Counts.of(x[:40], edges, weights[:40])
    assert np.isnan(separation_power(few, Counts.of(y, edges)).p_value)


def test_without_weights_it_is_the_test_of_homogeneity():
    x, y = np.random.default_rng(8).normal(size=(2, 3000))
    wide = np.linspace(-4, 4, 5)
    table = np.stack([np.histogram(one, wide)[0] for one in (x[:500], y)])
    found = chi_squared(Counts.of(x[:500], wide), Counts.of(y, wide))
    assert found.p_value == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(InputError, match="same number of columns"):
        energy_distance(normal(0), normal(0, d=3), seed=0)
    with pytest.raises(InputError, match="other bins"):
        chi_squared(*(Counts.of(normal(0)[:, 0], np.array([-9.0, 9.0])),) * 2)
    with pytest.raises(InputError, match="no positive sum"):
        Counts.of(normal(0)[:, 0], np.array([50.0, 60.0, 70.0]))
