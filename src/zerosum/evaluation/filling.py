"""Filling in: how much of the generated sample lies where there are practically no data.

A fit by forward KL must give weight to every event and pays nothing for weight elsewhere, so a model that is too stiff
fills the gaps between peaks (Mehta et al. 2018, arXiv:1803.08823, section XVII). The distance r(x) to the k-th nearest
training event measures the emptiness of a place: the density there is about k / (N V r^d). Let t be the distance that
only a fraction `level` of held-out *real* events exceeds. The filling-in is

    P_g(r > t) - P_data(r > t),

the share of generated events in the emptiest places beyond the share of the data that lies there: 0 in expectation for
p_g = p_data, and 1 - level for a generator that never comes near the data. No classifier is involved. With the roles
exchanged the same number says what share of the data lies where the generator puts practically nothing: dropped modes.
"""

import numpy as np

from zerosum.data.events import Events
from zerosum.errors import InputError
from zerosum.evaluation.summaries import Scale, names, rows
from zerosum.theory.estimate import Estimate
from zerosum.theory.nearest import kth_distance

LEVEL = 0.01
NEIGHBOUR = 3  # a single stray event does not make a place populated
MOST = 20_000  # events of each sample that are used
LEAST = 100


def filling_in(train: Events, held_out: Events, generated: Events, *, level: float = LEVEL) -> Estimate:
    """The share of generated events where there are practically no data, less the data's own share there.

    Args:
        train: Real events that mark where data are.
        held_out: Other real events; they set the distance beyond which a place counts as empty.
        generated: Events of the model.
        level: The fraction of real events that lies in "empty" places by definition.

    Examples:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> peaks = rng.choice([-3.0, 3.0], 3000) + rng.normal(0, 0.3, 3000)
        >>> between = rng.normal(0, 3, 1000)
        >>> real, generated = Events.table(peaks), Events.table(between)
        >>> filling_in(real.take(slice(2000)), real.take(slice(2000, None)), generated).value > 0.3
        True
    """
    return outside(train, held_out, generated, level)


def uncovered(held_out: Events, generated: Events, *, level: float = LEVEL) -> Estimate:
    """The share of the data where there are practically no generated events, less the generator's own share there.

    Args:
        held_out: Real events.
        generated: Events of the model; one half marks where they are, the other sets the distance.
        level: The fraction of generated events that lies in "empty" places by definition.
    """
    half = len(generated) // 2
    return outside(generated.take(slice(half)), generated.take(slice(half, None)), held_out, level)


def outside(marks: Events, same: Events, other: Events, level: float) -> Estimate:
    """The share of `other` farther from `marks` than all but a fraction `level` of `same`, less that fraction."""
    for name, events in (("marking", marks), ("second", same), ("other", other)):
        if len(events) < LEAST or names(events) != names(marks):
            raise InputError(
                f"the {name} sample has {len(events)} events of {len(names(events))} columns; give at least {LEAST} "
                f"with the same {len(names(marks))} columns."
            )
    points, near, far = (rows(events.take(slice(MOST))) for events in (marks, same, other))
    scale = Scale.fit(points)
    standard = scale(points).astype(np.float64)
    here, there = (kth_distance(scale(part).astype(np.float64), standard, NEIGHBOUR) for part in (near, far))
    reach = np.quantile(here, 1 - level)
    own, share = float(np.mean(here > reach)), float(np.mean(there > reach))
    variance = share * (1 - share) / len(there) + own * (1 - own) / len(here)
    error = max(float(np.sqrt(variance)), 1 / len(there))
    return Estimate(share - own, error, len(there), "nearest neighbours")
