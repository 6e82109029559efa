"""Nearest-neighbour estimates against closed forms; distances against brute force; misuse."""

import numpy as np
import pytest

from zerosum.errors import InputError
from zerosum.theory.binned import binned_js, corrected_js, js_of_counts, plug_in_js
from zerosum.theory.densities import Gaussian
from zerosum.theory.identity import likelihood_identity
from zerosum.theory.nearest import kth_distance
from zerosum.theory.neighbours import cross_entropy, entropy, knn_kl
from zerosum.theory.samples import certified_kl, certified_kl_cap

JS_OF_UNIT_SHIFT = 0.1114214821847361797172368


def shifted(n: int, d: int, seed: int = 0, by: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, d)), rng.normal(size=(n, d))
    y[:, 0] += by
    return x, y


@pytest.mark.parametrize("d", [6, 10, 30])
@pytest.mark.parametrize("tails", [False, True])
def test_distances_are_exact(d: int, tails: bool) -> None:
    rng = np.random.default_rng(d)
    x, y = (rng.standard_cauchy((n, d)) if tails else rng.normal(size=(n, d)) for n in (700, 9000))
    y = 1e3 + y
    x = 1e3 + x
    brute = np.sqrt(np.sort([((y - event) ** 2).sum(1) for event in x], axis=1))
    np.testing.assert_allclose(kth_distance(x, y, 3), brute[:, 2], rtol=1e-12)
    own = np.sqrt(np.sort([((y - event) ** 2).sum(1) for event in y[:300]], axis=1))
    np.testing.assert_allclose(kth_distance(y, y, 3, skip_self=True)[:300], own[:, 3], rtol=1e-12)


def test_distances_of_clustered_points_are_exact() -> None:
    """Many points in few places, far from one another: single precision alone would not tell neighbours apart."""
    rng = np.random.default_rng(0)
    centres = 1e4 * rng.normal(size=(12, 8))
    y = centres[rng.integers(12, size=8000)] + 1e-2 * rng.normal(size=(8000, 8))
    brute = np.sqrt(np.sort([((y - event) ** 2).sum(1) for event in y[:200]], axis=1))
    np.testing.assert_allclose(kth_distance(y, y, 4, skip_self=True)[:200], brute[:, 4], rtol=1e-9)


@pytest.mark.parametrize("d", [1, 2])
def test_knn_kl_covers_the_truth_in_both_directions(d: int) -> None:
    """Within three errors nearly always, and the errors are those of the scatter."""
    forward, backward = [], []
    for seed in range(20):
        x, y = shifted(1500, d, seed)
        forward.append(knn_kl(x, y))
        backward.append(knn_kl(y, x))
    for found in (forward, backward):
        values, errors = np.array([[e.value, e.error] for e in found]).T
        assert np.mean(np.abs(values - 0.5) < 3 * errors + 0.03) >= 0.9
        assert 0.5 < errors.mean() / values.std() < 2.0


def test_knn_kl_tells_the_directions_apart() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=20_000), 2 * rng.normal(size=20_000)
    there, back = knn_kl(x, y), knn_kl(y, x)
    assert there.value == pytest.approx(0.3181471805599453, abs=0.05)
    assert abs(back.value - 0.8068528194400547) < 2 * back.error
    assert back.error < 0.1
    assert 0.6 < knn_kl(y, x, corrected=False).value < 0.75  # what is lost where x has no events


@pytest.mark.parametrize("d", [1, 3])
def test_entropies_of_gaussians(d: int) -> None:
    x, y = shifted(20_000, d)
    truth = d / 2 * np.log(2 * np.pi * np.e)
    assert entropy(x).value == pytest.approx(truth, abs=0.05)
    assert cross_entropy(x, y).value == pytest.approx(truth + 0.5, abs=0.06)


def test_likelihood_is_minus_entropy_minus_divergence() -> None:
    """<ln p_g>_data = -S - D_KL: an identity of the terms, and each term near its closed form."""
    data = np.random.default_rng(0).normal(size=(20_000, 2))
    for shift in (0.0, 1.0, 2.0):
        found = likelihood_identity(Gaussian([shift, 0.0], 1).log_prob(data), data)
        assert found.log_likelihood.value == pytest.approx(-found.entropy.value - found.kl.value, abs=1e-12)
        assert abs(found.kl.value - shift**2 / 2) < 4 * found.kl.error + 0.01
        assert abs(found.entropy.value - np.log(2 * np.pi * np.e)) < 4 * found.entropy.error + 0.01


def test_the_identity_in_other_coordinates_with_neighbours_among_further_events() -> None:
    """Six log-normal features x = exp(y), a density of x, neighbours of y: the terms are those of x, with less bias."""
    y = np.random.default_rng(0).normal(size=(21_000, 6))
    few, x = y[:1000], np.exp(y[:1000])
    log_prob = Gaussian(np.full(6, 0.5), 1).log_prob(few) - few.sum(1)
    plain = likelihood_identity(log_prob, x)
    found = likelihood_identity(log_prob, few, further=y[1000:], log_jacobian=-few.sum(1))
    entropy_of_x = 3 * np.log(2 * np.pi * np.e)
    assert found.log_likelihood.value == pytest.approx(-found.entropy.value - found.kl.value, abs=1e-12)
    assert abs(found.entropy.value - entropy_of_x) < 3 * found.entropy.error
    assert abs(found.kl.value - 6 * 0.5**2 / 2) < 3 * found.kl.error
    assert abs(found.kl.value - 0.75) < abs(plain.kl.value - 0.75)


def test_a_model_that_excludes_an_event_is_infinitely_far() -> None:
    data = np.random.default_rng(0).normal(size=500)
    log_prob = np.where(data > 3.0, -np.inf, -1.0)
    log_prob[0] = -np.inf
    found = likelihood_identity(log_prob, data)
    assert (found.log_likelihood.value, found.kl.value) == (-np.inf, np.inf)


def test_binned_js_is_unbiased_where_the_plug_in_is_not() -> None:
    """At p = q with K bins and n events each, the plug-in is (K-1)/4n on average, and the corrected value 0."""
    rng = np.random.default_rng(0)
    counts = rng.multinomial(1000, np.full(100, 0.01), (200, 2))
    assert plug_in_js(counts[:, 0], counts[:, 1]).mean() == pytest.approx(0.0248, rel=0.05)
    assert abs(corrected_js(counts[:, 0], counts[:, 1]).mean()) < 0.0012


def test_binned_js_covers() -> None:
    rng = np.random.default_rng(1)
    p, q = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.3, 0.3, 0.2, 0.2])
    truth = float(plug_in_js(p[None], q[None])[0])
    found = [js_of_counts(rng.multinomial(800, p), rng.multinomial(500, q)) for _ in range(200)]
    assert np.mean([i.lower <= truth <= i.upper for i in found]) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 200)
    pulls = np.array([(i.value - truth) / i.error for i in found])
    assert abs(pulls.mean()) < 0.3
    assert 0.8 < pulls.std() < 1.2


def test_binned_js_of_a_shift() -> None:
    x, y = shifted(50_000, 1)
    assert binned_js(x, y).value == pytest.approx(JS_OF_UNIT_SHIFT, abs=0.006)
    assert binned_js(np.arange(10) % 2, np.zeros(12)).value > 0.1


def test_a_divergence_beyond_ln_n_is_not_certified() -> None:
    assert certified_kl_cap(1000) == pytest.approx(6.907755)
    assert certified_kl(6.9, 1000) == 6.9
    with pytest.raises(InputError, match="cannot be certified by 1000 events"):
        certified_kl(7.0, 1000)


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (Gaussian(0, 1), np.zeros(100), "samples were expected"),
        (np.zeros((100, 2)), np.zeros((100, 3)), "2 features and y 3"),
        (np.zeros((100, 2)), np.zeros((100, 2)), "duplicates"),
        (np.arange(100.0), np.full(100, np.nan), "NaN"),
        (np.arange(10.0), np.arange(100.0), "41 events"),
        (np.zeros((4, 4, 4)), np.arange(100.0), "shape"),
    ],
)
def test_misuse_is_refused(x, y, words: str) -> None:
    with pytest.raises(InputError, match=words):
        knn_kl(x, y)


def test_duplicates_between_the_samples_are_refused() -> None:
    x = np.random.default_rng(0).normal(size=200)
    for y in (np.repeat(x, 10), x, np.append(x[:5], 1 + x)):
        with pytest.raises(InputError, match="duplicates in x and y together"):
            knn_kl(x, y)
    with pytest.raises(InputError, match="9 events are duplicates in x,"):
        knn_kl(np.append(np.full(9, 1.5), x), np.random.default_rng(1).normal(size=2000), k=5)
    assert np.isfinite(knn_kl(x, np.append(x[:2], np.random.default_rng(1).normal(size=200))).value)


def test_no_neighbour_is_refused() -> None:
    x, y = shifted(100, 1)
    with pytest.raises(InputError, match="k = 0"):
        knn_kl(x, y, k=0)
