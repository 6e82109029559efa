"""Figures of showers in the cells of a calorimeter: mean and single showers by layer, profiles in depth and in radius.

A layer of rings is drawn as a disc on which all rings are equally wide, so that the core can be seen; a layer of pixels
as its rows and columns. A cell without energy is blank.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.layout_engine import ConstrainedLayoutEngine

from zerosum.data.events import Events, FloatArray
from zerosum.data.geometry import Face, Geometry, Layer, Rings
from zerosum.data.voxels import geometry_of
from zerosum.errors import InputError
from zerosum.report.histograms import Numbers
from zerosum.report.panels import Panel, quiet
from zerosum.report.style import FILL, GENERATED, LINE, SOFT, Figure, styled

MOST_LAYERS = 5  # those with the most energy
SINGLE = 4  # showers of each sample
DOTS = 120  # across a disc
DECADES = 4.0  # of the colour scale


def calorimeter_of(reference: Events, generated: Events) -> Geometry | None:
    """The calorimeter of both samples; None where they are something else."""
    found = geometry_of(reference)
    return found if found is not None and reference.names == generated.names else None


def shower_panels(reference: Events, generated: Events) -> list[Panel]:
    """The mean energy against depth, and in the rings of the layer with the most energy."""
    if (geometry := calorimeter_of(reference, generated)) is None:
        return []
    samples = (reference, generated)
    panels = [_depth_panel(geometry, samples)]
    fullest = _shown(geometry, reference, 1)[0]
    face = geometry.layers[fullest].face
    if isinstance(face, Rings):
        panels.append(_radius_panel(fullest, face, [_layer(geometry, x, fullest) for x in samples]))
    return panels


@styled
def showers_figure(reference: Events, generated: Events) -> Figure:
    """The mean shower of both samples and their ratio, layer by layer.

    Raises:
        InputError: The events are no showers of one calorimeter.
    """
    geometry = _needed(reference, generated)
    layers = _shown(geometry, reference, MOST_LAYERS)
    means = [[_mean(_layer(geometry, x, i), x.weights) for i in layers] for x in (reference, generated)]
    ratios = [np.divide(g, r, out=np.full_like(r, np.nan), where=r > 0) for r, g in zip(*means, strict=True)]
    norm = _logarithmic(np.concatenate(means[0]))
    figure = Figure(
        figsize=(1.45 * len(layers) + 0.7, 4.4), layout=ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02)
    )
    grid = figure.subplots(3, len(layers), squeeze=False)
    unit = reference.features[0].unit
    rows: list[tuple[str, Sequence[Numbers], str, Normalize, str]] = [
        ("reference", means[0], "viridis", norm, unit),
        ("generated", means[1], "viridis", norm, unit),
        ("ratio", ratios, "RdBu_r", Normalize(0.5, 1.5), ""),
    ]
    for axes, (name, pictures, colours, scale, label) in zip(grid, rows, strict=True):
        for place, number, values in zip(axes, layers, pictures, strict=True):
            image = place.imshow(drawn(values, geometry.layers[number].face), cmap=colours, norm=scale)
            _bare(place)
        axes[0].set_ylabel(name, color=GENERATED if name == "generated" else SOFT)
        bar = figure.colorbar(image, ax=list(axes), shrink=0.85, pad=0.02)
        bar.set_label(label)
        quiet(bar)
    for place, number in zip(grid[0], layers, strict=True):
        place.set_title(_named(number, geometry.layers[number]))
    return figure


@styled
def single_showers_figure(reference: Events, generated: Events) -> Figure:
    """The first showers of the reference, each above the generated one whose conditions are nearest.

    Raises:
        InputError: The events are no showers of one calorimeter.
    """
    geometry = _needed(reference, generated)
    layers = _shown(geometry, reference, MOST_LAYERS)
    count = min(SINGLE, len(reference), len(generated))
    pairs = list(enumerate(_nearest(reference, generated, count)))
    figure = Figure(
        figsize=(0.95 * 2 * count + 0.6, 0.95 * len(layers) + 0.4),
        layout=ConstrainedLayoutEngine(w_pad=0.01, h_pad=0.01, wspace=0.01, hspace=0.01),
    )
    grid = figure.subplots(len(layers), 2 * count, squeeze=False)
    norm = _logarithmic(reference.values[:count])
    for column, (sample, index, colour) in enumerate(
        one for i, j in pairs for one in ((reference, i, SOFT), (generated, j, GENERATED))
    ):
        shower = sample.take(slice(index, index + 1))
        for axes, number in zip(grid[:, column], layers, strict=True):
            picture = drawn(_layer(geometry, shower, number)[0], geometry.layers[number].face)
            axes.imshow(picture, cmap="viridis", norm=norm)
            _bare(axes)
        grid[0, column].set_title(_given(shower), color=colour)
    for axes, number in zip(grid[:, 0], layers, strict=True):
        axes.set_ylabel(f"layer {number}", color=SOFT)
    return figure


def drawn(values: Numbers, face: Face) -> Numbers:
    """A layer's cells (C,) as a picture: NaN where there is no cell or no energy."""
    filled = np.where(values > 0, values, np.nan)
    if not isinstance(face, Rings):
        return filled.reshape(face.shape)[::-1]
    index = disc(face.shape)
    return np.where(index < 0, np.nan, filled[index])


def disc(shape: tuple[int, int], dots: int = DOTS) -> npt.NDArray[np.int64]:
    """Which cell each dot of a square picture is in, shape (dots, dots), -1 outside; rings are equally wide.

    Args:
        shape: Sectors and rings; cells are numbered ring by ring within a sector.
        dots: Of each side of the picture.
    """
    sectors, rings = shape
    middle = (np.arange(dots) + 0.5) * 2 / dots - 1
    x, y = middle[None, :], -middle[:, None]
    radius = np.hypot(x, y)
    ring = np.floor(radius * rings).astype(np.int64)
    sector = np.floor(np.mod(np.arctan2(y, x), 2 * np.pi) / (2 * np.pi) * sectors).astype(np.int64) % sectors
    return np.where(radius < 1, sector * rings + np.minimum(ring, rings - 1), -1)


def _depth_panel(geometry: Geometry, samples: tuple[Events, Events]) -> Panel:
    starts = np.array([layer.start for layer in geometry.layers])
    depth = np.array([layer.stop for layer in geometry.layers]) - starts
    profiles = []
    for events in samples:
        energy = np.add.reduceat(np.asarray(events.values, np.float64), geometry.offsets[:-1], axis=1)
        profiles.append(_with_error(energy / depth, events.weights))
    (first, dfirst), (second, dsecond) = profiles
    unit = samples[0].features[0].unit

    def draw(axes: Axes) -> None:
        axes.bar(
            starts, first, depth, align="edge", color=FILL, edgecolor=LINE, linewidth=0.7, label="reference"
        )
        middle, error = starts + depth / 2, np.hypot(dfirst, dsecond)
        axes.errorbar(
            middle, second, error, depth / 2, fmt="none", linewidth=1.3, color=GENERATED, label="generated"
        )
        axes.set_xlabel("depth [X0]")
        axes.set_ylabel(f"energy / X0 [{unit}]" if unit else "energy / X0")
        axes.margins(y=0.18)
        axes.legend(loc="best")

    return Panel("Mean energy against depth", _agreement(*profiles), draw)


def _radius_panel(number: int, face: Rings, energies: Sequence[FloatArray]) -> Panel:
    """The energy of a cell, averaged over the sectors, in each ring."""
    edges = np.asarray(face.r_edges, np.float64)
    area = np.pi * np.diff(edges**2)
    profiles = [_with_error(x.reshape(len(x), *face.shape).sum(1) / area, None) for x in energies]
    (first, dfirst), (second, dsecond) = profiles

    def draw(axes: Axes) -> None:
        axes.stairs(first, edges, color=FILL, fill=True, baseline=0.1 * first.min(), label="reference")
        axes.stairs(first, edges, color=LINE, linewidth=0.7, baseline=None)
        middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
        axes.errorbar(
            middle,
            second,
            np.hypot(dfirst, dsecond),
            half,
            fmt="none",
            linewidth=1.3,
            color=GENERATED,
            label="generated",
        )
        axes.set_yscale("log")
        axes.set_xlabel("distance from the axis [mm]")
        axes.set_ylabel("energy / mm²")
        axes.legend(loc="upper right")

    return Panel(f"Mean energy against radius, layer {number}", _agreement(*profiles), draw)


def _agreement(first: tuple[Numbers, Numbers], second: tuple[Numbers, Numbers]) -> str:
    spread = np.hypot(first[1], second[1])
    off = np.divide(np.abs(second[0] - first[0]), spread, out=np.zeros_like(spread), where=spread > 0)
    return f"The samples differ by at most {off.max():.1f} standard errors in {len(off)} bins"


def _with_error(values: FloatArray, weights: FloatArray | None) -> tuple[Numbers, Numbers]:
    """Means (K,) of values (N, K), and their errors."""
    return _mean(values, weights), values.std(axis=0) / np.sqrt(len(values))


def _mean(values: FloatArray, weights: FloatArray | None) -> Numbers:
    return np.asarray(np.average(values, axis=0, weights=weights), np.float64)


def _layer(geometry: Geometry, events: Events, number: int) -> FloatArray:
    """The cells of one layer, (N, C)."""
    return np.asarray(events.values[:, geometry.offsets[number] : geometry.offsets[number + 1]], np.float64)


def _shown(geometry: Geometry, reference: Events, most: int) -> list[int]:
    """The layers with the most energy, front to back."""
    energy = np.add.reduceat(_mean(reference.values, reference.weights), geometry.offsets[:-1])
    return sorted(np.argsort(-energy, kind="stable")[:most].tolist())


def _nearest(reference: Events, generated: Events, count: int) -> list[int]:
    """For each of the first reference events another generated event, with the nearest logarithm of conditions."""
    if reference.conditions is None or generated.conditions is None:
        return list(range(count))
    first, second = (
        np.log(np.maximum(np.asarray(x.conditions, np.float64), 1e-9)) for x in (reference, generated)
    )
    found: list[int] = []
    for one in first[:count]:
        order = np.abs(second - one).sum(1).argsort(kind="stable")[: count + 1].tolist()
        found.append(next(index for index in order if index not in found))
    return found


def _given(shower: Events) -> str:
    """The first condition of one shower in few letters."""
    if shower.conditions is None:
        return ""
    value, unit = float(shower.conditions[0, 0]), shower.condition_features[0].unit
    return f"{value / 1000:.3g} GeV" if unit == "MeV" else f"{value:.3g} {unit}".strip()


def _named(number: int, layer: Layer) -> str:
    return f"layer {number}: {layer.start:.3g}-{layer.stop:.3g} X0"


def _logarithmic(values: FloatArray) -> LogNorm:
    top = float(np.max(values, initial=0.0)) or 1.0
    return LogNorm(top / 10**DECADES, top, clip=True)


def _bare(axes: Axes) -> None:
    axes.tick_params(which="both", length=0, labelleft=False, labelbottom=False)
    axes.spines[:].set_visible(False)


def _needed(reference: Events, generated: Events) -> Geometry:
    if (found := calorimeter_of(reference, generated)) is None:
        raise InputError(
            "these samples are not showers of one calorimeter; give files that name it, or its binning with "
            "--geometry."
        )
    return found
