"""Which events are deposits in cells, and where these are: showers in a calorimeter, images that are mostly empty."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from zerosum.data.calorimeters import GEOMETRIES
from zerosum.data.events import Events, FloatArray
from zerosum.data.geometry import Geometry, Layer, Pixels, Rings
from zerosum.data.rules import MOST_LEVELS
from zerosum.errors import InputError

EMPTY = 0.5  # share of empty pixels from which an image is one of deposits
MOST = 1100  # pixels of such an image
MANY = 10_000  # filled pixels that tell a continuum from a few levels
PITCH = 10.0  # of the pixels, in mm


def geometry_of(events: Events) -> Geometry | None:
    """The calorimeter whose cells are the columns of these events; None where they are something else.

    The events' attributes hold it whole ("calorimeter"), or the name of a built-in one ("geometry").
    """
    if events.kind != "table":
        return None
    written, name = events.attributes.get("calorimeter"), str(events.attributes.get("geometry", ""))
    if written is None and name not in GEOMETRIES:
        return None
    try:
        found = Geometry.from_json(written) if written is not None else GEOMETRIES[name]()
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"the calorimeter that {events.source or 'the file'} describes cannot be understood ({error}); give its "
            "binning with --geometry."
        ) from None
    return found if found.n_voxels == len(events.features) else None


def layers_of(events: Events) -> tuple[Layer, ...]:
    """The layers of cells where the events are deposits of 0 and more; () for all else.

    Showers have those of their calorimeter. Images of one channel, most of whose pixels are empty, are one layer of
    pixels; of more than `MOST` pixels they are left to convolutions, and so are images of a few levels.
    """
    if events.kind == "table":
        found = geometry_of(events)
        return found.layers if found and np.min(events.values, initial=0.0) >= 0 else ()
    shape = events.event_shape
    if (
        events.kind != "grid"
        or len(shape) != 3
        or shape[0] != 1
        or math.prod(shape) > MOST
        or not len(events)
    ):
        return ()
    if np.count_nonzero(events.values) > (1 - EMPTY) * events.values.size or np.min(events.values) < 0:
        return ()
    filled = events.values[events.values != 0]
    if len(np.unique(filled[:: max(1, filled.size // MANY)])) < MOST_LEVELS:  # 0 is one more
        return ()
    y, x = (tuple(PITCH * (np.arange(side + 1) - side / 2)) for side in shape[1:])
    return (Layer(0.0, 1.0, Pixels(x, y)),)


def with_geometry(events: Events, found: Geometry) -> Events:
    """The events with this calorimeter among their attributes."""
    if events.kind != "table" or len(events.features) != found.n_voxels:
        raise InputError(
            f"the geometry {found.name} has {found.n_voxels} voxels, but the events are a {events.kind} of "
            f"{len(events.features)} features; give the binning that belongs to them."
        )
    facts = {"geometry": found.name, "calorimeter": found.to_json()}
    return replace(events, attributes=events.attributes | facts)


def middles(layers: Sequence[Layer]) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Depth in X0; eta, phi and distance from the axis in mm of the middle of each voxel, shape (V,).

    A ring that is not cut into sectors has eta = phi = 0, and the distance of its middle line.
    """
    parts = [_middles(layer) for layer in layers]
    depth, eta, phi, distance = (np.concatenate(one) for one in zip(*parts, strict=True))
    return depth, eta, phi, distance


def _middles(layer: Layer) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """The same for one layer, in the order of its voxels."""
    rows, columns = layer.face.shape
    depth = np.full(rows * columns, (layer.start + layer.stop) / 2)
    if isinstance(layer.face, Rings):
        r = np.tile(_inner(layer.face.r_edges), rows)
        alpha = np.repeat(2 * np.pi * (np.arange(rows) + 0.5) / rows, columns)
        off_axis = r * (rows > 1)
        return depth, off_axis * np.cos(alpha), off_axis * np.sin(alpha), r
    x, y = np.tile(_inner(layer.face.x_edges), rows), np.repeat(_inner(layer.face.y_edges), columns)
    return depth, x, y, np.hypot(x, y)


def _inner(edges: tuple[float, ...]) -> FloatArray:
    """The middles of cells; of one that reaches to infinity its finite edge, or 0 where it has none."""
    ends = np.stack([edges[:-1], edges[1:]])
    finite = np.isfinite(ends)
    middles: FloatArray = np.where(finite, ends, 0).sum(0) / np.maximum(finite.sum(0), 1)
    return middles
