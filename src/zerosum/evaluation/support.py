"""Missing and invented: where one sample has events and the other has practically none.

Let A be the largest region {x : T(x) > t} of a critic's logit T in which the tuning events of the reference are at
least ten times as frequent as the generated ones. The *missing* fraction is p(A) - q(A), what the generated sample
lacks there; for T = ln p/q it is about E_p[(1 - q/p) 1(q/p < 1/10)]. A was fixed before the certifying events were
looked at, so p(A) - q(A) from those is unbiased: near 0 for p = q, and at most the total variation. *Invented* is
the same with the roles exchanged: weight of the generator where there are no data. Forward KL punishes the first,
reverse KL the second.
"""

from collections.abc import Sequence

import numpy as np

from zerosum.data.events import FloatArray
from zerosum.evaluation.folds import Fold, all_weights
from zerosum.evaluation.ranking import weighted_mean
from zerosum.theory.estimate import Estimate

TIMES = 10.0


def missing(folds: Sequence[Fold]) -> Estimate:
    """The fraction of the reference that the generated sample lacks."""
    return _exclusive(folds, 0)


def invented(folds: Sequence[Fold]) -> Estimate:
    """The fraction of the generated sample that lies where the reference has practically nothing."""
    return _exclusive(folds, 1)


def _exclusive(folds: Sequence[Fold], here: int) -> Estimate:
    """The fraction of sample `here` in its exclusive region, less that of the other sample there."""
    sign, there = 1 - 2 * here, 1 - here
    levels = [threshold(sign * fold.tune[here][-1], sign * fold.tune[there][-1]) for fold in folds]
    (p, dp), (q, dq) = (
        weighted_mean(
            np.concatenate([sign * fold.held[side][-1] > t for fold, t in zip(folds, levels, strict=True)])
            * 1.0,
            all_weights(folds)[side],
        )
        for side in (here, there)
    )
    n, m = (sum(fold.held[side].shape[1] for fold in folds) for side in (here, there))
    return Estimate(p - q, float(max(np.hypot(dp, dq), 1 / min(n, m))), n + m, "held-out fractions")


def threshold(here: FloatArray, there: FloatArray) -> float:
    """The lowest score above which `here` is ten times as frequent; ln 10 where no region is frequent enough.

    One event is added to the other sample's count, so that a region needs a few events to qualify.
    """
    levels = np.sort(here)[::-1]
    mine = np.arange(1, len(levels) + 1) / len(here)
    others = (len(there) - np.searchsorted(np.sort(there), levels, side="left") + 1) / len(there)
    good = np.flatnonzero((mine >= TIMES * others) & (levels > 0))
    return float(np.nextafter(levels[good[-1]], -np.inf)) if len(good) else float(np.log(TIMES))
