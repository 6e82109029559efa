"""Snapshots: what the generator drew in the course of a training, and what the discriminator thought of the plane.

RUN/snapshots/reference.safetensors holds real events of the validation split, step-N.safetensors what was generated
at step N: "events" (n, K), the columns named in the metadata; "images" (n, H, W) of a grid's first channel; "field"
(64, 64), D on a grid of the plane where a table has two features. They change nothing in the training and depend on
the seed alone; the live page draws them, and its slider replays them.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from zerosum.data.events import Events, FloatArray
from zerosum.data.files import write_bytes
from zerosum.errors import InputError
from zerosum.evaluation.observables import with_observables
from zerosum.evaluation.summaries import names, rows
from zerosum.model import Model
from zerosum.report.images import planes
from zerosum.report.watched import snapshot_steps
from zerosum.training.config import Config
from zerosum.training.history import Record

FRAMES = 40  # snapshots in a run, at steps that grow as the square: a game changes fastest at its beginning
COUNT = {"table": 1000, "grid": 64, "cloud": 400}  # generated events in a snapshot
REAL = 2000
COLUMNS, IMAGES, SIDE, PLANE = 12, 6, 32, 64

Field = Callable[[FloatArray], FloatArray]


class Snapshots:
    """The snapshots of one run.

    Args:
        folder: Where they lie.
        config: The run's configuration.
        real: Real events that the generator is not trained on.
        field: D at points of the plane (`Setup.field`), where there is a discriminator.
    """

    def __init__(self, folder: Path, config: Config, real: Events, field: Field | None) -> None:
        self.folder, self.config, self.real = folder, config, real.take(slice(REAL))
        self.plane: FloatArray | None = None
        self.field = (
            field if real.kind == "table" and len(real.features) == 2 and not real.condition_names else None
        )

    def begin(self, step: int) -> None:
        """Forget what comes after this step, and store the real events."""
        self.folder.mkdir(exist_ok=True)
        for later in (number for number in snapshot_steps(self.folder) if number > step):
            (self.folder / f"step-{later}.safetensors").unlink()
        box = self._box() if self.field else None
        self._write("reference", self.real, {}, {"box": box, "frames": FRAMES})

    def due(self, record: Record) -> bool:
        """Whether the step of this record belongs to the snapshots."""
        step, total = record["step"], self.config.steps
        judged = "js_estimate" in record and self.config.judgements <= FRAMES // 2
        ended = step >= total or "stopped" in record
        return judged or ended or _frame(step, total) > _frame(step - self.config.log_every, total)

    def write(self, step: int, model: Model) -> None:
        """Draw from the model and store what came."""
        more = {}
        if self.field is not None and self.plane is not None:
            belief = self.field(self.plane).reshape(PLANE, PLANE)
            more["field"] = np.round(255 * np.clip(belief, 0, 1)).astype(np.uint8)
        generated = model.preview(COUNT[model.kind], seed=self.config.seed + 3)
        self._write(f"step-{step}", generated, more, {"step": step})

    def _write(self, name: str, events: Events, more: dict[str, Any], facts: dict[str, Any]) -> None:
        seen = with_observables(events, self.config.observable)
        titles, matrix = names(seen), rows(seen)
        kept = chosen(titles)
        tensors = {"events": np.ascontiguousarray(matrix[:, kept], dtype=np.float32)} | more
        if seen.weights is not None:
            tensors["weights"] = seen.weights.astype(np.float32)
        if seen.kind == "grid":
            tensors["images"] = _small(planes(seen.values[:IMAGES, 0]))
        units = {feature.name: feature.unit for feature in (*seen.features, *seen.condition_features)}
        facts |= {"names": [titles[i] for i in kept], "units": [units.get(titles[i], "") for i in kept]}
        content = save(
            tensors, metadata={"facts": json.dumps(facts)}
        )  # one key: their order is not determined
        write_bytes(self.folder / f"{name}.safetensors", content)

    def _box(self) -> list[list[float]]:
        """The ends of the plane, a margin around the real events where the transforms allow one; fills the plane."""
        low, high = np.quantile(self.real.values, [0.001, 0.999], axis=0)
        ends = np.array([self.real.values.min(axis=0), self.real.values.max(axis=0)], np.float64)
        tight = np.clip([low, high], *ends)
        for box in (tight + 0.12 * (tight[1] - tight[0]) * np.array([[-1.0], [1.0]]), ends):
            sides = [a + (b - a) * (np.arange(PLANE) + 0.5) / PLANE for a, b in box.T]
            x, y = np.meshgrid(*sides)
            self.plane = np.stack([x.ravel(), y.ravel()], axis=1)
            try:
                if self.field and np.isfinite(self.field(self.plane)).all():
                    return [list(map(float, side)) for side in box.T]
            except InputError:
                continue  # the margin lies beyond a hard edge
        self.field = None
        return [list(map(float, side)) for side in ends.T]


def chosen(titles: list[str]) -> list[int]:
    """Which columns are kept: the first ones, without the many entries of profiles."""
    single = [i for i, title in enumerate(titles) if not title.endswith("]")] or list(range(len(titles)))
    return single[:COLUMNS]


def _frame(step: int, total: int) -> int:
    return math.floor(FRAMES * math.sqrt(max(step, 0) / total) + 1e-9)


def _small(images: FloatArray) -> FloatArray:
    """Images of at most `SIDE` pixels a side: means of neighbouring pixels."""
    for axis in (1, 2):
        parts = math.ceil(images.shape[axis] / SIDE)
        if parts > 1:
            whole = images.shape[axis] // parts * parts
            cut = np.take(images, range(whole), axis)
            shape = (*cut.shape[:axis], whole // parts, parts, *cut.shape[axis + 1 :])
            images = cut.reshape(shape).mean(axis + 1)
    return np.ascontiguousarray(images, dtype=np.float32)
