"""A quick judgement during training: which of a run's generators is best.

The critics are fitted on training events against generated ones, and judged on the validation split, which neither they
nor the generator have seen: a generator that memorises its training events does not look better here. The final number
comes from the test split and the full certificate, so that choosing the best of many does not flatter it.
"""

from collections.abc import Callable

import numpy as np

from zerosum.data.events import Events, FloatArray
from zerosum.evaluation.clipped import choose_clip
from zerosum.evaluation.critics import Critic, Polynomial, Trees, fit_panel
from zerosum.evaluation.ranking import weighted_mean
from zerosum.evaluation.variational import divergence
from zerosum.theory.estimate import Estimate

MOST = 10_000  # training events that the critics see: a judgement takes a few seconds
CRITICS: tuple[Critic, ...] = (Polynomial("quadratic", 2), Trees("trees", 15, 100))


def judge(train: Events, validation: Events, generated: Events, *, seed: int) -> Estimate:
    """The Jensen-Shannon divergence that quick critics see, in nats; a lower bound in expectation.

    Args:
        train: Events that the generator was trained on; the first `MOST` are used.
        validation: Events that it has not seen.
        generated: At least twice as many as validation events.
        seed: Seeds the critics.
    """
    rule = divergence("jensen_shannon")
    held, rest = generated.take(slice(len(validation))), generated.take(slice(len(validation), None))
    pair = [part.take(slice(MOST)) for part in (train, rest)]
    (fit_real, tune_real), (fit_fake, tune_fake) = (part.split((0.8, 0.2), seed) for part in pair)
    panel = fit_panel(CRITICS, (fit_real, fit_fake), (tune_real, tune_fake), seed=seed)
    tuning = panel.logits(tune_real)[-1], panel.logits(tune_fake)[-1]
    clip = choose_clip(rule, tuning, len(validation), 1.0)

    def mean(term: Callable[[FloatArray], FloatArray], events: Events) -> tuple[float, float]:
        weights = np.ones(len(events)) if events.weights is None else np.asarray(events.weights, np.float64)
        return weighted_mean(term(panel.logits(events)[-1].clip(-clip, clip)), weights)

    (a, da), (b, db) = mean(rule.reference, validation), mean(rule.generated, held)
    return Estimate(a + b, float(np.hypot(da, db)), len(validation) + len(held), "quick critics")
