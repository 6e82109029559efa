"""Figures: the reference filled in grey, the generated sample as a line, a ratio below with its statistical band.

Every function returns a matplotlib `Figure` of its own; nothing touches pyplot's global state, so the functions serve
notebooks, scripts and the report alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from scipy import stats

from zerosum.data.events import Events, Feature, FloatArray

GREY, EDGE, GENERATED, ACCENT = "#d4d4d8", "#71717a", "#c2410c", "#1d4ed8"
EQUILIBRIUM = -float(np.log(4))
BINS = 50
Weights = FloatArray | None


@dataclass(frozen=True)
class Histograms:
    """One feature of both samples in common bins; the outermost two counts are under- and overflow.

    Attributes:
        edges: Bin edges, shape (B + 1,).
        reference: Sums of weights, shape (B + 2,).
        reference_variance: Sums of squared weights.
        generated: Likewise, scaled to the reference's total.
        generated_variance: Likewise.
    """

    edges: FloatArray
    reference: FloatArray
    reference_variance: FloatArray
    generated: FloatArray
    generated_variance: FloatArray

    @property
    def chi2(self) -> tuple[float, int, float]:
        """Chi-square between both, degrees of freedom (filled bins less one for the scale), p-value."""
        variance = self.reference_variance + self.generated_variance
        filled = variance > 0
        chi2 = float(np.sum((self.reference - self.generated)[filled] ** 2 / variance[filled]))
        ndf = max(int(filled.sum()) - 1, 1)
        return chi2, ndf, float(stats.chi2.sf(chi2, ndf))


def histograms(
    reference: FloatArray,
    generated: FloatArray,
    weights: tuple[Weights, Weights] = (None, None),
    bins: int = BINS,
) -> Histograms:
    """Histograms over the central 99.8 % of the reference; what lies outside goes to under- and overflow."""
    import hist

    low, high = np.quantile(reference, [0.001, 0.999])
    if low == high:
        low, high = low - 0.5, high + 0.5
    if np.all(reference == np.round(reference)) and high - low < 100:
        low, high, bins = low - 0.5, high + 0.5, int(high - low + 1)
    axis = hist.axis.Regular(bins, float(low), float(high))
    contents = []
    for values, weight in zip((reference, generated), weights, strict=True):
        filled = hist.Hist(axis, storage=hist.storage.Weight())
        filled.fill(np.asarray(values, np.float64), weight=weight)
        view = filled.view(flow=True)
        contents.append((np.asarray(view["value"]), np.asarray(view["variance"])))
    (r, dr), (g, dg) = contents
    scale = r.sum() / g.sum() if g.sum() else 1.0
    return Histograms(np.asarray(axis.edges), r, dr, g * scale, dg * scale**2)


def feature_figure(
    feature: Feature,
    reference: FloatArray,
    generated: FloatArray,
    weights: tuple[Weights, Weights] = (None, None),
) -> Figure:
    """One feature: densities above, the ratio generated/reference with the reference's band below."""
    found = histograms(reference, generated, weights)
    figure = Figure(figsize=(4.6, 3.9), layout="constrained")
    top, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1.1])
    inside = slice(1, -1)
    r, g = found.reference[inside], found.generated[inside]
    dr, dg = np.sqrt(found.reference_variance[inside]), np.sqrt(found.generated_variance[inside])
    top.stairs(r, found.edges, fill=True, color=GREY)
    top.stairs(r, found.edges, color=EDGE, linewidth=0.8, label="reference")
    top.stairs(g, found.edges, color=GENERATED, linewidth=1.5, label="generated")
    if r.max() > 200 * max(float(np.median(r)), 1e-12) and r.min() >= 0:
        top.set_yscale("log")
    chi2, ndf, p = found.chi2
    top.set_title(f"χ²/ndf = {chi2:.1f}/{ndf}, p = {p:.2g}", fontsize=8, loc="right", color=EDGE)
    top.set_ylabel("events", fontsize=9)
    top.legend(frameon=False, fontsize=8)
    seen = r > 0
    band = np.divide(dr, r, out=np.zeros_like(r), where=seen)
    below.stairs(1 + band, found.edges, baseline=1 - band, fill=True, color=GREY)
    centres = ((found.edges[:-1] + found.edges[1:]) / 2)[seen]
    below.errorbar(
        centres,
        (g[seen] / r[seen]),
        dg[seen] / r[seen],
        fmt=".",
        markersize=3,
        linewidth=0.8,
        color=GENERATED,
    )
    below.axhline(1, color=EDGE, linewidth=0.8)
    below.set_ylim(0.4, 1.6)
    below.set_ylabel("ratio", fontsize=9)
    below.set_xlabel(feature.label, fontsize=9)
    _outside(below, found)
    _quiet(top, below)
    return figure


def _outside(axes: Axes, found: Histograms) -> None:
    """Under- and overflow in percent, reference / generated, in the corners."""
    total = max(found.reference.sum(), 1e-300)
    for place, x, align in ((0, 0.01, "left"), (-1, 0.99, "right")):
        r, g = 100 * found.reference[place] / total, 100 * found.generated[place] / total
        sign = "<" if place == 0 else ">"
        text = f"{sign} {r:.2g} % / {g:.2g} %"
        axes.text(x, 0.97, text, transform=axes.transAxes, fontsize=6, ha=align, va="top", color=EDGE)


def _quiet(*many: Axes) -> None:
    for axes in many:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)


def correlation_figure(reference: Events, generated: Events) -> Figure:
    """Linear correlations of the columns: reference, generated, difference."""
    matrices = [np.atleast_2d(np.corrcoef(events.values.T)) for events in (reference, generated)]
    matrices.append(matrices[1] - matrices[0])
    names, n = reference.names, len(reference.names)
    figure = Figure(figsize=(11, 3.9), layout="constrained")
    for axes, matrix, title in zip(
        figure.subplots(1, 3), matrices, ("reference", "generated", "difference"), strict=True
    ):
        limit = 1.0 if title != "difference" else max(float(np.abs(matrix).max()), 0.05)
        image = axes.imshow(matrix, cmap="RdBu_r", vmin=-limit, vmax=limit)
        axes.set_title(title, fontsize=10)
        axes.set_xticks(range(n), names, rotation=90, fontsize=7)
        axes.set_yticks(range(n), names, fontsize=7)
        if n <= 8:
            for i, j in np.ndindex(n, n):
                colour = "white" if abs(matrix[i, j]) > 0.6 * limit else "black"
                axes.text(j, i, f"{matrix[i, j]:.2f}", ha="center", va="center", fontsize=6, color=colour)
        figure.colorbar(image, ax=axes, shrink=0.8).ax.tick_params(labelsize=7)
    return figure


def pairs_figure(reference: Events, generated: Events, most: int = 6, events: int = 20_000) -> Figure:
    """Pairs of columns: reference below the diagonal, generated above it, both on it."""
    n = min(len(reference.features), most)
    figure = Figure(figsize=(1.7 * n + 1, 1.7 * n + 0.6), layout="constrained")
    grid: Any = figure.subplots(n, n, squeeze=False)
    sides = [np.quantile(reference.values[:, i], [0.005, 0.995]) for i in range(n)]
    for i, j in np.ndindex(n, n):
        axes, (first, second) = grid[i, j], (reference.values[:events], generated.values[:events])
        if i == j:
            axes.hist(first[:, i], 40, sides[i], color=GREY, density=True)
            axes.hist(second[:, i], 40, sides[i], color=GENERATED, density=True, histtype="step")
        else:
            sample = first if i > j else second
            axes.hist2d(
                sample[:, j], sample[:, i], 40, (sides[j], sides[i]), cmap="Greys" if i > j else "Oranges"
            )
        axes.tick_params(labelsize=6)
        axes.set_xlabel(reference.features[j].label if i == n - 1 else "", fontsize=8)
        axes.set_ylabel(reference.features[i].label if j == 0 else "", fontsize=8)
    figure.suptitle("below the diagonal: reference · above: generated", fontsize=9, color=EDGE)
    return figure


def means_figure(reference: Events, generated: Events) -> Figure:
    """Mean images of the first channel, and their ratio (their difference where values are signed)."""
    first, second = (_planes(events.values[:, 0]).mean(axis=0) for events in (reference, generated))
    signed = bool(reference.values.min() < 0)
    filled = first[first > 0]
    logarithmic = not signed and filled.size > 0 and filled.max() > 100 * filled.min()
    norm: Any = LogNorm(float(filled.min()), float(filled.max())) if logarithmic else None
    with np.errstate(divide="ignore", invalid="ignore"):
        compared = second - first if signed else second / first
    limits = (-0.1, 0.1) if signed else (0.5, 1.5)
    title = "difference" if signed else "generated / reference"
    figure = Figure(figsize=(11, 3.2), layout="constrained")
    panels = figure.subplots(1, 3)
    for axes, picture, name in zip(panels, (first, second), ("reference", "generated"), strict=False):
        _image(figure, axes, picture, f"mean, {name}", cmap="viridis", norm=norm)
    _image(figure, panels[2], compared, title, cmap="RdBu_r", vmin=limits[0], vmax=limits[1])
    return figure


def gallery_figure(reference: Events, generated: Events, most: int = 10) -> Figure:
    """Single events of the first channel: reference above, generated below."""
    first, second = (_planes(events.values[:most, 0]) for events in (reference, generated))
    top = max(float(np.quantile(first, 0.999)), 1e-300)
    figure = Figure(figsize=(11, 2.5), layout="constrained")
    panels = figure.subplots(2, most)
    for row, (sample, title) in enumerate(((first, "reference"), (second, "generated"))):
        for axes, event in zip(panels[row], sample, strict=False):
            picture = event if first.min() < 0 else np.log1p(100 * event / top)
            axes.imshow(picture, cmap="viridis")
            axes.set_xticks([])
            axes.set_yticks([])
        panels[row, 0].set_ylabel(title, fontsize=9)
    return figure


def _image(figure: Figure, axes: Axes, picture: FloatArray, title: str, **style: Any) -> None:
    image = axes.imshow(picture, **style)
    axes.set_title(title, fontsize=9)
    axes.set_xticks([])
    axes.set_yticks([])
    figure.colorbar(image, ax=axes, shrink=0.85).ax.tick_params(labelsize=7)


def _planes(values: FloatArray) -> FloatArray:
    """Grids of three dimensions summed along the first, so that they can be drawn."""
    return values.sum(axis=1) if values.ndim == 4 else values


def training_figure(history: Sequence[dict[str, Any]]) -> Figure:
    """V(D, G) against its equilibrium, the judged divergence, and the losses, against the step."""
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    value, judged, losses = figure.subplots(1, 3)
    _curve(value, history, "value", ACCENT, "V on held-out events")
    value.axhline(EQUILIBRIUM, color=EDGE, linestyle="--", linewidth=1, label="equilibrium −ln 4")
    value.set_title("value of the game", fontsize=9)
    _curve(judged, history, "js_estimate", GENERATED, "validation split", marker="o")
    judged.axhline(0, color=EDGE, linestyle="--", linewidth=1)
    judged.set_title("Jensen-Shannon divergence seen by the judge [nats]", fontsize=9)
    for name, colour in (
        ("loss_discriminator", ACCENT),
        ("loss_generator", GENERATED),
        ("loss_model", ACCENT),
    ):
        _curve(losses, history, name, colour, name.removeprefix("loss_"))
    losses.set_title("losses", fontsize=9)
    for axes in (value, judged, losses):
        axes.set_xlabel("step", fontsize=9)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, fontsize=8)
    _quiet(value, judged, losses)
    return figure


def _curve(
    axes: Axes, history: Sequence[dict[str, Any]], name: str, colour: str, label: str, marker: str = ""
) -> None:
    points = [(record["step"], record[name]) for record in history if name in record]
    if points:
        steps, numbers = np.array(points, dtype=np.float64).T
        axes.plot(steps, numbers, color=colour, linewidth=1.3, marker=marker, markersize=4, label=label)
