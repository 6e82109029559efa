"""Which columns tell the samples apart: what a quick critic loses when it no longer sees one of them.

On held-out events one column after the other is permuted over both samples, which keeps its values but not what they
say; the loss is the fall of the critic's bound on D_JS (permutation importance, Breiman 2001). Unlike a comparison of
one feature at a time this sees correlations. Columns that say the same, such as a mass beside its momenta, share it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from zerosum.data.events import Events, FloatArray
from zerosum.evaluation.critics import Critic, Trees, fit_panel
from zerosum.evaluation.ranking import weighted_mean
from zerosum.evaluation.summaries import names, rows
from zerosum.evaluation.variational import DIVERGENCES

QUICK: tuple[Critic, ...] = (Trees("small trees", 15, 100),)
MOST = 30_000  # events of each sample: the order of the columns needs no more
PARTS = (0.5, 0.1, 0.4)  # of the events fit, tune and judge the critic
CLIP = 4.0
SIGNIFICANT = 3.0
RANK = 20010801  # keeps splits and permutations independent of events that were drawn from the same seed


@dataclass(frozen=True, slots=True)
class Rank:
    """How much a column says about which sample an event is from.

    Attributes:
        name: The column.
        loss: Fall of the bound on D_JS without it, nats.
        error: Its standard error.
        share: Its part of the losses of all columns that stand in the ranking.
    """

    name: str
    loss: float
    error: float
    share: float


def rank_features(reference: Events, generated: Events, *, seed: int) -> tuple[Rank, ...]:
    """The columns without which the critic loses more than 3 standard errors, the most important first."""
    titles = names(reference)
    rng = np.random.default_rng((RANK, seed))
    pair = [one.take(rng.permutation(len(one))[:MOST]) for one in (reference, generated)]
    tables = [Events.table(rows(one), titles, weights=one.weights) for one in pair]
    fit, tune, held = zip(*(one.split(PARTS, seed) for one in tables), strict=True)
    panel = fit_panel(QUICK, (fit[0], fit[1]), (tune[0], tune[1]), seed=seed)
    weights = [np.ones(len(one)) if one.weights is None else one.weights for one in held]
    both, n = np.concatenate([one.values for one in held]), len(held[0])
    seen = _terms(panel.logits(Events.table(both, titles))[-1], n)
    ranks = []
    for i, title in enumerate(titles):
        blind = both.copy()
        blind[:, i] = rng.permutation(blind[:, i])
        left = _terms(panel.logits(Events.table(blind, titles))[-1], n)
        (u, du), (v, dv) = (weighted_mean(a - b, w) for a, b, w in zip(seen, left, weights, strict=True))
        ranks.append(Rank(title, u + v, float(np.hypot(du, dv)), 0.0))
    return _shared(ranks)


def _terms(logit: FloatArray, n: int) -> tuple[FloatArray, FloatArray]:
    """What the first n and the other events contribute to the bound on D_JS."""
    rule, logit = DIVERGENCES["jensen_shannon"], np.clip(logit, -CLIP, CLIP)
    return rule.reference(logit[:n]), rule.generated(logit[n:])


def _shared(ranks: Sequence[Rank]) -> tuple[Rank, ...]:
    """The significant losses as parts of their sum, the largest first."""
    kept = [one for one in ranks if one.loss > SIGNIFICANT * one.error > 0]
    total = sum(one.loss for one in kept)
    return tuple(replace(one, share=one.loss / total) for one in sorted(kept, key=lambda one: -one.loss))
