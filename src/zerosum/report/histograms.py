"""Histograms of both samples in common bins, with under- and overflow and the squares of the weights."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from zerosum.data.events import Feature, FloatArray

Numbers = npt.NDArray[np.float64]
Weights = tuple[FloatArray | None, FloatArray | None]
FEWEST = 10.0  # effective events that a bin of the chi-square needs, in both samples together
DECADES = 2.5  # a positive feature whose central 90 % span more than these is binned in its logarithm


@dataclass(frozen=True)
class Overlay:
    """One feature of both samples in common bins.

    Attributes:
        feature: Name and unit.
        reference: A `hist.Hist` with weighted storage; its flow bins hold what lies outside.
        generated: Likewise, not scaled.
        logarithmic: Whether the bins are equally wide in the feature's logarithm.
    """

    feature: Feature
    reference: Any
    generated: Any
    logarithmic: bool = False

    @property
    def edges(self) -> Numbers:
        """Bin edges, shape (B + 1,)."""
        return np.asarray(self.reference.axes[0].edges, dtype=np.float64)

    @cached_property
    def counts(self) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        """Reference, its variance, generated scaled to the reference's total, its variance; (B + 2,) with flow."""
        r, dr = _contents(self.reference)
        g, dg = _contents(self.generated)
        scale = r.sum() / g.sum() if g.sum() else 1.0
        return r, dr, g * scale, dg * scale**2

    @cached_property
    def chi2(self) -> tuple[float, int, float]:
        """Chi-square between both shapes, degrees of freedom, and p-value; sparse neighbouring bins are merged."""
        r, dr, g, dg = _merged(np.array(self.counts))
        variance = dr + dg
        chi2 = float(np.sum((r - g) ** 2 / variance)) if len(variance) > 1 else 0.0
        ndf = len(variance) - 1
        return chi2, ndf, float(stats.chi2.sf(chi2, ndf)) if ndf else 1.0


def overlay(
    feature: Feature,
    reference: FloatArray,
    generated: FloatArray,
    *,
    weights: Weights = (None, None),
    bins: int | None = None,
) -> Overlay:
    """Fill both histograms; the range follows the reference, integers get a bin each.

    Args:
        feature: Name and unit.
        reference: Values, shape (N,).
        generated: Values, shape (M,).
        weights: Of both samples, or None where every event counts once.
        bins: How many; by default the more, the more events there are.
    """
    import hist

    bins = bins or int(np.clip(2 * min(len(reference), len(generated)) ** (1 / 3), 10, 60))
    axis, logarithmic = _axis(np.asarray(reference, np.float64), bins)
    filled = [
        hist.Hist(axis, storage=hist.storage.Weight()).fill(np.asarray(values, np.float64), weight=weight)
        for values, weight in zip((reference, generated), weights, strict=True)
    ]
    return Overlay(feature, filled[0], filled[1], logarithmic)


def _axis(values: Numbers, bins: int) -> tuple[Any, bool]:
    """The whole range of the reference where its tails are short, else its central 99.8 %."""
    import hist

    smallest, largest = float(values.min()), float(values.max())
    low, high = (float(edge) for edge in np.quantile(values, [0.001, 0.999]))
    if low == high or largest - smallest < 1.5 * (high - low):
        low, high = smallest, largest
    if high - low < 100 and np.all(values == np.round(values)):
        low, high = np.floor(low), np.ceil(high)
        return hist.axis.Regular(int(high - low) + 1, low - 0.5, high + 0.5), False
    if low == high:
        low, high = low - 0.5, high + 0.5
    tails = np.quantile(values, [0.05, 0.95])
    if low > 0 and np.log10(tails[1] / tails[0]) > DECADES:
        return hist.axis.Variable(np.geomspace(low, high * (1 + 1e-9), bins + 1)), True
    return hist.axis.Regular(bins, low, high + 1e-9 * (high - low)), False


def _contents(filled: Any) -> tuple[Numbers, Numbers]:
    view = filled.view(flow=True)
    return np.asarray(view["value"], np.float64), np.asarray(view["variance"], np.float64)


def _merged(columns: Numbers) -> Numbers:
    """Neighbouring bins summed until each has a few effective events; the last takes the remainder."""
    groups: list[Numbers] = []
    current = np.zeros(4)
    for column in columns.T:
        current = current + column
        if (current[0] + current[2]) ** 2 >= FEWEST * (current[1] + current[3]) > 0:
            groups.append(current)
            current = np.zeros(4)
    if groups:
        groups[-1] = groups[-1] + current
    return np.array(groups).reshape(-1, 4).T
