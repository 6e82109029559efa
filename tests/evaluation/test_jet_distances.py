"""W1M and W1P: against SciPy, calibrated although the particles of a jet belong together, and honest."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from zerosum.data.events import Events, Feature
from zerosum.data.formats import load
from zerosum.data.jets import jet_mass
from zerosum.errors import InputError
from zerosum.evaluation.jet_distances import w1_as_published, w1m, w1p

RNG = np.random.default_rng(4)


def jets(n: int, m: int = 6, wide: float = 1.0) -> Events:
    """Jets whose particles share one width and one scale, so that they are far from independent."""
    width, scale = wide * RNG.gamma(4, 0.05, (n, 1, 1)), wide * RNG.gamma(4, 1, (n, 1, 1))
    points = np.concatenate(
        [width * RNG.normal(size=(n, m, 2)), scale * RNG.exponential(1, (n, m, 1))], axis=2
    )
    mask = np.arange(m) < RNG.integers(1, m + 1, n)[:, None]
    return Events(points, tuple(map(Feature, ("eta", "phi", "pt"))), "cloud", mask=mask)


def test_values_agree_with_scipy() -> None:
    x, y = jets(300), jets(200, wide=1.2)
    assert w1m(x, y, seed=0).value == pytest.approx(stats.wasserstein_distance(jet_mass(x), jet_mass(y)))
    each = [stats.wasserstein_distance(x.values[x.mask][:, i], y.values[y.mask][:, i]) for i in range(3)]
    assert w1p(x, y, seed=0).value == pytest.approx(np.mean(each))
    assert w1p(x, y, seed=0).n == (300, 200)


@pytest.mark.parametrize("metric", [w1m, w1p])
def test_p_values_are_uniform_and_the_null_is_right_where_nothing_differs(metric) -> None:
    found = [metric(jets(60), jets(90), seed=s) for s in range(200)]
    smeared = np.array([one.p_value for one in found]) - RNG.uniform(0, 1 / 200, 200)
    assert stats.kstest(smeared, "uniform").pvalue > 0.01
    values = np.array([one.value for one in found])
    assert values.mean() == pytest.approx(np.mean([one.null for one in found]), rel=0.06)
    assert 0.9 < np.mean([one.error for one in found]) / values.std() < 2.5  # never too small


@pytest.mark.parametrize("metric", [w1m, w1p])
def test_errors_are_the_scatter_of_repeats(metric) -> None:
    found = [metric(jets(150), jets(150, wide=2.0), seed=s) for s in range(120)]
    assert np.mean([one.error for one in found]) == pytest.approx(
        np.std([one.value for one in found]), rel=0.3
    )


def test_broader_jets_are_seen_and_broader_still_are_farther() -> None:
    reference = jets(1500)
    for metric in (w1m, w1p):
        same, near, far = (metric(reference, jets(1500, wide=wide), seed=1) for wide in (1, 1.3, 1.6))
        assert near.p_value == far.p_value == 0.005 < same.p_value
        assert same.value < near.value < far.value


def test_w_jets_are_far_from_qcd_jets(shared: Path) -> None:
    w, qcd = (load(shared / f"jets_{name}.h5", max_events=1600) for name in ("w", "qcd"))
    halves = w.take(slice(800)), w.take(slice(800, None))
    for metric in (w1m, w1p):
        assert metric(w, qcd, seed=0).value > 5 * metric(*halves, seed=0).value
        assert metric(*halves, seed=0).p_value > 0.005 == metric(w, qcd, seed=0).p_value


def test_as_published_the_null_is_not_zero_within_its_error() -> None:
    mass, particles = w1_as_published(jets(400), jets(400), seed=0, batch=400)
    assert (mass.name, particles.name) == ("W1M as published", "W1P as published")
    assert mass.value > 2 * mass.error
    assert mass.null is mass.p_value is None


def test_masked_particles_and_further_entries_do_not_matter() -> None:
    x, y = jets(80), jets(70)
    dirty = replace(x, values=np.where(x.mask[..., None], x.values, 99.0))
    more = Events(
        np.concatenate([x.values[..., ::-1], x.values[..., :1]], 2),
        tuple(map(Feature, ("pt", "phi", "eta", "charge"))),
        "cloud",
        mask=x.mask,
    )
    for metric in (w1m, w1p):
        assert metric(dirty, y, seed=0) == metric(x, y, seed=0)
        assert metric(more, y, seed=0).value == pytest.approx(metric(x, y, seed=0).value)


def test_what_are_no_jets_is_refused() -> None:
    x = jets(10)
    table, weighted = Events.table(np.ones((5, 3))), replace(x, weights=np.ones(10))
    for other in (table, weighted, x.select(["eta", "pt"]), replace(x, mask=np.zeros((10, 6), bool))):
        with pytest.raises(InputError, match="generated sample is no sample of jets"):
            w1m(x, other, seed=0)
