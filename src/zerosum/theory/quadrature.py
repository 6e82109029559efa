"""Divergences as integrals in one to three dimensions, with an error.

In one dimension the line is cut at the landmarks of both densities and where they cross (there |p - q| has a kink), and
each piece is integrated by the double exponential rule (Takahasi and Mori 1974), which halves its step until two
answers agree; it takes edges, singular ends and heavy tails. In two and three dimensions the grid of all axes' pieces
is integrated by Gauss and Legendre's rule. An integrand that does not fall off fast enough is reported as inf.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from zerosum.errors import InputError
from zerosum.theory.densities import Density
from zerosum.theory.estimate import Estimate
from zerosum.theory.fdivergences import FDivergence

Array = npt.NDArray[np.float64]
Integrand = Callable[[Array], Array]

RELATIVE = 1e-13  # the precision asked for in one dimension
REACH = 4.0  # |t| of the outermost node: x reaches 1e18 scales, and 1e-18 of a piece from its ends
LEVELS = 6  # steps from 1/8 down to 1/256
ORDERS = {2: (8, 16, 32), 3: (8, 14)}  # nodes on each piece of each axis
LARGEST_SUM = 10_000_000


def quadrature(row: FDivergence, p: Density, q: Density) -> Estimate:
    """D_f(p || q) by quadrature, for densities in one to three dimensions.

    Args:
        row: The divergence.
        p: A density.
        q: A density of the same dimension.

    Returns:
        The value with a bound on the numerical error; inf where the integral diverges.
    """

    def integrand(x: Array) -> Array:
        return row.pointwise(p.log_prob(x), q.log_prob(x))

    if p.dim > 3:
        raise InputError(
            f"quadrature reaches 3 dimensions, and these densities have {p.dim}; use Monte Carlo."
        )
    if _diverges(integrand, p, q):
        return Estimate(np.inf, 0.0, 0, "quadrature")
    value, error = _line(integrand, p, q) if p.dim == 1 else _box(integrand, p, q)
    return Estimate(value, error, 0, "quadrature")


def summation(row: FDivergence, p: Density, q: Density) -> Estimate:
    """D_f(P || Q) of two distributions of integers, summed until what is left is below 1e-16."""
    k = np.arange(_last_term([p, q]) + 1, dtype=np.float64)[:, None]
    terms = row.pointwise(p.log_prob(k), q.log_prob(k))
    return Estimate(float(terms.sum()), float(np.finfo(float).eps * np.abs(terms).sum()), 0, "summation")


def _last_term(densities: list[Density]) -> int:
    """The integer beyond which both probabilities can be left out."""
    last = max(float(density.support[1].max()) for density in densities)
    if np.isfinite(last):
        return int(last)
    n = 64
    while n < LARGEST_SUM:
        k = np.arange(n, 2 * n, dtype=np.float64)[:, None]
        if all(np.exp(density.log_prob(k)).sum() * n < 1e-16 for density in densities):
            return n
        n *= 2
    raise InputError(f"the probabilities do not fall off within {LARGEST_SUM} integers; use Monte Carlo.")


def integrate(f: Integrand, breaks: Array) -> tuple[float, float]:
    """The integral of f over the line between the first and the last break, with its error.

    Args:
        f: A function of x, shape (N,), smooth between the breaks.
        breaks: Increasing; the first may be -inf, the last inf.
    """
    step, value, error = 1 / 8, np.inf, np.inf
    for _ in range(LEVELS):
        x, weight = _nodes(breaks, step)
        terms = weight * f(x)
        last, value = value, float(terms.sum())
        noise = 1e-16 * float(np.abs(terms).sum())
        if not np.isfinite(value):
            return value, 0.0
        error = max(abs(value - last), noise)
        if error <= max(RELATIVE * abs(value), noise):
            break
        step /= 2
    return value, error


def _nodes(breaks: Array, step: float, scale: float | None = None) -> tuple[Array, Array]:
    """Nodes and weights of the double exponential rule on every piece, each of shape (pieces * nodes,)."""
    t = np.arange(-REACH, REACH + step / 2, step)
    double, slope = np.pi / 2 * np.sinh(t), np.pi / 2 * np.cosh(t) * step
    a, b = breaks[:-1, None], breaks[1:, None]
    finite = np.isfinite(b - a)
    left = 1 / (1 + np.exp(-2 * double))  # the fraction of the piece below the node, exact near 0
    scale = _outer_scale(breaks) if scale is None else scale
    with np.errstate(invalid="ignore"):
        x = np.where(left < 0.5, a + (b - a) * left, b - (b - a) * left[::-1])
        weight = (b - a) * left * left[::-1] * 2 * slope
    away = scale * np.exp(double)
    x = np.where(finite, x, np.where(np.isfinite(a), a + away, b - away))
    weight = np.where(finite, weight, away * slope)
    inside = (x > a) & (x < b)
    return x[inside], weight[inside]


def _outer_scale(breaks: Array) -> float:
    """The width of the region between the finite breaks, for the pieces that reach to infinity."""
    known = breaks[np.isfinite(breaks)]
    return float(known[-1] - known[0]) if len(known) > 1 else 1.0


def _line(integrand: Integrand, p: Density, q: Density) -> tuple[float, float]:
    ends = [float(edge[0]) for density in (p, q) for edge in density.support]
    points = np.concatenate([p.landmarks[:, 0], q.landmarks[:, 0], ends])
    breaks = np.unique(points)
    breaks = np.unique(np.concatenate([breaks, _crossings(p, q, breaks)]))
    return integrate(lambda x: integrand(x[:, None]), breaks)


def _crossings(p: Density, q: Density, breaks: Array) -> Array:
    """Where p = q changes sides, found on a grid and refined."""
    from scipy.optimize import brentq

    def difference(x: Array | float) -> Array:
        at = np.atleast_1d(x)[:, None]
        a, b = p.log_prob(at), q.log_prob(at)
        empty = np.isinf(a) | np.isinf(b)
        return np.where(empty, np.nan, np.where(empty, 0.0, a) - np.where(empty, 0.0, b))

    x, _ = _nodes(breaks, 0.25)
    x = np.unique(x)
    sides = difference(x)
    sides[np.abs(sides) < 1e-9] = np.nan
    x, sides = x[~np.isnan(sides)], sides[~np.isnan(sides)]
    changes = np.flatnonzero(sides[:-1] * sides[1:] < 0)
    found = [brentq(lambda at: float(difference(at)[0]), x[i], x[i + 1], xtol=1e-15) for i in changes[:100]]
    return np.array(found)


def _box(integrand: Integrand, p: Density, q: Density) -> tuple[float, float]:
    axes = [
        np.unique(np.concatenate([p.landmarks[:, i], q.landmarks[:, i], *(_end(d, i) for d in (p, q))]))
        for i in range(p.dim)
    ]
    value, error = np.inf, np.inf
    for order in ORDERS[p.dim]:
        last, value = value, _product_rule(integrand, [_gauss(breaks, order) for breaks in axes])
        error = abs(value - last)
        if error <= 1e-10 * abs(value):
            break
    return value, error


def _end(density: Density, axis: int) -> Array:
    return np.array([edge[axis] for edge in density.support])


def _gauss(breaks: Array, order: int) -> tuple[Array, Array]:
    """Gauss and Legendre's nodes and weights on each finite piece, the double exponential rule's on the others."""
    z, w = np.polynomial.legendre.leggauss(order)
    known = breaks[np.isfinite(breaks)]
    half, middle = np.diff(known)[:, None] / 2, ((known[:-1] + known[1:]) / 2)[:, None]
    parts = [((middle + half * z).ravel(), (half * w).ravel())]
    scale = _outer_scale(breaks)
    outer = [breaks[:2]] * bool(np.isinf(breaks[0])) + [breaks[-2:]] * bool(np.isinf(breaks[-1]))
    parts += [_nodes(piece, 2 / order, scale) for piece in outer]
    x, weight = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return x, weight


def _product_rule(integrand: Integrand, axes: list[tuple[Array, Array]]) -> float:
    """The sum over the grid of all axes' nodes, one plane of the first axis at a time."""
    rest = np.stack(np.meshgrid(*(x for x, _ in axes[1:]), indexing="ij"), axis=-1).reshape(-1, len(axes) - 1)
    weight = np.ones(1)
    for _, w in axes[1:]:
        weight = np.multiply.outer(weight, w).ravel()
    total = 0.0
    for first, w in zip(*axes[0], strict=True):
        plane = np.concatenate([np.full((len(rest), 1), first), rest], axis=1)
        total += w * float(weight @ integrand(plane))
    return total


def _diverges(integrand: Integrand, p: Density, q: Density) -> bool:
    """Whether |integrand| r^d does not fall between 1e6 and 1e9 scales, or near an end of the support."""
    both = np.concatenate([p.landmarks, q.landmarks])
    centre, scale = both.mean(0), float(max(both.std(0).max(), 1e-12))
    directions = np.random.default_rng(0).standard_normal((16, p.dim))
    directions = np.array([[-1.0], [1.0]]) if p.dim == 1 else directions
    with np.errstate(over="ignore"):
        near, far = (np.abs(integrand(centre + r * scale * directions)) * r**p.dim for r in (1e6, 1e9))
        if (np.isinf(far) | ((far > near / 2) & (near > 0))).any():
            return True
        if p.dim > 1:
            return False
        ends = {float(edge[0]) for density in (p, q) for edge in density.support if np.isfinite(edge[0])}
        for end in ends:
            for side in (-1, 1):
                deltas = np.array([1e-5, 1e-7]) * scale
                values = np.abs(integrand((end + side * deltas)[:, None])) * deltas
                if np.isinf(values).any() or values[1] > values[0] / 2 > 0:
                    return True
    return False
