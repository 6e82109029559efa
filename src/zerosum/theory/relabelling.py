"""What an estimator of D_KL gets wrong, measured on labels drawn anew, and taken off.

Fit a smooth model of ln p/q to both samples (ratio.py). Keep all n + m events where they are, and draw for each one
which sample it is from, with the model's probability. That makes two samples with the density ratio of the model,
exactly, at the same events: the estimator's value on them, less the model's own divergence, is the estimator's bias
there. This is the parametric bootstrap's correction of bias (Efron and Tibshirani 1993, "An Introduction to the
Bootstrap", section 10.6) with a logistic model. Where the model is right no bias is left, at any sample size; where it
finds nothing, ln p/q = 0, next to nothing is taken off; and where it is wrong, bias and correction vanish as n grows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zerosum.theory.ratio import LogRatio

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Terms = Callable[[Array, Array, Indices], Array]

REPEATS = 12  # draws of the labels, at most
LARGEST = 10.0  # of p/q: neighbours do not see sharper peaks


@dataclass(frozen=True)
class Bias:
    """The bias of an estimate and its standard error, in nats."""

    value: float
    error: float


def bias(
    terms: Terms, events: Array, ratio: LogRatio, rng: np.random.Generator, *, each: int, total: int
) -> Bias:
    """The bias of the mean of `terms` as an estimate of D_KL, if the model were right.

    Its error has two parts: the scatter of the terms about the model's ln p/q, and that of p/q at the events of q,
    which is what the drawn events of q change in D_KL to first order. A bias that is small beside its error is shrunk
    towards 0, by 1 - error^2/bias^2.

    Args:
        terms: Of samples x and y and indices of x, estimates of ln p/q at these x.
        events: Those of both samples, shape (n + m, d).
        ratio: The model of ln p/q at these events.
        rng: Labels, and which events are looked at.
        each: How many terms in a draw of the labels, at most.
        total: How many in all of them, about; there are at most `REPEATS` draws.
    """
    found: list[Array] = []
    variance = 0.0
    weight = np.minimum(np.exp(ratio.values), LARGEST)
    while len(found) < REPEATS and sum(map(len, found)) < total:
        first = rng.random(len(events)) < ratio.odds
        x, log_ratio = events[first], ratio.values[first]
        rows = rng.permutation(len(x))[:each]
        off = terms(x, events[~first], rows) - log_ratio[rows]
        found.append(off[np.isfinite(off)])  # repeated events of one sample may meet others' labels
        variance += float(found[-1].var() / len(found[-1]) + weight[~first].var() / (~first).sum())
    value, error = float(np.concatenate(found).mean()), float(np.sqrt(variance)) / len(found)
    return Bias(value * max(1 - (error / value) ** 2, 0.0) if value else 0.0, error)
