"""An ONNX file that stands alone: the graph, and all that is known of the model beside it.

`OnnxModel` draws events from such a file as `Model` does from a run: the same seed gives the same latents and
conditions, and the same events within the closure's tolerance.
"""

import base64
import hashlib
import json
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from zerosum.data.events import BoolArray, Feature, FloatArray, Kind
from zerosum.data.files import write_bytes
from zerosum.drawer import Drawer
from zerosum.errors import InputError, reason
from zerosum.export.graph import OPSET, operators
from zerosum.export.sofie import SOFIE
from zerosum.model import Model, check_whole

FORMAT = 1
SEAL, OPEN = "sha256", "0" * 64  # the key of the checksum, and what stands there while it is taken
MOST_KNOWN = 2**26  # bytes of the conditions of real events that a file may hold


@dataclass
class OnnxModel(Drawer):
    """A generator in an ONNX file.

    Attributes:
        kind: The kind of events.
        features: Names and units of the features.
        condition_features: Names and units of the conditions.
        known_conditions: Conditions of real events, shape (M, K), float64.
        facts: All else that the file says of the model.
        session: onnxruntime's session, on one thread.
    """

    kind: Kind
    features: tuple[Feature, ...]
    condition_features: tuple[Feature, ...]
    known_conditions: FloatArray | None
    session: Any
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one event."""
        return tuple(int(side) for side in self.facts["shape"])

    @property
    def attributes(self) -> dict[str, Any]:
        """Facts about the whole sample, such as the calorimeter."""
        return dict(self.facts.get("facts", {}).get("attributes", {}))

    @property
    def latents(self) -> int:
        """L, the dimensions of the prior."""
        return int(self.facts["prior"]["dimensions"])

    def generate(
        self, latent: FloatArray, conditions: FloatArray | None
    ) -> tuple[FloatArray, BoolArray | None]:
        """Values (N, *event) in physical units from latents (N, L), float32, and conditions (N, K) in theirs."""
        values = run(self.session, latent, conditions).astype(np.float64)
        return (values[..., 1:], values[..., 0] > 0.5) if self.kind == "cloud" else (values, None)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a file that `zerosum export` wrote.

        Raises:
            InputError: Where it is not there, damaged, or no such file.
        """
        path = Path(path)
        try:
            content = path.read_bytes()
            session = session_of(content)
            unsealed(content, session.get_modelmeta().custom_metadata_map.get(SEAL))
            facts = json.loads(session.get_modelmeta().custom_metadata_map["zerosum"])
            if facts["format"] > FORMAT:
                raise InputError(
                    f"{path} was written by a later version of zerosum; update zerosum to read it."
                )
            model = cls(
                facts["kind"],
                tuple(Feature(one["name"], one["unit"]) for one in facts["features"]),
                tuple(Feature(one["name"], one["unit"]) for one in facts["conditions"]),
                _unpacked(session.get_modelmeta().custom_metadata_map.get("known_conditions")),
                session,
                facts,
            )
            if model.kind not in ("table", "grid", "cloud") or not 0 < model.latents < 2**20:
                raise ValueError("its description is damaged")
            check_whole(model)
            return model
        except InputError:
            raise
        except Exception as error:  # a damaged or hostile file may fail anywhere in here
            raise InputError(
                f"{path} is no model that zerosum can read ({reason(error)}); give a file that zerosum export wrote."
            ) from None


def session_of(content: bytes) -> Any:
    """An onnxruntime session on one thread of the CPU: many of them may work side by side."""
    try:
        import onnxruntime
    except ImportError:
        raise InputError(
            "onnxruntime is not installed; install it with: pip install 'zerosum[export]'."
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(
        content, options, providers=["CPUExecutionProvider"], enable_fallback=0
    )


def run(session: Any, latent: FloatArray, conditions: FloatArray | None) -> Any:
    """Events of latents and conditions, in the precision of the graph."""
    given = {"latent": latent}
    if conditions is not None:
        double = session.get_inputs()[1].type == "tensor(double)"
        with np.errstate(over="ignore"):
            given["conditions"] = np.asarray(conditions, np.float64 if double else np.float32)
    return session.run(["events"], given)[0]


def write(path: Path, graph: Any, model: Model, facts: dict[str, Any]) -> None:
    """Write the graph with its description, at once or not at all."""
    from zerosum import __name__ as producer

    graph.producer_name, graph.producer_version = producer, str(facts.get("versions", {}).get("zerosum", ""))
    _annotate(graph, "zerosum", json.dumps(description(model, graph) | facts))
    if model.known_conditions is not None:
        _annotate(graph, "known_conditions", _packed(model.known_conditions))
    _annotate(graph, SEAL, OPEN)
    content = graph.SerializeToString()
    write_bytes(path, content.replace(OPEN.encode(), seal(content).encode()))


def seal(content: bytes) -> str:
    """The SHA-256 of a file in which `OPEN` stands in place of its own."""
    return hashlib.sha256(content).hexdigest()


def unsealed(content: bytes, given: str | None) -> None:
    """Refuse a file that is not as it was written; the first files had no checksum."""
    if given is not None and (
        len(given) != 64 or seal(content.replace(given.encode(), OPEN.encode())) != given
    ):
        raise ValueError("its checksum does not fit: it is damaged, or was changed after its export")


def description(model: Model, graph: Any) -> dict[str, Any]:
    """What a program that calls the graph needs to know, as plain data."""
    used = operators(graph)
    return {
        "format": FORMAT,
        "kind": model.kind,
        "model": model.blueprint.model,
        "shape": list(model.blueprint.shape),
        "features": [{"name": feature.name, "unit": feature.unit} for feature in model.features],
        "conditions": ranges(model),
        "points": "1 where the point exists, then its features" if model.kind == "cloud" else None,
        "prior": {"name": "independent standard normal numbers", "dimensions": model.latents},
        "opset": OPSET,
        "operators": used,
        "operators_unknown_to_sofie": [name for name in used if name not in SOFIE],
    }


def ranges(model: Model) -> list[dict[str, Any]]:
    """Name, unit and range of each condition in the training data."""
    if model.known_conditions is None:
        return []
    low, high = model.known_conditions.min(0), model.known_conditions.max(0)
    return [
        {"name": feature.name, "unit": feature.unit, "low": float(a), "high": float(b)}
        for feature, a, b in zip(model.condition_features, low, high, strict=True)
    ]


def _annotate(graph: Any, key: str, text: str) -> None:
    entry = graph.metadata_props.add()
    entry.key, entry.value = key, text


def _packed(conditions: FloatArray) -> str:
    numbers = np.ascontiguousarray(conditions, dtype="<f8")
    header = f"{numbers.shape[0]} {numbers.shape[1]} "
    return header + base64.b64encode(zlib.compress(numbers.tobytes())).decode()


def _unpacked(text: str | None) -> FloatArray | None:
    if text is None:
        return None
    rows, columns, content = text.split(" ")
    shape = int(rows), int(columns)
    size = 8 * shape[0] * shape[1]
    if not 0 < size <= MOST_KNOWN:
        raise ValueError("its conditions are damaged")
    packed = zlib.decompressobj()  # a few bytes of it may stand for gigabytes
    numbers = packed.decompress(base64.b64decode(content), size + 1)
    if len(numbers) != size or not packed.eof:
        raise ValueError("its conditions are damaged")
    return np.frombuffer(numbers, "<f8").reshape(shape).copy()
