"""The figures look as they did: rendered small and compared with pictures that were looked at.

    DRAW=1 python -m pytest tests/report/test_images.py      renders the baselines anew; look at them before committing

The comparison is tolerant of versions of fonts and of anti-aliasing: both pictures are smoothed, and the mean
difference of their brightness must stay below TOLERANCE. That it notices a moved curve, is tested too.
"""

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from scipy.ndimage import gaussian_filter

from zerosum.data.events import Events
from zerosum.data.simulators import simulate_showers
from zerosum.report import plots
from zerosum.report.closure import Column, closure_panels
from zerosum.report.panels import together

BASELINES = Path(__file__).parent / "baselines"
DOTS, SMOOTHING, TOLERANCE = 50, 1.5, 0.004  # per inch, pixels, of the full scale

Draw = Callable[..., Figure]


def feature(tables, grids, comparison, history, shift: float = 0.0, **more: str) -> Figure:
    x, y = (events.column("x") for events in tables)
    return plots.feature_figure(plots.overlay(tables[0].features[0], x, y + shift), **more)  # type: ignore[arg-type]


def atlas(*given) -> Figure:
    with plots.using("ATLAS"):
        return feature(*given)


def closure(tables, grids, comparison, history) -> Figure:
    x, y = (
        Column(one, tables[0].column(one.name), tables[1].column(one.name)) for one in tables[0].features[:2]
    )
    return together(closure_panels([x], [y]))


def showers() -> list[Events]:
    """The second sample has a third less in one cell of layer 1."""
    made = [simulate_showers(400, seed=seed, geometry="compact", energies=(1e4, 1e5)) for seed in (1, 2)]
    made[1].values[:, 32 + 5] *= 0.67
    return made


FIGURES: dict[str, Draw] = {
    "feature": feature,
    "pull": lambda *given: feature(*given, below="pull"),
    "atlas": atlas,
    "closure": closure,
    "correlation": lambda tables, grids, comparison, history: plots.correlation_figure(*tables),
    "pairs": lambda tables, grids, comparison, history: plots.pairs_figure(*tables, most=3),
    "images": lambda tables, grids, comparison, history: plots.images_figure(*grids),
    "showers": lambda tables, grids, comparison, history: plots.showers_figure(*showers()),
    "gallery": lambda tables, grids, comparison, history: plots.gallery_figure(*grids),
    "certificate": lambda tables, grids, comparison, history: plots.certificate_figure(comparison),
    "training": lambda tables, grids, comparison, history: plots.training_figure(history),
}


def rendered(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DOTS, metadata={"Software": None})
    return buffer.getvalue()


def difference(first: bytes, second: bytes) -> float:
    """Mean difference of the smoothed brightness, of the full scale; 1 where the sizes differ."""
    pictures = [imread(io.BytesIO(png))[..., :3].mean(axis=2) for png in (first, second)]
    if pictures[0].shape != pictures[1].shape:
        return 1.0
    smooth = [gaussian_filter(picture, SMOOTHING) for picture in pictures]
    return float(np.abs(smooth[0] - smooth[1]).mean())


@pytest.mark.parametrize("name", FIGURES)
def test_the_figure_looks_as_it_did(name, tables, grids, comparison, history, tmp_path) -> None:
    found, known = rendered(FIGURES[name](tables, grids, comparison, history)), BASELINES / f"{name}.png"
    if "DRAW" in os.environ:
        BASELINES.mkdir(exist_ok=True)
        known.write_bytes(found)
    (tmp_path / f"{name}.png").write_bytes(found)
    off = difference(found, known.read_bytes())
    assert off < TOLERANCE, f"differs by {off:.4f} from {known}; it is now {tmp_path / name}.png"


def test_a_moved_curve_is_noticed(tables, grids, comparison, history) -> None:
    """A generated sample that is shifted by a quarter of its width, and a figure without its lower panel."""
    known = (BASELINES / "feature.png").read_bytes()
    moved = rendered(feature(tables, grids, comparison, history, shift=0.25))
    assert difference(moved, known) > 2 * TOLERANCE
    assert difference((BASELINES / "pull.png").read_bytes(), known) > 2 * TOLERANCE
