"""A panel: one set of axes with a name and the words for those who cannot see it.

Figures are panels side by side; the page shows the same panels one by one, so that they fit a telephone.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.image import AxesImage
from matplotlib.mathtext import MathTextParser

from zerosum.data.events import Feature
from zerosum.report.style import Figure, styled

LONGEST = 40


@dataclass(frozen=True)
class Panel:
    """One drawing on one set of axes.

    Attributes:
        name: What it shows, as a heading.
        alt: What can be seen, in words.
        draw: Draws it.
        size: Width and height when it stands alone, in inches.
    """

    name: str
    alt: str
    draw: Callable[[Axes], None]
    size: tuple[float, float] = (3.6, 2.7)


@styled
def together(panels: Sequence[Panel], columns: int = 3) -> Figure:
    """All panels in one figure, each with its name above."""
    columns = max(min(columns, len(panels)), 1)
    rows = max(ceil(len(panels) / columns), 1)
    width, height = panels[0].size if panels else (3.6, 2.7)
    figure = Figure(figsize=(columns * width, rows * (height + 0.2)), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.remove()
    for axes, panel in zip(grid.flat, panels, strict=False):
        panel.draw(axes)
        axes.set_title(panel.name)
    return figure


@styled
def alone(panel: Panel) -> Figure:
    """One panel as a figure of its own."""
    figure = Figure(figsize=panel.size, layout="constrained")
    panel.draw(figure.subplots())
    return figure


def label(feature: Feature) -> str:
    """A feature's label that matplotlib can set: mathematics where it is well formed, plain text where not."""
    text = feature.label if len(feature.label) <= LONGEST else feature.label[: LONGEST - 1] + "…"
    if "$" not in text:
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            MathTextParser("path").parse(text)
    except ValueError:
        return text.replace("$", r"\$")
    return text


def quiet(bar: Colorbar) -> None:
    """A colour bar without a frame, as one small picture instead of hundreds of rectangles."""
    bar.outline.set_visible(False)
    if bar.solids is not None:
        bar.solids.set_visible(False)
    shades = AxesImage(bar.ax, cmap=bar.cmap, extent=(0, 1, 0, 1), origin="lower", transform=bar.ax.transAxes)
    shades.set_data(np.linspace(0, 1, 128)[:, None])
    bar.ax.add_image(shades)
    bar.ax.minorticks_off()
    bar.ax.tick_params(labelsize=7, length=2)
