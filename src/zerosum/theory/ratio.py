"""Smooth models of a log density ratio, ln p(x)/q(x), fitted to two samples by logistic regression.

A classifier that tells events x ~ p from y ~ q has the log-odds ln p/q + ln(n/m) where it is right (Qin 1998,
Biometrika 85, 619; Sugiyama, Suzuki and Kanamori 2012, "Density Ratio Estimation in Machine Learning", section 4). The
models here have few parameters: linear, quadratic (exact for two Gaussians and every pair whose ln p/q is quadratic), a
sum of smooth functions of one feature each (exact for independent features), and that with products. Which one, and how
much it is shrunk, is decided by the loss on events left out; no model at all, ln p/q = 0, is among the choices.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Features = Callable[[Array], Array]

CHOICE_ROWS = 6_000  # events that choose the model, at most
ROWS = 40_000  # events that it is then fitted to, at most
FOLDS = 3
STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0)  # variances of the coefficients' prior, for features of unit variance
KNOTS = 6
LARGEST = 30.0  # of a feature in units of its spread: an outlier does not rule the fit
MANY = 600  # features from which on a Newton step costs more than it saves


@dataclass(frozen=True)
class LogRatio:
    """Ln p/q at all events of both samples, as a model has it.

    Attributes:
        values: Ln p(z)/q(z) at the events of x, then those of y, shape (n + m,).
        odds: The probability that an event of the two samples together is from p, given where it is, shape (n + m,).
        model: Which model was chosen; "none" where ln p/q = 0 did as well.
    """

    values: Array
    odds: Array
    model: str


def _linear(_: Array) -> Features:
    return lambda z: z


def _quadratic(_: Array) -> Features:
    return lambda z: np.concatenate([z, _products(z)], axis=1)


def _additive(z: Array) -> Features:
    """Cubic splines of each feature, between quantiles; straight beyond the outermost."""
    from sklearn.preprocessing import SplineTransformer

    bends = SplineTransformer(KNOTS, knots="quantile", extrapolation="linear", include_bias=False).fit(z)
    return lambda z: np.asarray(bends.transform(z), np.float64)


def _additive_and_products(z: Array) -> Features:
    bends = _additive(z)
    return lambda z: np.concatenate([bends(z), _products(z)], axis=1)


def _products(z: Array) -> Array:
    i, j = np.triu_indices(z.shape[1])
    return z[:, i] * z[:, j]


MODELS: dict[str, Callable[[Array], Features]] = {
    "linear": _linear,
    "quadratic": _quadratic,
    "additive": _additive,
    "additive and products": _additive_and_products,
}
"""From the simplest to the richest; each makes its features from events of both samples."""


def log_ratio(x: Array, y: Array, rng: np.random.Generator) -> LogRatio:
    """The model of ln p/q that predicts best which sample an event is from.

    Args:
        x: Events of p, shape (n, d), features of about unit spread.
        y: Events of q, shape (m, d).
        rng: Which events are fitted to, and which left out.
    """
    z, label = np.concatenate([x, y]), np.arange(len(x) + len(y)) < len(x)
    rows = rng.permutation(len(z))[:ROWS]
    chosen = _choose(z[rows[:CHOICE_ROWS]], label[rows[:CHOICE_ROWS]])
    if chosen is None:
        share = len(x) / len(z)
        return LogRatio(np.zeros(len(z)), np.full(len(z), share), "none")
    name, strength = chosen
    features = _scaled(MODELS[name], z[rows])
    fitted = _logistic(features(z[rows]), label[rows], strength)
    blocks = np.array_split(z, max(len(z) // ROWS, 1))
    logits = np.concatenate([fitted.decision_function(features(block)) for block in blocks])
    odds = 1 / (1 + np.exp(-logits))
    return LogRatio(logits - np.log(odds.mean() / (1 - odds.mean())), odds, name)


def _choose(z: Array, label: Bools) -> tuple[str, float] | None:
    """Model and strength with the least loss on events left out; a richer one must win by its standard error."""
    fold = np.arange(len(z)) % FOLDS
    best, losses = None, _loss(np.log(label.mean() / (1 - label.mean())), label)
    for name, make in MODELS.items():
        columns = _scaled(make, z)(z)
        for strength in STRENGTHS:
            found = np.empty(len(z))
            for i in range(FOLDS):
                fitted = _logistic(columns[fold != i], label[fold != i], strength)
                found[fold == i] = _loss(fitted.decision_function(columns[fold == i]), label[fold == i])
            gain = losses - found
            if gain.mean() > (gain.std() / np.sqrt(len(z)) if best is None or best[0] != name else 0):
                best, losses = (name, strength), found
    return best


def _scaled(make: Callable[[Array], Features], z: Array) -> Features:
    """Features of zero mean and unit variance, outliers cut."""
    raw = make(z)
    columns = raw(z)
    centre, spread = columns.mean(axis=0), columns.std(axis=0)
    spread[spread == 0] = 1.0
    return lambda z: np.clip((raw(z) - centre) / spread, -LARGEST, LARGEST)


def _logistic(columns: Array, label: Bools, strength: float) -> Any:
    from scipy.linalg import LinAlgWarning
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    solver = "newton-cholesky" if columns.shape[1] < MANY else "lbfgs"
    with warnings.catch_warnings():  # a fit that stops early is a model as well, and judged by its loss
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", LinAlgWarning)
        return LogisticRegression(C=strength, solver=solver, tol=1e-3, max_iter=200).fit(columns, label)


def _loss(logits: Array | float, label: Bools) -> Array:
    """Minus ln of the probability given to what the event is, shape (N,)."""
    loss: Array = np.logaddexp(0.0, np.where(label, -1.0, 1.0) * logits)
    return loss
