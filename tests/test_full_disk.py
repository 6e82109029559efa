"""No room on the disk, at any moment: one sentence, nothing half written, and what was there before is kept.

The kernel refuses to let a file grow beyond a size (RLIMIT_FSIZE), in the middle of a write, as a full disk does.
"""

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from zerosum.data.events import Events
from zerosum.data.files import write_text
from zerosum.data.formats import load, save
from zerosum.errors import RunError
from zerosum.model import Model
from zerosum.training.history import History
from zerosum.workflow import compare_paths, sample

FIXTURE = Path(__file__).parent / "fixtures" / "first_version" / "run"


@contextmanager
def room(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("size", [0, 100, 1500])
def test_a_model_that_cannot_be_written_leaves_the_one_before(tmp_path: Path, size: int) -> None:
    model = Model.load(FIXTURE / "model")
    model.save(tmp_path / "model")
    before = content(tmp_path)
    with room(size), pytest.raises(RunError, match=r"cannot be written .* make room and try again"):
        model.save(tmp_path / "model")
    assert content(tmp_path) == before


def test_a_record_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.append({"step": 1, "value": -1.386}, 0.1)
    before = content(tmp_path)
    for size in range(len(before["history.jsonl"]), len(before["history.jsonl"]) + 20):
        with room(size), pytest.raises(RunError, match="continue with --resume"):
            history.append({"step": 2, "value": -1.386}, 0.2)
        assert content(tmp_path) == before
    with room(5), pytest.raises(RunError, match="make room"):
        history.rewind(1)
    assert content(tmp_path) == before


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".h5", ".parquet", ".root"])
@pytest.mark.parametrize("size", [0, 1000, 20_000])
def test_samples_that_have_no_room_leave_nothing(tmp_path: Path, suffix: str, size: int) -> None:
    with room(size), pytest.raises(RunError, match="cannot be written"):
        sample(FIXTURE, 5000, tmp_path / f"generated{suffix}", seed=1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("seed", range(25))
def test_hdf5_that_has_no_room_at_any_moment_of_its_writing(tmp_path: Path, seed: int) -> None:
    """Small and large datasets, whose library writes at the end what it could not write before."""
    rng = np.random.default_rng(seed)
    events = Events.table(rng.normal(size=(int(rng.integers(1, 3000)), 3)))
    save(events, tmp_path / "x.h5")
    before = content(tmp_path)
    with room(int(rng.integers(len(before["x.h5"])))), pytest.raises(RunError, match="cannot be written"):
        save(events, tmp_path / "x.h5")
    assert content(tmp_path) == before
    assert len(load(tmp_path / "x.h5")) == len(events)


def test_a_full_file_system_keeps_what_was_there(tmp_path: Path) -> None:
    """A file system of 512 KiB in memory, where the administrator can mount one."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(small)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        save(Events.table(np.zeros((10, 1))), small / "x.h5")
        before = content(small)
        for suffix in (".csv", ".npy", ".npz", ".h5", ".parquet", ".root"):
            with pytest.raises(RunError, match=r"cannot be written \(.*No space left on device\)"):
                save(Events.table(np.random.default_rng(0).normal(size=(200_000, 1))), small / f"x{suffix}")
            assert content(small) == before
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_numbers_that_have_no_room_leave_the_ones_before(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        save(Events.table(rng.normal(size=(300, 1))), tmp_path / f"{name}.npy")
    write_text(tmp_path / "c.json", "{}")
    before = content(tmp_path)
    with room(1000), pytest.raises(RunError, match=r"c\.json cannot be written"):
        compare_paths(tmp_path / "a.npy", tmp_path / "b.npy", json_file=tmp_path / "c.json")
    assert content(tmp_path) == before
