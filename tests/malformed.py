"""Files that must be refused, each with one sentence: the same table serves the Python tests and the command line.

`CASES` maps a name to a function that writes the bad file into a folder and returns its path; `SAYS` maps the name
to words that the sentence must contain.
"""

import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pyarrow
import pyarrow.parquet
import uproot

CASES: dict[str, Callable[[Path], Path]] = {}
SAYS: dict[str, str] = {}
GOOD = np.arange(1.0, 21.0).reshape(10, 2)


def case(says: str) -> Callable[[Callable[[Path], Path]], Callable[[Path], Path]]:
    def register(make: Callable[[Path], Path]) -> Callable[[Path], Path]:
        CASES[make.__name__], SAYS[make.__name__] = make, says
        return make

    return register


def bytes_case(name: str, file: str, content: bytes, says: str) -> None:
    def make(folder: Path) -> Path:
        (folder / file).write_bytes(content)
        return folder / file

    CASES[name], SAYS[name] = make, says


def npy_case(name: str, array: np.ndarray, says: str) -> None:
    def make(folder: Path) -> Path:
        np.save(folder / "x.npy", array, allow_pickle=array.dtype == object)
        return folder / "x.npy"

    CASES[name], SAYS[name] = make, says


def h5_case(name: str, says: str, **arrays: object) -> None:
    def make(folder: Path) -> Path:
        with h5py.File(folder / "x.h5", "w") as file:
            for key, array in arrays.items():
                file[key] = array
        return folder / "x.h5"

    CASES[name], SAYS[name] = make, says


def parquet_case(name: str, says: str, columns: list[object], names: list[str]) -> None:
    def make(folder: Path) -> Path:
        table = pyarrow.Table.from_arrays([pyarrow.array(column) for column in columns], names=names)
        pyarrow.parquet.write_table(table, folder / "x.parquet")
        return folder / "x.parquet"

    CASES[name], SAYS[name] = make, says


def truncated_case(name: str, make: Callable[[Path], Path]) -> None:
    def cut(folder: Path) -> Path:
        path = make(folder)
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        return path

    CASES[name], SAYS[name] = cut, "may be truncated"


def good(folder: Path, suffix: str) -> Path:
    """A file as other programs write it, to be cut in two."""
    path = folder / f"x{suffix}"
    values = np.random.default_rng(0).normal(size=(5000, 2))
    if suffix == ".h5":
        with h5py.File(path, "w") as file:
            file["a"], file["b"] = values.T
    elif suffix == ".parquet":
        pyarrow.parquet.write_table(pyarrow.table({"a": values[:, 0], "b": values[:, 1]}), path)
    elif suffix == ".root":
        with uproot.recreate(path) as file:
            file.mktree("t", {"a": "f8", "b": "f8"}).extend({"a": values[:, 0], "b": values[:, 1]})
    elif suffix == ".npz":
        np.savez(path, a=values[:, 0], b=values[:, 1])
    else:
        np.save(path, values)
    return path


for suffix in (".csv", ".npy", ".npz", ".h5", ".parquet", ".root"):
    bytes_case(f"zero bytes{suffix}", f"x{suffix}", b"", "it is empty")
for suffix in (".npy", ".npz", ".h5", ".parquet", ".root"):
    bytes_case(f"garbage{suffix}", f"x{suffix}", b"\x00garbage\xff" * 100, "cannot be read as")
    truncated_case(f"truncated{suffix}", lambda folder, suffix=suffix: good(folder, suffix))
bytes_case("binary csv", "x.csv", b"a,b\n\xff\xfe\x00,1\n", "cannot be read as CSV")
bytes_case("unknown suffix", "x.txt", b"a,b\n1,2\n", "no known format")
bytes_case("no suffix", "x", b"a,b\n1,2\n", "has no suffix")
bytes_case("header only", "x.csv", b"a,b\n", "no events")
bytes_case("blank lines", "x.csv", b"\n\n\n", "first line is empty")
bytes_case("ragged rows", "x.csv", b"a,b\n1,2\n3\n4,5\n", "Expected 2 columns, got 1")
bytes_case("too many fields", "x.csv", b"a,b\n1,2\n3,4,5\n", "Expected 2 columns, got 3")
bytes_case("words", "x.csv", b"a,kind,b\n1,GT,2\n3,TT,4\n", "column kind is not numeric (2 rows")
bytes_case("one late word", "x.csv", b"a,b\n" + b"1,2\n" * 90_000 + b"1,bad\n", "column b is not numeric")
bytes_case("only words", "x.csv", b"a,b\nu,v\n", "there are none")
bytes_case(
    "missing field", "x.csv", b"a,b\n1,2\n3,\n", "column b has 1 missing value in 2 rows (first at row 2)"
)
bytes_case(
    "nan", "x.csv", b"a,b\nnan,2\n3,4\nNaN,5\n", "column a has 2 missing values in 3 rows (first at row 1)"
)
bytes_case(
    "infinite", "x.csv", b"a,b\n1,2\n3,-inf\n", "column b has 1 infinite value in 2 rows (first at row 2)"
)
bytes_case("duplicate names", "x.csv", b"pt,eta,pt\n1,2,3\n", "column pt stands more than once")
bytes_case("duplicate names, one with unit", "x.csv", b"pt [GeV],pt\n1,2\n", "pt stands more than once")
bytes_case("unnamed column", "x.csv", b"a,,c\n1,2,3\n", "column 2 of its header has no name")
bytes_case("csv named h5", "x.h5", b"a,b\n1,2\n", "cannot be read as HDF5")
npy_case("complex numbers", GOOD + 1j, "not numeric")
npy_case("strings", np.array([["a", "b"], ["c", "d"]]), "not numeric")
npy_case("dates", np.array([["2026-01-01"]], "datetime64[D]"), "not numeric")
npy_case("objects", np.array([[1, None]], dtype=object), "objects")
npy_case("a scalar", np.array(3.0), "shape ()")
npy_case("six dimensions", np.zeros((2, 1, 1, 1, 1, 1)), "shape (2, 1, 1, 1, 1, 1)")
npy_case("no rows", np.zeros((0, 3)), "no events")
npy_case("no columns", np.zeros((3, 0)), "no columns")
npy_case(
    "npy with nan",
    np.where(GOOD == 5, np.nan, GOOD),
    "column x0 has 1 missing value in 10 rows (first at row 3)",
)
npy_case("grid with nan", np.full((4, 3, 3), np.nan), "column value has 4 missing values in 4 rows")
npy_case("nested records", np.zeros(3, [("a", "f8", (2,))]), "field a")
npy_case("records with words", np.array([(1.0, "x")], [("a", "f8"), ("b", "U3")]), "column b is not numeric")
h5_case("no datasets", "no arrays")
h5_case("unequal lengths", "differ in their number of rows", a=np.arange(3.0), b=np.arange(4.0))
h5_case("several images", "choose one by dataset", a=np.zeros((3, 4, 4)), b=np.zeros((3, 5, 5)))
h5_case("words in h5", "not numeric", a=np.array([b"x", b"y"]))
h5_case("showers without energies", "differ in", incident_energies=np.ones((3, 1)), showers=np.ones((4, 2)))
h5_case("jets with nan", "eta_rel", particle_features=np.full((3, 4, 3), np.nan), mask=np.ones((3, 4)))
h5_case("mask of twos", "mask", particle_features=np.ones((3, 4, 3)), mask=np.full((3, 4), 2.0))
parquet_case("parquet words", "column a is not numeric", [["x", "y"], [1.0, 2.0]], ["a", "b"])
parquet_case("parquet lists", "column a is not numeric", [[[1.0], [2.0, 3.0]], [1.0, 2.0]], ["a", "b"])
parquet_case("parquet nulls", "column a has 1 missing value in 2 rows", [[1.0, None], [1.0, 2.0]], ["a", "b"])
parquet_case("parquet duplicates", "a stands more than once", [[1.0], [2.0]], ["a", "a"])
parquet_case("parquet without rows", "no events", [np.zeros(0)], ["a"])
parquet_case("parquet without columns", "no columns", [], [])


@case("does not exist")
def absent_file(folder: Path) -> Path:
    return folder / "absent.csv"


@case("is a folder")
def a_folder(folder: Path) -> Path:
    (folder / "x.csv").mkdir()
    return folder / "x.csv"


@case("0 trees")
def root_without_a_tree(folder: Path) -> Path:
    with uproot.recreate(folder / "x.root") as file:
        file["note"] = "no tree here"
    return folder / "x.root"


@case("2 trees (a, b)")
def root_with_two_trees(folder: Path) -> Path:
    with uproot.recreate(folder / "x.root") as file:
        for name in ("a", "b"):
            file.mktree(name, {"x": "f8"}).extend({"x": np.arange(3.0)})
    return folder / "x.root"


@case("no events")
def root_without_entries(folder: Path) -> Path:
    with uproot.recreate(folder / "x.root") as file:
        file.mktree("t", {"x": "f8"})
    return folder / "x.root"


@case("not numeric")
def root_with_jagged_branches(folder: Path) -> Path:
    import awkward

    with uproot.recreate(folder / "x.root") as file:
        file.mktree("t", {"pt": "var * float64"}).extend({"pt": awkward.Array([[1.0], [2.0, 3.0]])})
    return folder / "x.root"


if os.geteuid() != 0:  # the administrator may read everything

    @case("may not be read")
    def no_permission(folder: Path) -> Path:
        (folder / "x.csv").write_text("a\n1\n")
        (folder / "x.csv").chmod(0)
        return folder / "x.csv"
