"""Compare two samples: the certificate, both directions of the KL divergence, and where they differ."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from zerosum.data.events import Events
from zerosum.errors import InputError
from zerosum.evaluation.certificate import certificate, null_floor
from zerosum.evaluation.comparison import Comparison, Side
from zerosum.evaluation.conditional import by_condition
from zerosum.evaluation.critics import Critic
from zerosum.evaluation.folds import BUDGET, Fold, all_weights, examine
from zerosum.evaluation.importance import rank_features
from zerosum.evaluation.marginals import Marginal, marginal
from zerosum.evaluation.matching import matched
from zerosum.evaluation.observables import with_observables
from zerosum.evaluation.power import LEAST_EVENTS, power
from zerosum.evaluation.quoted import quoted
from zerosum.evaluation.ranking import auc
from zerosum.evaluation.regions import regions
from zerosum.evaluation.summaries import names, rows
from zerosum.evaluation.support import invented, missing

__all__ = ["Comparison", "compare", "matched"]

OTHERS = {
    "kl_forward": "kl",
    "kl_reverse": "reverse_kl",
    "total_variation": "total_variation",
}


def compare(
    reference: Events,
    generated: Events,
    *,
    columns: Sequence[str] | None = None,
    observables: Sequence[str] = (),
    confidence: float = 0.95,
    seed: int = 0,
    critics: Sequence[Critic] | None = None,
    budget: int = BUDGET,
    metrics: bool = False,
) -> Comparison:
    """How far the generated events are from the reference, with limits that hold, and where.

    Args:
        reference: The real events.
        generated: The generated events; their number may differ. They must not have been used in training.
        columns: The features and conditions to compare; by default those that both samples have.
        observables: What the critics see beside the observables of the data's kind, such as "m=mass(1,2)".
        confidence: Level of the lower limits.
        seed: Seed of splits, critics and permutations.
        critics: What to fit instead of the usual ladder.
        budget: The most events of each sample on which critics train; all events certify.
        metrics: Add the metrics that papers quote, and the power whatever was found.

    Examples:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> real = Events.table(rng.normal(size=(800, 2)), names=["x", "y"])
        >>> found = compare(real, Events.table(rng.normal([0, 1.5], 1, size=(800, 2)), names=["x", "y"]))
        >>> found.jensen_shannon.lower > 0, found.features[0].name
        (True, 'y')
        >>> print(found.summary().splitlines()[0])
        The samples differ: D_JS >= 0.1817 nats at 95% confidence (estimate 0.212 ±
    """
    checked_confidence(confidence)
    bare = matched(reference, generated, columns)
    pair = [with_observables(events, observables, like=bare[0]) for events in bare]
    folds = examine(*pair, seed=seed, critics=critics, budget=budget)
    floor = null_floor(pair[0], seed=seed, critics=critics, budget=budget) if len(pair[0]) >= 100 else None
    found = assemble(folds, *pair, confidence=confidence, seed=seed, floor=floor, metrics=metrics)
    return replace(found, conditions=by_condition(pair[0], pair[1], folds, names=bare[0].condition_names))


def checked_confidence(confidence: float) -> None:
    """Refuse a confidence that is no probability, such as 95."""
    if not 0 < confidence < 1:
        raise InputError(f"the confidence is {confidence}; give a number between 0 and 1, such as 0.95.")


def assemble(
    folds: Sequence[Fold],
    reference: Events,
    generated: Events,
    *,
    confidence: float,
    seed: int,
    floor: float | None,
    metrics: bool = False,
) -> Comparison:
    """The comparison that follows from scored events, but for the bins of conditions."""
    js = replace(certificate(folds, confidence=confidence, seed=seed), null_floor=floor)
    others = {
        key: certificate(folds, confidence=confidence, seed=seed, divergence_name=name, p=js.p_value)
        for key, name in OTHERS.items()
    }
    weights = all_weights(folds)
    held = (
        np.concatenate([fold.held[0][-1] for fold in folds]),
        np.concatenate([fold.held[1][-1] for fold in folds]),
    )
    size = min(len(weights[0]), len(weights[1]))
    able = min(len(reference), size) >= LEAST_EVENTS and js.lower is not None
    caught = able and (metrics or not js.certified)
    of_events, of_columns = quoted(reference, generated, folds, seed=seed) if metrics else ((), ())
    return Comparison(
        reference=Side(reference.source, len(reference)),
        generated=Side(generated.source, len(generated)),
        seed=seed,
        confidence=confidence,
        columns=tuple(reference.names + reference.condition_names),
        jensen_shannon=js,
        kl_forward=others["kl_forward"],
        kl_reverse=others["kl_reverse"],
        total_variation=others["total_variation"],
        auc=auc(*held, weights),
        missing=missing(folds),
        invented=invented(folds),
        features=marginals(reference, generated),
        ranking=rank_features(reference, generated, seed=seed),
        regions=regions(reference, generated, seed=seed, confidence=confidence),
        conditions=(),
        metrics=of_events,
        column_metrics=of_columns,
        power=power(reference, size, confidence=confidence, seed=seed) if caught else (),
        notes=js.notes + tuple(one.notes[0] for one in others.values() if one.above),
    )


def marginals(reference: Events, generated: Events) -> tuple[Marginal, ...]:
    """Each feature by itself, the most different first; of grids and clouds, the summaries."""
    titles, x, y = names(reference), rows(reference), rows(generated)
    weights = [
        np.ones(len(events)) if events.weights is None else events.weights
        for events in (reference, generated)
    ]
    found = [
        marginal(title, (x[:, i], y[:, i]), (weights[0], weights[1]), len(titles))
        for i, title in enumerate(titles)
    ]
    return tuple(sorted(found, key=lambda one: -one.jensen_shannon))
