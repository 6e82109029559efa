"""Trainings of one data set from several seeds, ranked by what the validation events said of them.

They communicate nothing, so that any batch system can run them. The choice uses the validation split alone: the
certificate of the chosen run, from its test split, is not biased by it.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zerosum.errors import InputError
from zerosum.training.config import Config
from zerosum.training.run import RunFolder


@dataclass(frozen=True)
class Ranked:
    """One run.

    Attributes:
        run: Its folder.
        seed: Its seed.
        step: The step whose generator was kept.
        steps: The steps that were asked for.
        estimate: The Jensen-Shannon divergence by the validation split there, in nats.
        error: Its standard error.
        certified: The certificate's lower limit from the test split, in nats; None before a run is finished.
    """

    run: str
    seed: int
    step: int
    steps: int
    estimate: float
    error: float
    certified: float | None


def rank(folder: str | Path) -> list[Ranked]:
    """The judged runs in a folder, the best first."""
    if not Path(folder).is_dir():
        raise InputError(f"{folder} is no folder; give the folder of several runs.")
    if RunFolder(folder).config.is_file():
        raise InputError(
            f"{folder} is a run itself; give the folder that holds it and runs of other seeds ({Path(folder).parent})."
        )
    found = [one for path in sorted(Path(folder).glob("*/config.yaml")) if (one := _ranked(path.parent))]
    if not found:
        raise InputError(
            f"{folder} holds no run that was judged yet; give the folder of several runs, such as runs of "
            "zerosum train --seed 1 --out runs/1."
        )
    return sorted(found, key=lambda one: one.estimate)


def _ranked(path: Path) -> Ranked | None:
    run = RunFolder(path)
    config = Config.of_run(run.config)
    judged = [
        record for record in run.history.records() if math.isfinite(record.get("js_estimate", math.inf))
    ]
    if not judged:
        return None
    best = min(judged, key=lambda record: float(record["js_estimate"]))
    certificate: dict[str, Any] = {}
    if (path / "certificate.json").is_file():
        certificate = run.read_json("certificate.json").get("jensen_shannon", {})
    return Ranked(
        str(path),
        config.seed,
        best["step"],
        config.steps,
        best["js_estimate"],
        best["js_error"],
        certificate.get("lower"),
    )


def table(rows: list[Ranked]) -> str:
    """The rows as text."""
    width = max(len(row.run) for row in rows)
    lines = [f"{'run':<{width}}  {'seed':>5}  {'step':>7}  {'D_JS, validation [nats]':>23}  certified >="]
    for row in rows:
        value = f"{row.estimate:.5f} +- {row.error:.5f}"
        limit = "not finished" if row.certified is None else f"{row.certified:.5f}"
        lines.append(f"{row.run:<{width}}  {row.seed:>5}  {row.step:>7}  {value:>23}  {limit:>12}")
    if len(rows) > 1 and rows[1].estimate - rows[0].estimate < math.hypot(rows[0].error, rows[1].error):
        lines.append("The first two differ by less than the error of their difference.")
    return "\n".join(lines)
