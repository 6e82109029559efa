"""Hostile models and checkpoints, drawn at random with a seed: a sentence or a whole result, never a traceback.

Files of events: tests/data/test_fuzzed_files.py; exported generators: tests/export/test_fuzzed_onnx.py.
"""

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zerosum.errors import InputError, RunError
from zerosum.model import Model
from zerosum.training.checkpoint import Checkpoints

FIXTURE = Path(__file__).parent / "fixtures" / "first_version"
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2**31, 2**63, 10**400, 1e308, float("nan"), float("inf"), "", "x", [], [[]], {}, [1, "a"],
    {"a": None}, [0.0] * 50,
)  # fmt: skip
CASES = [100, pytest.param(1700, marks=pytest.mark.slow)]


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Cut off, with bytes changed, with a part repeated, or with rubbish in front."""
    where = int(rng.integers(len(content) + 1))
    changed = bytearray(content)
    for place in rng.integers(len(content), size=int(rng.integers(1, 9))):
        changed[place] = int(rng.integers(256))
    ways = [content[:where], bytes(changed), content[:where] + content, rng.bytes(where % 100) + content]
    return ways[int(rng.integers(len(ways)))]


def odd_json(content: bytes, rng: np.random.Generator) -> bytes:
    """JSON in which one value, at any depth, is another or absent."""
    whole = json.loads(content)
    node, parent, key = whole, None, None
    while isinstance(node, dict | list) and node and (parent is None or rng.random() < 0.8):
        keys = list(node) if isinstance(node, dict) else range(len(node))
        parent, key = node, keys[int(rng.integers(len(keys)))]
        node = parent[key]
    if rng.random() < 0.2:
        del parent[key]
    else:
        parent[key] = ODD[int(rng.integers(len(ODD)))]
    return json.dumps(whole).encode()


def odd_header(content: bytes, rng: np.random.Generator) -> bytes:
    """A safetensors file whose header has another value, or another length."""
    (size,) = struct.unpack("<Q", content[:8])
    header = odd_json(content[8 : 8 + size], rng)
    lengths = [len(header), len(header) + 1, 2**62, 2**64 - 1, 0]
    length = lengths[int(rng.integers(len(lengths))) if rng.random() < 0.3 else 0]
    return struct.pack("<Q", length) + header + content[8 + size :]


def spoil(path: Path, rng: np.random.Generator) -> None:
    """Change one file."""
    ways = {".json": [damaged, odd_json, odd_json], ".safetensors": [damaged, odd_header, odd_header]}
    choices = ways.get(path.suffix, [damaged])
    path.write_bytes(choices[int(rng.integers(len(choices)))](path.read_bytes(), rng))


def sentence_or(what: Callable[[], object]) -> bool:
    """Whether it was refused; with a sentence, then."""
    said = None
    try:
        with np.errstate(all="ignore"):
            what()
    except (InputError, RunError) as refusal:
        said = str(refusal)
    assert said is None or (said.endswith(".") and "\n" not in said)
    return said is not None


@pytest.mark.parametrize("cases", CASES)
def test_model_folders(tmp_path: Path, cases: int) -> None:
    refused = 0
    for seed in range(cases):
        rng = np.random.default_rng([1, seed])
        shutil.copytree(FIXTURE / "run" / "model", tmp_path / "model", dirs_exist_ok=True)
        spoil(tmp_path / "model" / ("model.json", "model.safetensors")[seed % 2], rng)
        refused += sentence_or(lambda: Model.load(tmp_path / "model").sample(3))
    assert refused > cases / 4


@pytest.mark.parametrize("cases", CASES)
def test_checkpoints(tmp_path: Path, cases: int) -> None:
    """The checkpoint before serves, with a warning; without one there is a sentence."""
    good = FIXTURE / "run" / "checkpoints" / "step-20"
    for step in (20, 40):
        shutil.copytree(good, tmp_path / f"step-{step}")
    before = {path.name: path.read_bytes() for path in good.iterdir()}
    checkpoints, passed_over = Checkpoints(tmp_path), 0
    for seed in range(cases):
        rng = np.random.default_rng([2, seed])
        for name, content in before.items():
            (tmp_path / "step-40" / name).write_bytes(content)
        spoil(tmp_path / "step-40" / ("state.json", "tensors.safetensors")[seed % 2], rng)
        step, _, _, notices = checkpoints.read_newest()
        passed_over += step == 20
        assert step == 40 or "step 40 is damaged" in notices[0]
    assert passed_over > 0.9 * cases
    shutil.rmtree(tmp_path / "step-20")
    (tmp_path / "step-40" / "state.json").write_bytes(b"")
    assert sentence_or(checkpoints.read_newest)
