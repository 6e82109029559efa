"""Figures of several columns together: linear correlations, and pairs of features."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator

from zerosum.data.events import Events, FloatArray
from zerosum.report.histograms import Numbers
from zerosum.report.panels import Panel, label, quiet, together
from zerosum.report.style import FILL, GENERATED, INK, SOFT, Figure, styled

SHADE = LinearSegmentedColormap.from_list("shade", [(0.55, 0.55, 0.6, 0.0), (0.42, 0.42, 0.48, 0.95)])
CONTENTS = (0.95, 0.68)  # of the contours of pairs
MOST_COLUMNS = 24
Range = tuple[float, float]


def correlation(events: Events) -> Numbers:
    """Linear correlations of a table's columns, weighted; 0 where a column is constant."""
    values = np.asarray(events.values[:, :MOST_COLUMNS], dtype=np.float64)
    weights = np.ones(len(values)) if events.weights is None else np.asarray(events.weights, np.float64)
    centred = values - np.average(values, axis=0, weights=weights)
    covariance = (centred * weights[:, None]).T @ centred / weights.sum()
    widths = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    scale = np.outer(widths, widths)
    return np.asarray(np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > 0))


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
        _matrix(
            "Correlation, difference",
            f"Generated less reference: {worst}",
            difference,
            names,
            largest,
        ),
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
        quiet(bar)

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
    figure, grid = _corner(n)
    samples = [np.asarray(sample.values[:events, :n], np.float64) for sample in (reference, generated)]
    weights = [
        None if sample.weights is None else sample.weights[:events] for sample in (reference, generated)
    ]
    ends = [central(samples[0][:, i]) for i in range(n)]
    for i, j in np.ndindex(n, n):
        axes = grid[i, j]
        if j > i:
            axes.remove()
            continue
        if i == j:
            _single(axes, [sample[:, i] for sample in samples], weights, ends[i])
        else:
            _double(axes, [sample[:, [j, i]] for sample in samples], weights, (ends[j], ends[i]))
        axes.minorticks_off()
        axes.tick_params(labelsize=6.5, length=2, labelbottom=i == n - 1, labelleft=j == 0 < i)
        axes.xaxis.set_major_locator(MaxNLocator(3, prune="both"))
        axes.set_xlabel(label(reference.features[j]) if i == n - 1 else "", loc="center")
        axes.set_ylabel(label(reference.features[i]) if j == 0 < i else "", loc="center")
    figure.align_labels()
    for k, (text, colour) in enumerate((("reference", SOFT), ("generated", GENERATED))):
        top = 0.985 - 0.18 * k / float(figure.get_figheight())
        figure.text(0.99, top, text, color=colour, fontsize=9, ha="right", va="top")
    return figure


def _corner(n: int) -> tuple[Figure, Any]:
    """A figure of n x n axes close together."""
    width, height = 1.25 * n + 0.55, 1.25 * n + 0.5
    figure = Figure(figsize=(width, height))
    grid = figure.subplots(n, n, squeeze=False)
    figure.subplots_adjust(0.5 / width, 0.42 / height, 0.99, 0.99, wspace=0.06, hspace=0.06)
    return figure, grid


def central(values: Numbers) -> Range:
    """The central 99 %, never empty."""
    low, high = np.quantile(values, [0.005, 0.995])
    return float(low), float(high if high > low else low + 1)


def _single(axes: Axes, samples: list[Numbers], weights: list[FloatArray | None], ends: Range) -> None:
    counts = [np.histogram(x, 32, ends, weights=w)[0] for x, w in zip(samples, weights, strict=True)]
    first, second = (count / max(float(count.sum()), 1e-300) for count in counts)
    edges = np.linspace(*ends, 33)
    axes.stairs(first, edges, fill=True, color=FILL)
    axes.stairs(second, edges, color=GENERATED, linewidth=1.1)
    axes.set_xlim(ends)
    axes.set_yticks([])
    axes.spines[["left", "top", "right"]].set_visible(False)


def _double(
    axes: Axes, samples: list[Numbers], weights: list[FloatArray | None], ends: tuple[Range, Range]
) -> None:
    counts = [
        np.histogram2d(x[:, 0], x[:, 1], bins=28, range=np.array(ends), weights=w)[0].T
        for x, w in zip(samples, weights, strict=True)
    ]
    box = (*ends[0], *ends[1])
    axes.imshow(np.sqrt(np.maximum(counts[0], 0)), cmap=SHADE, origin="lower", extent=box, aspect="auto")
    for table, colour in zip(counts, (INK, GENERATED), strict=True):
        levels = content_levels(smoothed(table))
        if len(levels):
            axes.contour(smoothed(table), levels, extent=box, colors=colour, linewidths=0.8)
    axes.yaxis.set_major_locator(MaxNLocator(3, prune="both"))
    axes.spines[:].set_visible(True)


def smoothed(table: Numbers) -> Numbers:
    """Counts smoothed by one bin, so that contours follow the distribution and not single events."""
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(np.maximum(table, 0.0), 1.0, mode="nearest"))


def content_levels(table: Numbers) -> Numbers:
    """The heights above which 95 % and 68 % of the content lie, increasing."""
    ordered = np.sort(table, axis=None)[::-1]
    share = np.cumsum(ordered) / max(float(ordered.sum()), 1e-300)
    places = np.minimum(np.searchsorted(share, CONTENTS), len(ordered) - 1)
    levels = np.unique(ordered[places])
    return np.asarray(levels[(levels > table.min()) & (levels < table.max())])
