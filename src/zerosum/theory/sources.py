"""Known densities as sources of events, so that every divergence of a generator from its data can be computed exactly.

Each row makes a density from options. To add one, write a row of `MAKE`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from zerosum.data.events import Events
from zerosum.data.simulators.source import Source, stream_blocks
from zerosum.errors import InputError
from zerosum.theory.densities import Density, Gaussian, Mixture
from zerosum.theory.tails import Cauchy, Chi, Exponential, Laplace, StudentT, Uniform, VonMises

Numbers = float | Sequence[float]


def mixture(
    means: Numbers = (-2.0, 2.0),
    sigmas: Numbers = (0.5,),
    weights: Numbers = (1.0,),
    dimensions: int = 1,
) -> Mixture:
    """Normal modes with centres (mean, mean, ...); one sigma or weight serves all modes.

    Examples:
        >>> p = mixture(means=[-3, 0, 3], weights=[1, 2, 1])
        >>> round(float(np.exp(p.log_prob(np.zeros((1, 1))))[0]), 4)
        0.3989
    """
    centres = np.atleast_1d(np.asarray(means, np.float64))
    widths, shares = (_for_each(one, len(centres)) for one in (sigmas, weights))
    if not (widths > 0).all():
        raise InputError(f"sigmas are {widths.tolist()}; give widths above 0.")
    corner = np.ones(_whole(dimensions))
    modes = [Gaussian(mean * corner, sigma**2) for mean, sigma in zip(centres, widths, strict=True)]
    return Mixture(modes, shares)


def gaussian(dimensions: int = 2, correlation: float = 0.5) -> Gaussian:
    """Normal columns of variance 1, each pair of which has this correlation."""
    d = _whole(dimensions)
    return Gaussian(np.zeros(d), correlation + (1 - correlation) * np.eye(d))


def _for_each(given: Numbers, modes: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """One number for each mode."""
    numbers = np.atleast_1d(np.asarray(given, np.float64))
    if len(numbers) not in (1, modes):
        raise InputError(
            f"there are {modes} means and {len(numbers)} sigmas or weights; give one for each, or 1."
        )
    return np.broadcast_to(numbers, (modes,))


def _whole(dimensions: int) -> int:
    if not isinstance(dimensions, int) or not 1 <= dimensions <= 1000:
        raise InputError(f"dimensions is {dimensions}; give a whole number from 1 to 1000.")
    return dimensions


PLACE = {"location": "where it is centred", "scale": "how wide it is"}
MAKE: dict[str, tuple[Callable[..., Density], str, Mapping[str, str]]] = {
    "mixture": (
        mixture,
        "normal modes, given their means, widths and weights",
        {
            "means": "centres of the modes",
            "sigmas": "their widths",
            "weights": "their shares, up to a factor",
            "dimensions": "columns",
        },
    ),
    "gaussian": (
        gaussian,
        "correlated normal columns",
        {"dimensions": "columns", "correlation": "of each pair of columns"},
    ),
    "cauchy": (Cauchy, "the density of Cauchy, which has no mean", PLACE),
    "laplace": (Laplace, "a density with a kink, exponential on both sides", PLACE),
    "student": (partial(StudentT, dof=3.0), "Student's t", {"dof": "degrees of freedom", **PLACE}),
    "vonmises": (
        VonMises,
        "the normal density of the circle, on (-pi, pi)",
        {"location": "where it is centred", "concentration": "k; 0 is flat"},
    ),
    "uniform": (Uniform, "a flat density between two edges", {"low": "an edge", "high": "the other"}),
    "exponential": (Exponential, "an exponential with an edge at 0", {"rate": "1 / mean"}),
    "chi": (
        partial(Chi, dof=3),
        "the length of a normal vector",
        {"dof": "its dimensions", "scale": "the width of each entry"},
    ),
}


def density_named(name: str, **options: Any) -> Density:
    """The density of a source, whose ln p is known: `zerosum simulate NAME` draws from it.

    Examples:
        >>> density_named("student", dof=5).dim
        1
    """
    return MAKE[name][0](**options)


def stream_density(
    n: int, seed: int = 0, *, name: str, chunk: int = 10_000, **options: Any
) -> Iterator[Events]:
    """Yield n events of a known density, in columns x (or x1, x2, ...)."""
    density = density_named(name, **options)
    names = ["x"] if density.dim == 1 else [f"x{i + 1}" for i in range(density.dim)]

    def draw(rng: np.random.Generator, size: int) -> Events:
        return Events.table(density.sample(size, rng), names, source=name)

    return stream_blocks(draw, n, seed, chunk=chunk)


DENSITIES: dict[str, Source] = {
    name: Source(name, summary, partial(stream_density, name=name), options, takes=make)
    for name, (make, summary, options) in MAKE.items()
}
