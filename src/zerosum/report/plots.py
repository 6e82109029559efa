"""All figures of the report; drawn here, those of one feature.

The reference is filled in grey, the generated sample as a line, their ratio below.

Every function returns a matplotlib `Figure` of its own; nothing touches pyplot's global state, so the functions serve
notebooks, scripts and the report alike. Styles of the experiments: `with using("ATLAS"): ...`.
"""

from typing import Literal

import numpy as np
from matplotlib.axes import Axes

from zerosum.report.curves import certificate_figure, training_figure
from zerosum.report.histograms import Numbers, Overlay, overlay
from zerosum.report.images import gallery_figure, images_figure
from zerosum.report.joint import correlation_figure, pairs_figure
from zerosum.report.panels import label
from zerosum.report.showers import showers_figure, single_showers_figure
from zerosum.report.style import FILL, GENERATED, LINE, SOFT, Figure, styled, using

__all__ = [
    "certificate_figure",
    "correlation_figure",
    "feature_figure",
    "gallery_figure",
    "images_figure",
    "overlay",
    "pairs_figure",
    "showers_figure",
    "single_showers_figure",
    "training_figure",
    "using",
]

HALF_RANGES = (0.1, 0.2, 0.5, 1.0)  # of the ratio's axis
STEEP = 0.4  # fraction of bins below 1 % of the highest that makes the counts' axis logarithmic


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
    probability = f"p = {p:.2g}" if p > 1e-99 else "p < 1e-99"
    main.set_title(f"χ²/ndf = {chi2:.1f}/{ndf},  {probability}", loc="right")
    main.tick_params(axis="x", which="both", labelbottom=False)
    main.legend(loc="upper right", ncols=2, columnspacing=1.2)
    (_ratio if below == "ratio" else _pull)(under, found)
    under.set_xlabel(label(found.feature))
    if found.logarithmic:
        main.set_xscale("log")
    _flow_signs(under, found)
    figure.align_ylabels([main, under])
    return figure


def _bins(found: Overlay) -> tuple[Numbers, tuple[Numbers, Numbers, Numbers, Numbers]]:
    """Edges and contents to draw: beyond a gap of NaN, the bins that hold what lies beyond the ends."""
    edges = np.log10(found.edges) if found.logarithmic else found.edges
    step = (edges[-1] - edges[0]) * 0.03
    full = np.r_[edges[0] - step * np.array([1.5, 0.5]), edges, edges[-1] + step * np.array([0.5, 1.5])]
    outside = [bool(found.counts[0][place] or found.counts[2][place]) for place in (0, -1)]
    kept = slice(0 if outside[0] else 2, None if outside[1] else -2)
    padded = [np.r_[x[0], np.nan, x[1:-1], np.nan, x[-1]][kept] for x in found.counts]
    full = full[kept]
    return 10**full if found.logarithmic else full, (padded[0], padded[1], padded[2], padded[3])


def _overlaid(axes: Axes, found: Overlay) -> None:
    edges, (r, _, g, dg) = _bins(found)
    axes.stairs(r, edges, fill=True, color=FILL, label="reference")
    axes.stairs(r, edges, color=LINE, linewidth=0.7)
    axes.stairs(g, edges, color=GENERATED, linewidth=1.3, label="generated")
    _bars(axes, _middles(edges, found), g, np.sqrt(dg))
    axes.set_ylabel("events per bin")
    inside = found.counts[0][1:-1]
    top = float(min(np.nanmax([r, g]), 2 * max(inside.max(), found.counts[2][1:-1].max())))
    if np.nanmin([r, g]) >= 0 and np.mean(inside < 0.01 * inside.max()) > STEEP:
        axes.set_yscale("log")
        bottom = 0.5 * float(min(inside[inside > 0].min(), 1.0))
        axes.set_ylim(bottom, top * (top / bottom) ** 0.2)
    else:
        axes.set_ylim(min(0.0, 1.1 * float(np.nanmin([r, g]))), 1.3 * top)


def _bars(axes: Axes, x: Numbers, y: Numbers, error: Numbers) -> None:
    """Error bars as one line with gaps, which is quicker to draw and smaller than one by one."""
    ends = np.stack([y - error, y + error, np.full(len(y), np.nan)], axis=1).ravel()
    axes.plot(np.repeat(x, 3), ends, color=GENERATED, linewidth=0.8)


def _middles(edges: Numbers, found: Overlay) -> Numbers:
    low, high = edges[:-1], edges[1:]
    return np.sqrt(low * high) if found.logarithmic else (low + high) / 2


def _ratio(axes: Axes, found: Overlay) -> None:
    """Generated over reference; points beyond the axis are drawn as arrows at its edge."""
    edges, (r, dr, g, dg) = _bins(found)
    r = np.where(r > 0, r, np.nan)
    ratio, error, band = g / r, np.sqrt(dg) / r, np.sqrt(dr) / r
    need = np.nanquantile(np.abs(ratio - 1) + error, 0.9) if np.isfinite(ratio).any() else 1.0
    half = next((x for x in HALF_RANGES if x >= need), 1.0)
    axes.stairs(1 + band, edges, baseline=1 - band, fill=True, color=FILL)
    x = _middles(edges, found)
    _bars(axes, x, ratio, error)
    axes.plot(x, ratio, ".", markersize=3, color=GENERATED)
    for off, place, marker in (
        (ratio > 1 + half, 1 + 0.9 * half, "^"),
        (ratio < 1 - half, 1 - 0.9 * half, "v"),
    ):
        axes.plot(x[off], np.full(int(off.sum()), place), marker, markersize=3, color=GENERATED)
    axes.axhline(1, color=SOFT, linewidth=0.7, zorder=0)
    axes.set_ylim(1 - half, 1 + half)
    axes.set_yticks([1 - half / 2, 1.0, 1 + half / 2], [f"{1 - half / 2:g}", "1", f"{1 + half / 2:g}"])
    axes.set_ylabel("gen. / ref.")


def _pull(axes: Axes, found: Overlay) -> None:
    """The difference of each bin in its standard error."""
    edges, (r, dr, g, dg) = _bins(found)
    spread = np.sqrt(dr + dg)
    pull = (g - r) / np.where(spread > 0, spread, np.nan)
    axes.stairs(np.clip(pull, -5, 5), edges, fill=True, color=GENERATED, alpha=0.8)
    axes.axhspan(-1, 1, color=FILL, linewidth=0, zorder=0)
    axes.set_ylim(-5, 5)
    axes.set_yticks([-3, 0, 3])
    axes.set_ylabel("pull")


def _flow_signs(axes: Axes, found: Overlay) -> None:
    """Signs under the bins that hold what lies beyond the ends."""
    edges, _ = _bins(found)
    x = _middles(edges, found)
    for sign, place, beyond in (
        ("<", x[0], edges[0] < found.edges[0]),
        (">", x[-1], edges[-1] > found.edges[-1]),
    ):
        if beyond:
            axes.annotate(
                sign, (float(place), 0), (0, 1), xycoords=("data", "axes fraction"), textcoords="offset points",
                ha="center", va="bottom", fontsize=7, color=SOFT, annotation_clip=False,
            )  # fmt: skip
