"""How far the samples are apart where a condition, such as the incident energy, has a given value.

A generator can be right on average and wrong at the highest energy. The events that the critics did not train on
are sorted into bins of each condition; the bound holds in each bin for p(x | bin) and q(x | bin), whatever the critic.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zerosum.data.events import BoolArray, Events, FloatArray
from zerosum.evaluation.folds import Fold, all_weights
from zerosum.evaluation.ranking import asymptotic_p_value, weighted_mean
from zerosum.evaluation.trials import holm
from zerosum.evaluation.variational import DIVERGENCES
from zerosum.theory.estimate import Estimate

BINS = 5
MOST_VALUES = 10  # a condition with at most so many values has one bin for each
LEAST_EVENTS = 50
CLIP = 4.0
Pair = tuple[FloatArray, FloatArray]
Masks = tuple[BoolArray, BoolArray]


@dataclass(frozen=True, slots=True)
class ConditionBin:
    """The divergence in one bin of one condition.

    Attributes:
        name: The condition with its unit.
        low: Lower edge.
        high: Upper edge, which is in the bin; equal to `low` where the condition has few values.
        jensen_shannon: Held-out estimate of D_JS between the samples in this bin, nats.
        n_reference: Reference events in it.
        n_generated: Generated events in it.
        p_value: Of "in this bin both samples have one distribution", corrected for the number of all bins (Holm).
    """

    name: str
    low: float
    high: float
    jensen_shannon: Estimate
    n_reference: int
    n_generated: int
    p_value: float

    def __str__(self) -> str:
        return (
            f"{self.name} = {self.low:.4g}"
            if self.low == self.high
            else f"{self.name} {self.low:.4g}..{self.high:.4g}"
        )

    def to_json(self) -> dict[str, Any]:
        """Plain numbers and strings."""
        return {
            "name": self.name,
            "low": self.low,
            "high": self.high,
            "estimate": self.jensen_shannon.value,
            "error": self.jensen_shannon.error,
            "n_reference": self.n_reference,
            "n_generated": self.n_generated,
            "p_value": self.p_value,
        }


def by_condition(
    reference: Events, generated: Events, folds: Sequence[Fold], *, names: Sequence[str]
) -> tuple[ConditionBin, ...]:
    """The divergence in bins of each condition, in the order of the names and of the condition's values.

    Bins in which a sample has fewer than 50 events are left out. The p-values come from the first half that was
    scored: with both, the critics of each half would have seen the other.

    Args:
        reference: The real events.
        generated: The generated events.
        folds: What `examine` made of them.
        names: The conditions.
    """
    labels = {one.name: one.label for one in reference.condition_features}
    return in_bins({labels[name]: (reference.column(name), generated.column(name)) for name in names}, folds)


def in_bins(conditions: Mapping[str, Pair], folds: Sequence[Fold]) -> tuple[ConditionBin, ...]:
    """The same for the values of conditions in both samples by their labels, of all events that the folds index."""
    found = []
    for label, values in conditions.items():
        for low, high, inside in binned(values):
            if min(int(one.sum()) for one in inside) >= LEAST_EVENTS:
                estimate, p = _bound(folds, inside), _p_value(folds[0], inside)
                sizes = [int(one.sum()) for one in inside]
                found.append(ConditionBin(label, low, high, estimate, sizes[0], sizes[1], p))
    corrected = holm([one.p_value for one in found])
    return tuple(replace(one, p_value=float(p)) for one, p in zip(found, corrected, strict=True))


def binned(values: Pair) -> list[tuple[float, float, Masks]]:
    """Bins of equal content, or one for each value where there are few: the edges, and which events are in."""
    everything = np.concatenate(values)
    few = np.unique(everything)
    if len(few) <= MOST_VALUES:
        return [(float(v), float(v), (values[0] == v, values[1] == v)) for v in few]
    edges = np.unique(np.quantile(everything, np.linspace(0, 1, BINS + 1)))
    first, second = (np.searchsorted(edges[1:-1], x, side="left") for x in values)
    return [(float(edges[i]), float(edges[i + 1]), (first == i, second == i)) for i in range(len(edges) - 1)]


def _bound(folds: Sequence[Fold], inside: Masks) -> Estimate:
    """The bound for the events inside, both folds together.

    The critic's logit contains ln P(bin)/Q(bin), which is no part of ln p(x | bin)/q(x | bin), and is taken off.
    """
    rule = DIVERGENCES["jensen_shannon"]
    parts = [_chosen(folds, inside, side) for side in (0, 1)]
    shares = [w.sum() / total.sum() for (_, w), total in zip(parts, all_weights(folds), strict=True)]
    odds = np.log(shares[0] / shares[1]) if min(shares) > 0 else 0.0
    (t, w), (s, v) = parts
    a, da = weighted_mean(rule.reference(np.clip(t - odds, -CLIP, CLIP)), w)
    b, db = weighted_mean(rule.generated(np.clip(s - odds, -CLIP, CLIP)), v)
    return Estimate(a + b, float(np.hypot(da, db)), len(t) + len(s), "cross-fitted critics")


def _p_value(fold: Fold, inside: Masks) -> float:
    """The one-sided p-value of equal mean logits of one fold's events inside; 1 where it has too few."""
    (t, w), (s, v) = (_chosen([fold], inside, side) for side in (0, 1))
    if min(len(t), len(s)) < 2:
        return 1.0
    return asymptotic_p_value(np.clip(t, -3, 3), np.clip(s, -3, 3), (w, v))


def _chosen(folds: Sequence[Fold], inside: Masks, side: int) -> Pair:
    """The stack's logits and the weights of one sample's events inside."""
    logits, weights = [], []
    for fold in folds:
        here = inside[side][fold.index[side]]
        logits.append(fold.held[side][-1][here])
        weights.append(fold.weights[side][here])
    return np.concatenate(logits), np.concatenate(weights)
