"""Damaged files of events, thousands of them: the events, or one sentence with exit code 2; nothing else, ever."""

import warnings
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from tests.fuzzed import FILES, spoiled

from zerosum.cli import main
from zerosum.data.events import Events
from zerosum.data.formats import load
from zerosum.errors import InputError

CASES = [10, pytest.param(250, marks=pytest.mark.slow)]
CHECKED = (
    "table.npz",
    "grid.npz",
    "cloud.npz",
    "table.parquet",
    "table.h5",
    "grid.h5",
    "cloud.h5",
)  # their numbers


def called(*arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command line."""
    out, err, code = StringIO(), StringIO(), 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = int(stop.code or 0)
    return code, out.getvalue(), err.getvalue()


def demand_sentence(said: str, path: Path) -> None:
    assert said.endswith(".")
    assert said.isprintable(), said
    assert str(path) in said
    assert "Traceback" not in said
    assert "unexpected" not in said


def events_or_refusal(path: Path) -> Events | str:
    """The events in a file, or what was said against it; no warning, in any case."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found: Events | str = load(path)
        except InputError as refusal:
            found = str(refusal)
    assert not caught, caught[0]
    return found


@pytest.mark.timeout(900)
@pytest.mark.parametrize("cases", CASES)
@pytest.mark.parametrize("name", FILES)
def test_damaged_files(tmp_path: Path, name: str, cases: int) -> None:
    suffix, write = FILES[name]
    path = tmp_path / f"events{suffix}"
    write(path)
    content, whole, refused = path.read_bytes(), load(path), 0
    for seed in range(cases):
        path.write_bytes(spoiled(content, np.random.default_rng([7, seed])))
        found = events_or_refusal(path)
        if isinstance(found, str):
            refused += 1
            demand_sentence(found, path)
        elif name in CHECKED:
            np.testing.assert_array_equal(found.values, whole.values)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            code, out, err = called("inspect", path)
        assert code in (0, 2)
        if code:
            demand_sentence(err.removesuffix("\n"), path)
        assert bool(out) != bool(code)
    assert refused > cases / 4
    assert [other.name for other in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", FILES)
def test_verbs_that_write_leave_nothing(tmp_path: Path, name: str) -> None:
    suffix, write = FILES[name]
    path, whole = tmp_path / f"events{suffix}", tmp_path / f"whole{suffix}"
    write(whole)
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 3])
    if suffix == ".csv":  # the first third of a CSV is a good CSV, but for its last line
        path.write_bytes(path.read_bytes() + b"\xff\n")
    calls = (
        ("train", path, "--out", tmp_path / "run"),
        ("duel", path, "--out", tmp_path / "duel"),
        ("compare", whole, path, "--json", tmp_path / "x.json", "--report", tmp_path / "x.html"),
        ("compare", path, whole, "--json", tmp_path / "x.json", "--report", tmp_path / "x.html"),
    )
    for arguments in calls:
        code, out, err = called(*arguments)
        assert (code, out) == (2, "")
        demand_sentence(err.removesuffix("\n"), path)
    assert {other.name for other in tmp_path.iterdir()} == {path.name, whole.name}


def test_there_is_a_good_file_of_every_format() -> None:
    from zerosum.data.formats import FORMATS

    suffixes = {suffix for suffix, _ in FILES.values()}
    assert all(suffixes & set(one.suffixes) for one in FORMATS)
