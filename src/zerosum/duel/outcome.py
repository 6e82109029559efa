"""The outcome of a duel as text and as JSON."""

import json
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from zerosum.data.files import demand_writable, write_text
from zerosum.duel.contest import Row, duel
from zerosum.duel.predictions import predictions
from zerosum.report.duel import write_duel
from zerosum.workflow import load_run, read_events

WIDTH = 80


def duel_of_file(
    data: str | Path,
    out: str | Path,
    seconds: float,
    *,
    columns: Sequence[str] | None = None,
    conditions: Sequence[str] = (),
    image: int | None = None,
    json_file: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
    **choices: Any,
) -> list[Row]:
    """The duel on a file of events; writes OUT/duel.json and OUT/report.html beside the runs.

    Args:
        data: A file of events.
        out: A folder, made new, with one run for each model.
        seconds: Of training, for each model.
        columns: The features to generate; all columns by default.
        conditions: Columns that are given, not generated.
        image: The side of images made from point clouds.
        json_file: A further place for the numbers.
        say: Told of the progress.
        **choices: As for `duel`: models, seed, and any option of `Config`.
    """
    if json_file:
        demand_writable(json_file)
    events = read_events(data, columns=columns, conditions=conditions, image=image)
    named: dict[str, Any] = {
        "data": str(data),
        "columns": columns,
        "condition": tuple(conditions),
        "image": image,
    }
    rows = duel(events, out, seconds, say=say, **{k: v for k, v in named.items() if v}, **choices)
    found = outcome(rows, path=str(data), n=len(events), seconds=seconds, seed=int(choices.get("seed", 0)))
    for path in filter(None, (Path(out) / "duel.json", json_file)):
        write_text(path, json.dumps(found, indent=1) + "\n")
    test = load_run(Path(out) / rows[0].model.replace(":", "-")).test
    write_duel(Path(out) / "report.html", found, test, {row.model: row.generated for row in rows})
    return rows


def outcome(rows: Sequence[Row], *, path: str, n: int, seconds: float, seed: int) -> dict[str, Any]:
    """All numbers of a duel as plain JSON.

    Args:
        rows: One for each model.
        path: Where the events came from.
        n: How many events there were, before the split.
        seconds: Of training, for each model.
        seed: The seed of the split and of everything else.
    """
    claims = [
        {"claim": one.claim, "found": one.found, "holds": one.holds, "verdict": one.verdict}
        for one in predictions(rows)
    ]
    return {
        "data": {"path": path, "n": n},
        "seconds": seconds,
        "seed": seed,
        "unit": "nats",
        "models": [row.to_json() for row in rows],
        "predictions": claims,
    }


def table(rows: Sequence[Row]) -> str:
    """The rows as text of at most 80 columns: one line for each quantity, one column for each model."""
    columns = [cells(row) for row in rows]
    label = max(map(len, columns[0])) + 1
    width = (WIDTH - label) // len(columns)
    lines = [
        f"{key:{label}}" + "".join(f"{column[key]:>{width}}" for column in columns) for key in columns[0]
    ]
    notes = [f"{row.model}: {row.reason}." for row in rows if row.reason]
    said = [f"- {one.claim}: {one.verdict}. {one.found}." for one in predictions(rows)]
    texts = [textwrap.fill(text, WIDTH, subsequent_indent="  ") for text in notes + said]
    return "\n".join([*lines, "", *texts])


def cells(row: Row) -> dict[str, str]:
    """One model's column: names of quantities to numbers as text."""
    found, likelihood = row.comparison, row.log_likelihood
    entropy, kl = (row.identity.entropy.value, row.identity.kl.value) if row.identity else (None, None)
    numbers = {
        "<ln p_g> [nats]": None if likelihood is None else likelihood.value,
        "  its error": None if likelihood is None else likelihood.error,
        "  -S (kNN)": None if entropy is None else -entropy,
        "  KL(data||g) (kNN)": kl,
        "D_JS >=": found.jensen_shannon.lower,
        "D_JS": found.jensen_shannon.estimate,
        "  error of D_JS": found.jensen_shannon.error,
        "KL(data||g)": found.kl_forward.estimate,
        "KL(g||data)": found.kl_reverse.estimate,
        "missing": found.missing.value,
        "invented": found.invented.value,
        "filling in": row.filling.value,
        "uncovered": row.uncovered.value,
        "AUC": found.auc.value,
    }
    texts = {key: "-" if number is None else f"{number:.4f}" for key, number in numbers.items()}
    training = {
        "steps": f"{row.steps}",
        "training [s]": f"{row.seconds:.1f}",
        "sampling [events/s]": f"{row.speed:.3g}",
    }
    return {"": row.model} | texts | training
