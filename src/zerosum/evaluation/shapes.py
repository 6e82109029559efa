"""What physicists look at first in grids and clouds: lattices, energy deposits and jets.

| events                               | observables                                                           |
|--------------------------------------|-----------------------------------------------------------------------|
| grid with values below 0: lattices   | magnetisation, its absolute value, energy, correlation at distances   |
| other grids: showers, images         | total, occupancy, largest share, centre and width along each axis     |
| clouds with eta, phi and pt: jets    | particles, mass, pt, girth, tau21, C2                                 |
| tables of a calorimeter's voxels     | see `calorimeter`                                                     |

Which set is used is decided by the reference, so that both samples have the same. For jets of particles with
transverse momentum p_i, z_i = p_i / sum p and beta = 1:

* girth = tau1 = sum z_i R_i with R_i the distance to the jet's centre (Gallicchio and Schwartz, arXiv:1106.3076);
* tau21 = tau2 / tau1, tau2 = sum z_i min(R_1i, R_2i) (Thaler and Van Tilburg, arXiv:1011.2268); the two axes start at
  the hardest particle and at the one with the largest p R from it, and move to the centres of their particles;
* C2 = E3 / E2², E2 = sum_{i<j} z_i z_j R_ij, E3 = sum_{i<j<k} z_i z_j z_k R_ij R_jk R_ki (Larkoski, Salam and Thaler,
  arXiv:1305.0007), from the 30 hardest particles.
"""

from dataclasses import replace

import numpy as np

from zerosum.data.events import Events, Feature, FloatArray
from zerosum.data.jets import entries_of_particles, jet_mass
from zerosum.evaluation.calorimeter import Columns, calorimeter

DISTANCES = (2, 4, 8)  # of lattice sites; the product of neighbours is the energy
HARDEST = 30
BLOCK = 2_000  # jets whose pairs of particles are in memory together
MOVES = 5  # of the two axes of tau2


def shapes(events: Events, like: Events) -> tuple[FloatArray, tuple[Feature, ...]]:
    """The observables of grids, clouds and voxels, shape (N, K), with names and units; none for other events.

    Args:
        events: The events.
        like: The reference, which decides which observables there are.
    """
    found: Columns = {}
    if like.kind == "grid":
        of = _lattice if like.values.min(initial=0) < 0 else _deposit
        for channel, feature in enumerate(events.features):
            found |= of(np.asarray(events.values[:, channel], np.float64), feature, len(events.features) > 1)
    elif like.kind == "cloud" and (entries := entries_of_particles(like)) is not None:
        found = _jets(events.select([like.names[i] for i in entries]))
    elif like.kind == "table":
        found = calorimeter(events, like)
    matrix = np.stack(list(found.values()), axis=1) if found else np.empty((len(events), 0))
    return matrix, tuple(found)


def _lattice(x: FloatArray, feature: Feature, several: bool) -> Columns:
    """Of periodic lattices (N, sides...): the energy per site is -sum over neighbours, for coupling 1."""
    sites = tuple(range(1, x.ndim))
    name = f"({feature.name})" if several else ""
    mean = x.mean(sites)
    found = {Feature(f"magnetisation{name}"): mean, Feature(f"|magnetisation|{name}"): np.abs(mean)}
    found[Feature(f"energy per site{name}")] = -sum(_product(x, axis, 1) for axis in sites)
    for distance in DISTANCES:
        if distance <= min(x.shape[1:]) // 2:
            mean_product = np.mean([_product(x, axis, distance) for axis in sites], axis=0)
            found[Feature(f"correlation at {distance}{name}")] = mean_product
    return found


def _product(x: FloatArray, axis: int, distance: int) -> FloatArray:
    """The mean product of sites at a distance along an axis, (N,)."""
    product: FloatArray = (x * np.roll(x, distance, axis)).mean(tuple(range(1, x.ndim)))
    return product


def _deposit(x: FloatArray, feature: Feature, several: bool) -> Columns:
    """Of energies in cells (N, sides...): centres and widths in cells; an empty event is centred and has width 0."""
    sides = tuple(range(1, x.ndim))
    name = f"({feature.name})" if several else ""
    positive = np.maximum(x, 0)
    total = positive.sum(sides)
    safe = np.where(total > 0, total, 1)
    found = {
        Feature(f"total{name}", feature.unit): x.sum(sides),
        Feature(f"occupancy{name}"): (x > 0).mean(sides),
        Feature(f"largest share{name}"): positive.max(sides) / safe,
    }
    for axis in sides:
        if x.shape[axis] > 1:
            share = positive.sum(tuple(side for side in sides if side != axis)) / safe[:, None]
            cells = np.arange(x.shape[axis]) - (x.shape[axis] - 1) / 2
            centre = share @ cells
            width = np.sqrt(np.maximum(share @ cells**2 - centre**2, 0))
            found |= {
                Feature(f"centre{name}, axis {axis}"): centre,
                Feature(f"width{name}, axis {axis}"): width,
            }
    return found


def _jets(events: Events) -> Columns:
    """Of clouds of (eta, phi, pt); a jet without particles has 0 everywhere."""
    values = np.where(np.asarray(events.mask)[..., None], events.values, 0).astype(np.float64)
    eta, phi, pt = np.moveaxis(values, 2, 0)
    pt, unit = np.maximum(pt, 0), events.features[2].unit
    total = pt.sum(1)
    share = pt / np.where(total > 0, total, 1)[:, None]
    rows = np.arange(len(events))
    hardest = pt.argmax(1)
    around = eta - eta[rows, hardest][:, None], _wrapped(phi - phi[rows, hardest][:, None])
    points = np.where((pt > 0)[..., None], np.stack(around, axis=-1), 0)
    girth = (share * _distance(points, _centre(points, share))).sum(1)
    return {
        Feature("particles"): (pt > 0).sum(1).astype(np.float64),
        Feature("jet mass", unit): jet_mass(replace(events, values=np.stack([eta, phi, pt], axis=2))),
        Feature("jet pt", unit): np.hypot((pt * np.cos(phi)).sum(1), (pt * np.sin(phi)).sum(1)),
        Feature("girth"): girth,
        Feature("tau21"): _ratio(_tau2(points, share), girth),
        Feature("C2"): _in_blocks(points, share),
    }


def _tau2(points: FloatArray, share: FloatArray) -> FloatArray:
    """The share-weighted distance to the nearer of two axes, (N,); points (N, M, 2) relative to the hardest."""
    rows = np.arange(len(points))
    away = (share * np.hypot(points[..., 0], points[..., 1])).argmax(1)
    axes = [np.zeros((len(points), 2)), points[rows, away]]
    best = np.full(len(points), np.inf)
    for _ in range(MOVES):
        near, far = (_distance(points, axis) for axis in axes)
        best = np.minimum(best, (share * np.minimum(near, far)).sum(1))
        first = near <= far
        axes = [_centre(points, share * mine) for mine in (first, ~first)]
    return best


def _in_blocks(points: FloatArray, share: FloatArray) -> FloatArray:
    """C2 of each jet, (N,)."""
    hardest = np.argsort(-share, axis=1, kind="stable")[:, :HARDEST]
    points, share = np.take_along_axis(points, hardest[..., None], 1), np.take_along_axis(share, hardest, 1)
    found = [_c2(points[i : i + BLOCK], share[i : i + BLOCK]) for i in range(0, len(points), BLOCK)]
    return np.concatenate(found) if found else np.empty(0)


def _c2(points: FloatArray, share: FloatArray) -> FloatArray:
    """E3 / E2²: with W_ij = sqrt(z_i) R_ij sqrt(z_j), the sum over triangles is tr(W³) / 6."""
    apart = points[:, :, None] - points[:, None]
    distance = np.hypot(apart[..., 0], apart[..., 1])
    pairs = np.einsum("ni,nij,nj->n", share, distance, share) / 2
    root = np.sqrt(share)
    w = root[:, :, None] * distance * root[:, None]
    return _ratio(np.einsum("nij,nji->n", w @ w, w) / 6, pairs**2)


def _centre(points: FloatArray, weight: FloatArray) -> FloatArray:
    """The weighted mean of points (N, M, 2), shape (N, 2); 0 without weight."""
    total = weight.sum(1)
    centre: FloatArray = (weight[..., None] * points).sum(1) / np.where(total > 0, total, 1)[:, None]
    return centre


def _distance(points: FloatArray, axis: FloatArray) -> FloatArray:
    """The distance of points (N, M, 2) to axes (N, 2), shape (N, M)."""
    apart = points - axis[:, None]
    distance: FloatArray = np.hypot(apart[..., 0], apart[..., 1])
    return distance


def _wrapped(angle: FloatArray) -> FloatArray:
    """An angle in [-pi, pi)."""
    wrapped: FloatArray = (angle + np.pi) % (2 * np.pi) - np.pi
    return wrapped


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """The quotient, and 0 where below is 0."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 1e-30)
