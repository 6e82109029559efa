"""Damaged and hostile ONNX files given to `zerosum sample`: whole events, or a sentence and no file."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest
from tests.data.test_fuzzed_files import called, demand_sentence
from tests.export.cases import family
from tests.fuzzed import spoiled

from zerosum.data.formats import load
from zerosum.export.exporting import export
from zerosum.export.onnx_file import SEAL

CASES = [15, pytest.param(250, marks=pytest.mark.slow)]
MODELS = (
    pytest.param("table", marks=pytest.mark.slow),
    pytest.param("grid in 2-D", marks=pytest.mark.slow),
    "mixture",
)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """The exported file of a model by its name, written once."""

    @cache
    def content(name: str) -> bytes:
        path = tmp_path_factory.mktemp("exported") / "model.onnx"
        export(family(name), path)
        return path.read_bytes()

    return content


def without(content: bytes, key: str) -> bytes:
    """The same graph without one entry of its description."""
    graph = onnx.load_from_string(content)
    kept = [entry for entry in graph.metadata_props if entry.key != key]
    del graph.metadata_props[:]
    graph.metadata_props.extend(kept)
    return bytes(graph.SerializeToString())


@pytest.mark.parametrize("cases", CASES)
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("sealed", [True, False])
def test_damaged_onnx_files(
    tmp_path: Path, exported: Callable[[str], bytes], name: str, cases: int, sealed: bool
) -> None:
    """With its checksum every damage is found; without, what is drawn is at least finite and whole."""
    path, output = tmp_path / "model.onnx", tmp_path / "events.npz"
    content = exported(name) if sealed else without(exported(name), SEAL)
    path.write_bytes(content)
    assert called("sample", path, "-n", "20", "-o", output)[0] == 0
    for seed in range(cases):
        output.unlink(missing_ok=True)
        path.write_bytes(spoiled(content, np.random.default_rng([8, seed])))
        code, out, err = called("sample", path, "-n", "20", "-o", output)
        if code == 0 and path.read_bytes() != content:
            assert not sealed
            assert len(load(output)) == 20
            assert not err
        elif code:
            assert code == 2
            demand_sentence(err.removesuffix("\n"), path)
            assert not output.exists()
            assert not out
    assert {other.name for other in tmp_path.iterdir()} <= {path.name, output.name}


def test_a_file_without_the_conditions_of_its_events_is_refused(
    tmp_path: Path, exported: Callable[[str], bytes]
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(without(without(exported("mixture"), SEAL), "known_conditions"))
    code, _, err = called("sample", path, "-n", "20", "-o", tmp_path / "x.csv")
    assert code == 2
    demand_sentence(err.removesuffix("\n"), path)
