"""The certificate: how far two samples are apart at least, with a limit that holds at every sample size.

Given x_1..n ~ p (reference) and y_1..m ~ q (generated), p and q unknown. For ANY function T of an event

    D_JS(p, q) >= 1/2 E_p ln 2D + 1/2 E_q ln 2(1 - D),    D = 1/(1 + e^-T),

with equality for T = ln p/q: the value V of the game, as D_JS >= (V + ln 4)/2 (the other divergences:
variational.py). So a critic that was fixed before the certifying events were looked at turns a lower limit
for a mean into a lower limit for the divergence, and whatever is wrong with the critic makes the limit lower,
never wrong.

1. *Split* each sample by seed into two halves. On one half critics of growing capacity are fitted (80 %),
   stopped, calibrated, stacked, and their clip level chosen (20 %); the other half certifies. Then the halves
   swap roles.
2. *Limit* (clipped.py): logits clipped to [-B, B] make Z = u(T(x)) + v(T(y)) bounded; a betting limit for E Z
   (theory/betting.py), with the capital averaged over the critics and over the two halves. It holds with
   probability 1 - alpha at any n, without asymptotics, for independent events.
3. *Estimate*: the held-out mean over both halves with its standard error. It is a lower bound in expectation.
4. *p-value*: a permutation test of the stack's logits on the first half to be certified, exact given the
   critics.

There is no upper limit without assumptions: two samples on disjoint fine grids look alike until points
repeat. What a distortion would have to be to be caught is in power.py. A high-confidence lower limit for a KL
divergence cannot exceed ln n (McAllester and Stratos, AISTATS 2020), and B <= ln n enforces it here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from zerosum.data.events import Events
from zerosum.data.notebook import table
from zerosum.errors import InputError
from zerosum.evaluation.clipped import estimate, held_out, wager
from zerosum.evaluation.critics import Critic
from zerosum.evaluation.folds import BUDGET, Fold, all_weights, examine
from zerosum.evaluation.ranking import (
    asymptotic_p_value,
    effective_size,
    permutation_p_value,
    weighted_mean,
)
from zerosum.evaluation.variational import DIVERGENCES, Variational
from zerosum.evaluation.variational import divergence as find
from zerosum.theory.betting import lower_limit

SIGNIFICANT = (
    2.0  # standard errors by which the most capable critic must lead for the bound to be "still growing"
)
TITLES = {
    "jensen_shannon": "D_JS",
    "kl": "D_KL(reference || generated)",
    "reverse_kl": "D_KL(generated || reference)",
}
UNEQUAL = (
    "the limit of {} is above the estimate, which is too low: the limit is that of the half of the events in which the "
    "critics see more, the estimate the mean of both halves (and few events far out decide about a KL divergence)."
)
HALVE = 19510101  # keeps the halves independent of events that were drawn from the same seed


@dataclass(frozen=True)
class Rung:
    """What one critic of the ladder sees: its held-out bound and standard error."""

    name: str
    estimate: float
    error: float


@dataclass(frozen=True)
class Certificate:
    """A divergence between two samples: a limit that holds, an estimate, a test.

    Attributes:
        divergence: Which divergence; nats, except for total_variation, hellinger, pearson and neyman.
        lower: Lower confidence limit; at or below 0 it says nothing. None for weighted events.
        estimate: Held-out estimate, in expectation at most the divergence.
        error: Its standard error.
        p_value: Permutation p-value of "both samples have one distribution".
        confidence: The limit's confidence level.
        n_reference: Reference events that were used.
        n_generated: Generated events that were used.
        effective: Effective sample sizes (sum w)^2 / sum w^2 of both.
        eps: The stack's clip level in each half: D is clipped to [eps, 1 - eps].
        ladder: The estimate of each critic, in the order of growing capacity; the stack stands last.
        growing: Whether the most capable critic sees significantly more than all before it.
        null_floor: 95 % upper edge of what the pipeline says of two halves of the reference, if asked for.
        notes: Plain statements about what does not hold.
    """

    divergence: str
    lower: float | None
    estimate: float
    error: float
    p_value: float
    confidence: float
    n_reference: int
    n_generated: int
    effective: tuple[float, float]
    eps: tuple[float, ...]
    ladder: tuple[Rung, ...]
    growing: bool
    null_floor: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def certified(self) -> bool:
        """Whether the limit excludes that both samples have one distribution."""
        return self.lower is not None and self.lower > 0

    @property
    def above(self) -> bool:
        """Whether the limit is above the estimate; the first note then says why."""
        return self.lower is not None and self.lower > max(self.estimate, 0)

    def __str__(self) -> str:
        limit = (
            f", at least {self.lower:.3g} ({self.confidence:.0%})"
            if self.certified
            else ", nothing certified"
        )
        return f"{self.divergence} = {self.estimate:.3g} ± {self.error:.1g}{limit}"

    def _repr_html_(self) -> str:
        """For notebooks."""
        floor = [] if self.null_floor is None else [("null floor", f"{self.null_floor:.5f}", "")]
        rows = [(rung.name, f"{rung.estimate:.5f}", f"{rung.error:.5f}") for rung in self.ladder]
        events = f"{self.n_reference:,} reference and {self.n_generated:,} generated events"
        tested = f"p = {self.p_value:.3g}; {events}"
        return table(str(self), ("critic", "seen", "error"), rows + floor, (tested, *self.notes))


def certificate(
    folds: Sequence[Fold],
    *,
    confidence: float = 0.95,
    seed: int = 0,
    divergence_name: str = "jensen_shannon",
    p: float | None = None,
) -> Certificate:
    """The certificate for one divergence from folds that `examine` made; cheap, so ask for several.

    All of them have the same p-value, which can be given as `p` once it is known.
    """
    rule, weights = find(divergence_name), all_weights(folds)
    weighted = any(np.any(side != 1) for side in weights)
    wagers = [] if weighted else [wager(rule, fold, (1 - confidence) / len(folds)) for fold in folds]
    whole = estimate(rule, folds)
    names = folds[0].names
    rungs = [estimate(rule, folds, k) for k in range(len(names))]
    growing = len(names) > 2 and _grows(rule, folds, [rung.value for rung in rungs])
    lower = lower_limit([one for one, _ in wagers]) if wagers else None
    found = Certificate(
        divergence=rule.name,
        lower=lower,
        estimate=whole.value,
        error=whole.error,
        p_value=p_value(folds[0], seed=seed, weighted=weighted) if p is None else p,
        confidence=confidence,
        n_reference=len(weights[0]),
        n_generated=len(weights[1]),
        effective=(effective_size(weights[0]), effective_size(weights[1])),
        eps=tuple(float(1 / (1 + np.exp(clip))) for _, clip in wagers),
        ladder=tuple(Rung(name, rung.value, rung.error) for name, rung in zip(names, rungs, strict=True)),
        growing=growing,
        notes=_notes(weighted, growing, names),
    )
    unequal = UNEQUAL.format(TITLES.get(rule.name, rule.name))
    return replace(found, notes=(unequal, *found.notes)) if found.above else found


def p_value(fold: Fold, *, seed: int, weighted: bool) -> float:
    """The p-value of one half from the stack's clipped logits, given the critics fitted on the other."""
    reference, generated = (np.clip(part[-1], -3, 3) for part in fold.held)
    if weighted:
        return asymptotic_p_value(reference, generated, fold.weights)
    return permutation_p_value(reference, generated, seed=seed)


def _grows(rule: Variational, folds: Sequence[Fold], estimates: list[float]) -> bool:
    """Whether the last single critic leads all before it by more than 2 standard errors of the difference."""
    last = len(estimates) - 2
    rival = int(np.argmax(estimates[:last]))
    (u, v), (u0, v0) = held_out(rule, folds, last), held_out(rule, folds, rival)
    weights = all_weights(folds)
    (a, da), (b, db) = weighted_mean(u - u0, weights[0]), weighted_mean(v - v0, weights[1])
    return bool(a + b > SIGNIFICANT * np.hypot(da, db))


def _notes(weighted: bool, growing: bool, names: Sequence[str]) -> tuple[str, ...]:
    notes = []
    if weighted:
        notes.append(
            "events are weighted: estimates and p-value hold for large effective samples only, and the "
            "finite-sample lower limit, which needs bounded independent terms, is not given."
        )
    if growing:
        notes.append(
            f"the most capable critic ({names[-2]}) sees significantly more than the others: the bound still "
            "grows with capacity, and the true divergence is probably larger."
        )
    return tuple(notes)


def certify(
    reference: Events | npt.ArrayLike,
    generated: Events | npt.ArrayLike,
    *,
    divergence: str = "jensen_shannon",
    confidence: float = 0.95,
    seed: int = 0,
    critics: Sequence[Critic] | None = None,
) -> Certificate:
    """A lower confidence limit, an estimate and a test for a divergence between two samples.

    Args:
        reference: Events x ~ p, or an array of shape (N, F).
        generated: Events y ~ q, of the same features; the number of events may differ.
        divergence: One of the names in `variational.DIVERGENCES`; "kl" is D_KL(reference || generated).
        confidence: The level of the lower limit.
        seed: Seeds the splits, the critics and the permutations.
        critics: The critics to fit; by default the ladder for the kind of the events.

    Examples:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> x, y = rng.normal(size=(1000, 2)), rng.normal(1.5, 1, size=(1000, 2))
        >>> found = certify(x, y)
        >>> found.lower > 0, found.p_value < 0.05
        (True, True)
    """
    pair = [x if isinstance(x, Events) else Events.table(x) for x in (reference, generated)]
    shapes = [(events.kind, events.event_shape, events.condition_names) for events in pair]
    if shapes[0] != shapes[1]:
        raise InputError(
            f"events of the reference are a {pair[0].kind} of shape {pair[0].event_shape}, those of the generated "
            f"sample a {pair[1].kind} of shape {pair[1].event_shape}; give samples of the same features."
        )
    folds = examine(pair[0], pair[1], seed=seed, critics=critics)
    return certificate(folds, confidence=confidence, seed=seed, divergence_name=divergence)


def null_floor(
    reference: Events, *, seed: int, critics: Sequence[Critic] | None = None, budget: int = BUDGET
) -> float:
    """What the same pipeline says of two halves of the reference: the 95 % upper edge of that estimate, nats.

    An estimate below it is compatible with no difference. The halves have half the reference's size: the
    floor at full size is lower still.
    """
    order = np.random.default_rng((HALVE, seed)).permutation(len(reference))
    first, second = (reference.take(part) for part in np.array_split(order, 2))
    folds = examine(first, second, seed=seed, critics=critics, budget=budget)
    nothing = estimate(DIVERGENCES["jensen_shannon"], folds)
    return max(0.0, nothing.value + 1.645 * nothing.error)
