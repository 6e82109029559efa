"""How broad a generator is against the data: quick numbers that fall when it collapses.

The spread is the root of the summed variances of the standardised columns, generated over real: 1 in expectation for
p_g = p_data, near 0 for a generator that draws one event. Modes that are far apart and dropped lower it little when
enough remain; `uncovered` (filling.py) sees those.
"""

import numpy as np

from zerosum.data.events import Events
from zerosum.evaluation.filling import LEAST, uncovered
from zerosum.evaluation.summaries import Scale, rows

MOST = 4_000  # events of each sample: a fraction of a second


def breadth(held_out: Events, generated: Events) -> dict[str, float]:
    """What a judgement says of the generator's breadth.

    Args:
        held_out: Real events that the generator has not seen.
        generated: Events of the model.

    Returns:
        "spread"; and, where there are enough events, "uncovered" with "uncovered_error", the share of real events
        that lie where practically no event is generated.
    """
    real, fake = held_out.take(slice(MOST)), generated.take(slice(2 * MOST))
    found = {"spread": spread(real, fake)}
    if len(real) >= LEAST and len(fake) >= 2 * LEAST:
        share = uncovered(real, fake)
        found |= {"uncovered": share.value, "uncovered_error": share.error}
    return found


def spread(held_out: Events, generated: Events) -> float:
    """The root of the summed variances of the generated features over that of the real ones; conditions left out."""
    last = -len(held_out.condition_names) or None
    real, fake = (rows(events)[:, :last] for events in (held_out, generated))
    scale = Scale.fit(real)
    below = float(scale(real).var(axis=0, dtype=np.float64).sum())
    above = float(scale(fake).var(axis=0, dtype=np.float64).sum())
    return float(np.sqrt(above / below)) if below > 0 else 1.0
