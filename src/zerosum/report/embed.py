"""Figures for the page: inline SVG that follows light and dark, and PDF and PNG to take away."""

import base64
import io
import re
import warnings
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from zerosum.report.style import CSS_VARIABLES

_NO_DATES: dict[str, dict[str, Any]] = {
    "svg": dict.fromkeys(("Date", "Creator", "Format", "Type")),
    "pdf": dict.fromkeys(("CreationDate", "Creator", "Producer")),
    "png": {"Software": None},
}
_IDS = re.compile(r' id="([^"]+)"')
_USES = re.compile(r"""(?:url\(#|xlink:href="#)([^)"]+)""")


@dataclass(frozen=True)
class Picture:
    """A figure with its words.

    Attributes:
        name: Its heading.
        alt: What can be seen, for those who cannot see it.
        svg: The figure as inline SVG.
        png: The figure as a data URI.
        pdf: Likewise.
        wide: Whether it needs the page's whole width.
    """

    name: str
    alt: str
    svg: str
    png: str
    pdf: str
    wide: bool = False

    @property
    def file(self) -> str:
        """A name for the downloads, of letters, digits and underscores."""
        return re.sub(r"\W+", "_", self.name).strip("_")[:60] or "figure"


def picture(figure: Figure, name: str, alt: str, *, key: str, wide: bool = False) -> Picture:
    """Render a figure three times; the same figure always gives the same bytes.

    Args:
        figure: Drawn in the palette of `style`.
        name: Its heading.
        alt: What can be seen.
        key: Differs between the figures of a page: it begins every id within the SVG.
        wide: Whether it needs the page's whole width.
    """
    with warnings.catch_warnings(), mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": key}):
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        svg = inline(_rendered(figure, "svg", transparent=True).decode(), key)
        figure.set_layout_engine(None)  # laid out by now
        png = data_uri("image/png", _rendered(figure, "png", dpi=180))
        pdf = data_uri("application/pdf", _rendered(figure, "pdf"))
    return Picture(name, alt, svg, png, pdf, wide)


def _rendered(figure: Figure, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, metadata=_NO_DATES[kind], **options)
    return buffer.getvalue()


def inline(svg: str, key: str) -> str:
    """A figure's SVG file as an element of a page: palette as CSS variables, ids that are unique on the page."""
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    used = set(_USES.findall(svg))
    svg = _IDS.sub(lambda found: f' id="{key}-{found[1]}"' if found[1] in used else "", svg)
    svg = re.sub(r'url\(#|xlink:href="#', lambda found: f"{found[0]}{key}-".replace("xlink:", ""), svg)
    svg = svg.replace("xlink:href", "href")
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', "", svg)
    svg = re.sub(
        r'<svg\b[^>]*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" aria-hidden="true">', svg, count=1
    )
    svg = re.sub(r"font: [^;\"]*?(\d[\d.]*)px [^;\"]*", r"font-size: \1px", svg)
    for colour, variable in CSS_VARIABLES.items():
        svg = svg.replace(colour, f"var(--{variable})")
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL))


def data_uri(mime: str, content: bytes) -> str:
    """Content that a link carries within itself."""
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"
