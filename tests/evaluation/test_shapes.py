"""Observables of lattices, deposits and jets: by hand, by brute force, and on real W and QCD jets."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from zerosum.data.events import Events, Feature
from zerosum.data.formats import load, save
from zerosum.evaluation.compare import compare
from zerosum.evaluation.critics import Polynomial
from zerosum.evaluation.observables import observed_pair, with_observables
from zerosum.evaluation.shapes import shapes
from zerosum.evaluation.streaming import compare_files

RNG = np.random.default_rng(2)


def jets(points: np.ndarray, mask: np.ndarray | None = None) -> Events:
    features = (Feature("eta_rel"), Feature("phi_rel"), Feature("pt", "GeV"))
    return Events(points, features, "cloud", mask=np.ones(points.shape[:2], bool) if mask is None else mask)


def some_jets(n: int = 40, m: int = 8) -> Events:
    points = np.concatenate([RNG.normal(0, 0.3, (n, m, 2)), RNG.exponential(10, (n, m, 1))], axis=2)
    return jets(points, np.arange(m) < RNG.integers(3, m + 1, n)[:, None])


def named(events: Events, like: Events | None = None) -> dict[str, np.ndarray]:
    values, features = shapes(events, events if like is None else like)
    return {feature.name: values[:, i] for i, feature in enumerate(features)}


def test_ordered_lattices_by_hand() -> None:
    up, stripes = np.ones((8, 8)), np.tile([1.0, -1.0], (8, 4))
    found = named(Events.grid(np.stack([up, -up, stripes])))
    expected = {
        "magnetisation": [1, -1, 0],
        "|magnetisation|": [1, 1, 0],
        "energy per site": [-2, -2, 0],  # stripes: neighbours agree along one axis, differ along the other
        "correlation at 2": [1, 1, 1],
        "correlation at 4": [1, 1, 1],
    }
    assert {name: values.tolist() for name, values in found.items()} == expected


def test_the_energy_of_a_lattice_is_the_sum_over_bonds() -> None:
    spins = RNG.choice([-1.0, 1.0], (5, 6, 6))
    bonds = sum(
        spins[:, i, j] * (spins[:, (i + 1) % 6, j] + spins[:, i, (j + 1) % 6])
        for i in range(6)
        for j in range(6)
    )
    np.testing.assert_allclose(named(Events.grid(spins))["energy per site"], -bonds / 36)


def test_deposits_by_hand() -> None:
    image = np.zeros((3, 1, 5, 4))
    image[0, 0, 1, 2] = 3  # one cell: centre (1 - 2, 2 - 1.5)
    image[1, 0, [0, 4], 0] = 1, 3
    values, features = shapes(Events.grid(image, unit="MeV"), Events.grid(image))
    assert features[0] == Feature("total", "MeV")
    expected = [
        [3, 1 / 20, 1, -1, 0, 0.5, 0],
        [4, 2 / 20, 3 / 4, 1, np.sqrt(3), -1.5, 0],  # variance: 16 * 1/4 * 3/4
        [0, 0, 0, 0, 0, 0, 0],
    ]
    np.testing.assert_allclose(values, expected, atol=1e-12)


def test_the_reference_decides_which_observables_there_are() -> None:
    spins, tame = Events.grid(RNG.choice([-1.0, 1.0], (9, 4, 4))), Events.grid(np.full((9, 4, 4), 0.5))
    assert list(named(tame, spins)) == list(named(spins))
    assert named(tame, spins)["magnetisation"].tolist() == [0.5] * 9
    assert "total" in named(spins, tame)


def test_channels_are_told_apart() -> None:
    events = Events.grid(RNG.uniform(size=(5, 2, 3, 3)), names=("ecal", "hcal"))
    found = named(events)
    np.testing.assert_allclose(found["total(hcal)"], events.values[:, 1].sum((1, 2)))
    assert len(found) == 14


def test_two_particles_have_closed_forms() -> None:
    found = named(jets(np.array([[[0.4, 0.0, 30.0], [-0.2, 0.0, 10.0]]])))
    z, distance = 0.75, 0.6
    assert found["girth"] == pytest.approx(2 * z * (1 - z) * distance)  # both particles about their centre
    assert found["tau21"] == pytest.approx(0, abs=1e-12)
    assert found["C2"] == pytest.approx(0, abs=1e-12)
    assert found["jet mass"] == pytest.approx(np.sqrt(2 * 30 * 10 * (np.cosh(0.6) - 1)))
    assert (found["particles"], found["jet pt"]) == (2, pytest.approx(40))


def test_energy_correlations_by_brute_force() -> None:
    events = some_jets()
    expected = []
    for points, mask in zip(events.values, events.mask, strict=True):
        z, at = points[mask, 2] / points[mask, 2].sum(), points[mask, :2]
        r = np.hypot(*(at[:, None] - at).transpose(2, 0, 1))
        e2 = sum(z[i] * z[j] * r[i, j] for i, j in combinations(range(len(z)), 2))
        e3 = sum(
            np.prod(z[[*t]]) * r[t[0], t[1]] * r[t[1], t[2]] * r[t[2], t[0]]
            for t in combinations(range(len(z)), 3)
        )
        expected.append(e3 / e2**2)
    np.testing.assert_allclose(named(events)["C2"], expected)


def test_jets_do_not_depend_on_order_padding_direction_or_scale() -> None:
    events = some_jets(200)
    order = RNG.permutation(events.values.shape[1])
    shuffled = replace(events, values=events.values[:, order], mask=events.mask[:, order])
    dirty = replace(events, values=np.where(events.mask[..., None], events.values, -99.0))
    turned = replace(events, values=events.values + np.array([1.0, np.pi, 0]))
    scaled = replace(events, values=events.values * np.array([1.0, 1.0, 7.0]))
    before = named(events)
    assert before["tau21"].max() <= 1 + 1e-9
    for other in (shuffled, dirty, turned, scaled):
        after = named(other)
        for name in ("particles", "girth", "tau21", "C2"):
            np.testing.assert_allclose(after[name], before[name], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(named(scaled)["jet mass"], 7 * before["jet mass"], rtol=1e-6)


def test_empty_jets_and_no_events_have_values() -> None:
    empty = jets(np.ones((3, 4, 3)), np.zeros((3, 4), bool))
    assert all((values == 0).all() for values in named(empty).values())
    assert shapes(some_jets().take(slice(0)), empty)[0].shape == (0, 6)


def test_w_jets_have_two_prongs_and_the_mass_of_the_w(shared: Path) -> None:
    w, qcd = (
        load(shared / f"jets_{name}.h5", conditions=["pt", "mass"], max_events=4000) for name in ("w", "qcd")
    )
    pair = observed_pair(w, qcd)
    assert pair is not None
    features, first, second = pair
    names = [feature.name for feature in features]
    column = {name: (first[:, i], second[:, i]) for i, name in enumerate(names)}
    counts, edges = np.histogram(column["jet mass"][0] * w.column("pt"), 30, (50, 110))
    assert edges[counts.argmax()] + 1 == pytest.approx(80.4, abs=5)
    for name in ("tau21", "C2"):
        assert np.median(column[name][0]) < np.median(column[name][1])


@pytest.mark.parametrize("streamed", [False, True])
def test_the_critics_see_them(tmp_path: Path, *, streamed: bool) -> None:
    """Spins that come in equal pairs have the same magnetisation as single ones, and another energy."""
    spins = RNG.choice([-1.0, 1.0], (2, 800, 4, 8)).astype(np.float32)
    single, paired = Events.grid(spins[0]), Events.grid(np.repeat(spins[1][:, :, ::2], 2, axis=2))
    blind = (Polynomial("linear", 1),)
    if streamed:
        save(single, tmp_path / "single.h5")
        save(paired, tmp_path / "paired.h5")
        found = compare_files(tmp_path / "single.h5", tmp_path / "paired.h5", critics=blind, chunk=300)
    else:
        found = compare(single, paired, critics=blind)
    assert {"magnetisation", "|magnetisation|", "energy per site", "correlation at 2"} <= set(found.columns)
    assert found.jensen_shannon.lower > 0.1
    assert {one.name for one in found.features} >= set(found.columns[1:])


def test_shapes_stand_behind_what_was_given() -> None:
    events = replace(some_jets(), conditions=np.zeros((40, 1)), condition_features=(Feature("girth"),))
    seen = with_observables(events, like=events)
    assert seen.condition_names == ["girth", "particles", "jet mass", "jet pt", "tau21", "C2"]
    assert with_observables(events) is events
    table = Events.table(np.zeros((3, 1)))
    assert shapes(table, table)[0].shape == (3, 0)
