"""Missing and invented: where one sample has events and the other has practically none.

With A = {x : the critic finds x at least ten times likelier under the reference}, the *missing* fraction is
p(A) - q(A): what the generated sample lacks there. For T = ln p/q it is E_p[(1 - q/p) 1(q/p < 1/10)]; for any
critic fixed beforehand p(A) - q(A) is unbiased from held-out events, near 0 for p = q, and at most the total
variation. *Invented* is the same with the roles exchanged: weight of the generator where there are no data.
Forward KL punishes the first, reverse KL the second.
"""

import numpy as np

from zerosum.data.events import BoolArray, FloatArray
from zerosum.evaluation.ranking import weighted_mean
from zerosum.theory.estimate import Estimate

TEN_TIMES = float(np.log(10))
Pair = tuple[FloatArray, FloatArray]


def missing(scores: Pair, weights: Pair) -> Estimate:
    """The fraction of the reference that the generated sample lacks; `scores` are held-out logits."""
    return _difference(scores[0] > TEN_TIMES, scores[1] > TEN_TIMES, weights)


def invented(scores: Pair, weights: Pair) -> Estimate:
    """The fraction of the generated sample that lies where the reference has nothing."""
    return _difference(scores[1] < -TEN_TIMES, scores[0] < -TEN_TIMES, weights[::-1])


def _difference(there: BoolArray, here: BoolArray, weights: Pair) -> Estimate:
    (p, dp), (q, dq) = (
        weighted_mean(part.astype(float), weight) for part, weight in zip((there, here), weights, strict=True)
    )
    return Estimate(p - q, float(np.hypot(dp, dq)), len(there) + len(here), "held-out fractions")
