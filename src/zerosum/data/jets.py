"""Jets as point clouds and as images, and their masses.

The recipe of `jet_images`, for a jet with particles of transverse momentum p_i at (eta_i, phi_i):

1. Shift: the p-weighted mean of (eta, phi) becomes the origin.
2. Turn (optional): the axis along which the p-weighted covariance is largest becomes vertical (phi), and where the
   upper half carries less p than the lower, or the right less than the left, the image is mirrored.
3. Sum p in `side` x `side` pixels of equal size on [-radius, radius]²; particles outside are left out.

Compare de Oliveira, Kagan, Mackey, Nachman, Schwartzman, JHEP 07 (2016) 069, arXiv:1511.05190.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from zerosum.data.events import Events, Feature
from zerosum.errors import InputError

Matrix = npt.NDArray[np.float64]
PARTICLE = ("eta", "phi", "pt")  # what a particle's entries are called, perhaps with _rel behind


def jet_images(events: Events, side: int = 16, radius: float = 0.8, *, turn: bool = False) -> Events:
    """Images (N, 1, side, side) of the summed transverse momentum of point clouds; rows are eta, columns phi.

    Args:
        events: Clouds whose points have eta, phi and pt, such as eta_rel, phi_rel, pt_rel.
        side: Pixels along each side.
        radius: Half the width of the image in eta and phi.
        turn: Whether to turn and mirror each jet onto its principal axis.

    Returns:
        A grid with the name and unit of the points' pt (a fraction of the jet's pt for pt_rel), with the conditions and
        weights of the clouds; `attributes["radius"]` keeps the radius.
    """
    if side < 2 or not radius > 0:
        raise InputError(f"side is {side} and radius {radius}; give at least 2 pixels and a positive radius.")
    eta, phi, pt, momentum = _entries(events)
    eta, phi = eta - _mean(eta, pt), phi - _mean(phi, pt)
    if turn:
        eta, phi = _turned(eta, phi, pt)
    i, j = (np.floor((x + radius) * (side / (2 * radius))).astype(int) for x in (eta, phi))
    inside = (pt > 0) & (i >= 0) & (i < side) & (j >= 0) & (j < side)
    event = np.broadcast_to(np.arange(len(events))[:, None], pt.shape)
    pixel = ((event * side + i) * side + j)[inside]
    images = np.bincount(pixel, pt[inside], len(events) * side**2).reshape(-1, 1, side, side)
    attributes = {**events.attributes, "radius": radius}
    values = images.astype(events.values.dtype)
    return replace(events, values=values, features=(momentum,), kind="grid", mask=None, attributes=attributes)


def jet_mass(events: Events, jet_pt: npt.ArrayLike | None = None, *, radius: float | None = None) -> Matrix:
    """The invariant mass of each jet, (N,), from massless particles or pixels.

        m² = (Σ p_i cosh eta_i)² - (Σ p_i sinh eta_i)² - (Σ p_i cos phi_i)² - (Σ p_i sin phi_i)²

    Args:
        events: Clouds with eta, phi and pt, or images made by `jet_images`.
        jet_pt: The jets' transverse momenta, (N,), where the points' pt are fractions of them.
        radius: Half the width of the images; `attributes["radius"]` where None.

    Returns:
        Masses in the unit of the points' pt, times that of `jet_pt`. Coordinates relative to the jet give the same
        mass, because it does not change under boosts along and turns around the beam.
    """
    eta, phi, pt = _entries(events)[:3] if events.kind == "cloud" else _pixels(events, radius)
    sums = [(pt * part).sum(axis=1) for part in (np.cosh(eta), np.sinh(eta), np.cos(phi), np.sin(phi))]
    squared = sums[0] ** 2 - sums[1] ** 2 - sums[2] ** 2 - sums[3] ** 2
    mass: Matrix = np.sqrt(
        np.maximum(squared, 0.0)
    )  # rounding makes the square of a single particle negative
    return mass if jet_pt is None else mass * np.asarray(jet_pt, dtype=np.float64)


def entries_of_particles(events: Events) -> tuple[int, int, int] | None:
    """Which entries of a point are eta, phi and pt; None where one is missing or there are two."""
    found = [_named(events, wanted) for wanted in PARTICLE]
    if any(len(matches) != 1 for matches in found):
        return None
    (eta,), (phi,), (pt,) = found
    return eta, phi, pt


def _named(events: Events, wanted: str) -> list[int]:
    """The entries with this name, such as pt or pt_rel."""
    return [i for i, name in enumerate(events.names) if name.lower().split("_")[0] == wanted]


def _entries(events: Events) -> tuple[Matrix, Matrix, Matrix, Feature]:
    """eta, phi and pt of the points, (N, M) each, with pt = 0 where there is none; and pt's name and unit."""
    if events.kind != "cloud" or events.mask is None:
        raise InputError(f"jets are clouds of particles, but these events are a {events.kind}.")
    found: list[int] = []
    for wanted in PARTICLE:
        matches = _named(events, wanted)
        if len(matches) != 1:
            raise InputError(
                f"a jet's particles need one {wanted}, but their entries are {', '.join(events.names)}; "
                "name them eta, phi, pt or eta_rel, phi_rel, pt_rel."
            )
        found += matches
    eta, phi, pt = (events.values[..., i].astype(np.float64) for i in found)
    return eta, phi, np.where(events.mask, pt, 0.0), events.features[found[2]]


def _pixels(events: Events, radius: float | None) -> tuple[Matrix, Matrix, Matrix]:
    """eta, phi and pt of the pixels of square images."""
    radius = events.attributes.get("radius") if radius is None else radius
    if radius is None or events.kind != "grid" or len(events.event_shape) != 3:
        raise InputError("the mass of an image needs a grid of two sides and the radius that it shows.")
    eta, phi = np.meshgrid(*map(_centres(radius), events.event_shape[1:]), indexing="ij")
    return eta.ravel(), phi.ravel(), events.values.sum(axis=1, dtype=np.float64).reshape(len(events), -1)


def _centres(radius: float) -> Any:
    return lambda side: (np.arange(side) + 0.5) * (2 * radius / side) - radius


def _mean(x: Matrix, pt: Matrix) -> Matrix:
    """The p-weighted mean of each event, (N, 1)."""
    total: Matrix = pt.sum(axis=1, keepdims=True)
    mean: Matrix = (pt * x).sum(axis=1, keepdims=True) / np.where(total > 0, total, 1.0)
    return mean


def _turned(eta: Matrix, phi: Matrix, pt: Matrix) -> tuple[Matrix, Matrix]:
    """The points turned onto the principal axis and mirrored so that the upper right carries more p."""
    spread = _mean(phi**2, pt) - _mean(eta**2, pt)
    angle = 0.5 * np.arctan2(2 * _mean(eta * phi, pt), spread)
    across, along = eta * np.cos(angle) - phi * np.sin(angle), eta * np.sin(angle) + phi * np.cos(angle)
    across, along = (
        x * np.where((pt * np.sign(x)).sum(axis=1, keepdims=True) < 0, -1, 1) for x in (across, along)
    )
    return across, along
