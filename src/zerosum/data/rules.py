"""Which transform suits a feature: the rule, from the data alone.

1. *Few values* (at most 64, each seen about ten times): `Levels`. *Whole numbers*: `Integers`.
2. *A spike*: the smallest or largest value is shared by more than 1 % of the events: `Spike`.
3. *Edges*: the density does not fall towards the smallest or largest value, or all values are positive and reach
   down towards zero or have a long tail. Two edges: `Probit`, or `Logit` where the density rises towards both.
   One edge: `Log` of the distance. What fills [-π, π] or [0, 2π] is an angle: `Angle`, which goes round.
4. *Shape*: where the quantiles are still far from those of a normal and there is a single mode: `Warp`.
   Several modes with gaps between them stay as they are, but far outliers are drawn in (`Warp` of the tails).
5. *Scale*: mean 0, standard deviation 1: `Affine`.

The voxels of a calorimeter share one chain, `Sparse` without a gap (`voxel_chain`).

Grids have one chain for each channel: at most 64 values `Snap` (`Levels` where a density is fitted), exact zeros among
positive values `Sparse`, else `Affine` alone.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from zerosum.data.chain import Chain
from zerosum.data.discrete import Integers, Levels, Snap, Sparse, Spike
from zerosum.data.steps import Affine, Angle, Log, Logit, Probit, Step, Warp

Values = npt.NDArray[np.float64]
MOST_LEVELS = 64
SAMPLE = 100_000  # events that the rule looks at; the smallest and the largest value are those of all events
SPIKE = 0.01
EDGE = 0.25  # density at an edge over the mean density up to the median, from which on it may be an edge
FALL = 0.62  # median over largest distance of the outermost 1 % from the outermost value: 1/2 where uniform
OUTLIER = 8.0  # distance from the middle, in widths of the central 98 %, from which on a value is far out
PILE = 2.0  # density at both edges over the mean density, from which on both are piles
FAR = (
    0.25  # distance of a quantile from a normal's, in standard deviations, from which on the shape is awkward
)
LEVELS = np.array([0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
NORMAL = np.array([-2.3263, -1.6449, -0.6745, 0.0, 0.6745, 1.6449, 2.3263])
MOST_KNOTS = 48
ANGLES = ((-math.pi, math.pi), (0.0, 2 * math.pi))


def feature_chain(values: npt.NDArray[Any], seed: int) -> Chain:
    """The chain for a column of a table or an entry of a cloud's points."""
    generator = torch.Generator().manual_seed(seed)
    x = np.sort(_sampled(values, seed))
    steps: list[Step] = []

    def add(step: Step) -> None:
        nonlocal x
        steps.append(step)
        x = np.sort(step.forward(torch.from_numpy(x), generator).numpy())

    levels = np.unique(values) if len(_distinct(x)) <= MOST_LEVELS else np.empty(0)
    if 0 < len(levels) <= min(MOST_LEVELS, max(2, len(values) // 10)):
        add(Levels(tuple(levels.tolist())))
        add(Probit(0.0, float(len(levels))))
    else:
        if np.all(values == np.round(values)):
            add(Integers())
        spike = _spike(x)
        if spike is not None:
            add(spike)
        edges = _edges(x)
        if edges is not None:
            add(edges)
    warp = None if any(isinstance(step, Angle) for step in steps) else _warp(x)
    if warp is not None:
        add(warp)
    return _standardised(steps, x)


def condition_chain(values: npt.NDArray[Any], seed: int) -> Chain:
    """The chain for a condition: the logarithm where it is positive over a wide range, then the scale."""
    x = _sampled(values, seed)
    if x.min() <= 0 or x.max() < 10 * x.min() or abs(_skew(np.log(x))) > abs(_skew(x)):
        return _standardised([], x)
    return _standardised([Log()], np.log(x))


def channel_chain(values: npt.NDArray[Any], seed: int, *, density: bool = False) -> Chain:
    """The chain for a channel of a grid, shared by all its cells.

    Args:
        values: All numbers of the channel.
        seed: Seeds the choice of the values that are looked at.
        density: Whether a density will be fitted: more than two levels are then de-quantised, since a density of
            values that lie on a lattice has no bound.
    """
    x = _sampled(values, seed)
    if len(_distinct(x)) <= MOST_LEVELS:
        levels = np.unique(values)
        if 2 < len(levels) <= MOST_LEVELS and density:
            spread = Levels(tuple(levels.tolist()))
            return _standardised(
                [spread], spread.forward(torch.from_numpy(x), torch.Generator().manual_seed(seed)).numpy()
            )
        if len(levels) <= MOST_LEVELS:
            return _standardised([Snap(tuple(levels.tolist()))], x)
    if x.min() >= 0 and np.mean(x == 0) > SPIKE and values.min() >= 0:
        filled = x[x > 0]
        unit = float(np.quantile(filled, 0.1))
        gap = max(float(np.std(np.log1p(filled / unit))), 0.5)
        step = Sparse(unit, gap)
        return _standardised([step], step.forward(torch.from_numpy(x), torch.Generator()).numpy())
    return _standardised([], x)


def voxel_chain(values: npt.NDArray[Any], seed: int) -> Chain:
    """The chain for the voxels of a shower, shared by all: ln(1 + E/unit), which leaves an empty voxel at exactly 0."""
    x = _sampled(values, seed)
    filled = x[x > 0]
    return Chain((Sparse(float(np.quantile(filled, 0.1)) if len(filled) else 1.0, 0.0),))


def _standardised(steps: list[Step], x: Values) -> Chain:
    scale = float(np.std(x))
    return Chain((*steps, Affine(float(np.mean(x)), scale if scale > 0 else 1.0)))


def _sampled(values: npt.NDArray[Any], seed: int) -> Values:
    """At most SAMPLE of the values, among them the smallest and the largest."""
    flat = np.asarray(values).reshape(-1)
    if len(flat) > SAMPLE:
        chosen = np.random.default_rng(seed).integers(len(flat), size=SAMPLE)
        chosen[:2] = flat.argmin(), flat.argmax()
        flat = flat[chosen]
    return flat.astype(np.float64)


def _distinct(x: Values) -> Values:
    """Some of the distinct values: enough to see whether there are more than MOST_LEVELS."""
    few = np.unique(x[:: max(1, len(x) // 2000)])
    return few if len(few) > MOST_LEVELS else np.unique(x)


def _spike(x: Values) -> Spike | None:
    """A spike at the smallest or the largest of the sorted values, as wide as its share at the density beside it."""
    for side, value in ((-1, float(x[0])), (1, float(x[-1]))):
        rest = x[x != value]
        share = 1 - len(rest) / len(x)
        if share > SPIKE and len(rest) > 1:
            beside = abs(float(np.quantile(rest, 0.2 if side < 0 else 0.8)) - value)
            return Spike(value, beside * share / (0.2 * (1 - share)), side)
    return None


def _edges(x: Values) -> Step | None:
    """The step that keeps the edges of the sorted values, if they have any."""
    for a, b in ANGLES:
        if -1e-6 < x[0] - a < 0.05 and -1e-6 < b - x[-1] < 0.05:
            return Angle(a, b - a)
    low, high = _density_at_edge(x), _density_at_edge(-x[::-1])
    if low > EDGE and high > EDGE:
        a, b = _rounded_edge(x), -_rounded_edge(-x[::-1])
        third = np.mean((x > a + (b - a) / 3) & (x < b - (b - a) / 3)) * 3
        near = min(np.mean(x < a + (b - a) / 20), np.mean(x > b - (b - a) / 20)) * 20
        return Logit(a, b) if near > PILE * third else Probit(a, b)
    if low > EDGE:
        return _log(x, _rounded_edge(x), 1)
    if high > EDGE:
        return _log(-x[::-1], _rounded_edge(-x[::-1]), -1)
    if x[0] > 0 and (x[0] < 0.1 * x[len(x) // 2] or _skew(x) > 1):
        return Log()
    return None


def _log(x: Values, edge: float, side: int) -> Log:
    """The logarithm above an edge of sorted values; the offset ends its tail at about one event in a thousand."""
    return Log(edge * side, 0.1 * float(np.quantile(x, 0.01) - edge), side)


def _density_at_edge(x: Values) -> float:
    """The density in the first twentieth of the way from the smallest value to the median, over the mean there.

    0 where the density falls towards the smallest value, as it does in the tail of a mode.
    """
    outermost = x[: min(len(x), max(50, len(x) // 100))] - x[0]
    if outermost[len(outermost) // 2] > FALL * outermost[-1]:
        return 0.0
    half = x[: max(1, len(x) // 2)]
    reach = 0.05 * float(x[len(x) // 2] - x[0])
    inside = int(np.searchsorted(half, x[0] + reach, side="right")) - 1
    return 20 * inside / len(half) if inside >= 5 else 0.0


def _rounded_edge(x: Values) -> float:
    """The edge below the sorted values: a round number as near as their spacing, or else the smallest."""
    smallest = float(x[0])
    k = min(len(x) - 1, max(10, len(x) // 1000))
    spacing = 5 * float(x[k] - smallest) / k
    candidates = [0.0]
    for digits in range(4):
        step = 10.0 ** (math.floor(math.log10(abs(smallest))) - digits) if smallest else 1.0
        candidates.append(round(math.floor(smallest / step) * step, 12))
    return next((edge for edge in candidates if 0 <= smallest - edge < spacing), smallest)


def _warp(x: Values) -> Warp | None:
    """A map of the sorted values' quantiles onto a normal's, where the shape calls for it."""
    spread = float(np.std(x))
    if spread == 0 or len(x) < 50:
        return None
    away = np.abs((np.quantile(x, LEVELS) - np.mean(x)) / spread - NORMAL).max()
    if _has_gaps(x):
        return _tails(x)
    if away < FAR and max(x[-1] - np.mean(x), np.mean(x) - x[0]) < OUTLIER * spread:
        return None
    last, reach = _normal_score(1 - 0.5 / len(x)), _normal_score(1 - min(0.1, 10 / len(x)))
    inner = np.linspace(-reach, reach, int(np.clip(len(x) // 20, 4, MOST_KNOTS)))
    y = np.concatenate([[-last], inner, [last]])
    probabilities = torch.special.ndtr(torch.from_numpy(inner)).numpy()
    return _through(np.concatenate([x[:1], np.quantile(x, probabilities), x[-1:]]), y)


def _tails(x: Values) -> Warp | None:
    """A map that leaves the central 98 % as they are and draws in the tails, where there are far outliers."""
    low, middle, high = np.quantile(x, [0.01, 0.5, 0.99])
    width = float(np.std(np.clip(x, low, high)))
    if max(x[-1] - middle, middle - x[0]) < OUTLIER * width:
        return None
    far, near = _normal_score(1 - 0.5 / len(x)), _normal_score(0.99)
    left, right = (low - middle) / width, (high - middle) / width
    return _through(
        np.array([x[0], low, high, x[-1]]), np.array([left - far + near, left, right, right + far - near])
    )


def _through(x: Values, y: Values) -> Warp | None:
    """The map through these points, without those that are too near to the one before."""
    keep = np.concatenate([[True], np.diff(x) > 1e-7 * (x[-1] - x[0])])
    return Warp(tuple(x[keep].tolist()), tuple(y[keep].tolist())) if keep.sum() > 2 else None


def _normal_score(probability: float) -> float:
    """Φ⁻¹(probability)."""
    return float(torch.special.ndtri(torch.tensor(probability, dtype=torch.float64)))


def _has_gaps(x: Values) -> bool:
    """Whether a valley between two modes is less than half as high as the lower of them, beyond the noise."""
    low, high = np.quantile(x, [0.005, 0.995])
    counts = np.histogram(x, 40, (low, high))[0] if high > low else np.zeros(3)
    left, right = np.maximum.accumulate(counts), np.maximum.accumulate(counts[::-1])[::-1]
    lower = np.minimum(left, right)
    return bool(np.any((counts < 0.5 * lower) & (lower - counts > 5 * np.sqrt(lower + counts))))


def _skew(x: Values) -> float:
    centred = x - x.mean()
    return float(np.mean(centred**3) / max(float(np.mean(centred**2)) ** 1.5, 1e-300))
