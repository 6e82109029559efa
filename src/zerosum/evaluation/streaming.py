"""Compare two files that are larger than memory, in two passes and bounded memory.

Each event gets a random key from the seed. In the first pass the events with the smallest keys, at most half of the
file, are kept: they train the critics (and show the features one by one). In the second pass the events with the
next smallest keys are scored, chunk by chunk; only their scores are kept, and they certify. With one pair of fit and
certifying events the limit has the whole level alpha, and everything else is as in certificate.py.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from zerosum.data.events import Events, FloatArray
from zerosum.data.formats import iterate
from zerosum.evaluation.certificate import null_floor
from zerosum.evaluation.compare import assemble, checked_confidence, matched
from zerosum.evaluation.comparison import Comparison, Side
from zerosum.evaluation.conditional import in_bins
from zerosum.evaluation.critics import Critic, Panel, ladder
from zerosum.evaluation.folds import Fold, check, trained
from zerosum.evaluation.observables import with_observables

CHUNK = 50_000
EXAMPLE = 1_000  # events of the reference that decide which observables there are
TRAINED = 100_000
CERTIFIED = 2_000_000
KEYS = 19480701  # keeps the keys independent of events that were drawn from the same seed
Path = str | os.PathLike[str]
Scores = tuple[FloatArray, FloatArray, FloatArray]
Chunks = Callable[[], Iterator[Events]]


def compare_files(
    reference: Path,
    generated: Path,
    *,
    columns: Sequence[str] | None = None,
    observables: Sequence[str] = (),
    confidence: float = 0.95,
    seed: int = 0,
    critics: Sequence[Critic] | None = None,
    chunk: int = CHUNK,
    budget: int = TRAINED,
    certified: int = CERTIFIED,
    metrics: bool = False,
) -> Comparison:
    """As `compare`, for files of any size.

    Args:
        reference: File of the real events.
        generated: File of the generated events.
        columns: The features and conditions to compare; by default those that both files have.
        observables: Derived quantities that the critics see too, beside those of the data's kind.
        confidence: Level of the lower limits.
        seed: Seed of keys, critics and permutations.
        critics: What to fit instead of the usual ladder.
        chunk: How many events are read at a time.
        budget: The most events of each file that train the critics.
        certified: The most events of each file that certify.
        metrics: Add the metrics that papers quote, from the events that trained the critics.
    """
    checked_confidence(confidence)
    paths = (reference, generated)
    examples = [next(iterate(path, EXAMPLE)) for path in paths]

    like = matched(examples[0], examples[1], columns)[0]

    def prepared(side: int) -> Iterator[Events]:
        for part in iterate(paths[side], chunk):
            pair = matched(part, examples[1], columns) if side == 0 else matched(examples[0], part, columns)
            yield with_observables(pair[side], observables, like=like)

    samples = [Subsample(lambda s=side: prepared(s), (KEYS, seed, side), budget) for side in (0, 1)]  # type: ignore[misc]
    training = (samples[0].events, samples[1].events)
    for name, events in zip(("reference", "generated"), training, strict=True):
        check(name, events)
    panel, tune = trained(*training, critics=ladder(training[0]) if critics is None else critics, seed=seed)
    given = like.condition_names
    scored = [sample.scores(panel, certified, given) for sample in samples]
    logits, weights, conditions = zip(*scored, strict=True)
    everywhere = (np.arange(len(weights[0])), np.arange(len(weights[1])))
    fold = Fold(panel.names, tune, (logits[0], logits[1]), everywhere, (weights[0], weights[1]))
    labels = [feature.label for feature in like.condition_features]
    values = {label: (conditions[0][:, i], conditions[1][:, i]) for i, label in enumerate(labels)}
    floor = null_floor(training[0], seed=seed, critics=critics)
    found = assemble([fold], *training, confidence=confidence, seed=seed, floor=floor, metrics=metrics)
    note = (
        f"the critics and the single features saw {len(training[0])} and {len(training[1])} of {samples[0].n} and "
        f"{samples[1].n} events; {fold.held[0].shape[1]} and {fold.held[1].shape[1]} others certify."
    )
    return replace(
        found,
        reference=Side(str(reference), samples[0].n),
        generated=Side(str(generated), samples[1].n),
        conditions=in_bins(values, [fold]),
        notes=(*found.notes, note),
    )


class Subsample:
    """A random part of a stream of events, and the scores of another.

    Attributes:
        n: How many events the stream has.
        events: Those with the smallest keys: at most `budget`, and at most half.
    """

    def __init__(self, chunks: Chunks, seed: tuple[int, ...], budget: int) -> None:
        self._chunks, self._seed = chunks, seed
        self.n, kept, keys = 0, None, np.empty(0)
        for part, key in self._keyed():
            self.n += len(part)
            kept = part if kept is None else Events.joined([kept, part])
            keys = np.concatenate([keys, key])
            smallest = np.sort(np.argsort(keys)[:budget])
            kept, keys = kept.take(smallest), keys[smallest]
        order = np.argsort(keys)[: min(budget, self.n // 2)]
        if kept is not None:
            self.events: Events = kept.take(order)
        self._edge = float(keys[order].max(initial=0.0))

    def _keyed(self) -> Iterator[tuple[Events, FloatArray]]:
        rng = np.random.default_rng(self._seed)
        for part in self._chunks():
            yield part, rng.random(len(part))

    def scores(self, panel: Panel, most: int, given: Sequence[str] = ()) -> Scores:
        """Logits (K, n), weights (n,) and conditions (n, C) of about `most` other events at most."""
        end = self._edge + most / self.n
        logits, weights, conditions = [], [], []
        for part, key in self._keyed():
            chosen = part.take((key > self._edge) & (key <= end))
            if len(chosen):
                logits.append(panel.logits(chosen).astype(np.float32))
                weights.append(np.ones(len(chosen)) if chosen.weights is None else chosen.weights)
                columns = [chosen.column(name) for name in given]
                conditions.append(np.stack(columns, axis=1) if columns else np.empty((len(chosen), 0)))
        return np.concatenate(logits, axis=1), np.concatenate(weights), np.concatenate(conditions)
