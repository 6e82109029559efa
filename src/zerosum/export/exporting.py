"""From a model to a file, by the file's suffix; nothing is written that does not close."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from zerosum.errors import InputError
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
        output: The file; .onnx.
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


WRITERS: dict[str, Callable[[Model, Path, dict[str, Any]], Exported]] = {".onnx": _onnx}
