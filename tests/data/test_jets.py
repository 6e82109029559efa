"""Jet images keep what they should, and the W's mass is where it should be."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zerosum.data.events import Events, Feature
from zerosum.data.formats import load
from zerosum.data.jets import jet_images, jet_mass
from zerosum.errors import InputError

RNG = np.random.default_rng(5)


def jets(points: np.ndarray, mask: np.ndarray | None = None, unit: str = "GeV") -> Events:
    features = (Feature("eta"), Feature("phi"), Feature("pt", unit))
    return Events(points, features, "cloud", mask=np.ones(points.shape[:2], bool) if mask is None else mask)


def some_jets(n: int = 300, m: int = 20) -> Events:
    points = np.concatenate([RNG.normal(0, 0.15, (n, m, 2)), RNG.exponential(10, (n, m, 1))], axis=2)
    return jets(points, np.arange(m) < RNG.integers(2, m + 1, n)[:, None])


def test_the_sum_of_the_pixels_is_the_sum_of_the_particles() -> None:
    events = some_jets()
    images = jet_images(events, side=9, radius=5.0)
    assert (images.kind, images.event_shape, images.features) == ("grid", (1, 9, 9), (Feature("pt", "GeV"),))
    np.testing.assert_allclose(images.flat().sum(1), (events.values[..., 2] * events.mask).sum(1))


def test_two_particles_land_where_they_should() -> None:
    # Equal p at (±0.3, 0) about a centre of (1, 2): pixels of width 0.4 with centres ±0.2, ±0.6.
    images = jet_images(jets(np.array([[[1.3, 2.0, 5.0], [0.7, 2.0, 5.0]]])), side=4, radius=0.8)
    assert images.values[0, 0, [1, 2], 2].tolist() == [5.0, 5.0]
    assert images.values.sum() == 10


def test_turning_makes_the_image_independent_of_the_jets_direction() -> None:
    events = some_jets()
    angle = RNG.uniform(0, 2 * np.pi, (len(events), 1))
    eta, phi, pt = np.moveaxis(events.values, -1, 0)
    turned = [
        eta * np.cos(angle) - phi * np.sin(angle) + 3,
        eta * np.sin(angle) + phi * np.cos(angle) - 1,
        pt,
    ]
    before = jet_images(events, side=4, turn=True).values
    after = jet_images(replace(events, values=np.stack(turned, -1)), side=4, turn=True).values
    np.testing.assert_allclose(after, before, atol=1e-8)
    spread = (before.sum(axis=(0, 1, 2)) * np.array([9, 1, 1, 9])).sum()
    assert spread > (before.sum(axis=(0, 1, 3)) * np.array([9, 1, 1, 9])).sum()


def test_the_mass_of_two_massless_particles() -> None:
    # m² = 2 p1 p2 (cosh Δη - cos Δφ)
    points = np.array([[[0.4, 1.0, 30.0], [-0.1, 1.5, 50.0]]])
    expected = np.sqrt(2 * 30 * 50 * (np.cosh(0.5) - np.cos(0.5)))
    assert jet_mass(jets(points)) == pytest.approx(expected)
    assert jet_mass(jets(points + np.array([2.0, -1.0, 0.0])), jet_pt=[3.0]) == pytest.approx(3 * expected)
    assert jet_mass(jets(points[:, :1])) == pytest.approx(0, abs=1e-5)


def test_fine_images_have_the_mass_of_their_clouds() -> None:
    events = some_jets(50)
    fine = jet_images(events, side=400, radius=1.5)
    masses = jet_mass(events)
    np.testing.assert_allclose(jet_mass(fine), masses, rtol=0, atol=0.03 * masses.mean())


def test_the_w_peaks_at_its_mass(shared: Path) -> None:
    events = load(shared / "jets_w.h5", conditions=["pt", "mass"], max_events=5000)
    pt, mass = events.column("pt"), events.column("mass")

    def peak(values: np.ndarray) -> float:
        counts, edges = np.histogram(values, 30, (50, 110))
        return float(edges[counts.argmax()] + 1)

    from_points = jet_mass(events, pt)
    assert np.median(np.abs(from_points / mass - 1)) < 0.05
    assert abs(peak(from_points) - 80.4) < 5
    assert abs(peak(jet_mass(jet_images(events), pt)) - 80.4) < 6


def test_refusals() -> None:
    with pytest.raises(InputError, match="are a table"):
        jet_images(Events.table(np.ones((3, 2))))
    with pytest.raises(InputError, match="need one phi"):
        jet_images(some_jets().select(["eta", "pt"]))
    with pytest.raises(InputError, match="side is 1"):
        jet_images(some_jets(), side=1)
    with pytest.raises(InputError, match="radius"):
        jet_mass(Events.grid(np.ones((3, 4, 4))))
