"""Figures of tables: the reference filled in grey, the generated sample as a line, their ratio below.

Every function returns a matplotlib `Figure` of its own; nothing touches pyplot's global state, so the functions serve
notebooks, scripts and the report alike. Styles of the experiments: `with using("ATLAS"): ...`.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zerosum.data.events import Events, FloatArray
from zerosum.report.curves import certificate_figure, training_figure
from zerosum.report.histograms import Numbers, Overlay, overlay
from zerosum.report.images import gallery_figure, images_figure
from zerosum.report.panels import Panel, label, together
from zerosum.report.style import FILL, GENERATED, INK, LINE, SOFT, styled, using

__all__ = [
    "certificate_figure",
    "closure_figure",
    "correlation_figure",
    "feature_figure",
    "gallery_figure",
    "images_figure",
    "overlay",
    "pairs_figure",
    "training_figure",
    "using",
]

SHADE = LinearSegmentedColormap.from_list("shade", [(0.55, 0.55, 0.6, 0.0), (0.42, 0.42, 0.48, 0.95)])
HALF_RANGES = (0.1, 0.2, 0.5, 1.0)  # of the ratio's axis
CONTENTS = (0.95, 0.68)  # of the contours of pairs
MOST_COLUMNS = 24


@styled
def feature_figure(found: Overlay, *, below: Literal["ratio", "pull"] = "ratio") -> Figure:
    """One feature: both histograms, and below the ratio generated/reference or the pull of each bin.

    Args:
        found: The filled histograms, from `overlay`.
        below: "ratio" with the reference's statistical band, or "pull", the difference in standard errors.
    """
    width, height = 3.6, 3.0
    figure = Figure(figsize=(width, height))
    left, right, bottom, split, top = 0.5 / width, 0.97, 0.42 / height, 0.36, 1 - 0.25 / height
    main = figure.add_axes((left, split + 0.02, right - left, top - split - 0.02))
    under = figure.add_axes((left, bottom, right - left, split - bottom - 0.01), sharex=main)
    _overlaid(main, found)
    chi2, ndf, p = found.chi2
    main.set_title(f"χ²/ndf = {chi2:.1f}/{ndf},  p = {p:.2g}", loc="right")
    main.tick_params(axis="x", which="both", labelbottom=False)
    main.legend(loc="best")
    (_ratio if below == "ratio" else _pull)(under, found)
    under.set_xlabel(label(found.feature))
    if found.logarithmic:
        main.set_xscale("log")
    _flow_signs(under, found)
    figure.align_ylabels([main, under])
    return figure


def _extended(found: Overlay) -> list[tuple[slice, Numbers]]:
    """The bins to draw: those inside, and those beyond the ends where anything fell there."""
    edges = np.log10(found.edges) if found.logarithmic else found.edges
    step = (edges[-1] - edges[0]) * 0.03
    parts = [(slice(1, -1), edges)]
    if found.counts[0][0] or found.counts[2][0]:
        parts.append((slice(0, 1), edges[0] - step * np.array([1.5, 0.5])))
    if found.counts[0][-1] or found.counts[2][-1]:
        parts.append((slice(-1, None), edges[-1] + step * np.array([0.5, 1.5])))
    return [(part, 10**places if found.logarithmic else places) for part, places in parts]


def _overlaid(axes: Axes, found: Overlay) -> None:
    r, _, g, dg = found.counts
    for part, edges in _extended(found):
        named = part.start == 1
        axes.stairs(r[part], edges, fill=True, color=FILL, label="reference" if named else None)
        axes.stairs(r[part], edges, color=LINE, linewidth=0.7)
        axes.stairs(g[part], edges, color=GENERATED, linewidth=1.3, label="generated" if named else None)
        error = np.sqrt(dg[part])
        axes.vlines(
            _middles(edges, found), g[part] - error, g[part] + error, color=GENERATED, linewidth=0.8
        )
    axes.set_ylabel("events per bin")
    inside = r[1:-1]
    if inside.min() >= 0 and g.min() >= 0 and inside.max() > 200 * max(float(np.median(inside)), 0.05):
        axes.set_yscale("log")
        axes.set_ylim(0.5 * float(min(inside[inside > 0].min(), 1.0)), 3 * max(inside.max(), g.max()))
    else:
        axes.set_ylim(min(0.0, 1.1 * float(min(r.min(), g.min()))), 1.22 * float(max(inside.max(), g[1:-1].max())))


def _middles(edges: Numbers, found: Overlay) -> Numbers:
    low, high = edges[:-1], edges[1:]
    return np.sqrt(low * high) if found.logarithmic else (low + high) / 2


def _ratio(axes: Axes, found: Overlay) -> None:
    """Generated over reference; points beyond the axis are drawn as arrows at its edge."""
    r, dr, g, dg = found.counts
    seen = r[1:-1] > 0
    ratio, error = (np.divide(x[1:-1], r[1:-1], out=np.ones(len(seen)), where=seen) for x in (g, np.sqrt(dg)))
    spread = np.abs(ratio - 1)[seen] + error[seen]
    need = float(np.quantile(spread, 0.9)) if len(spread) else 1.0
    half = next((x for x in HALF_RANGES if x >= need), 1.0)
    for part, edges in _extended(found):
        here = r[part] > 0
        band = np.divide(np.sqrt(dr[part]), r[part], out=np.zeros(len(here)), where=here)
        axes.stairs(1 + band, edges, baseline=1 - band, fill=True, color=FILL)
        x, y = _middles(edges, found)[here], (g[part] / np.where(here, r[part], 1))[here]
        bar = (np.sqrt(dg[part]) / np.where(here, r[part], 1))[here]
        axes.vlines(x, y - bar, y + bar, color=GENERATED, linewidth=0.8)
        axes.plot(x, y, ".", markersize=3, color=GENERATED)
        for off, place, marker in ((y > 1 + half, 1 + 0.93 * half, "^"), (y < 1 - half, 1 - 0.93 * half, "v")):
            axes.plot(x[off], np.full(int(off.sum()), place), marker, markersize=3, color=GENERATED)
    axes.axhline(1, color=SOFT, linewidth=0.7, zorder=0)
    axes.set_ylim(1 - half, 1 + half)
    axes.yaxis.set_major_locator(MaxNLocator(2, steps=[1, 2, 5, 10]))
    axes.set_ylabel("gen. / ref.")


def _pull(axes: Axes, found: Overlay) -> None:
    """The difference of each bin in its standard error."""
    r, dr, g, dg = found.counts
    for part, edges in _extended(found):
        spread = np.sqrt(dr[part] + dg[part])
        pull = np.divide(g[part] - r[part], spread, out=np.zeros(len(spread)), where=spread > 0)
        axes.stairs(np.clip(pull, -5, 5), edges, fill=True, color=GENERATED, alpha=0.8)
    axes.axhspan(-1, 1, color=FILL, linewidth=0, zorder=0)
    axes.set_ylim(-5, 5)
    axes.set_yticks([-3, 0, 3])
    axes.set_ylabel("pull")


def _flow_signs(axes: Axes, found: Overlay) -> None:
    """Signs under the bins that hold what lies beyond the ends."""
    for part, edges in _extended(found)[1:]:
        x = float(_middles(edges, found)[0])
        sign = "<" if part.start == 0 else ">"
        axes.annotate(
            sign, (x, 0), (0, -4), xycoords=("data", "axes fraction"), textcoords="offset points",
            ha="center", va="top", fontsize=7.5, color=SOFT, annotation_clip=False,
        )  # fmt: skip


def correlation(events: Events) -> Numbers:
    """Linear correlations of a table's columns, weighted; 0 where a column is constant."""
    values = np.asarray(events.values[:, :MOST_COLUMNS], dtype=np.float64)
    weights = np.ones(len(values)) if events.weights is None else np.asarray(events.weights, np.float64)
    centred = values - np.average(values, axis=0, weights=weights)
    covariance = (centred * weights[:, None]).T @ centred / weights.sum()
    widths = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    scale = np.outer(widths, widths)
    return np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > 0)


def correlation_panels(reference: Events, generated: Events) -> list[Panel]:
    """The matrices of the reference and of the generated sample, and their difference."""
    first, second = correlation(reference), correlation(generated)
    names = [label(feature) for feature in reference.features[:MOST_COLUMNS]]
    difference = second - first
    largest = max(float(np.abs(difference).max()), 0.02)
    i, j = np.unravel_index(np.argmax(np.abs(difference)), difference.shape)
    worst = f"largest difference {difference[i, j]:+.3f} between {names[i]} and {names[j]}"
    return [
        _matrix("Correlation, reference", "Linear correlations of the reference", first, names, 1.0),
        _matrix("Correlation, generated", "Linear correlations of the generated sample", second, names, 1.0),
        _matrix("Difference, generated − reference", f"Difference of correlations: {worst}", difference, names, largest),
    ]


def _matrix(name: str, alt: str, matrix: Numbers, names: Sequence[str], limit: float) -> Panel:
    n = len(names)

    def draw(axes: Axes) -> None:
        image = axes.imshow(matrix, cmap="RdBu_r", vmin=-limit, vmax=limit)
        size = 7.5 if n <= 10 else 5.5
        axes.set_xticks(range(n), list(names), rotation=90 if max(map(len, names)) > 3 else 0, fontsize=size)
        axes.set_yticks(range(n), list(names), fontsize=size)
        axes.tick_params(length=0, which="both")
        axes.minorticks_off()
        axes.spines[:].set_visible(False)
        for i, j in np.ndindex(n, n) if n <= 8 else ():
            colour = "#ffffff" if abs(matrix[i, j]) > 0.6 * limit else "#111111"
            text = f"{matrix[i, j]:.2f}".replace("-0.00", "0.00").replace("-", "−")
            axes.text(j, i, text, ha="center", va="center", fontsize=6.5, color=colour)
        bar = axes.figure.colorbar(image, ax=axes, shrink=0.85, pad=0.02)
        bar.outline.set_visible(False)  # type: ignore[operator]
        bar.ax.tick_params(labelsize=7)

    return Panel(name, alt, draw, (3.6, 3.1))


def correlation_figure(reference: Events, generated: Events) -> Figure:
    """Linear correlations of the columns: reference, generated, difference."""
    return together(correlation_panels(reference, generated))


@styled
def pairs_figure(reference: Events, generated: Events, *, most: int = 6, events: int = 50_000) -> Figure:
    """Pairs of columns: the reference as shades, the 68 % and 95 % contours of both samples as lines.

    Args:
        reference: A table.
        generated: A table with the same columns.
        most: How many columns.
        events: How many events of each sample.
    """
    n = min(len(reference.features), most)
    side = 1.25
    figure = Figure(figsize=(side * n + 0.55, side * n + 0.5))
    width, height = figure.get_size_inches()
    grid = figure.subplots(
        n, n, squeeze=False,
        gridspec_kw={"left": 0.5 / width, "right": 0.99, "bottom": 0.42 / height, "top": 0.99, "wspace": 0.06, "hspace": 0.06},
    )  # fmt: skip
    samples = [np.asarray(sample.values[:events, :n], np.float64) for sample in (reference, generated)]
    weights = [None if sample.weights is None else sample.weights[:events] for sample in (reference, generated)]
    sides = [tuple(np.quantile(samples[0][:, i], [0.005, 0.995]) + np.array([0.0, 1e-9])) for i in range(n)]
    for i, j in np.ndindex(n, n):
        axes = grid[i, j]
        if j > i:
            axes.remove()
            continue
        if i == j:
            _single(axes, [sample[:, i] for sample in samples], weights, sides[i])
        else:
            _double(axes, [sample[:, [j, i]] for sample in samples], weights, (sides[j], sides[i]))
        axes.minorticks_off()
        axes.tick_params(labelsize=6.5, length=2, labelbottom=i == n - 1, labelleft=j == 0 and i > 0)
        axes.xaxis.set_major_locator(MaxNLocator(3, prune="both"))
        if i > 0:
            axes.yaxis.set_major_locator(MaxNLocator(3, prune="both"))
        axes.spines[:].set_visible(i != j)
        axes.spines["bottom"].set_visible(True)
        axes.set_xlabel(label(reference.features[j]) if i == n - 1 else "", loc="center")
        axes.set_ylabel(label(reference.features[i]) if j == 0 and i > 0 else "", loc="center")
    figure.align_labels()
    for k, (text, colour) in enumerate((("reference", SOFT), ("generated", GENERATED))):
        figure.text(0.99, 0.985 - 0.18 * k / height, text, color=colour, fontsize=9, ha="right", va="top")
    return figure


def _single(axes: Axes, samples: list[Numbers], weights: list[FloatArray | None], ends: tuple[float, ...]) -> None:
    for sample, weight, style in zip(
        samples, weights, ({"fill": True, "color": FILL}, {"color": GENERATED, "linewidth": 1.1}), strict=True
    ):
        counts, edges = np.histogram(sample, 32, ends, weights=weight)
        axes.stairs(counts / max(counts.sum(), 1e-300), edges, **style)
    axes.set_xlim(ends)
    axes.set_yticks([])


def _double(
    axes: Axes, samples: list[Numbers], weights: list[FloatArray | None], ends: tuple[tuple[float, ...], ...]
) -> None:
    counts = [
        np.histogram2d(*sample.T, bins=28, range=ends, weights=weight)[0].T
        for sample, weight in zip(samples, weights, strict=True)
    ]
    box = (*ends[0], *ends[1])
    axes.imshow(np.sqrt(np.maximum(counts[0], 0)), cmap=SHADE, origin="lower", extent=box, aspect="auto")
    for table, colour in zip(counts, (INK, GENERATED), strict=True):
        levels = content_levels(smoothed(table))
        if len(levels):
            axes.contour(smoothed(table), levels, extent=box, colors=colour, linewidths=0.8)


def smoothed(table: Numbers) -> Numbers:
    """Counts smoothed by one bin, so that contours follow the distribution and not single events."""
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(np.maximum(table, 0.0), 1.0, mode="nearest"))


def content_levels(table: Numbers) -> Numbers:
    """The heights above which 95 % and 68 % of the content lie, increasing."""
    ordered = np.sort(table, axis=None)[::-1]
    share = np.cumsum(ordered) / max(float(ordered.sum()), 1e-300)
    levels = np.unique([ordered[min(np.searchsorted(share, content), len(ordered) - 1)] for content in CONTENTS])
    return levels[(levels > table.min()) & (levels < table.max())]
