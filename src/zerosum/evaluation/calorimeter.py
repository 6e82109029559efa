"""Observables of showers that come as a table of voxels, with the calorimeter's geometry.

Total energy, occupancy, mean and spread of the depth, centre and mean distance across the axis, and the energy of each
layer where there are few. Centres are those of CaloChallenge, sum E_i eta_i / sum E_i with eta_i = r_i cos alpha_i and
phi_i = r_i sin alpha_i at the middle of a voxel (arXiv:2410.21611), over all layers together.
"""

import numpy as np

from zerosum.data.calorimeters import GEOMETRIES
from zerosum.data.events import Events, Feature, FloatArray
from zerosum.data.geometry import Geometry, Layer, Rings

MOST_LAYERS = 10  # beyond this, layers are summed up by mean and spread of the depth
Columns = dict[Feature, FloatArray]


def calorimeter(events: Events, like: Events) -> Columns:
    """The observables by name; none unless the reference names a built-in geometry with as many voxels as columns.

    An event without energy has 0 everywhere. Energies below 0 count in the energies, not in depths and distances.

    Args:
        events: Tables of voxels.
        like: The reference, with the geometry's name in its attributes.
    """
    found = GEOMETRIES.get(str(like.attributes.get("geometry", "")))
    if found is None or like.kind != "table" or (geometry := found()).n_voxels != len(like.features):
        return {}
    energy, unit = np.asarray(events.values, np.float64), like.features[0].unit
    depth, eta, phi, distance = voxels(geometry)
    positive = np.maximum(energy, 0)
    total = positive.sum(1)
    share = positive / np.where(total > 0, total, 1)[:, None]
    mean = share @ depth
    columns = {
        Feature("total", unit): energy.sum(1),
        Feature("occupancy"): (energy > 0).mean(1),
        Feature("depth", "X0"): mean,
        Feature("depth spread", "X0"): np.sqrt(np.maximum(share @ depth**2 - mean**2, 0)),
        Feature("centre eta", "mm"): share @ eta,
        Feature("centre phi", "mm"): share @ phi,
        Feature("distance", "mm"): share @ distance,
    }
    if len(geometry.layers) <= MOST_LAYERS:
        layers = np.add.reduceat(energy, geometry.offsets[:-1], axis=1)
        columns |= {Feature(f"layer {i}", unit): layers[:, i] for i in range(layers.shape[1])}
    return columns


def voxels(geometry: Geometry) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Depth in X0; eta, phi and distance from the axis in mm of the middle of each voxel, shape (V,).

    A ring that is not cut into sectors has eta = phi = 0, and the distance of its middle line.
    """
    parts = [_middles(layer) for layer in geometry.layers]
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
