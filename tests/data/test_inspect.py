"""The inspection counts what loading refuses, and its moments are those of the whole file."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from zerosum.data.events import Events
from zerosum.data.formats import CHUNK, FORMATS, save
from zerosum.data.inspect import MOST_DISTINCT, inspect
from zerosum.errors import InputError


@pytest.mark.parametrize("suffix", [form.suffixes[0] for form in FORMATS])
def test_moments_over_many_chunks(tmp_path: Path, suffix: str) -> None:
    values = np.random.default_rng(0).normal([5, 1e6], [1, 2], (2 * CHUNK + 17, 2))
    save(Events.table(values, ["x0", "x1"]), tmp_path / f"x{suffix}")
    found = inspect(tmp_path / f"x{suffix}")
    assert (found.kind, found.n, found.event_shape) == ("table", len(values), (2,))
    for i, column in enumerate(found.columns):
        assert (column.minimum, column.maximum) == (values[:, i].min(), values[:, i].max())
        assert column.mean == pytest.approx(values[:, i].mean(), rel=1e-12)
        assert column.std == pytest.approx(values[:, i].std(), rel=1e-9)
        assert (column.distinct, column.missing, column.integer) == (MOST_DISTINCT, 0, False)


def test_what_loading_refuses_is_shown(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("pt [GeV],kind,n,c,e\n1.5,GT,1,7,\n,TT,2,7,\ninf,GT,2,7,\n")
    found = inspect(tmp_path / "x.csv")
    pt, kind, n, constant, empty = found.columns
    assert (pt.unit, pt.missing, pt.infinite, pt.mean, pt.integer) == ("GeV", 1, 1, 1.5, False)
    assert (kind.numeric, kind.dtype, kind.distinct, kind.mean) == (False, "text", 2, None)
    assert (n.integer, n.distinct, n.minimum, n.maximum) == (True, 2, 1, 2)
    assert (constant.distinct, constant.std) == (1, 0)
    assert (empty.missing, empty.minimum, empty.distinct) == (3, None, 0)
    again = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert again["columns"][0]["name"] == "pt"
    assert "1 missing, 1 infinite" in found.summary()
    assert "not numeric" in found.summary()
    assert "constant" in found.summary()


def test_grids_and_clouds(tmp_path: Path) -> None:
    save(Events.grid(np.ones((5, 2, 3, 4)), ("a", "b")), tmp_path / "grid.h5")
    found = inspect(tmp_path / "grid.h5")
    assert (found.kind, found.event_shape, found.columns[1].n) == ("grid", (2, 3, 4), 60)
    with h5py.File(tmp_path / "jets.h5", "w") as file:
        points = np.ones((5, 4, 3))
        points[:, 2:] = 0
        file["particle_features"], file["jet_features"] = points, np.full((5, 2), np.nan)
    found = inspect(tmp_path / "jets.h5")
    assert (found.kind, found.event_shape, found.columns[0].n) == ("cloud", (4, 3), 10)
    assert [(c.role, c.missing) for c in found.columns[-2:]] == [("extra", 5), ("extra", 5)]


def test_a_file_without_events_is_shown_and_a_damaged_one_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n")
    assert inspect(tmp_path / "x.csv").n == 0
    (tmp_path / "x.h5").write_bytes(b"garbage")
    with pytest.raises(InputError, match="cannot be read as HDF5"):
        inspect(tmp_path / "x.h5")


def test_zmumu(shared: Path) -> None:
    found = {column.name: column for column in inspect(shared / "uproot-Zmumu.root").columns}
    assert not found["Type"].numeric
    assert found["Type"].distinct == 3
    assert (found["Q1"].integer, found["Q1"].distinct) == (True, 2)


def test_the_table_fits_80_columns_whatever_the_names(tmp_path: Path) -> None:
    names = ["x", "a_name_that_is_much_longer_than_any_column_of_a_table_should_ever_be", "flag"]
    rng = np.random.default_rng(0)
    values = np.c_[rng.normal(-1.5e-300, 1e-301, 50), -rng.uniform(1e100, 1e101, 50), rng.integers(0, 2, 50)]
    np.savetxt(tmp_path / "wide.csv", values, delimiter=",", header=",".join(names), comments="")
    text = inspect(tmp_path / "wide.csv").summary()
    assert max(map(len, text.splitlines()[1:])) <= 80
    assert names[1] in text.splitlines()
    assert "2 values" in text
