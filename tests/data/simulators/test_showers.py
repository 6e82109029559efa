"""Showers against textbook values and against the formulas they are drawn from."""

import numpy as np
import pytest

from zerosum.data.calorimeters import LEAD_ARGON, LEAD_TUNGSTATE, atlas_like
from zerosum.data.geometry import Geometry, Layer, Rings
from zerosum.data.simulators import SOURCES, showers, simulate_showers
from zerosum.data.simulators.profiles import mean_shape
from zerosum.errors import InputError

EVERYWHERE = Rings((0, 1e6))
DEPTH = Geometry(
    "depth", LEAD_TUNGSTATE, tuple(Layer(t, t + 0.5, EVERYWHERE) for t in np.arange(0.0, 60.0, 0.5).tolist())
)
CENTRES = np.arange(0.25, 60.0, 0.5)


def profile(geometry: Geometry, energy: float, **options: object) -> np.ndarray:
    """The mean share of the energy in each voxel."""
    settings = {"discrete": True, "threshold": 0.0, "particle": "electron", "seed": 3} | options
    events = simulate_showers(2000, geometry=geometry, energies=(energy,), **settings)
    return events.flat().mean(axis=0, dtype=np.float64) / energy


def peak(shares: np.ndarray) -> float:
    """The depth of the maximum, by a parabola through the five highest points."""
    near = shares.argmax() + np.arange(-3, 4)
    square, slope, _ = np.polyfit(CENTRES[near], shares[near], 2)
    return -slope / (2 * square)


@pytest.mark.parametrize("energy", [1e3, 1e4, 1e5, 1e6])
@pytest.mark.parametrize(("particle", "constant"), [("electron", -0.5), ("photon", 0.5)])
def test_the_maximum_lies_at_ln_y_plus_c(energy, particle, constant) -> None:
    ln_y = np.log(energy / LEAD_TUNGSTATE.critical_energy)  # PDG, Passage of particles through matter
    assert peak(profile(DEPTH, energy, particle=particle)) == pytest.approx(ln_y + constant, abs=0.5)


@pytest.mark.parametrize("energy", [1e3, 1e4, 1e5, 1e6])
def test_the_mean_profile_in_depth_is_that_of_the_paper(energy) -> None:
    shares = profile(DEPTH, energy)
    shape = mean_shape(np.log([energy / LEAD_TUNGSTATE.critical_energy]), LEAD_TUNGSTATE)
    truth = np.diff([shape.cumulative(np.array([t]))[0] for t in np.arange(0.0, 60.1, 0.5)])
    depth = (shares * CENTRES).sum() / shares.sum()
    assert depth == pytest.approx(shape.alpha[0] * shape.t_max[0] / (shape.alpha[0] - 1), abs=0.15)
    assert (
        np.abs(shares - truth).sum() / 2 < 0.03
    )  # total variation; the paper's own fits differ by this much


@pytest.mark.parametrize("energy", [1e4, 1e5])
@pytest.mark.parametrize("material", [LEAD_TUNGSTATE, LEAD_ARGON], ids=lambda m: m.name)
def test_ninety_percent_lie_within_a_moliere_radius_and_ninety_five_within_two(material, energy) -> None:
    radii = np.arange(0.0, 6.01, 0.1)
    rings = Rings(tuple((radii * material.moliere_radius).tolist()))
    inside = profile(Geometry("rings", material, (Layer(0, 30, rings),)), energy).cumsum()
    assert np.interp(0.9, inside, radii[1:]) == pytest.approx(1.0, abs=0.2)
    assert inside[19] == pytest.approx(0.95, abs=0.02)


def test_energy_is_conserved_in_a_crystal_that_holds_it_all() -> None:
    events = simulate_showers(1000, geometry=DEPTH, threshold=0.0, seed=5)
    total = events.flat().sum(axis=1, dtype=np.float64)
    assert (total <= events.column("incident_energy") * (1 + 1e-5)).all()
    assert total.sum() / events.column("incident_energy").sum() == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("name", ["front-view", "side-view", "volume"])
def test_no_more_comes_out_than_goes_in(name) -> None:
    events = simulate_showers(500, geometry=name, seed=6)
    total = events.flat().sum(axis=1, dtype=np.float64)
    assert (total <= events.column("incident_energy") * (1 + 1e-5)).all()
    assert (events.values >= 0).all()


def test_a_sampling_calorimeter_is_linear_with_resolution_c_over_root_e() -> None:
    tower = Geometry("tower", LEAD_ARGON, (Layer(0, 60, EVERYWHERE),))
    for energy in (1e3, 1e4, 1e5):
        settings = {"discrete": True, "threshold": 0.0, "seed": 7}
        events = simulate_showers(4000, geometry=tower, energies=(energy,), **settings)
        response = events.flat()[:, 0].astype(np.float64) / energy
        resolution = LEAD_ARGON.stochastic / (energy / 1000) ** 0.5
        assert response.mean() == pytest.approx(1.0, abs=0.002 + 5 * resolution / 4000**0.5)
        assert response.std() == pytest.approx(resolution, rel=0.1)


def test_voxels_are_exactly_zero_or_above_the_threshold_and_fill_with_energy() -> None:
    empty = []
    for energy in (1e3, 1e4, 1e5):
        values = simulate_showers(300, energies=(energy,), discrete=True, threshold=1.0).values
        assert ((values == 0) | (values >= 1.0)).all()
        empty.append((values == 0).mean())
    assert empty == sorted(empty, reverse=True)
    assert empty[0] > 0.7
    assert empty[-1] > 0.1


@pytest.mark.parametrize("mean_spots", [0.01, 0.5, 4.0, 60.0])
def test_spots_are_binomial_and_conserve_the_dose(mean_spots) -> None:
    n, shares = 100_000, np.array([0.3, 0.5])  # and 0.2 outside
    rng = np.random.default_rng(9)
    dose = np.full(n, 2.0)
    shared = showers.scatter(rng, dose, np.full(n, mean_spots), np.tile(shares, (n, 1))) / 2.0
    one_over = (1 / np.maximum(rng.poisson(mean_spots, n), 1)).mean()
    np.testing.assert_allclose(shared.mean(axis=0), shares, atol=5 * 0.5 / n**0.5)
    np.testing.assert_allclose(shared.var(axis=0), shares * (1 - shares) * one_over, rtol=0.03)
    assert shared.sum(axis=1).max() <= 1 + 1e-12


def test_thinner_slices_change_nothing_that_can_be_seen(monkeypatch) -> None:
    radii = tuple((LEAD_ARGON.moliere_radius * np.arange(0.0, 4.1, 0.5)).tolist())
    tower = Geometry("tower", LEAD_ARGON, (Layer(0, 30, Rings(radii)),))
    coarse = profile(tower, 1e5).cumsum()
    monkeypatch.setattr(showers, "SLICE", 0.5)
    np.testing.assert_allclose(profile(tower, 1e5).cumsum(), coarse, atol=0.004)


def test_sectors_share_equally() -> None:
    values = simulate_showers(2000, energies=(1e4,), discrete=True, seed=8).values
    first, last = atlas_like().offsets[2:4]
    sectors = values[:, first:last].reshape(2000, 10, 19).sum(axis=2, dtype=np.float64).mean(axis=0)
    np.testing.assert_allclose(sectors / sectors.mean(), 1.0, atol=0.02)


def test_the_energies_of_dataset_1_are_all_within_reach() -> None:
    for energy in 2.0 ** np.arange(8, 23):
        values = simulate_showers(250, energies=(energy,), discrete=True, seed=9).flat().astype(np.float64)
        response = values.sum(axis=1) / energy
        assert np.isfinite(values).all()
        assert 0.85 < response.mean() < 1.0
        assert response.std() < 0.02 + 1.3 * LEAD_ARGON.stochastic / (energy / 1000) ** 0.5


def test_energies_are_log_uniform_or_as_given() -> None:
    log = np.log(simulate_showers(3000, geometry="front-view", energies=(1e3, 1e5)).column("incident_energy"))
    assert log.mean() == pytest.approx(np.log(1e4), abs=0.1)
    assert log.std() == pytest.approx(np.log(100) / 12**0.5, rel=0.05)
    given = simulate_showers(200, energies=(1024, 4096, 65536), discrete=True).column("incident_energy")
    assert set(given) == {1024, 4096, 65536}


def test_the_events_depend_on_the_seed_alone() -> None:
    source = SOURCES["showers"]
    whole = simulate_showers(2500, seed=4)
    parts = list(source.stream(2500, 4, chunk=1000))
    assert [len(part) for part in parts] == [1000, 1000, 500]
    assert np.array_equal(np.concatenate([part.values for part in parts]), whole.values)
    assert simulate_showers(700, seed=4).digest() == whole.take(slice(0, 700)).digest()
    assert simulate_showers(700, seed=5).digest() != simulate_showers(700, seed=4).digest()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"particle": "pion"}, "photon"),
        ({"energies": (1.0, 1e4)}, "215 MeV"),
        ({"energies": (1e4, 1e3)}, "low, high"),
        ({"energies": (float("nan"), 1e4)}, "low, high"),
        ({"energies": (), "discrete": True}, "215 MeV"),
        ({"threshold": -1.0}, "threshold"),
        ({"geometry": "nowhere"}, "atlas-like"),
        ({"seed": -1}, "seed"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_drawn(options, message) -> None:
    with pytest.raises(InputError, match=message):
        simulate_showers(10, **options)
