"""From a model to a file, by the file's suffix; nothing is written that does not close."""

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from zerosum.data.files import write_bytes
from zerosum.errors import InputError, RunError
from zerosum.export.c_source import identifier, translated
from zerosum.export.closure import Closure, close
from zerosum.export.graph import in_double, in_single, operators, traced
from zerosum.export.onnx_file import run, session_of, write
from zerosum.export.sofie import SOFIE
from zerosum.model import Model


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        path: The file.
        closure: The closure test that it passed.
        notes: What a user should know of it, a line each.
    """

    path: Path
    closure: Closure
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([f"{self.path}: {self.closure}", *self.notes])


def export(model: Model, output: str | Path, *, facts: dict[str, Any] | None = None) -> Exported:
    """Write a model as a file that needs no zerosum.

    Args:
        model: The model.
        output: The file; .onnx or .c.
        facts: What else is known of the model (certificate, provenance); goes into the file.

    Raises:
        InputError: Where the suffix is not known, or the libraries are not installed.
        RunError: Where the file would not reproduce the model, or the model has operations that ONNX lacks.
    """
    path = Path(output)
    if path.suffix not in WRITERS:
        raise InputError(f"{path} has no known suffix; export to one of {', '.join(WRITERS)}.")
    if path.is_dir() or not path.parent.is_dir():
        raise InputError(
            f"{path} is a folder or lies in none; give the name of a file in a folder that exists."
        )
    known = {"facts": model.facts, "versions": {"zerosum": version("zerosum")}}
    return WRITERS[path.suffix](model.to("cpu"), path, known | (facts or {}))


def _onnx(model: Model, path: Path, facts: dict[str, Any]) -> Exported:
    """In single precision where that is enough, else in double."""
    graph, notes = traced(model), []
    written, closure = in_single(graph), _closure(model, in_single(graph))
    precision = "single"
    if not closure.passed:
        notes.append(
            f"single precision is not enough ({closure.difference:.1e}): the graph is in double precision"
        )
        written, precision = in_double(graph), "double"
        closure = _closure(model, written)
    closure.demand("the ONNX graph")
    write(path, written, model, facts | {"precision": precision, "closure": closure.to_json()})
    used = operators(written)
    foreign = [name for name in used if name not in SOFIE]
    notes.append(
        f"{precision} precision, opset {written.opset_import[0].version}, operators: {', '.join(used)}"
    )
    notes.append(f"operators that ROOT's SOFIE does not have: {', '.join(foreign) or 'none'}")
    return Exported(path, closure, tuple(notes))


def _closure(model: Model, graph: Any) -> Closure:
    session = session_of(graph.SerializeToString())
    return close(model, lambda latent, conditions: run(session, latent, conditions))


def _c(model: Model, path: Path, _: dict[str, Any]) -> Exported:
    """C source, compiled and compared before it is written."""
    name = identifier(path.stem)
    source = translated(model, name)
    with tempfile.TemporaryDirectory() as folder:
        library = compiled(source, Path(folder))
        closure = close(model, lambda latent, given: _called(library, name, model, latent, given))
    closure.demand("the C source")
    write_bytes(path, source.encode())
    return Exported(
        path, closure, (f"C99, thread-safe: {name}_generate(seed, event, conditions, out); link with -lm",)
    )


def compiled(source: str, folder: Path) -> ctypes.CDLL:
    """The library of a C source, compiled with all warnings as errors."""
    compiler = shutil.which("gcc")
    if compiler is None:
        raise InputError("gcc was not found, without which the C source cannot be checked; install gcc.")
    (folder / "model.c").write_text(source, encoding="utf-8")
    command = [compiler, *STRICT, "-O2", "-shared", "-fPIC", "model.c", "-o", "model.so", "-lm"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or "no message").splitlines()[-1]
        raise RunError(f"gcc refused the C source ({reason}); nothing was written.")
    return ctypes.CDLL(str(folder / "model.so"))


def _called(library: ctypes.CDLL, name: str, model: Model, latent: Any, conditions: Any) -> Any:
    """Events (N, F) of latents (N, L) and conditions (N, K), one call each."""
    transform = getattr(library, f"{name}_transform")
    out = np.zeros((len(latent), len(model.features)))
    latent = np.ascontiguousarray(latent, np.float32)
    given = np.ascontiguousarray(np.zeros((len(latent), 1)) if conditions is None else conditions, np.float64)
    for rows in zip(latent, given, out, strict=True):
        transform(*(ctypes.c_void_p(row.ctypes.data) for row in rows))
    return out


STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror")
WRITERS: dict[str, Callable[[Model, Path, dict[str, Any]], Exported]] = {".onnx": _onnx, ".c": _c}
