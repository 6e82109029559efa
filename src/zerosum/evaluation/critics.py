"""Critics: classifiers trained only to measure, whose logit estimates ln p/q.

A critic is fitted on *fit* events and stopped, calibrated and combined on *tune* events; it never sees the
events on which it is judged. Any critic gives a valid lower limit, a better one a tighter limit
(certificate.py), so a few of growing capacity are fitted side by side, and a last one, the *stack*, is a
logistic regression on the others' logits.

Adding a critic is one object with a name and a `fit`; `LADDERS` says which are used for which kind of events.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np

from zerosum.data.events import Events, FloatArray
from zerosum.evaluation.logistic import balanced, log_loss, logistic
from zerosum.evaluation.summaries import Scale, rows

STACK = "stack"
MOST_COLUMNS_FOR_PRODUCTS = 30


class Fitted(Protocol):
    """A fitted critic."""

    def logit(self, events: Events) -> FloatArray:
        """The estimate of ln p/q at each event, shape (N,); larger means more real."""
        ...


class Critic(Protocol):
    """A critic that can be fitted."""

    @property
    def name(self) -> str:
        """What tables call it."""
        ...

    def fit(
        self,
        reference: Events,
        generated: Events,
        reference_tune: Events,
        generated_tune: Events,
        *,
        seed: int,
    ) -> Fitted:
        """Learn on the first pair of samples, stop on the second."""
        ...


@dataclass(frozen=True)
class Polynomial:
    """Logistic regression on the columns: optimal for Gaussians of equal (1) or any (2) covariance.

    Attributes:
        name: What tables call it.
        degree: 1, or 2 with all squares and, up to 30 columns, all products.
    """

    name: str
    degree: int

    def fit(
        self,
        reference: Events,
        generated: Events,
        reference_tune: Events,
        generated_tune: Events,
        *,
        seed: int,
    ) -> "FittedPolynomial":
        """Newton's method for each ridge penalty of a short list; the best on the tuning pair stays."""
        del seed  # the optimum is unique
        scale = Scale.fit(np.concatenate([rows(reference), rows(generated)]))
        fit, tune = (
            np.concatenate([self.expand(scale(rows(a))), self.expand(scale(rows(b)))])
            for a, b in ((reference, generated), (reference_tune, generated_tune))
        )
        centre, width = fit.mean(0), np.maximum(fit.std(0), 1e-6)
        target, judge = balanced(reference, generated), balanced(reference_tune, generated_tune)
        best, start = (np.inf, np.zeros(1 + fit.shape[1])), None
        for ridge in (300.0, 30.0, 1.0):
            start = logistic((fit - centre) / width, *target, ridge=ridge, start=start)
            loss = log_loss(start[0] + (tune - centre) / width @ start[1:], *judge)
            best = min(best, (loss, start), key=lambda pair: pair[0])
        c = best[1]
        slopes = c[1:] / width
        return FittedPolynomial(self, scale, float(c[0] - slopes @ centre), slopes)

    def expand(self, z: FloatArray) -> FloatArray:
        """The columns, and for degree 2 their squares and products."""
        if self.degree == 1:
            return z
        first, second = np.triu_indices(z.shape[1])
        if z.shape[1] > MOST_COLUMNS_FOR_PRODUCTS:
            first = second = np.arange(z.shape[1])
        return np.concatenate([z, z[:, first] * z[:, second]], axis=1)


@dataclass(frozen=True)
class FittedPolynomial:
    """A fitted polynomial logit."""

    critic: Polynomial
    scale: Scale
    intercept: float
    slopes: FloatArray

    def logit(self, events: Events) -> FloatArray:
        """The polynomial at each event, shape (N,)."""
        return self.intercept + self.critic.expand(self.scale(rows(events))) @ self.slopes


@dataclass(frozen=True)
class Trees:
    """Gradient-boosted trees on histograms (scikit-learn), stopped on the tuning pair.

    Attributes:
        name: What tables call it.
        leaves: Leaves of each tree.
        rounds: The most trees.
        rate: Learning rate.
    """

    name: str
    leaves: int
    rounds: int
    rate: float = 0.1

    def fit(
        self,
        reference: Events,
        generated: Events,
        reference_tune: Events,
        generated_tune: Events,
        *,
        seed: int,
    ) -> "FittedTrees":
        """Boost until the tuning loss has not improved for 20 rounds, and keep the best round."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        (x, y, w), (x_tune, y_tune, w_tune) = (
            (np.concatenate([rows(a), rows(b)]), *balanced(a, b))
            for a, b in ((reference, generated), (reference_tune, generated_tune))
        )
        model = HistGradientBoostingClassifier(
            max_leaf_nodes=self.leaves,
            max_iter=self.rounds,
            learning_rate=self.rate,
            l2_regularization=1.0,
            min_samples_leaf=max(5, min(100, len(y) // 100)),
            early_stopping=True,
            n_iter_no_change=20,
            tol=0,
            random_state=seed,
        )
        if reference.weights is None and generated.weights is None:
            # Unweighted and shifted by the odds of the classes: binning with weights is several times slower.
            model.fit(x, y, X_val=x_tune, y_val=y_tune)
            odds = float(np.log(len(reference) / len(generated)))
        else:
            # Trees need positive weights; the sign comes back in the calibration.
            model.fit(x, y, np.abs(w), X_val=x_tune, y_val=y_tune, sample_weight_val=np.abs(w_tune))
            odds = 0.0
        return FittedTrees(model, int(np.argmax(model.validation_score_)), odds)


@dataclass(frozen=True)
class FittedTrees:
    """Boosted trees up to their best round, and the log odds of the classes in training."""

    model: Any
    rounds: int
    odds: float

    def logit(self, events: Events) -> FloatArray:
        """The sum of the first `rounds` trees less the odds, shape (N,)."""
        if self.rounds == 0:
            return np.zeros(len(events))
        stages = self.model.staged_decision_function(rows(events))
        return np.ravel(next(islice(stages, self.rounds - 1, None))) - self.odds


@dataclass(frozen=True)
class Panel:
    """Fitted critics, calibrated, with their stack as the last one.

    Attributes:
        names: One name for each row of `logits`.
        critics: The fitted critics.
        calibration: Intercept and slope of each critic's logit, shape (K, 2).
        stack: Intercept and coefficients of the stack, shape (1 + K,).
    """

    names: tuple[str, ...]
    critics: tuple[Fitted, ...]
    calibration: FloatArray
    stack: FloatArray

    def logits(self, events: Events) -> FloatArray:
        """Calibrated logits of all critics and of the stack, shape (K + 1, N)."""
        raw = np.array([critic.logit(events) for critic in self.critics], dtype=np.float64)
        calibrated = self.calibration[:, :1] + self.calibration[:, 1:] * raw
        return np.concatenate([calibrated, [self.stack[0] + self.stack[1:] @ calibrated]])


def fit_panel(
    critics: Sequence[Critic], fit: tuple[Events, Events], tune: tuple[Events, Events], *, seed: int
) -> Panel:
    """Fit critics on `fit`, calibrate and stack them on `tune`; each pair is (reference, generated)."""
    fitted = tuple(critic.fit(*fit, *tune, seed=seed) for critic in critics)
    label, weight = balanced(*tune)
    raw = [np.concatenate([critic.logit(events) for events in tune]) for critic in fitted]
    lines = [_calibrated(logit, label, weight) for logit in raw]
    columns = np.stack([a + b * logit for (a, b), logit in zip(lines, raw, strict=True)], axis=1)
    stack = logistic(columns, label, weight, ridge=20, level=1e9, prior=_likely(columns, label, weight))
    names = (*(critic.name for critic in critics), STACK)
    return Panel(names, fitted, np.array(lines), stack)


def _likely(columns: FloatArray, label: FloatArray, weight: FloatArray) -> FloatArray:
    """Weights of the critics by the likelihood of the tuning labels, which add up to 1."""
    total = np.array([-log_loss(logit, label, weight) * len(label) for logit in columns.T])
    return np.exp(total - np.logaddexp.reduce(total))  # type: ignore[no-any-return]


def _calibrated(logit: FloatArray, label: FloatArray, weight: FloatArray) -> tuple[float, float]:
    """Intercept and slope (temperature) of a logit, both pulled to 0 where the tuning events say little."""
    intercept, slope = logistic(logit[:, None], label, weight, ridge=3, level=10)
    return float(intercept), float(slope)


def ladder(events: Events) -> tuple[Critic, ...]:
    """The critics for this kind of events, in the order of growing capacity.

    Those of rows see the columns, or the summaries of a grid or a cloud, with conditions and observables behind them.
    """
    from zerosum.evaluation.neural import Lattice, Network, Points, Rows, View

    of_rows = (
        Polynomial("linear", 1),
        Polynomial("quadratic", 2),
        Trees("trees", 15, 300),
        Network("network", View.of_rows, Rows),
    )
    of_kind = {
        "table": (),
        "grid": (Network("convolutions", View.of_grid, Lattice),),
        "cloud": (Network("deep sets", View.of_cloud, Points),),
    }
    return (*of_rows, *of_kind[events.kind])
