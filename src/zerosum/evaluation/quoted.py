"""The numbers that papers quote, of one pair of samples, in one list.

| metric                                      | seen                                             | defined in      |
|---------------------------------------------|--------------------------------------------------|-----------------|
| AUC, JSD [bits] as in CaloChallenge         | what the critics see                             | field_metrics   |
| FPD, KPD                                    | observables where there are some, else columns   | field_metrics   |
| precision, recall, density, coverage        | the same, scaled to unit spread                  | manifold        |
| sliced W1, energy distance                  | the same                                         | two_sample      |
| W1M, W1P                                    | jets                                             | jet_distances   |
| W1 and separation power of each column      | columns, at most `MOST_COLUMNS`                  | two_sample      |

A metric that needs more events than there are is left out. All but AUC, JSD and separation power are defined for
events of equal weight, and are left out where there are weights.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from zerosum.data.events import Events, FloatArray
from zerosum.data.jets import entries_of_particles
from zerosum.errors import InputError
from zerosum.evaluation.field_metrics import calochallenge, fpd, kpd
from zerosum.evaluation.folds import Fold
from zerosum.evaluation.jet_distances import w1m, w1p
from zerosum.evaluation.manifold import manifold
from zerosum.evaluation.metric import Metric
from zerosum.evaluation.shapes import shapes
from zerosum.evaluation.summaries import Scale, names, rows
from zerosum.evaluation.two_sample import (
    Counts,
    energy_distance,
    separation_power,
    sliced_wasserstein,
    wasserstein,
)

MOST_COLUMNS = 20
MOST = 20_000  # events of each sample for W1 of a column, whose permutations take the time
BINS = 50  # of the separation power, over all but 0.1 % of the reference on each side
Matrices = tuple[FloatArray, FloatArray]


def _scaled(pair: Matrices) -> Matrices:
    """Both in units of the reference's spread."""
    scale = Scale.fit(pair[0])
    return scale(pair[0]), scale(pair[1])


OF_MATRICES: tuple[Callable[[Matrices, int], Iterable[Metric]], ...] = (
    lambda pair, seed: (fpd(*pair, seed=seed),),
    lambda pair, seed: (kpd(*pair, seed=seed),),
    lambda pair, seed: manifold(*_scaled(pair), seed=seed),
    lambda pair, seed: (sliced_wasserstein(*pair, seed=seed),),
    lambda pair, seed: (energy_distance(*pair, seed=seed),),
)
OF_JETS = (w1m, w1p)


def quoted(
    reference: Events, generated: Events, folds: Sequence[Fold], *, seed: int
) -> tuple[tuple[Metric, ...], tuple[Metric, ...]]:
    """The metrics of whole events, and those of each column (W1 and separation power, named after it).

    Args:
        reference: The real events, with the observables that the critics saw.
        generated: The generated events, likewise.
        folds: What `examine` made of them.
        seed: Seed of subsamples and permutations.
    """
    weighted = reference.weights is not None or generated.weights is not None
    found = list(calochallenge(folds, seed=seed))
    if not weighted:
        pair = _seen(reference, generated)
        for one in OF_MATRICES:
            found += _if_enough(lambda one=one: one(pair, seed))  # type: ignore[misc]
        if reference.kind == "cloud" and entries_of_particles(reference) is not None:
            for jet in OF_JETS:
                found += _if_enough(lambda jet=jet: (jet(reference, generated, seed=seed),))  # type: ignore[misc]
    return tuple(found), tuple(_of_columns(reference, generated, seed=seed, weighted=weighted))


def _seen(reference: Events, generated: Events) -> Matrices:
    """The observables of the data's kind where it has some, else the columns."""
    first, second = (shapes(events, reference)[0] for events in (reference, generated))
    if first.shape[1]:
        return first, second
    return rows(reference).astype(np.float64), rows(generated).astype(np.float64)


def _if_enough(metrics: Callable[[], Iterable[Metric]]) -> list[Metric]:
    """The metrics, or none where there are too few events for them."""
    try:
        return list(metrics())
    except InputError:
        return []


def _of_columns(reference: Events, generated: Events, *, seed: int, weighted: bool) -> Iterator[Metric]:
    x, y = rows(reference), rows(generated)
    for i, title in enumerate(names(reference)[:MOST_COLUMNS]):
        if not weighted:
            found = wasserstein(x[:MOST, i], y[:MOST, i], seed=seed)
            yield _named(found, f"W1({title})")
        low, high = np.quantile(x[:, i], [0.001, 0.999])
        if low < high:
            edges = np.linspace(low, high, BINS + 1)
            counts = [
                Counts.of(events_x[:, i].clip(low, high), edges, events.weights)
                for events_x, events in ((x, reference), (y, generated))
            ]
            yield _named(separation_power(counts[0], counts[1]), f"separation power({title})")


def _named(metric: Metric, name: str) -> Metric:
    return Metric(name, metric.value, metric.error, metric.null, metric.p_value, metric.n)
