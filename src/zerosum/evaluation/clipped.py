"""Critics' logits as bounded terms: how they are clipped, what is bet on them, and their held-out mean.

Clipped to [-B, B], a logit T makes Z = u(T(x)) + v(T(y)) bounded, and its mean is a lower bound of the divergence
(variational.py). B is chosen from tuning logits: the largest limit that is foreseen, or for an estimate the largest
mean.
"""

from collections.abc import Sequence

import numpy as np

from zerosum.data.events import FloatArray
from zerosum.evaluation.capital import foreseen, paired
from zerosum.evaluation.critics import STACK
from zerosum.evaluation.folds import Fold, all_weights
from zerosum.evaluation.ranking import weighted_mean
from zerosum.evaluation.variational import Variational
from zerosum.theory.betting import Gamble, Wager
from zerosum.theory.estimate import Estimate


def clip_levels(n: int) -> FloatArray:
    """The clip levels B that are tried, from D in [0.475, 0.525] to B = ln n."""
    return np.geomspace(0.1, np.log(n), 16)


def choose_clip(rule: Variational, tune: tuple[FloatArray, FloatArray], n: int, alpha: float) -> float:
    """The clip level whose lower limit, foreseen from tuning logits for n pairs, is largest.

    With alpha = 1 the mean itself is maximised, which is what an estimate wants.
    """

    def predicted(clip: float) -> float:
        z = terms(rule, tune, clip)
        return float(z.mean()) if alpha == 1 else foreseen(z, *rule.bounds(clip), n, alpha)

    return float(max(clip_levels(n), key=predicted))


def terms(rule: Variational, logits: tuple[FloatArray, FloatArray], clip: float) -> FloatArray:
    """Z = u + v for pairs of one critic's clipped logits."""
    reference, generated = (np.clip(logit, -clip, clip) for logit in logits)
    return paired(rule.reference(reference), rule.generated(generated))


def wager(rule: Variational, fold: Fold, alpha: float) -> tuple[Wager, float]:
    """The bets of all critics on the events of one fold at level alpha, and the stack's clip level."""
    n = min(part.shape[1] for part in fold.held)
    gambles, clip = [], 0.0
    for k, name in enumerate(fold.names):
        tune, held = ((part[0][k], part[1][k]) for part in (fold.tune, fold.held))
        clip = choose_clip(rule, tune, n, alpha)
        seen = terms(rule, tune, clip)
        share = 0.5 if name == STACK else 0.5 / (len(fold.names) - 1)
        low, high = rule.bounds(clip)
        gambles.append(Gamble(terms(rule, held, clip), low, high, seen.mean(), seen.var(), share))
    return Wager(gambles, alpha), clip


def held_out(rule: Variational, folds: Sequence[Fold], k: int) -> tuple[FloatArray, FloatArray]:
    """The terms u and v of critic k over all held-out events of both folds."""
    u, v = [], []
    for fold in folds:
        n = min(part.shape[1] for part in fold.held)
        clip = choose_clip(rule, (fold.tune[0][k], fold.tune[1][k]), n, 1.0)
        u.append(rule.reference(np.clip(fold.held[0][k], -clip, clip)))
        v.append(rule.generated(np.clip(fold.held[1][k], -clip, clip)))
    return np.concatenate(u), np.concatenate(v)


def estimate(rule: Variational, folds: Sequence[Fold], k: int = -1) -> Estimate:
    """The held-out estimate of critic k (the stack by default) over both folds."""
    (u, v), weights = held_out(rule, folds, k), all_weights(folds)
    (a, da), (b, db) = weighted_mean(u, weights[0]), weighted_mean(v, weights[1])
    return Estimate(a + b, float(np.hypot(da, db)), len(u) + len(v), "cross-fitted critics")
