"""Pairs of muons: masses as stated, acceptance kept, decay angles and momenta as written down."""

import numpy as np
import pytest

from zerosum.data.simulators.dimuon import (
    HIGHEST,
    LOWEST,
    MASS,
    WIDTH,
    _decay_cosines,
    _masses,
    _muons,
    stream_dimuon,
)


def invariant_mass(pairs: np.ndarray) -> np.ndarray:
    pt1, eta1, phi1, pt2, eta2, phi2 = pairs.T.astype(np.float64)
    return np.sqrt(2 * pt1 * pt2 * (np.cosh(eta1 - eta2) - np.cos(phi1 - phi2)))


def test_every_event_is_accepted_and_named() -> None:
    events = next(stream_dimuon(2000, seed=1))
    assert events.names == ["pt1", "eta1", "phi1", "pt2", "eta2", "phi2"]
    assert [feature.unit for feature in events.features] == ["GeV", "", "", "GeV", "", ""]
    assert events.values[:, [0, 3]].min() > 20
    assert np.abs(events.values[:, [1, 4]]).max() < 2.4


def test_masses_follow_the_breit_wigner() -> None:
    """Within the window, the fraction of resonant masses below M - G/2 is what the arctangent says."""
    masses = _masses(np.random.default_rng(0), 200_000)
    low, high = (np.arctan(2 * (edge - MASS) / WIDTH) for edge in (LOWEST, HIGHEST))
    resonance = (-np.pi / 4 - low) / (high - low)
    slope = 25.0
    continuum = (1 - np.exp(-(MASS - WIDTH / 2 - LOWEST) / slope)) / (1 - np.exp(-(HIGHEST - LOWEST) / slope))
    expected = 0.9 * resonance + 0.1 * continuum
    assert np.mean(masses < MASS - WIDTH / 2) == pytest.approx(expected, abs=4 * np.sqrt(expected / 200_000))
    assert masses.min() >= LOWEST
    assert masses.max() <= HIGHEST


def test_without_smearing_the_columns_carry_the_mass() -> None:
    """Smearing of 1.5 % on both momenta widens the peak by 91 GeV x 0.015 / sqrt 2 = 0.97 GeV, and moves it little."""
    mass = invariant_mass(_muons(np.random.default_rng(0), 100_000))
    assert np.median(mass) == pytest.approx(91.05, abs=0.15)


def test_decay_angles_have_the_moments_of_their_density() -> None:
    """With density 3/8 (1 + c^2): <c> = 0, <c^2> = 2/5, <c^4> = 9/35."""
    cosine = _decay_cosines(np.random.default_rng(0), 400_000)
    for power, expected in ((1, 0.0), (2, 2 / 5), (4, 9 / 35)):
        assert np.mean(cosine**power) == pytest.approx(expected, abs=0.004)


def test_the_first_events_do_not_depend_on_how_many_are_asked_for() -> None:
    few, many = next(stream_dimuon(100, seed=3)), next(stream_dimuon(700, seed=3))
    np.testing.assert_array_equal(few.values, many.values[:100])
