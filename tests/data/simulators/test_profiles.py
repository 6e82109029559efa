"""The parametrisation: its densities are normalised, its draws have the moments it states."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import gamma

from zerosum.data.calorimeters import LEAD_ARGON, LEAD_TUNGSTATE, TUNGSTEN_SILICON
from zerosum.data.simulators import profiles

MATERIALS = [LEAD_TUNGSTATE, LEAD_ARGON, TUNGSTEN_SILICON]


def test_the_longitudinal_profile_is_a_gamma_distribution_with_its_maximum_at_t_max() -> None:
    shape = profiles.Longitudinal(np.array([4.0]), np.array([6.0]))
    for depth in (0.0, 2.0, 6.0, 30.0):
        expected = gamma.cdf(depth, a=4.0, scale=6.0 / 3.0)
        assert shape.cumulative(np.array([depth]))[0] == pytest.approx(expected, abs=1e-14)
    depths = np.linspace(0.01, 20, 4001)
    steps = np.diff([shape.cumulative(np.array([t]))[0] for t in depths])
    assert depths[steps.argmax()] == pytest.approx(6.0, abs=0.01)


def test_homogeneous_means_follow_the_appendix() -> None:
    mean = profiles.mean_shape(np.array([7.0]), LEAD_TUNGSTATE)
    assert mean.t_max[0] == pytest.approx(7.0 - 0.858)
    assert mean.alpha[0] == pytest.approx(0.21 + (0.492 + 2.38 / 68.4) * 7.0)


@pytest.mark.parametrize("material", MATERIALS, ids=lambda m: m.name)
def test_drawn_shapes_have_the_stated_moments(material) -> None:
    n, ln_y = 100_000, 9.0
    shape = profiles.draw_shape(np.random.default_rng(1), np.full(n, ln_y), material)
    numbers = profiles.fluctuations(material)
    ln_alpha, ln_t = profiles.mean_log_shape(np.array([ln_y]), material)
    sigma_alpha = 1 / (numbers.sigma_alpha[0] + numbers.sigma_alpha[1] * ln_y)
    sigma_t = 1 / (numbers.sigma_t[0] + numbers.sigma_t[1] * ln_y)
    a, t = np.log(shape.alpha), np.log(shape.t_max)
    assert a.mean() == pytest.approx(ln_alpha[0], abs=5 * sigma_alpha / n**0.5)
    assert t.mean() == pytest.approx(ln_t[0], abs=5 * sigma_t / n**0.5)
    assert a.std() == pytest.approx(sigma_alpha, rel=0.015)
    assert t.std() == pytest.approx(sigma_t, rel=0.015)
    assert np.corrcoef(a, t)[0, 1] == pytest.approx(numbers.rho[0] + numbers.rho[1] * ln_y, abs=0.01)


def test_no_shower_is_drawn_without_a_maximum() -> None:
    shape = profiles.draw_shape(np.random.default_rng(2), np.full(20_000, 3.0), LEAD_ARGON)
    assert shape.alpha.min() > profiles.ALPHA_MIN
    assert shape.t_max.min() > 0


@pytest.mark.parametrize("material", MATERIALS, ids=lambda m: m.name)
def test_the_radial_profile_is_positive_and_widens_behind_the_maximum(material) -> None:
    tau = np.linspace(0, 8, 81)
    for energy in (0.3, 10.0, 4000.0):
        radial = profiles.radial(tau, np.full(81, energy), material)
        assert (radial.core > 0).all()
        assert (radial.tail > radial.core).all()
        assert (np.diff(radial.core) >= 0).all()
        assert ((radial.weight >= 0) & (radial.weight <= 1)).all()
        late = (tau >= 2) & (tau <= profiles.TAU_MAX)
        assert (np.diff(radial.tail[late]) > 0).all()
        assert radial.weight[late][-1] < radial.weight[10]  # tau = 1: the core fades with depth


def test_spots_lie_before_the_energy_and_their_number_grows_with_it() -> None:
    shape = profiles.Longitudinal(np.array([4.0, 4.0]), np.array([6.0, 6.0]))
    for material in MATERIALS:
        number, spots = profiles.spots(shape, np.array([1.0, 100.0]), material)
        assert 30 < number[1] / number[0] < 100
        mean = quad(lambda t, s=spots: 1 - s.cumulative(np.array([t]))[0], 0, 200)[0]
        assert 4.0 < mean < 8.5  # the energy's mean depth is alpha T / (alpha - 1) = 8
