"""Figures of grids and clouds: mean images, profiles along the sides, single events."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.layout_engine import ConstrainedLayoutEngine

from zerosum.data.events import Events, FloatArray
from zerosum.report.histograms import Numbers
from zerosum.report.panels import Panel, label, quiet, together
from zerosum.report.style import FILL, GENERATED, LINE, SOFT, Figure, styled

MOST_CHANNELS = 3
SQUARE = (3.6, 3.0)


def image_panels(reference: Events, generated: Events) -> list[Panel]:
    """For each channel the mean images, their ratio (difference where values are signed), and the profiles."""
    panels: list[Panel] = []
    for channel in range(min(len(reference.features), MOST_CHANNELS)):
        panels += _channel(reference, generated, channel)
    return panels


def images_figure(reference: Events, generated: Events) -> Figure:
    """Mean images and profiles of a grid's channels."""
    return together(image_panels(reference, generated))


def _channel(reference: Events, generated: Events, channel: int) -> Iterator[Panel]:
    feature = reference.features[channel]
    suffix = f", {feature.name}" if len(reference.features) > 1 else ""
    images = [planes(events.values[:, channel]) for events in (reference, generated)]
    weights = [events.weights for events in (reference, generated)]
    first, second = (
        np.asarray(np.average(x, axis=0, weights=w), np.float64) for x, w in zip(images, weights, strict=True)
    )
    yield from mean_panels(first, second, suffix, signed=bool(reference.values.min() < 0))
    for axis, name in ((2, "rows"), (1, "columns")):
        profiles = [_profile(x, axis, w) for x, w in zip(images, weights, strict=True)]
        yield _profile_panel(profiles, f"Mean of {name}{suffix}", name[:-1], label(feature))


def mean_panels(first: Numbers, second: Numbers, suffix: str, *, signed: bool) -> Iterator[Panel]:
    """Two mean images on one scale, and how they compare."""
    both = np.concatenate([first.ravel(), second.ravel()])
    filled = both[both > 0]
    logarithmic = not signed and len(filled) > 0 and filled.max() > 100 * np.quantile(filled, 0.05)
    ends = (
        (float(np.quantile(filled, 0.02)), float(filled.max()))
        if logarithmic
        else (float(both.min()), float(both.max()))
    )
    norm: Normalize = LogNorm(*ends, clip=True) if logarithmic else Normalize(*ends)
    for picture, name in ((first, "reference"), (second, "generated")):
        alt = f"Mean image of the {name} sample: sum {picture.sum():.4g}, brightest pixel {picture.max():.4g}"
        yield Panel(f"Mean image, {name}{suffix}", alt, _image(picture, cmap="viridis", norm=norm), SQUARE)
    compared = (
        second - first
        if signed
        else np.divide(second, first, out=np.full_like(first, np.nan), where=first > 0)
    )
    centre = 0.0 if signed else 1.0
    finite = np.abs(compared[np.isfinite(compared)] - centre)
    reach = (
        float(np.clip(np.quantile(finite, 0.95), 1e-9 if signed else 0.05, np.inf if signed else 1.0))
        if len(finite)
        else 1.0
    )
    name = "Difference of means" if signed else "Ratio of means"
    alt = f"{name} of the mean images: 95 % of the pixels within ±{reach:.2g} of {centre:g}"
    draw = _image(compared, cmap="RdBu_r", norm=Normalize(centre - reach, centre + reach))
    yield Panel(name + suffix, alt, draw, SQUARE)


def _image(picture: Numbers, **style: Any) -> Any:
    def draw(axes: Axes) -> None:
        image = axes.imshow(picture, **style)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
        bar = axes.figure.colorbar(image, ax=axes, shrink=0.9, pad=0.03)
        quiet(bar)

    return draw


def _profile(images: FloatArray, axis: int, weights: FloatArray | None) -> tuple[Numbers, Numbers]:
    """The mean over one side as a function of the other, and its error from the spread between events."""
    each = images.mean(axis=axis, dtype=np.float64)
    mean = np.average(each, axis=0, weights=weights)
    return mean, each.std(axis=0) / np.sqrt(len(each))


def _profile_panel(profiles: list[tuple[Numbers, Numbers]], name: str, side: str, unit: str) -> Panel:
    (first, dfirst), (second, dsecond) = profiles
    edges = np.arange(len(first) + 1) - 0.5

    def draw(axes: Axes) -> None:
        axes.stairs(first, edges, fill=True, color=FILL, label="reference")
        axes.stairs(first, edges, color=LINE, linewidth=0.7)
        axes.errorbar(
            np.arange(len(second)),
            second,
            np.hypot(dfirst, dsecond),
            fmt="none",
            linewidth=0.8,
            color=GENERATED,
        )
        axes.stairs(second, edges, color=GENERATED, linewidth=1.3, label="generated")
        axes.set_xlabel(side)
        axes.set_ylabel(unit)
        axes.margins(y=0.18)
        axes.legend(loc="best")

    spread = np.hypot(dfirst, dsecond)
    off = np.divide(np.abs(second - first), spread, out=np.zeros_like(spread), where=spread > 0)
    return Panel(name, f"{name}: the samples differ by at most {off.max():.1f} standard errors", draw)


@styled
def gallery_figure(reference: Events, generated: Events, *, most: int = 8) -> Figure:
    """Single events of a grid's first channel, not chosen: the first ones of both samples."""
    images = [planes(events.values[:most, 0]) for events in (reference, generated)]
    columns = max(map(len, images))
    signed = bool(images[0].min() < 0)
    scale = max(float(np.quantile(images[0], 0.999)), 1e-300)
    figure = Figure(
        figsize=(0.95 * columns + 0.3, 2.15),
        layout=ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.03),
    )
    grid = figure.subplots(2, columns, squeeze=False)
    for row, name in zip(range(2), ("reference", "generated"), strict=True):
        for axes, event in zip(grid[row], images[row], strict=False):
            axes.imshow(event if signed else np.log1p(100 * np.maximum(event, 0) / scale), cmap="viridis")
        grid[row, 0].set_ylabel(name, loc="center", color=GENERATED if row else SOFT)
    for axes in grid.flat:
        axes.tick_params(which="both", length=0, labelleft=False, labelbottom=False)
        axes.spines[:].set_visible(False)
    return figure


def planes(values: FloatArray) -> FloatArray:
    """Grids of three sides summed along the first, so that they can be drawn."""
    return values.sum(axis=1) if values.ndim == 4 else values


def cloud_image(events: Events, sides: tuple[int, int], ends: Any, bins: int = 32) -> Numbers:
    """The mean number of points per event in cells of two of a cloud's features."""
    values, weights = points(events)
    total = len(events) if events.weights is None else float(events.weights.sum())
    x, y = values[:, sides[0]], values[:, sides[1]]
    return np.asarray(np.histogram2d(y, x, bins=bins, range=ends[::-1], weights=weights)[0] / total)


def points(events: Events) -> tuple[FloatArray, FloatArray | None]:
    """All points that exist in a cloud, (P, F), with the weights of their events."""
    present = np.asarray(events.mask, dtype=bool)
    weights = None if events.weights is None else np.repeat(events.weights, present.sum(axis=1))
    return events.values[present], weights
