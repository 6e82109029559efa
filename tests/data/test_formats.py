"""What is saved comes back; strangers' files open and strangers open ours; nothing half-written stays."""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pyarrow.parquet
import pytest
import uproot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zerosum.data.events import Events, Feature
from zerosum.data.formats import FORMATS, Writer, iterate, load, save
from zerosum.errors import InputError, RunError

RNG = np.random.default_rng(11)
SUFFIXES = [suffix for form in FORMATS for suffix in form.suffixes]
WHOLE = [".npz", ".h5", ".hdf5", ".parquet", ".root"]  # the formats that keep everything
NESTED = [".npz", ".h5", ".hdf5"]  # the formats that keep everything of grids and clouds


def table(n: int = 50, dtype: type = np.float64, given: bool = True) -> Events:
    events = Events.table(RNG.normal(size=(n, 2)).astype(dtype), ["pt", "eta"], ["GeV", ""])
    if not given:
        return events
    energy = RNG.exponential(size=(n, 1)).astype(dtype)
    return replace(
        events, conditions=energy, condition_features=(Feature("E", "MeV"),), weights=RNG.normal(size=n)
    )


def grid(n: int = 20) -> Events:
    return replace(
        Events.grid(RNG.normal(size=(n, 2, 4, 5)).astype(np.float32), ("ecal", "hcal"), "GeV"),
        conditions=RNG.exponential(size=(n, 1)),
        condition_features=(Feature("E", "GeV"),),
        attributes={"geometry": "test", "layers": [1, 2]},
    )


def cloud(n: int = 20) -> Events:
    mask = np.arange(7) < RNG.integers(1, 8, n)[:, None]
    values = np.where(mask[..., None], RNG.normal(size=(n, 7, 3)), 0.0)
    return Events(values, tuple(map(Feature, ("eta", "phi", "pt"))), "cloud", mask=mask)


def same(a: Events, b: Events) -> None:
    assert a.digest() == b.digest()
    assert a.values.dtype == b.values.dtype
    assert a.attributes == b.attributes


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("suffix", WHOLE)
def test_a_table_comes_back_with_everything(tmp_path: Path, suffix: str, dtype: type) -> None:
    events = replace(table(dtype=dtype), attributes={"origin": "test"})
    save(events, tmp_path / f"x{suffix}")
    same(load(tmp_path / f"x{suffix}"), events)


@pytest.mark.parametrize("events", [grid(), cloud()], ids=["grid", "cloud"])
@pytest.mark.parametrize("suffix", NESTED)
def test_grids_and_clouds_come_back_with_everything(tmp_path: Path, suffix: str, events: Events) -> None:
    save(events, tmp_path / f"x{suffix}")
    same(load(tmp_path / f"x{suffix}"), events)


def test_csv_keeps_names_and_units_and_the_rest_by_name(tmp_path: Path) -> None:
    events = table()
    save(events, tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text().splitlines()[0] == "pt [GeV],eta,E [MeV],weight"
    assert load(tmp_path / "x.csv").names == ["pt", "eta", "E", "weight"]
    same(load(tmp_path / "x.csv", conditions=["E"], weight="weight"), events)


def test_npy_keeps_values(tmp_path: Path) -> None:
    for events in (table(given=False), replace(grid(), conditions=None, condition_features=())):
        save(events, tmp_path / "x.npy")
        np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), events.values)
        loaded = load(tmp_path / "x.npy")
        np.testing.assert_array_equal(loaded.values, events.values)
        assert (loaded.kind, loaded.values.dtype) == (events.kind, events.values.dtype)


finite = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(finite, finite), min_size=1, max_size=8))
def test_any_finite_number_comes_back_exactly(tmp_path: Path, rows: list[tuple[float, float]]) -> None:
    events = Events.table(rows, ["x0", "x1"])
    for suffix in SUFFIXES:
        save(events, tmp_path / f"x{suffix}")
        same(load(tmp_path / f"x{suffix}"), events)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_writing_and_reading_in_pieces_equals_the_whole(tmp_path: Path, suffix: str) -> None:
    events = table(1000, given=False)
    path = tmp_path / f"x{suffix}"
    with Writer(path, events) as writer:
        for part in np.array_split(np.arange(1000), 7):
            writer.append(events.take(part))
            assert not path.exists()
    whole = load(path)
    np.testing.assert_array_equal(whole.values, events.values)
    parts = list(iterate(path, 128))
    assert max(map(len, parts)) <= 128
    np.testing.assert_array_equal(np.concatenate([part.values for part in parts]), events.values)
    np.testing.assert_array_equal(load(path, max_events=300).values, events.values[:300])
    last = whole.names[-1]
    np.testing.assert_array_equal(load(path, columns=[last]).values, events.values[:, 1:])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    events = table(given=False)
    save(events, path)
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError), Writer(path, events) as writer:  # noqa: PT012
        writer.append(events)
        raise ZeroDivisionError
    with pytest.raises(InputError, match="no events"), Writer(path, events):
        pass
    with pytest.raises(InputError, match="other features"), Writer(path, events) as writer:
        writer.append(events.select(["pt"]))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_kinds_that_a_format_cannot_hold_are_refused(tmp_path: Path, form) -> None:
    path = tmp_path / f"x{form.suffixes[0]}"
    for events in (table(given=False), grid(), cloud()):
        if events.kind not in form.kinds:
            with pytest.raises(InputError, match=f"holds no {events.kind}"):
                save(events, path)
    assert not list(tmp_path.iterdir())


def test_refusals_of_places_to_write(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no known format"):
        save(table(), tmp_path / "x.txt")
    with pytest.raises(InputError, match="no folder"):
        save(table(), tmp_path / "absent" / "x.h5")
    with pytest.raises(InputError, match="conditions or weights"):
        save(table(), tmp_path / "x.npy")
    (tmp_path / "x.h5").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        save(table(), tmp_path / "x.h5")


def test_a_file_that_cannot_be_written_is_a_run_error(tmp_path: Path, monkeypatch) -> None:
    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(RunError, match="No space left"):
        save(table(), tmp_path / "x.h5")
    assert not list(tmp_path.iterdir())


def test_strangers_open_our_files(tmp_path: Path) -> None:
    events = table()
    for suffix in (".h5", ".root", ".parquet", ".npz"):
        save(events, tmp_path / f"x{suffix}")
    with h5py.File(tmp_path / "x.h5") as file:
        assert list(file["features"].attrs["columns"]) == ["pt", "eta"]
        assert list(file["features"].attrs["units"]) == ["GeV", ""]
        np.testing.assert_array_equal(file["features"][:], events.values)
        np.testing.assert_array_equal(file["weights"][:], events.weights)
    with uproot.open(tmp_path / "x.root") as file:
        assert file.classnames()["events;1"] == "TTree"
        np.testing.assert_array_equal(file["events"]["pt"].array(library="np"), events.column("pt"))
    parquet = pyarrow.parquet.read_table(tmp_path / "x.parquet")
    assert parquet.schema.field("pt").metadata[b"unit"] == b"GeV"
    np.testing.assert_array_equal(parquet["E"].to_numpy(), events.column("E"))
    with np.load(tmp_path / "x.npz") as archive:
        assert archive["columns"].tolist() == ["pt", "eta"]
        np.testing.assert_array_equal(archive["features"], events.values)


def test_strangers_tables_open(tmp_path: Path) -> None:
    pt, n = np.array([20.5, 30.25]), np.array([3, 4], np.int32)
    (tmp_path / "tab.csv").write_text("# pt [GeV]\tn\n20.5\t3\n30.25\t4\n")
    (tmp_path / "bare.csv").write_text("20.5;3\n30.25;4\n")
    np.save(tmp_path / "records.npy", np.rec.fromarrays([pt, n], names="pt,n"))
    np.savez(tmp_path / "columns.npz", pt=pt, n=n)
    with h5py.File(tmp_path / "columns.h5", "w") as file:
        file["a/pt"], file["b/n"] = pt, n
        file["a/pt"].attrs["unit"] = "GeV"
    with h5py.File(tmp_path / "records.h5", "w") as file:
        file["table"] = np.rec.fromarrays([pt, n], names="pt,n")
    with uproot.recreate(tmp_path / "rntuple.root") as file:
        file.mkrntuple("t", {"pt": pt.dtype, "n": n.dtype}).extend({"pt": pt, "n": n})
    with uproot.recreate(tmp_path / "odd.root") as file:
        file.mktree("t", {"p-t": pt.dtype, "n": n.dtype}).extend({"p-t": pt, "n": n})
    for path in sorted(tmp_path.iterdir()):
        np.testing.assert_array_equal(load(path).values, np.stack([pt, n], axis=1), err_msg=path.name)
    assert load(tmp_path / "tab.csv").features == (Feature("pt", "GeV"), Feature("n"))
    assert load(tmp_path / "bare.csv").names == ["x0", "x1"]
    assert load(tmp_path / "columns.h5").features == (Feature("a/pt", "GeV"), Feature("b/n"))


@pytest.mark.parametrize("suffix", [".h5", ".npz", ".parquet"])
def test_thousands_of_columns_come_back(tmp_path: Path, suffix: str) -> None:
    events = Events.table(RNG.normal(size=(3, 6480)).astype(np.float32))
    save(events, tmp_path / f"x{suffix}")
    same(load(tmp_path / f"x{suffix}"), events)


def test_calochallenge_layout(tmp_path: Path) -> None:
    energy, voxels = RNG.exponential(size=(9, 1)), RNG.exponential(size=(9, 6))
    with h5py.File(tmp_path / "d.hdf5", "w") as file:
        file["incident_energies"], file["showers"] = energy, voxels
    events = load(tmp_path / "d.hdf5")
    assert events.condition_features == (Feature("incident_energy", "MeV"),)
    assert events.features[5] == Feature("voxel_5", "MeV")
    np.testing.assert_array_equal(events.values, voxels)
    np.testing.assert_array_equal(events.conditions, energy)


def test_one_of_several_arrays_is_chosen_by_name(tmp_path: Path) -> None:
    layers = {f"image_{i}": RNG.exponential(size=(9, 3, 4 + i)) for i in range(2)}
    with h5py.File(tmp_path / "calogan.h5", "w") as file:
        file["energy"] = np.arange(9.0)[:, None]
        for name, array in layers.items():
            file[name] = array
    with pytest.raises(InputError, match="choose one by dataset"):
        load(tmp_path / "calogan.h5")
    events = load(tmp_path / "calogan.h5", dataset="image_1", conditions=["energy"])
    assert events.kind == "grid"
    np.testing.assert_array_equal(events.values[:, 0], layers["image_1"])
    np.testing.assert_array_equal(events.column("energy"), np.arange(9.0))


def test_jets(shared: Path) -> None:
    jets = load(shared / "jets_w.h5", conditions=["pt", "mass", "num_particles"], max_events=500)
    assert (jets.kind, jets.event_shape, jets.names) == ("cloud", (50, 3), ["eta_rel", "phi_rel", "pt_rel"])
    assert jets.condition_features[0] == Feature("pt", "GeV")
    assert load(shared / "jets_w.h5", max_events=5).conditions is None
    np.testing.assert_array_equal(jets.mask.sum(axis=1), np.minimum(jets.column("num_particles"), 50))


def test_zmumu(shared: Path) -> None:
    csv = load(shared / "Zmumu_Run2011A.csv")
    assert (len(csv), len(csv.names)) == (10_583, 14)
    with pytest.raises(InputError, match=r"Type is not numeric \(2304 rows read\).* --columns Run Event E1"):
        load(shared / "uproot-Zmumu.root")
    root = load(shared / "uproot-Zmumu.root", columns=["pt1", "M"], conditions=["Q1"])
    assert root.values.shape == (2304, 2)
    assert set(root.column("Q1")) == {-1.0, 1.0}
