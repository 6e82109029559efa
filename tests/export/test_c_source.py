"""C source: it compiles without a warning, reproduces the model, and draws what Philox and Box-Muller say."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kstest
from tests.export.cases import GRID, TRANSFORMS, family, made

from zerosum.errors import InputError
from zerosum.export.exporting import STRICT, compiled, export

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")
SMALL = {key: TRANSFORMS[key] for key in ("affine", "log")}


@needs_gcc
@pytest.mark.parametrize("name", ["table", "table on circles", "table without conditions"])
def test_it_compiles_and_closes(name: str, tmp_path: Path) -> None:
    """Every transform, circles, and no conditions: 4096 events against PyTorch."""
    written = export(family(name), tmp_path / "fast.c")
    assert written.closure.difference <= 1e-4
    assert [path.name for path in tmp_path.iterdir()] == ["fast.c"]


@needs_gcc
def test_its_random_numbers(tmp_path: Path) -> None:
    """Philox's known answers (Salmon et al. 2011); normal, uncorrelated, fixed by seed and event."""
    export(made(SMALL), tmp_path / "fast.c")
    library = compiled((tmp_path / "fast.c").read_text(), tmp_path)
    words = (ctypes.c_uint32 * 4)()
    library.fast_philox((ctypes.c_uint32 * 4)(), (ctypes.c_uint32 * 2)(), words)
    assert [*words] == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    ones = 2**32 - 1
    library.fast_philox((ctypes.c_uint32 * 4)(*[ones] * 4), (ctypes.c_uint32 * 2)(ones, ones), words)
    assert [*words] == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]
    latent = np.zeros((20_000, 6), np.float32)
    for event, row in enumerate(latent):
        library.fast_latent(ctypes.c_uint64(5), ctypes.c_uint64(event), ctypes.c_void_p(row.ctypes.data))
    assert kstest(latent.ravel(), "norm").pvalue > 1e-3
    assert np.abs(np.corrcoef(latent.T) - np.eye(6)).max() < 0.03
    given, out, again = np.array([50.0, 0.1]), np.zeros(2), np.zeros(2)
    at = ctypes.c_void_p(given.ctypes.data)
    library.fast_generate(ctypes.c_uint64(5), ctypes.c_uint64(7), at, ctypes.c_void_p(out.ctypes.data))
    library.fast_transform(ctypes.c_void_p(latent[7].ctypes.data), at, ctypes.c_void_p(again.ctypes.data))
    np.testing.assert_array_equal(out, again)


def test_what_is_no_mlp_of_a_table_is_refused_with_a_sentence(tmp_path: Path) -> None:
    for model in (made(GRID, kind="grid", sides=(8, 8)), family("mixture")):
        with pytest.raises(InputError, match=r"export it to a file named .onnx\."):
            export(model, tmp_path / "model.c")
    assert not list(tmp_path.iterdir())


def test_without_gcc_a_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(InputError, match="gcc was not found"):
        export(made(SMALL), tmp_path / "model.c")


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("valgrind") and shutil.which("gcc")), reason="no valgrind or no gcc")
def test_valgrind_finds_nothing(tmp_path: Path) -> None:
    export(family("table"), tmp_path / "fast.c")
    (tmp_path / "main.c").write_text(
        '#include "fast.c"\n#include <stdio.h>\nint main(void) { double c[2] = {50, 0.1}, x[FAST_FEATURES];'
        " int i, k; for (i = 0; i < 100; ++i) { fast_generate(1, (uint64_t)i, c, x);"
        ' for (k = 0; k < FAST_FEATURES; ++k) printf("%g ", x[k]); } return 0; }'
    )
    subprocess.run(["gcc", *STRICT, "-g", "main.c", "-o", "main", "-lm"], cwd=tmp_path, check=True)
    checked = ["valgrind", "--error-exitcode=9", "--leak-check=full", "./main"]
    assert subprocess.run(checked, cwd=tmp_path, capture_output=True, check=False).returncode == 0
