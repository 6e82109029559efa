"""Observables of voxels: by hand, by symmetry, and on simulated showers of known energy and depth."""

from dataclasses import replace

import numpy as np
import pytest

from zerosum.data.calorimeters import GEOMETRIES, geometry
from zerosum.data.events import Events, Feature
from zerosum.data.simulators.showers import simulate_showers
from zerosum.data.voxels import middles
from zerosum.evaluation.calorimeter import calorimeter
from zerosum.evaluation.observables import observed_pair, with_observables


def deposits(energy: np.ndarray, name: str = "atlas-like") -> Events:
    columns = [f"voxel_{i}" for i in range(energy.shape[1])]
    return Events.table(energy, columns, ["MeV"] * len(columns), attributes={"geometry": name})


def named(events: Events, like: Events | None = None) -> dict[str, np.ndarray]:
    found = calorimeter(events, events if like is None else like)
    return {feature.name: values for feature, values in found.items()}


@pytest.mark.parametrize("name", GEOMETRIES)
def test_every_voxel_has_a_finite_place_and_all_together_are_centred(name: str) -> None:
    places = depth, eta, phi, distance = middles(geometry(name).layers)
    assert [len(one) for one in places] == [geometry(name).n_voxels] * 4
    assert np.isfinite(places).all()
    assert (distance >= np.hypot(eta, phi) - 1e-9).all()
    assert np.abs([eta.mean(), phi.mean()]).max() < 1e-9
    assert (np.diff(depth) >= 0).all()


def test_one_voxel_of_a_segmented_layer_by_hand() -> None:
    """Layer 1 of atlas-like: 16 rings, 10 sectors; voxel 8 + 16 * 2 + 3 is ring 3 in sector 2, at 2 pi 2.5 / 10."""
    energy = np.zeros((2, 368))
    energy[0, 8 + 16 * 2 + 3] = 5.0
    found = named(deposits(energy))
    layer = geometry("atlas-like").layers[1]
    radius = np.mean(layer.face.r_edges[3:5])
    expected = {
        "total": 5,
        "occupancy": 1 / 368,
        "depth": (layer.start + layer.stop) / 2,
        "depth spread": 0,
        "centre eta": 0,  # the middle of sector 2 of 10 points along phi
        "centre phi": radius,
        "distance": radius,
        "layer 1": 5,
        "layer 0": 0,
    }
    for name, value in expected.items():
        assert found[name][0] == pytest.approx(value, abs=1e-9), name
    assert all(values[1] == 0 for values in found.values())


def test_rings_without_sectors_have_a_distance_and_no_direction() -> None:
    """Layer 0 of atlas-like has 8 rings in one sector."""
    _, eta, phi, distance = (one[:8] for one in middles(geometry("atlas-like").layers))
    edges = np.array(geometry("atlas-like").layers[0].face.r_edges)
    np.testing.assert_allclose(distance, (edges[1:] + edges[:-1]) / 2)
    assert not np.any([eta, phi])


def test_the_layers_add_up_and_harder_showers_reach_deeper() -> None:
    soft, hard = (simulate_showers(300, seed=1, energies=(e, 1.001 * e)) for e in (2e3, 5e5))
    found = named(hard)
    layers = [values for name, values in found.items() if name.startswith("layer")]
    assert len(layers) == 5
    np.testing.assert_allclose(sum(layers), found["total"])
    assert found["depth"].mean() > named(soft, hard)["depth"].mean() + 2
    for name in ("centre eta", "centre phi"):
        assert abs(found[name].mean()) < 4 * found[name].std() / np.sqrt(300)


def test_many_layers_are_summed_up() -> None:
    energy = np.random.default_rng(1).exponential(size=(4, 6480))
    assert list(named(deposits(energy, "silicon-like"))) == [
        "total",
        "occupancy",
        "depth",
        "depth spread",
        "centre eta",
        "centre phi",
        "distance",
    ]


def test_only_a_known_geometry_with_all_voxels_has_observables() -> None:
    events = deposits(np.ones((3, 368)))
    assert named(replace(events, attributes={}), events)  # the reference knows
    for other in (
        replace(events, attributes={}),
        replace(events, attributes={"geometry": "unheard-of"}),
        events.select(events.names[:10]),
    ):
        assert named(events, other) == {}


def test_they_are_shown_without_being_asked_for() -> None:
    first, second = (simulate_showers(20, seed=seed) for seed in (1, 2))
    pair = observed_pair(first, second)
    assert pair is not None
    assert pair[0][:2] == (Feature("total", "MeV"), Feature("occupancy"))
    assert (pair[1].shape, pair[2].shape) == ((20, 12), (20, 12))


def test_an_observable_that_is_asked_for_stands_for_the_default_of_its_name() -> None:
    events = simulate_showers(20, seed=1)
    seen = with_observables(events, [f"depth={events.names[0]}"], like=events)
    new = seen.condition_names[len(events.condition_names) :]
    assert (new[0], new.count("depth"), len(new)) == ("depth", 1, 12)
    assert (seen.column("depth") == events.column(events.names[0])).all()
