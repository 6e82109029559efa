"""Closure in bins of a condition: is the generated sample right for every given energy, not only on average?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from zerosum.data.events import Feature, FloatArray
from zerosum.report.histograms import Numbers, Weights
from zerosum.report.panels import Panel, label
from zerosum.report.style import FILL, GENERATED, LINE

BINS, FEWEST = 8, 10


@dataclass(frozen=True)
class Column:
    """One quantity in both samples.

    Attributes:
        feature: Name and unit.
        reference: Values, shape (N,).
        generated: Values, shape (M,).
        weights: Of both samples, or None.
    """

    feature: Feature
    reference: FloatArray
    generated: FloatArray
    weights: Weights = (None, None)


def closure_panels(conditions: Sequence[Column], quantities: Sequence[Column]) -> list[Panel]:
    """Mean and width of every quantity in bins of every condition."""
    return [_panel(condition, quantity) for condition in conditions for quantity in quantities]


def _panel(condition: Column, quantity: Column) -> Panel:
    edges = _edges(np.asarray(condition.reference, np.float64))
    first = moments(condition.reference, quantity.reference, edges, quantity.weights[0])
    second = moments(condition.generated, quantity.generated, edges, quantity.weights[1])
    off = np.abs(second[0] - first[0]) / np.hypot(first[2], second[2])
    worst = f"{np.nanmax(off):.1f}" if np.isfinite(off).any() else "no"

    def draw(axes: Axes) -> None:
        mean, width, _ = first
        axes.stairs(
            mean + width, edges, baseline=mean - width, fill=True, color=FILL, label="reference, mean ± width"
        )
        axes.stairs(mean, edges, color=LINE, linewidth=0.9)
        axes.errorbar(
            (edges[1:] + edges[:-1]) / 2, second[0], second[1], fmt="o", markersize=3, linewidth=1,
            color=GENERATED, label="generated",
        )  # fmt: skip
        axes.set_xlabel(label(condition.feature))
        axes.set_ylabel(label(quantity.feature))
        axes.margins(y=0.2)
        axes.legend(loc="best")

    name = f"{quantity.feature.name} given {condition.feature.name}"
    return Panel(name, f"Mean and width of {name}: means differ by at most {worst} standard errors", draw)


def _edges(condition: Numbers) -> Numbers:
    """Bins of equal content, or one for each value where there are few."""
    distinct = np.unique(condition)
    if len(distinct) <= BINS:
        middles = (distinct[1:] + distinct[:-1]) / 2
        outer = (middles[0] - distinct[0], distinct[-1] - middles[-1]) if len(middles) else (0.5, 0.5)
        return np.asarray(np.r_[distinct[0] - outer[0], middles, distinct[-1] + outer[1]])
    return np.unique(np.quantile(condition, np.linspace(0, 1, BINS + 1)))


def moments(
    condition: FloatArray, values: FloatArray, edges: Numbers, weights: FloatArray | None = None
) -> tuple[Numbers, Numbers, Numbers]:
    """Mean, standard deviation and error of the mean in each bin; NaN where there are too few effective events."""
    bins = len(edges) - 1
    place = np.clip(np.searchsorted(edges, condition, side="right") - 1, 0, bins - 1)
    w = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    x = np.asarray(values, np.float64)
    total, squares = np.bincount(place, w, bins), np.bincount(place, w**2, bins)
    effective = np.divide(total**2, squares, out=np.zeros(bins), where=squares > 0)
    total = np.where((effective >= FEWEST) & (total > 0), total, np.nan)
    mean = np.bincount(place, w * x, bins) / total
    width = np.sqrt(np.maximum(np.bincount(place, w * x**2, bins) / total - mean**2, 0.0))
    return mean, width, width / np.sqrt(np.maximum(effective, 1.0))
