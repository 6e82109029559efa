"""One look for all figures: a small palette, Helvetica-like letters, and the ticks of the large experiments on demand.

Figures are drawn in the palette's colours; the page replaces them by CSS variables, so the same figure is light on
light and dark on dark, while PDF and PNG stay on white.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from typing import Any, Literal, ParamSpec, get_args

import matplotlib as mpl
from matplotlib import figure

from zerosum.errors import InputError

Style = Literal["plain", "ATLAS", "CMS", "LHCb"]
P = ParamSpec("P")

INK, SOFT, LINE, FILL = "#18181b", "#5b5b66", "#8e8e99", "#d3d3da"
GENERATED, ACCENT = "#c2410c", "#1d4ed8"
CSS_VARIABLES = {
    INK: "ink",
    SOFT: "soft",
    LINE: "edge",
    FILL: "fill",
    GENERATED: "generated",
    ACCENT: "accent",
}

_PLAIN: dict[str, Any] = {
    "font.family": ["TeX Gyre Heros", "DejaVu Sans"],
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8.5,
    "axes.linewidth": 0.7,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.titlecolor": SOFT,
    "axes.unicode_minus": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.limits": (-3, 5),
    "axes.formatter.use_mathtext": False,  # ten times quicker to set
    "axes.formatter.useoffset": False,
    "mathtext.fontset": "dejavusans",
    "text.color": INK,
    "text.usetex": False,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.handlelength": 1.4,
    "legend.borderaxespad": 0.2,
    "lines.linewidth": 1.3,
    "image.interpolation": "nearest",
} | {
    f"{axis}tick.{key}": value
    for axis in "xy"
    for key, value in {
        "color": SOFT,
        "labelcolor": INK,
        "labelsize": 7.5,
        "major.size": 3,
        "minor.size": 1.5,
        "major.width": 0.7,
        "minor.width": 0.5,
    }.items()
}
_TAKEN = ("xtick.direction", "ytick.direction", "minor.visible", "tick.top", "tick.right", "labellocation")
_current: ContextVar[Style] = ContextVar("style", default="plain")


class Figure(figure.Figure):
    """A matplotlib figure that a notebook shows whether or not pyplot was ever imported."""

    def _repr_png_(self) -> bytes:
        """The picture, at 150 dots per inch."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=150)
        return buffer.getvalue()


def named(style: str) -> Style:
    """A style by its name, in capitals or not."""
    known: dict[str, Style] = {name.lower(): name for name in get_args(Style)}
    if style.lower() not in known:
        raise InputError(f"there is no style {style!r}; choose among {', '.join(known.values())}.")
    return known[style.lower()]


@contextmanager
def using(style: Style) -> Iterator[None]:
    """Draw all figures within in the style of an experiment, or "plain"."""
    token = _current.set(named(style))
    try:
        yield
    finally:
        _current.reset(token)


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Make a drawing function follow the style in use."""

    @wraps(draw)
    def within(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with mpl.rc_context(settings(_current.get())):
            return draw(*args, **kwargs)

    return within


@cache
def settings(style: Style) -> Any:
    """The settings of a style; ticks and places of labels are those of mplhep, which also brings the font."""
    import mplhep

    if style == "plain":
        return _PLAIN
    taken = getattr(mplhep.style, "LHCb2" if style == "LHCb" else style)
    family = ["TeX Gyre Termes" if style == "LHCb" else "TeX Gyre Heros", "DejaVu Sans"]
    own = {key: value for key, value in taken.items() if key.endswith(_TAKEN)}
    return _PLAIN | own | {"font.family": family, "axes.spines.top": True, "axes.spines.right": True}
