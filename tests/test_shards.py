"""A sample in several files: together the events of one process, whatever their number, and read as one file."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from tests.data.test_fuzzed_files import called

from zerosum.data.events import Events
from zerosum.data.formats import iterate, load
from zerosum.data.shards import part_of
from zerosum.errors import InputError
from zerosum.workflow import Run, drawer, reading, sample

N = 20_000


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    table = Events.table(
        np.random.default_rng(0).normal(size=(400, 3)), names=["a", "b", "energy"], units=["GeV"] * 3
    )
    out = tmp_path_factory.mktemp("shards") / "run"
    choices = {"model": "gaussian", "steps": 10, "log_every": 10, "judgements": 0}
    for _ in Run.start(table.given(["energy"]), out, choices).play():
        pass
    return out


@pytest.mark.parametrize("shards", [1, 3, 5])
def test_shards_together_are_the_sample_of_one_process(run: Path, tmp_path: Path, shards: int) -> None:
    sample(run, N, tmp_path / "one.h5", seed=4)
    for k in reversed(range(shards)):
        with pytest.raises(InputError, match=r"does not exist|is not there"):
            load(tmp_path / "many.h5")
        code, out, err = called(
            "sample", run, "-n", N, "-o", tmp_path / "many.h5", "--shard", f"{k}/{shards}", "--seed", 4
        )
        assert (code, err) == (0, "")
        assert out.endswith(f"many.h5, part {k}/{shards}\n")
    one, many = load(tmp_path / "one.h5"), load(tmp_path / "many.h5")
    assert many.digest() == one.digest()
    assert (many.features, many.condition_features) == (one.features, one.condition_features)
    parts = [load(path) for path in sorted(tmp_path.glob("many-*.h5"))]
    assert sum(map(len, parts)) == N
    assert max(map(len, parts)) - min(map(len, parts)) <= 2 * drawer(run).block
    assert sum(len(part) for part in iterate(tmp_path / "many.h5", 3000)) == N
    with h5py.File(tmp_path / "many.h5") as file:
        assert file["features"].is_virtual
        np.testing.assert_array_equal(file["features"][:], one.values)


def test_an_index_is_as_large_as_its_parts(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for k in range(2):
        sample(run, N, tmp_path / "many.h5", shard=(k, 2))
    monkeypatch.setattr(reading, "LARGE", (tmp_path / "many-00000-of-00002.h5").stat().st_size + 10_000)
    assert reading.is_large(tmp_path / "many.h5")
    assert not reading.is_large(tmp_path / "many-00000-of-00002.h5")


@pytest.mark.parametrize("count", [1, 7, 64])
def test_every_block_is_in_one_shard(count: int) -> None:
    for shards in range(1, count + 1):
        parts = [part_of(count, k, shards) for k in range(shards)]
        assert [number for part in parts for number in part] == [*range(count)]
        assert all(parts)


@pytest.mark.parametrize(
    ("shard", "name", "says"),
    [
        ("3/3", "x.h5", "0 to 2"),
        ("one", "x.h5", "not K/N"),
        ("1/0", "x.h5", "ask for 1 to"),
        ("0/9", "x.h5", "at most 5"),
        ("0/2", "x.csv", "write shards to .h5"),
    ],
)
def test_shards_that_cannot_be(run: Path, tmp_path: Path, shard: str, name: str, says: str) -> None:
    code, out, err = called("sample", run, "-n", N, "-o", tmp_path / name, "--shard", shard)
    assert (code, out) == (2, "")
    assert says in err
    assert not list(tmp_path.iterdir())
