"""Training from disk: every event once an epoch, held-out events never, the same numbers after a stop."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from zerosum.cli import main
from zerosum.data import blocks as data_blocks
from zerosum.data.blocks import Blocks, Stream
from zerosum.data.events import Events, Feature
from zerosum.data.formats import Writer, load, save
from zerosum.data.selection import Selection
from zerosum.errors import InputError
from zerosum.training import streaming
from zerosum.training.streaming import StreamSampler

N, PIECE = 5000, 100


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 100 events, pools of some 13 blocks."""
    monkeypatch.setattr(data_blocks, "BLOCK", 16 * PIECE)
    monkeypatch.setattr(data_blocks, "HELD", 16 * 1000)
    monkeypatch.setattr(data_blocks, "SAMPLE", 16 * 1500)
    monkeypatch.setattr(streaming, "POOL", 16 * 1300)


def events(n: int = N) -> Events:
    """Two columns: the number of the event, and a normal one; given in the order of the file."""
    x = np.stack([np.arange(n), np.random.default_rng(0).standard_normal(n)], axis=1)
    return Events(x.astype(np.float64), (Feature("number"), Feature("x", "GeV")))


def written(path: Path, sample: Events) -> Path:
    with Writer(path, sample) as writer:
        for start in range(0, len(sample), PIECE):
            writer.append(sample.take(slice(start, start + PIECE)))
    return path


def look(part: Events) -> tuple[torch.Tensor, None]:
    return torch.from_numpy(part.values.copy()), None


def sampler(stream: Stream, batch: int = 50) -> StreamSampler:
    seen, _ = look(stream.train)
    return StreamSampler(stream, look, seen, None, batch=batch, latent=2, seed=3)


def opened(path: Path, seed: int = 1) -> Stream:
    return Stream.open(Blocks.open(path, Selection()), seed)


@pytest.mark.parametrize("suffix", [".h5", ".parquet", ".root", ".npy"])
def test_every_event_is_drawn_once_an_epoch_and_held_out_ones_never(tmp_path: Path, suffix: str) -> None:
    stream = opened(written(tmp_path / f"x{suffix}", events()))
    draws = sampler(stream)
    numbers = torch.cat([draws.draw(0.0).seen[:, 0] for _ in range(len(stream) // 50)]).int().tolist()
    held = {int(i) for part in (stream.validation, stream.test) for i in part.values[:, 0]}
    assert len(held) == len(stream.validation) + len(stream.test) == 500
    assert len(set(numbers)) == len(numbers)
    assert set(numbers) | held == set(range(N))
    assert set(numbers).isdisjoint(held)
    assert not {int(i) for i in stream.train.values[:, 0]} & held


RNG = np.random.default_rng(5)
TABLE = Events.table(RNG.normal(size=(N, 3)), ["a", "b", "c"], ["GeV", "", "mm"])
MASK = RNG.random((N, 4)) < 0.5
POINTS = np.where(MASK[..., None], RNG.random((N, 4, 2)), 0)
ENERGY = {"conditions": RNG.random((N, 1)), "condition_features": (Feature("incident_energy", "MeV"),)}
VOXELS = [f"voxel_{i}" for i in range(3)]
LAYOUTS = {
    "table": (".h5", TABLE, Selection()),
    "a condition": (".h5", TABLE, Selection(conditions=("b",))),
    "some columns": (".h5", TABLE, Selection(("c", "a"))),
    "single precision": (".npy", Events.table(TABLE.values.astype(np.float32)), Selection()),
    "one number": (".npy", Events.table(TABLE.values[:, 0]), Selection()),
    "images": (".npy", Events.grid(RNG.random((N, 3, 3))), Selection()),
    "channels": (".h5", Events.grid(RNG.random((N, 2, 3, 3)), ["u", "v"]), Selection()),
    "cloud": (".h5", Events(POINTS, (Feature("x"), Feature("y")), "cloud", mask=MASK), Selection()),
    "showers": (".h5", Events.table(RNG.random((N, 3)), VOXELS, ["MeV"] * 3, **ENERGY), Selection()),
    "columns": (".parquet", TABLE, Selection(("c", "a"), ("b",))),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_blocks_hold_what_the_file_holds(tmp_path: Path, name: str) -> None:
    """Whatever is read of it, array by array or column by column."""
    suffix, sample, chosen = LAYOUTS[name]
    path = written(tmp_path / f"x{suffix}", sample)
    blocks = Blocks.open(path, chosen)
    expected = load(path, columns=chosen.columns, conditions=chosen.conditions)
    found, a, b = blocks.read([2, 0]), *blocks.edges[2:4]
    assert (found.features, found.condition_features) == (expected.features, expected.condition_features)
    assert found.values.dtype == expected.values.dtype
    for part in ("values", "conditions", "mask"):
        whole = getattr(expected, part)
        rows = None if whole is None else np.concatenate([whole[a:b], whole[: blocks.edges[1]]])
        np.testing.assert_array_equal(getattr(found, part), rows)


def test_batches_mix_events_from_all_over_the_file(tmp_path: Path) -> None:
    stream = opened(written(tmp_path / "x.h5", events()))
    numbers = sampler(stream).draw(0.0).seen[:, 0].numpy()
    assert len(np.unique(numbers // PIECE)) > 8
    assert abs(numbers.mean() - N / 2) < 4 * N / 12**0.5 / 13**0.5


def test_a_later_start_draws_the_same_batches(tmp_path: Path) -> None:
    """Also beyond the first epoch, and whatever was read before."""
    stream = opened(written(tmp_path / "x.h5", events()))
    whole = sampler(stream)
    batches = [whole.draw(0.0).seen for _ in range(200)]
    for start in (0, 1, 25, 26, 89, 90, 150):
        later = sampler(stream)
        later.drawn = start
        for i in range(start, min(start + 30, 200)):
            assert torch.equal(later.draw(0.0).seen, batches[i])
    assert not torch.equal(batches[0], batches[90])


def test_a_run_from_disk_stops_and_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    data = written(tmp_path / "x.h5", events())
    config = tmp_path / "run.yaml"
    config.write_text(
        "stream: true\nwidth: 8\nbatch: 64\nlog_every: 5\ncheckpoint_every: 10\njudgements: 1\n"
    )
    start = ["train", str(data), "--config", str(config), "--quiet", "--out"]
    main_quietly([*start, str(tmp_path / "whole"), "--steps", "40"])
    splits = json.loads((tmp_path / "whole/splits.json").read_text())
    assert splits == {"seed": 0, "train": 4500, "validation": 250, "test": 250}
    from zerosum.training.config import Config
    from zerosum.workflow import Run, open_events

    choices = Config.read(config) | {"data": str(data), "steps": 40}
    run = Run.start(open_events(Config.of(choices)), tmp_path / "parts", choices)
    for record in run.play(stop=lambda: (tmp_path / "parts/history.jsonl").exists()):
        assert record["step"] < 40
    main_quietly(["train", "--resume", "--quiet", "--out", str(tmp_path / "parts")])
    assert (tmp_path / "parts/history.jsonl").read_bytes() == (tmp_path / "whole/history.jsonl").read_bytes()


def main_quietly(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0


def test_what_cannot_be_read_in_pieces_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(events(500), tmp_path / "x.csv")
    with pytest.raises(InputError, match="convert it to HDF5"):
        opened(tmp_path / "x.csv")
    with pytest.raises(InputError, match="stream: false"):
        opened(written(tmp_path / "few.h5", events(500)))
    weighted = Events(events().values, events().features, weights=np.ones(N))
    with pytest.raises(InputError, match="weights"):
        opened(written(tmp_path / "w.h5", weighted))
    save(events(), tmp_path / "one.parquet")
    monkeypatch.setattr(data_blocks, "LARGEST", 16 * 1000)
    with pytest.raises(InputError, match="row_group_size"):
        opened(tmp_path / "one.parquet")


def test_a_damaged_block_stops_the_training_with_its_row(tmp_path: Path) -> None:
    sample = events()
    stream = opened(written(tmp_path / "x.h5", sample))
    read = {int(i) for part in (stream.train, stream.validation, stream.test) for i in part.values[:, 0]}
    row = min(set(range(N)) - read)
    sample.values[row, 1] = np.nan
    draws = sampler(opened(written(tmp_path / "x.h5", sample)))
    with pytest.raises(InputError, match=f"row {row + 1}"):
        _ = [draws.draw(0.0) for _ in range(90)]
