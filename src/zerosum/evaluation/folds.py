"""Two halves that judge each other: critics are fitted on one and score the other.

Of the half that trains, 80 % fit the critics and 20 % stop, calibrate and stack them and choose the clip
level (*fit* and *tune*); the other half *certifies*. Then the halves swap roles, so that every event
certifies once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from zerosum.data.events import Events, FloatArray
from zerosum.errors import InputError
from zerosum.evaluation.critics import Critic, Panel, fit_panel, ladder

LEAST_EVENTS = 50
FITTED_FRACTION = 0.8
BUDGET = 200_000  # at most so many events of each sample train in each half; all events certify
SPLIT = 20140610  # keeps the split independent of events that were drawn from the same seed
Index = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Fold:
    """One half judged by critics that were fitted on the other.

    Attributes:
        names: The critics, in the order of growing capacity, and their stack last.
        tune: Logits of the tuning events, a pair (reference, generated) of shapes (K, n).
        held: Logits of the certifying events, likewise.
        index: Which events of each sample certify.
        weights: Their weights (1 where the events have none).
    """

    names: tuple[str, ...]
    tune: tuple[FloatArray, FloatArray]
    held: tuple[FloatArray, FloatArray]
    index: tuple[Index, Index]
    weights: tuple[FloatArray, FloatArray]


def examine(
    reference: Events,
    generated: Events,
    *,
    seed: int,
    critics: Sequence[Critic] | None = None,
    budget: int = BUDGET,
) -> tuple[Fold, ...]:
    """Fit critics on each half and score the other: all that a certificate needs, and all that takes time."""
    check("reference", reference)
    check("generated", generated)
    critics = ladder(reference) if critics is None else critics
    rng = np.random.default_rng((SPLIT, seed))
    halves = list(
        zip(*(np.array_split(rng.permutation(len(one)), 2) for one in (reference, generated)), strict=True)
    )
    return tuple(
        _fold(reference, generated, train, held, critics, seed + i, budget)
        for i, (train, held) in enumerate((halves, halves[::-1]))
    )


def check(name: str, events: Events) -> None:
    """Refuse a sample that is too small or not finite."""
    if len(events) < LEAST_EVENTS:
        raise InputError(
            f"the {name} sample has {len(events)} events; a certificate needs at least {LEAST_EVENTS}."
        )
    if not np.isfinite(events.values if events.kind != "cloud" else events.values[events.mask]).all():
        raise InputError(f"the {name} sample holds NaN or infinity; remove those events or that column.")


def _fold(
    reference: Events,
    generated: Events,
    train: tuple[Index, Index],
    held: tuple[Index, Index],
    critics: Sequence[Critic],
    seed: int,
    budget: int,
) -> Fold:
    training = reference.take(train[0][:budget]), generated.take(train[1][:budget])
    panel, tune = trained(*training, critics=critics, seed=seed)
    judged = reference.take(held[0]), generated.take(held[1])
    with threadpool_limits(limits=1):
        scored = _logits(panel, *judged)
    return Fold(panel.names, tune, scored, held, (_weights(judged[0]), _weights(judged[1])))


def trained(
    reference: Events, generated: Events, *, critics: Sequence[Critic], seed: int
) -> tuple[Panel, tuple[FloatArray, FloatArray]]:
    """Critics fitted on the first 80 % of events in random order and tuned on the others; the latter's logits."""
    sizes = [int(FITTED_FRACTION * len(events)) for events in (reference, generated)]
    fit = reference.take(slice(sizes[0])), generated.take(slice(sizes[1]))
    tune = reference.take(slice(sizes[0], None)), generated.take(slice(sizes[1], None))
    with threadpool_limits(
        limits=1
    ):  # threads that wait for each other cost more than they give on a busy node
        panel = fit_panel(critics, fit, tune, seed=seed)
        return panel, _logits(panel, *tune)


def _logits(panel: Panel, reference: Events, generated: Events) -> tuple[FloatArray, FloatArray]:
    return panel.logits(reference), panel.logits(generated)


def _weights(events: Events) -> FloatArray:
    return np.ones(len(events)) if events.weights is None else np.asarray(events.weights, np.float64)


def scores(folds: Sequence[Fold]) -> tuple[FloatArray, FloatArray]:
    """The stack's held-out logit of every event of both samples, in the order of the events."""
    both = []
    for side in (0, 1):
        logit = np.empty(sum(len(fold.index[side]) for fold in folds))
        for fold in folds:
            logit[fold.index[side]] = fold.held[side][-1]
        both.append(logit)
    return both[0], both[1]


def all_weights(folds: Sequence[Fold]) -> tuple[FloatArray, FloatArray]:
    """The weights of the held-out events of both folds, one fold after the other."""
    first, second = (np.concatenate([fold.weights[side] for fold in folds]) for side in (0, 1))
    return first, second
