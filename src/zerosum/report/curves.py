"""Curves of a training, the certificate on its scale, and closure in bins of a condition."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from zerosum.report.histograms import Numbers
from zerosum.report.numbers import measured, number
from zerosum.report.panels import Panel, together
from zerosum.report.style import ACCENT, FILL, GENERATED, INK, SOFT, Figure, styled
from zerosum.theory.estimate import EQUILIBRIUM, LN2, floored

Record = dict[str, Any]
MOST_POINTS = 400
NARROWEST = 0.01  # of the values: the least range of an axis
TICKS = (0.0, 0.001, 0.01, 0.05, 0.1, 0.2, 0.35, 0.5)
COLOURS = (ACCENT, GENERATED, SOFT, INK)


def training_panels(history: Sequence[Record]) -> list[Panel]:
    """What the records allow: V against -ln 4, the judged divergence, losses, gradient norms, against the step."""
    return [panel for panel in _training(history) if panel is not None]


def training_figure(history: Sequence[Record]) -> Figure:
    """The training against the step; panels without records are left out."""
    return together(training_panels(history), columns=2)


def _training(history: Sequence[Record]) -> Iterator[Panel | None]:
    def value(axes: Axes) -> None:
        _curve(axes, *series(history, "value"), ACCENT, "V, held-out")
        axes.axhline(EQUILIBRIUM, color=SOFT, linestyle="--", linewidth=1, label="−ln 4")
        _stepwise(axes)

    values = series(history, "value")[1]
    if len(values):
        last = values[-1]
        yield Panel(
            "Value of the game V(D, G)",
            f"V against the step: at the end {last:.4f}, where equilibrium is {EQUILIBRIUM:.4f}",
            value,
        )
    yield _divergence(history)
    yield _group(history, "loss_", "Losses", logarithmic=False)
    yield _group(history, "gradient_", "Gradient norms", logarithmic=True)


def _divergence(history: Sequence[Record]) -> Panel | None:
    steps, estimates = series(history, "js_estimate")
    bounds = series(history, "js_lower")
    if not len(steps) and not len(bounds[0]):
        return None

    def draw(axes: Axes) -> None:
        errors = {record["step"]: record.get("js_error") or 0.0 for record in history}
        axes.errorbar(
            steps, estimates, [errors[step] for step in steps], fmt="o-", markersize=3, linewidth=1,
            color=GENERATED, label="estimate",
        )  # fmt: skip
        if len(bounds[0]):
            axes.plot(*bounds, "_", markersize=7, color=INK, label="lower limit")
        axes.axhline(0, color=SOFT, linestyle="--", linewidth=1)
        _stepwise(axes)

    last = f"{estimates[-1]:.4g}" if len(estimates) else f"at least {bounds[1][-1]:.4g}"
    return Panel("Jensen-Shannon [nats]", f"D_JS while training: {last} nats at the end", draw)


def _group(history: Sequence[Record], prefix: str, name: str, *, logarithmic: bool) -> Panel | None:
    keys = sorted({key for record in history for key in record if key.startswith(prefix)})
    curves = {key.removeprefix(prefix): series(history, key) for key in keys}
    curves = {who: curve for who, curve in curves.items() if len(curve[0])}
    if not curves:
        return None

    def draw(axes: Axes) -> None:
        for (who, curve), colour in zip(curves.items(), COLOURS, strict=False):
            _curve(axes, *curve, colour, who)
        values = np.concatenate([curve[1] for curve in curves.values()])
        if logarithmic and values.min() > 0 and values.max() > 10 * values.min():
            axes.set_yscale("log")
        _stepwise(axes)

    ends = ", ".join(f"{who} {curve[1][-1]:.3g}" for who, curve in curves.items())
    return Panel(name, f"{name} against the step; at the end: {ends}", draw)


def series(history: Sequence[Record], key: str) -> tuple[Numbers, Numbers]:
    """The steps and values of the finite records of a key, in at most a few hundred averages."""
    points = [
        (record["step"], record[key])
        for record in history
        if record.get(key) is not None and "step" in record
    ]
    numbers = np.array(points, dtype=np.float64).reshape(-1, 2)
    numbers = numbers[np.isfinite(numbers).all(axis=1)]
    if len(numbers) <= MOST_POINTS:
        return numbers[:, 0], numbers[:, 1]
    parts = np.array_split(numbers, MOST_POINTS)
    return np.array([part[-1, 0] for part in parts]), np.array([part[:, 1].mean() for part in parts])


def _curve(axes: Axes, steps: Numbers, values: Numbers, colour: str, name: str) -> None:
    """The records faintly, their running mean boldly; few records just as they are."""
    window = len(values) // 20
    if window < 3:
        axes.plot(steps, values, color=colour, linewidth=1.3, label=name)
        return
    axes.plot(steps, values, color=colour, linewidth=0.6, alpha=0.35)
    padded = np.r_[0.0, np.cumsum(values)]
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - window, 0)
    axes.plot(steps, (padded[ends] - padded[starts]) / (ends - starts), color=colour, label=name)


def _stepwise(axes: Axes) -> None:
    axes.set_xlabel("step")
    axes.xaxis.set_major_formatter(lambda step, _: f"{step / 1000:g}k" if step >= 1000 else f"{step:g}")
    if axes.get_legend_handles_labels()[0]:
        axes.margins(y=0.12)
        axes.legend(loc="best")
    low, high = axes.get_ylim()
    if high - low < NARROWEST * max(abs(low), abs(high)):  # a constant, and rounding
        axes.set_ylim(low - NARROWEST * abs(low), high + NARROWEST * abs(high))


@styled
def certificate_figure(comparison: dict[str, Any]) -> Figure:
    """The Jensen-Shannon certificate on [0, ln 2], a square-root scale because small values matter.

    Args:
        comparison: What `Comparison.to_json` gives.
    """
    js = comparison.get("jensen_shannon") or {}
    figure = Figure(figsize=(7.2, 1.5), layout="constrained")
    axes = figure.subplots()
    axes.set_xscale(
        "function", functions=(lambda x: np.sign(x) * np.sqrt(np.abs(x)), lambda x: np.sign(x) * x**2)
    )
    axes.set_xlim(0, LN2)
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.spines[["left", "top", "right"]].set_visible(False)
    lower, estimate, error, floor = (js.get(key) for key in ("lower", "estimate", "error", "null_floor"))
    if lower is not None and lower > 0:
        axes.axvspan(lower, LN2, 0, 0.5, color=GENERATED, alpha=0.14, linewidth=0)
        axes.plot(
            [lower, lower], [0, 0.5], color=GENERATED, linewidth=2, label=f"lower limit {floored(lower)}"
        )
    if floor is not None and floor > 0:
        axes.axvspan(0, floor, 0, 0.22, color=FILL, linewidth=0, label=f"null floor {number(floor)}")
    if estimate is not None:
        name = f"estimate {measured(estimate, error)}"
        ends = np.clip([estimate - (error or 0), estimate + (error or 0)], 0, LN2)
        axes.plot(ends, [0.34, 0.34], color=INK, linewidth=1.5)
        axes.plot(np.clip(estimate, 0, LN2), 0.34, "o", color=INK, markersize=5, label=name, clip_on=False)
    axes.minorticks_off()
    axes.set_xticks([*TICKS, LN2], [*(f"{tick:g}" for tick in TICKS), "ln 2"])
    axes.set_xlabel("Jensen-Shannon divergence [nats]; 0 is the equilibrium of the game", loc="center")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper center", ncols=3)
    return figure
