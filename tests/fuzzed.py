"""Good files of every format and layout, and ways to damage them: bits, bytes, blocks, ends.

`FILES` maps a name to the suffix and the function that writes a good file; `spoiled` damages its content at random.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow
import pyarrow.parquet
import uproot

from zerosum.data.events import Events, Feature
from zerosum.data.formats import save

FILES: dict[str, tuple[str, Callable[[Path], None]]] = {}
N = 120
BLOCK = 64  # bytes that change places, at most a quarter of the file


def spoiled(content: bytes, rng: np.random.Generator) -> bytes:
    """The content with one kind of damage."""
    return WAYS[int(rng.integers(len(WAYS)))](content, rng)


def _cut(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: int(rng.integers(len(content)))]


def _flipped(content: bytes, rng: np.random.Generator) -> bytes:
    """One to eight bits, half of the times among the first or the last 512 bytes, where headers are."""
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 9))):
        part = int(rng.integers(4))
        low = max(0, len(content) - 512) if part == 1 else 0
        high = min(512, len(content)) if part == 0 else len(content)
        changed[int(rng.integers(low, high))] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _overwritten(content: bytes, rng: np.random.Generator) -> bytes:
    """Bytes that count or point, as 0, 255 or anything."""
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 9))):
        changed[int(rng.integers(len(content)))] = (0, 255, 127, 128, int(rng.integers(256)))[
            int(rng.integers(5))
        ]
    return bytes(changed)


def _swapped(content: bytes, rng: np.random.Generator) -> bytes:
    """Two blocks that changed places."""
    size = int(rng.integers(1, min(BLOCK, len(content) // 4) + 1))
    first = int(rng.integers(len(content) - 2 * size + 1))
    second = int(rng.integers(first + size, len(content) - size + 1))
    a, b = content[first : first + size], content[second : second + size]
    return content[:first] + b + content[first + size : second] + a + content[second + size :]


def _emptied(content: bytes, rng: np.random.Generator) -> bytes:
    """A hole of zeros, as where a machine went down before the disk was written."""
    start = int(rng.integers(len(content)))
    size = min(int(rng.integers(1, 513)), len(content) - start)
    return content[:start] + bytes(size) + content[start + size :]


def _doubled(content: bytes, rng: np.random.Generator) -> bytes:
    """A part that stands there twice."""
    where = int(rng.integers(len(content)))
    return content[:where] + content[int(rng.integers(where + 1)) :]


def _preceded(content: bytes, rng: np.random.Generator) -> bytes:
    return rng.bytes(int(rng.integers(1, 100))) + content


WAYS = (_cut, _flipped, _flipped, _overwritten, _swapped, _emptied, _doubled, _preceded)


def good(name: str, suffix: str) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    """Enter a writer into the table."""

    def register(make: Callable[[Path], None]) -> Callable[[Path], None]:
        FILES[name] = (suffix, make)
        return make

    return register


def numbers(*shape: int) -> Any:
    return np.random.default_rng(len(shape)).normal(size=shape)


def a_table(*, weighted: bool = True) -> Events:
    """Two features, one condition, weights, units."""
    return Events(
        numbers(N, 2),
        (Feature("pt", "GeV"), Feature("eta", "")),
        conditions=np.abs(numbers(N, 1)),
        condition_features=(Feature("energy", "MeV"),),
        weights=np.full(N, 0.5) if weighted else None,
        attributes={"sample": "zee"},
    )


def a_cloud() -> Events:
    mask = np.arange(6) < 1 + np.arange(N)[:, None] % 6
    return Events(
        np.where(mask[..., None], np.abs(numbers(N, 6, 2)), 0.0),
        (Feature("eta"), Feature("pt", "GeV")),
        "cloud",
        mask=mask,
    )


def a_grid() -> Events:
    return Events(numbers(N, 1, 4, 5), (Feature("deposit", "MeV"),), "grid")


for suffix in (".csv", ".npz", ".h5", ".parquet", ".root"):
    good(f"table{suffix}", suffix)(lambda path: save(a_table(), path))
for suffix in (".npz", ".h5"):
    good(f"cloud{suffix}", suffix)(lambda path: save(a_cloud(), path))
    good(f"grid{suffix}", suffix)(lambda path: save(a_grid(), path))


@good("bare.npy", ".npy")
def _(path: Path) -> None:
    np.save(path, numbers(N, 3))


@good("records.npy", ".npy")
def _(path: Path) -> None:
    np.save(path, np.array([*map(tuple, numbers(N, 2))], [("pt", "f4"), ("eta", "f8")]))


@good("columns.npz", ".npz")
def _(path: Path) -> None:
    np.savez(path, pt=numbers(N), eta=np.arange(N))


@good("semicolons.csv", ".csv")
def _(path: Path) -> None:
    rows = "\n".join(f"{a:.4f};{b:.5e}" for a, b in numbers(N, 2))
    path.write_text(f"# pt [GeV];eta\n{rows}\n", encoding="utf-8")


def hdf5(name: str, chunked: bool = False, **arrays: Any) -> None:
    @good(name, ".h5")
    def _(path: Path) -> None:
        with h5py.File(path, "w") as file:
            for key, array in arrays.items():
                how = {"chunks": True, "compression": "gzip", "fletcher32": True} if chunked else {}
                file.create_dataset(key, data=array, **how)


showers = {"incident_energies": np.abs(numbers(N, 1)) * 1e3, "showers": np.abs(numbers(N, 12))}
jets = {
    "particle_features": np.abs(numbers(N, 5, 3)),
    "mask": np.ones((N, 5, 1)),
    "jet_features": numbers(N, 2),
}
layers = {
    "energy": np.abs(numbers(N, 1)),
    "layer_0": np.abs(numbers(N, 3, 8)),
    "layer_1": np.abs(numbers(N, 4, 4)),
    "layer_2": np.abs(numbers(N, 4, 2)),
    "overflow": np.zeros((N, 3)),
}
hdf5("CaloChallenge.h5", **showers)
hdf5("CaloChallenge, compressed.h5", chunked=True, **showers)
hdf5("CaloGAN.h5", **layers)
hdf5("JetNet.h5", **jets)
hdf5("one array.h5", x=numbers(N, 3))
hdf5("columns.h5", pt=numbers(N), eta=numbers(N))
hdf5("records.h5", events=np.array([*map(tuple, numbers(N, 2))], [("pt", "f4"), ("eta", "f8")]))


@good("groups.parquet", ".parquet")
def _(path: Path) -> None:
    table = pyarrow.table({"pt": numbers(N).astype("f4"), "eta": numbers(N), "n": np.arange(N) % 5})
    pyarrow.parquet.write_table(table, path, row_group_size=50, compression="zstd")


@good("branches.root", ".root")
def _(path: Path) -> None:
    with uproot.recreate(path, compression=uproot.LZMA(1)) as file:
        tree = file.mktree("t", {"pt": "f4", "eta": "f8", "n": "i4"})
        for _ in range(2):
            tree.extend({"pt": numbers(N).astype("f4"), "eta": numbers(N), "n": np.arange(N, dtype="i4")})


@good("RNTuple.root", ".root")
def _(path: Path) -> None:
    with uproot.recreate(path) as file:
        file.mkrntuple("n", {"pt": "f4", "eta": "f8"}).extend(
            {"pt": numbers(N).astype("f4"), "eta": numbers(N)}
        )
