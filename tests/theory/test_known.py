"""Intervals with both densities known cover as often as they say, and the control variate knows its limits."""

import numpy as np
import pytest

from zerosum.errors import InputError
from zerosum.theory.densities import Gaussian, Mixture, grid, ring
from zerosum.theory.exact import exact
from zerosum.theory.fdivergences import HELLINGER, JENSEN_SHANNON, KL, TOTAL_VARIATION, alpha
from zerosum.theory.known import bounded, kl_known, tail_index
from zerosum.theory.tails import Cauchy, StudentT, Uniform

CELLS = {
    "shift": (Gaussian(0, 1), Gaussian(1, 1)),
    "near": (Gaussian(0, 1), Gaussian(0.1, 1)),
    "far": (Gaussian(0, 1), Gaussian(5, 1)),
    "tails": (Cauchy(0, 1), Cauchy(1, 1)),
}


def covered(row, cell: str, repeats: int, n: int) -> float:
    p, q = CELLS[cell]
    truth = exact(row, p, q).value
    intervals = [bounded(row, p, q, n=n, seed=seed) for seed in range(repeats)]
    return float(np.mean([i.lower <= truth <= i.upper for i in intervals]))


@pytest.mark.parametrize(
    "row", [JENSEN_SHANNON, TOTAL_VARIATION, HELLINGER, alpha(0.3)], ids=lambda row: row.name
)
def test_bounded_interval_covers(row) -> None:
    assert covered(row, "shift", 40, 1000) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("row", [JENSEN_SHANNON, TOTAL_VARIATION, HELLINGER], ids=lambda row: row.name)
def test_bounded_interval_covers_over_200_repeats(row, cell: str) -> None:
    assert covered(row, cell, 200, 2000) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 200)


@pytest.mark.parametrize("cell", CELLS)
def test_kl_is_within_its_error_as_often_as_a_normal_is(cell: str) -> None:
    p, q = CELLS[cell]
    truth = exact(KL, p, q).value
    found = [kl_known(p, q, n=2000, seed=seed) for seed in range(200)]
    pulls = np.array([(e.value - truth) / e.error for e in found])
    assert np.mean(np.abs(pulls) < 1.96) >= 0.90
    assert np.std(pulls) < 1.25


def test_control_variate_helps_where_it_may() -> None:
    p, q = Gaussian(0, 1), Gaussian(0.1, 1)
    x = p.sample(20_000, np.random.default_rng(0))
    plain = (p.log_prob(x) - q.log_prob(x)).std() / np.sqrt(20_000)
    assert kl_known(p, q, n=20_000).error < plain / 5


def test_control_variate_is_left_out_where_its_variance_is_infinite() -> None:
    """χ²(q‖p) = inf for q = N(0, 4): e^w has no variance under p, and k1 alone must remain honest."""
    p, q = Gaussian(0, 1), Gaussian(0, 4)
    found = [kl_known(p, q, n=5000, seed=seed) for seed in range(100)]
    pulls = np.array([(e.value - 0.3181471805599453) / e.error for e in found])
    assert np.abs(pulls.mean()) < 0.4
    assert pulls.std() < 1.3


def test_a_hole_in_the_support_is_infinite_or_leaves_the_control_out() -> None:
    assert kl_known(Uniform(0, 2), Uniform(0, 1)).value == np.inf
    found = kl_known(Uniform(0, 1), Uniform(0, 2))
    assert found.value == pytest.approx(np.log(2))


def test_tail_index_finds_the_index() -> None:
    rng = np.random.default_rng(0)
    for k in (0.2, 0.5, 1.0):
        assert tail_index(rng.pareto(1 / k, 200_000) + 1) == pytest.approx(k, rel=0.15)
    assert tail_index(np.zeros(100)) == 0


def test_an_infinite_variance_is_reported() -> None:
    assert kl_known(StudentT(2.2), Gaussian(0, 1), n=50_000).error == np.inf


def test_unbounded_rows_are_refused() -> None:
    with pytest.raises(InputError, match="no finite bound"):
        bounded(KL, *CELLS["shift"])


@pytest.mark.parametrize(("density", "modes", "sigma"), [(ring(), 8, 0.01), (grid(), 25, 0.05)])
def test_ring_and_grid_are_as_defined(density: Mixture, modes: int, sigma: float) -> None:
    """A perfect sampler has 1 - exp(-9/2) = 98.89 % within three sigma, and all modes."""
    centres = np.array([c.mean for c in density.components if isinstance(c, Gaussian)])
    x = density.sample(20_000, np.random.default_rng(0))
    distance = np.linalg.norm(x[:, None] - centres, axis=2)
    assert len(np.unique(distance.argmin(1))) == modes
    assert (distance.min(1) < 3 * sigma).mean() == pytest.approx(1 - np.exp(-4.5), abs=0.004)
    entropy = np.log(modes) + 1 + np.log(2 * np.pi * sigma**2)
    assert -density.log_prob(x).mean() == pytest.approx(entropy, abs=0.05)
