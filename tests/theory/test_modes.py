"""The lecture's argument: forward KL covers, reverse KL seeks, and a model with enough peaks does neither."""

import numpy as np
import pytest

from zerosum.errors import InputError
from zerosum.theory.densities import Gaussian, Mixture
from zerosum.theory.exact import exact
from zerosum.theory.fdivergences import JENSEN_SHANNON, KL, REVERSE_KL
from zerosum.theory.modes import bimodal, fit_gaussian, fit_mixture
from zerosum.theory.tails import Cauchy

TARGET = bimodal(6.0)


def test_forward_kl_matches_moments_and_fills_the_gap() -> None:
    """Its minimum among Gaussians has the target's mean and variance (Bishop 2006, section 10.7)."""
    found = fit_gaussian(TARGET, KL)
    assert isinstance(found.fit, Gaussian)
    assert found.fit.mean[0] == pytest.approx(0, abs=1e-4)
    assert found.fit.covariance[0, 0] == pytest.approx(10, rel=1e-4)
    assert found.between > 10 * found.target_between
    assert found.missed == 0


def test_reverse_kl_seeks_one_peak_and_misses_the_other() -> None:
    found = fit_gaussian(TARGET, REVERSE_KL)
    assert isinstance(found.fit, Gaussian)
    assert abs(found.fit.mean[0]) == pytest.approx(3, abs=0.1)
    assert found.missed == pytest.approx(0.4773, abs=0.001)
    assert found.between < 2 * found.target_between


@pytest.mark.parametrize("row", [KL, REVERSE_KL, JENSEN_SHANNON], ids=lambda row: row.name)
def test_fits_are_minima_and_two_components_find_both_peaks(row) -> None:
    single, double = fit_gaussian(TARGET, row), fit_mixture(TARGET, row)
    assert exact(row, TARGET, single.fit).value == pytest.approx(single.value, abs=1e-8)
    for shift, scale in ((0.1, 1.0), (-0.1, 1.0), (0.0, 1.1), (0.0, 0.9)):
        other = Gaussian(single.fit.mean + shift, single.fit.covariance * scale)
        assert exact(row, TARGET, other).value > single.value
    assert double.value == pytest.approx(0, abs=1e-6)
    assert double.missed == 0
    assert double.between == pytest.approx(double.target_between, rel=0.01)


def test_a_third_peak_is_missed_by_reverse_kl_only() -> None:
    target = Mixture([Gaussian(c, 1) for c in (-10, 0, 10)])
    assert fit_mixture(target, KL).missed == 0
    assert fit_mixture(target, REVERSE_KL).missed > 0.3


def test_other_targets_are_refused() -> None:
    for target in (Mixture([Cauchy(0, 1)]), Mixture([Gaussian(np.zeros(2), 1)])):
        with pytest.raises(InputError, match="mixture of Gaussians in one dimension"):
            fit_gaussian(target, KL)
