"""Files of showers: opened by h5py as a stranger would, and back again."""

import json

import h5py
import numpy as np
import pytest

from zerosum.data.calorimeters import CALOGAN, atlas_like, calogan_like
from zerosum.data.events import Events, Feature
from zerosum.data.formats import load, save
from zerosum.data.geometry import Geometry, Layer, Material, Rings
from zerosum.data.simulators import simulate_showers
from zerosum.data.voxels import geometry_of, with_geometry
from zerosum.errors import InputError

BLOCK = Geometry(
    "block",
    Material("block", 10, 20, 9, 60),
    (Layer(0, 5, Rings((0, 10, 20), 4)), Layer(5, 25, Rings((0, 30)))),
)


def same(a: Events, b: Events) -> bool:
    return (
        a.digest() == b.digest()
        and a.features == b.features
        and a.condition_features == b.condition_features
        and geometry_of(a) == geometry_of(b)
    )


@pytest.mark.parametrize("suffix", [".h5", ".npz"])
@pytest.mark.parametrize("geometry", ["atlas-like", BLOCK], ids=["atlas-like", "own"])
def test_simulated_showers_are_a_calochallenge_file_and_come_back(tmp_path, geometry, suffix) -> None:
    events = simulate_showers(60, seed=1, geometry=geometry)
    save(events, tmp_path / f"showers{suffix}")
    assert same(load(tmp_path / f"showers{suffix}"), events)


def test_what_a_stranger_finds(tmp_path) -> None:
    events = simulate_showers(60, seed=1)
    save(events, tmp_path / "showers.hdf5")
    with h5py.File(tmp_path / "showers.hdf5") as file:
        assert set(file) == {"incident_energies", "showers"}
        assert (file["incident_energies"].shape, file["showers"].shape) == ((60, 1), (60, 368))
        assert {file[name].compression for name in file} == {"gzip"}
        np.testing.assert_array_equal(file["showers"][:], events.values)
        np.testing.assert_array_equal(file["incident_energies"][:, 0], events.column("incident_energy"))
        written = json.loads(file.attrs["attributes"])["calorimeter"]
    assert Geometry.from_json(written) == atlas_like()


def test_a_bare_calochallenge_file_is_known_by_its_voxels_or_by_its_binning(tmp_path, shared) -> None:
    with h5py.File(tmp_path / "bare.hdf5", "w") as file:
        file["incident_energies"], file["showers"] = np.full((5, 1), 1e4), np.ones((5, 368))
    bare = load(tmp_path / "bare.hdf5")
    assert geometry_of(bare) == atlas_like()
    binning = Geometry.from_xml(shared / "binning_dataset_1_photons.xml")
    given = with_geometry(bare, binning)
    assert geometry_of(given) == binning
    with pytest.raises(InputError, match="368 features"):
        with_geometry(bare, BLOCK)


def test_a_geometry_that_cannot_be_understood_is_refused() -> None:
    events = Events.table(np.ones((3, 9)), attributes={"calorimeter": {"name": "x"}})
    with pytest.raises(InputError, match="--geometry"):
        geometry_of(events)


def test_calogan_images_become_pixels_row_after_row_and_come_back(tmp_path) -> None:
    rng = np.random.default_rng(1)
    layers = [rng.exponential(size=(7, *sides)).astype(np.float32) for sides in CALOGAN]
    with h5py.File(tmp_path / "gamma.hdf5", "w") as file:
        file["energy"] = rng.uniform(1, 100, (7, 1)).astype(np.float32)
        file["overflow"] = rng.exponential(size=(7, 3))
        for i, images in enumerate(layers):
            file[f"layer_{i}"] = images
    events = load(tmp_path / "gamma.hdf5")
    assert events.condition_features == (Feature("energy", "GeV"),)
    assert {feature.unit for feature in events.features} == {"MeV"}
    np.testing.assert_array_equal(events.column("layer_1_3_5"), layers[1][:, 3, 5])
    assert geometry_of(events) == calogan_like()
    save(events, tmp_path / "again.hdf5")
    with h5py.File(tmp_path / "again.hdf5") as file:
        assert set(file) == {"energy", "layer_0", "layer_1", "layer_2"}
        for i, images in enumerate(layers):
            np.testing.assert_array_equal(file[f"layer_{i}"][:], images)
    assert same(load(tmp_path / "again.hdf5"), events)
    with_overflow = load(tmp_path / "gamma.hdf5", conditions=["overflow_0"])
    assert with_overflow.condition_names == ["energy", "overflow_0"]


def test_showers_with_weights_keep_them_in_our_own_layout(tmp_path) -> None:
    events = simulate_showers(40, seed=2)
    weighted = Events(
        events.values,
        events.features,
        conditions=events.conditions,
        condition_features=events.condition_features,
        weights=np.linspace(0.5, 1.5, 40),
    )
    save(weighted, tmp_path / "weighted.h5")
    assert load(tmp_path / "weighted.h5").weights is not None
