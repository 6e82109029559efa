"""Observables of showers that come as a table of voxels, with the calorimeter's geometry.

Total energy, occupancy, mean and spread of the depth, centre and mean distance across the axis, and the energy of each
layer where there are few. Centres are those of CaloChallenge, sum E_i eta_i / sum E_i with eta_i = r_i cos alpha_i and
phi_i = r_i sin alpha_i at the middle of a voxel (arXiv:2410.21611), over all layers together.
"""

import numpy as np

from zerosum.data.events import Events, Feature, FloatArray
from zerosum.data.voxels import geometry_of, middles

MOST_LAYERS = 10  # beyond this, layers are summed up by mean and spread of the depth
Columns = dict[Feature, FloatArray]


def calorimeter(events: Events, like: Events) -> Columns:
    """The observables by name; none unless the reference has a geometry with as many voxels as columns.

    An event without energy has 0 everywhere. Energies below 0 count in the energies, not in depths and distances.

    Args:
        events: Tables of voxels.
        like: The reference, with the geometry in its attributes.
    """
    if (geometry := geometry_of(like)) is None:
        return {}
    energy, unit = np.asarray(events.values, np.float64), like.features[0].unit
    depth, eta, phi, distance = middles(geometry.layers)
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
