"""Memorisation: are generated events closer to the training events than to others of the same distribution?

Pool the training events with held-out ones, and for each generated event find the nearest event of the pool, in columns
scaled to unit spread. A generator that has learned the distribution, however badly, but not the events themselves
cannot know which events of the pool it was trained on: the labels are exchangeable, so the share of nearest
neighbours from training is the share of training events in the pool. That holds for every generator; to compare
distances of generated and held-out events instead would take a generator that is too narrow for one that copies.

Two excesses are looked at: over all generated events, and over those closer to the pool than 99 % of its own events are
to each other, which is where copies lie. The p-value is that of the larger one, in standard deviations, under
permutations of the labels (Hoeffding 1951): exact, since it keeps that several events may share one neighbour.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from zerosum.data.events import BoolArray, Events, FloatArray
from zerosum.errors import InputError
from zerosum.evaluation.matching import matched
from zerosum.evaluation.summaries import Scale, names, rows
from zerosum.theory.estimate import Estimate

MOST = 20_000  # events of each sample that are used
LEAST_EVENTS = 50
CLOSE = 0.01
ROUNDS = 999
SHUFFLE = 20200826  # keeps the shuffles independent of events that were drawn from the same seed


@dataclass(frozen=True, slots=True)
class Memorisation:
    """Whether generated events lie closer to the training events than they should.

    Attributes:
        share_closer: Share of the generated events whose nearest neighbour is a training event.
        expected: That share if nothing was memorised: training events over all events of the pool.
        p_value: One-sided permutation p-value of "nothing was memorised".
        copies: Fraction of the generated events that are copies of a training event, or nearly; 0 in expectation
            where nothing was memorised.
        n_train: Training events that were used; copies of others are not seen.
        n_held_out: Held-out events that were used.
        n_generated: Generated events that were used.
    """

    share_closer: Estimate
    expected: float
    p_value: float
    copies: Estimate
    n_train: int
    n_held_out: int
    n_generated: int

    def to_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return {
            "share_closer": self.share_closer.value,
            "error": self.share_closer.error,
            "expected": self.expected,
            "p_value": self.p_value,
            "copies": {"fraction": self.copies.value, "error": self.copies.error},
            "n": [self.n_train, self.n_held_out, self.n_generated],
        }

    def __str__(self) -> str:
        return (
            f"{self.share_closer.value:.3f} ± {self.share_closer.error:.3f} of the generated events are closest to a "
            f"training event ({self.expected:.3f} expected, p = {self.p_value:.2g}); "
            f"copies: {self.copies.value:.2%} ± {self.copies.error:.2%}"
        )


def memorisation(
    train: Events, held_out: Events, generated: Events, *, seed: int, most: int = MOST
) -> Memorisation:
    """Test whether a generator has memorised its training events.

    Args:
        train: The events that the generator was trained on.
        held_out: Events of the same distribution that it has not seen, such as the test split.
        generated: Events that it made.
        seed: Seed of subsamples and permutations.
        most: How many events of each sample are used at most.
    """
    samples = {"training": train, "held-out": held_out, "generated": generated}
    for name, events in samples.items():
        if len(events) < LEAST_EVENTS:
            raise InputError(f"the {name} sample has {len(events)} events; give at least {LEAST_EVENTS}.")
        if names(events) != names(train):
            raise InputError(f"the {name} sample has other columns than the training sample; give the same.")
    rng = np.random.default_rng((SHUFFLE, seed))
    chosen = [rows(one.take(rng.permutation(len(one))[:most])) for one in samples.values()]
    n, held, m = map(len, chosen)
    pool = np.concatenate(chosen[:2])
    trained = np.arange(n + held) < n
    shuffle = rng.permutation(n + held)  # of equally distant events none is preferred
    all_of_them, close = neighbours(pool[shuffle], chosen[2])
    counts = all_of_them[np.argsort(shuffle)], close[np.argsort(shuffle)]
    expected = n / (n + held)
    sign = np.where(trained, 1.0, -n / held)
    return Memorisation(
        Estimate(
            float(counts[0][trained].sum() / m), _error(counts[0], expected, m), m, "nearest neighbours"
        ),
        expected,
        _p_value(counts, trained, rng),
        Estimate(
            float(sign @ counts[1] / m),
            max(float(np.sqrt(sign**2 @ counts[1] ** 2) / m), 1 / m),
            m,
            "nearest neighbours",
        ),
        n,
        held,
        m,
    )


def memorised(
    train: Events, held_out: Events, generated: Events, *, seed: int, most: int = MOST
) -> Memorisation:
    """`memorisation` of samples that may have other columns beside those that all three share.

    Raises:
        InputError: The events have conditions: those of generated events are often those of training events, which
            then are nearest without having been memorised.
    """
    first, second = matched(held_out, generated)
    _, third = matched(first, train)
    if first.conditions is not None or names(third) != names(first):
        raise InputError(
            "memorisation is tested for events without conditions, with all columns of the training events; "
            "leave --training out."
        )
    return memorisation(third, first, second, seed=seed, most=most)


def neighbours(pool: FloatArray, generated: FloatArray) -> tuple[FloatArray, FloatArray]:
    """For each event of the pool: of how many generated events it is the nearest, and of how many closely."""
    from sklearn.neighbors import NearestNeighbors

    scale = Scale.fit(pool)
    search = NearestNeighbors().fit(scale(pool))
    among = search.kneighbors(scale(pool[: len(generated)]), 2)[0][:, 1]
    distance, nearest = (part[:, 0] for part in search.kneighbors(scale(generated), 1))
    close = distance < np.quantile(among, CLOSE)
    of_all, of_close = (
        np.bincount(nearest[some], minlength=len(pool)).astype(np.float64)
        for some in (np.ones(len(nearest), dtype=bool), close | (distance == 0))
    )
    return of_all, of_close


def _error(counts: FloatArray, share: float, m: int) -> float:
    """The standard error of the share, with events that have one neighbour moving together."""
    return float(np.sqrt(share * (1 - share) * (counts**2).sum()) / m)


def _p_value(counts: tuple[FloatArray, FloatArray], trained: BoolArray, rng: np.random.Generator) -> float:
    """The permutation p-value of the larger excess among the two."""
    centred = [one - one.mean() for one in counts if one.std() > 0]
    unit = np.stack([one / np.sqrt((one**2).sum()) for one in centred])

    def largest(labels: BoolArray) -> float:
        return float((unit @ labels.astype(np.float64)).max())

    observed = largest(trained)
    permuted = [largest(rng.permuted(trained)) for _ in range(ROUNDS)]
    return float((1 + np.sum(np.array(permuted) >= observed - 1e-12)) / (1 + ROUNDS))
