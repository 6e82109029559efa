"""The page of a duel: one table, what was predicted, and the models' samples beside the data."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from zerosum.data.events import Events
from zerosum.data.files import write_text
from zerosum.report.bibliography import ENTRIES
from zerosum.report.joint import SHADE, central
from zerosum.report.numbers import measured, number
from zerosum.report.page import environment
from zerosum.report.panels import Panel, label
from zerosum.report.sections import Section
from zerosum.report.style import ACCENT, FILL, GENERATED, INK, SOFT

MOST_FEATURES = 8
MOST_EVENTS = 50_000
COLOURS = (GENERATED, ACCENT, INK, "#0f766e", "#a21caf")
Sample = Mapping[str, Events]


def write_duel(path: str | Path, outcome: Mapping[str, Any], reference: Events, samples: Sample) -> None:
    """Write the page, at once or not at all.

    Args:
        path: The HTML file.
        outcome: All numbers of the duel, as its JSON has them.
        reference: The test split.
        samples: Each model's generated events.
    """
    measured_section, seen = Section("measured", "Measured"), Section("seen", "Seen")
    for panel in measured_panels(outcome["models"]):
        measured_section.panel(panel)
    for panel in sample_panels(reference, samples):
        seen.panel(panel)
    page = (
        environment()
        .get_template("duel.html.j2")
        .render(
            title=f"Duel on {Path(outcome['data']['path']).name or 'events'}",
            outcome=outcome,
            rows=list(table_rows(outcome["models"])),
            sections=[section for section in (measured_section, seen) if section.pictures],
            bibtex="\n\n".join(ENTRIES[key] for key in ("game", "betting", "variational", "training")),
            version=version("zerosum"),
        )
    )
    write_text(Path(path), page)


def table_rows(models: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Lines of the table: a quantity, what it is, and one cell for each model."""
    for name, what, value in LINES:
        yield {"name": name, "what": what, "cells": [value(row) for row in models]}


def _text(one: Mapping[str, float] | None) -> str:
    return "–" if one is None else measured(one["estimate"], one["error"]) or "–"


def _share(one: Mapping[str, float]) -> str:
    return measured(one["fraction"], one["error"], percent=True) or "–"


def _limit(lower: float | None) -> str:
    return "–" if lower is None else number(lower) if lower > 0 else "nothing"


LINES: tuple[tuple[str, str, Callable[[Mapping[str, Any]], str]], ...] = (
    ("⟨ln p_g⟩", "of held-out events, nats per event", lambda row: _text(row["log_likelihood"])),
    ("D_JS", "estimate by held-out critics, nats", lambda row: _text(row["comparison"]["jensen_shannon"])),
    ("D_JS ≥", "certified", lambda row: _limit(row["comparison"]["jensen_shannon"].get("lower"))),
    ("D_KL(data‖g)", "large where modes are missing", lambda row: _text(row["comparison"]["kl_forward"])),
    ("D_KL(g‖data)", "large where events are invented", lambda row: _text(row["comparison"]["kl_reverse"])),
    ("missing", "of the data, by critics", lambda row: _share(row["comparison"]["missing"])),
    ("invented", "of the generated events, by critics", lambda row: _share(row["comparison"]["invented"])),
    ("filling in", "generated events where there are practically no data, by distances",
     lambda row: _share(row["filling_in"])),
    ("uncovered", "data where there are practically no generated events, by distances",
     lambda row: _share(row["uncovered"])),
    ("AUC", "½ where the critics see nothing", lambda row: _text(row["comparison"]["auc"])),
    ("training", "seconds, steps", lambda row: f"{row['seconds']:.0f} s, {row['steps']}"),
    ("sampling", "events per second", lambda row: f"{row['events_per_second']:.3g}"),
)  # fmt: skip


def measured_panels(models: Sequence[Mapping[str, Any]]) -> Iterator[Panel]:
    """Distances, empty places and likelihoods, a dot with its error for each model."""
    names = [row["model"] for row in models]

    def dots(axes: Axes, read: Any, colour: str, text: str, shift: float = 0.0) -> None:
        found = [read(row) for row in models]
        kept = [i for i, one in enumerate(found) if one is not None]
        values = [next(iter(found[i].values())) for i in kept]
        errors = [found[i]["error"] for i in kept]
        axes.errorbar(
            [i + shift for i in kept], values, errors, fmt="o", markersize=4, color=colour, label=text
        )

    def frame(axes: Axes) -> None:
        axes.set_xticks(range(len(names)), names)
        axes.minorticks_off()
        axes.set_xlim(-0.5, len(names) - 0.5)
        axes.axhline(0, color=FILL, linewidth=0.8, zorder=0)

    def distance(axes: Axes) -> None:
        dots(axes, lambda row: row["comparison"]["jensen_shannon"], GENERATED, "estimate")
        lower = [row["comparison"]["jensen_shannon"].get("lower") or 0.0 for row in models]
        axes.plot(range(len(names)), np.maximum(lower, 0), "_", markersize=16, color=INK, label="certified")
        frame(axes)
        axes.legend()

    def empty(axes: Axes) -> None:
        dots(axes, lambda row: row["filling_in"], GENERATED, "filling in", -0.1)
        dots(axes, lambda row: row["uncovered"], ACCENT, "uncovered", 0.1)
        frame(axes)
        axes.legend()

    def likelihood(axes: Axes) -> None:
        dots(axes, lambda row: row["log_likelihood"], ACCENT, "⟨ln p_g⟩")
        identity = next((row["identity"] for row in models if row["identity"]), None)
        if identity:
            axes.axhline(
                -identity["entropy"]["estimate"], color=SOFT, linestyle="--", label="−S of the data (kNN)"
            )
        frame(axes)
        axes.relim()
        axes.autoscale(axis="y")
        axes.legend()

    yield Panel("Jensen-Shannon [nats]", "D_JS and its certified limit for each model", distance)
    yield Panel("Filled in and uncovered", "Fractions for each model, with errors", empty)
    if any(row["log_likelihood"] for row in models):
        yield Panel(
            "Likelihood [nats per event]", "Mean ln p_g for each model that has a density", likelihood
        )


def sample_panels(reference: Events, samples: Sample) -> Iterator[Panel]:
    """Tables of two columns as clouds, one panel each; of more, every feature with all models as lines."""
    if reference.kind != "table":
        return
    if len(reference.features) == 2:
        for name, events in {"data": reference, **samples}.items():
            yield plane(name, events, reference)
        return
    for i, feature in enumerate(reference.features[:MOST_FEATURES]):
        yield lines(i, label(feature), reference, samples)


def plane(name: str, events: Events, reference: Events) -> Panel:
    """The density of two columns, on the range of the reference; shades follow the square root of the counts."""
    box = [_wider(central(reference.values[:, i].astype(np.float64))) for i in (0, 1)]

    def draw(axes: Axes) -> None:
        x = np.asarray(events.values[:MOST_EVENTS], np.float64)
        counts = np.histogram2d(x[:, 0], x[:, 1], bins=90, range=np.array(box))[0].T
        axes.imshow(np.sqrt(counts), cmap=SHADE, origin="lower", extent=(*box[0], *box[1]), aspect="auto")
        axes.set_xlabel(label(reference.features[0]))
        axes.set_ylabel(label(reference.features[1]))

    return Panel(name, f"Density of the two columns: {name}", draw, (3.2, 3.0))


def _wider(ends: tuple[float, float]) -> tuple[float, float]:
    margin = 0.1 * (ends[1] - ends[0])
    return ends[0] - margin, ends[1] + margin


def lines(i: int, name: str, reference: Events, samples: Sample) -> Panel:
    """One feature: the data filled, every model as a line of its own colour."""

    def draw(axes: Axes) -> None:
        ends = central(reference.values[:, i].astype(np.float64))
        edges = np.linspace(*ends, 51)
        count = np.histogram(reference.values[:, i], edges)[0] / len(reference)
        axes.stairs(count, edges, fill=True, color=FILL, label="data")
        for (model, events), colour in zip(samples.items(), COLOURS, strict=False):
            axes.stairs(
                np.histogram(events.values[:, i], edges)[0] / len(events),
                edges,
                color=colour,
                linewidth=1,
                label=model,
            )
        axes.set_yticks([])
        axes.set_xlabel(name)
        axes.legend(fontsize=6.5)

    return Panel(name, f"{name} of the data and of every model", draw, (3.6, 2.7))
