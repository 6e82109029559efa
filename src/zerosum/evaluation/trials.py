"""Looking at many things at once: limits and p-values that hold for all of them together."""

import numpy as np
import numpy.typing as npt
from scipy import stats

from zerosum.data.events import FloatArray


def holm(p_values: npt.ArrayLike) -> FloatArray:
    """P-values corrected for their number K: with probability 1 - alpha no true null falls below alpha.

    The i-th smallest is multiplied by K - i + 1 and never falls below the one before (Holm 1979).

    Examples:
        >>> holm([0.01, 0.04, 0.5])
        array([0.03, 0.08, 0.5 ])
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p)
    corrected = np.maximum.accumulate(np.minimum(p[order] * np.arange(len(p), 0, -1), 1.0))
    return corrected[np.argsort(order)]


def clopper_pearson(count: int, n: int, alpha: float) -> tuple[float, float]:
    """The exact central interval for a fraction of which `count` of `n` events were seen.

    It holds with probability 1 - alpha at least (Clopper and Pearson 1934); for K intervals at once, give alpha / K.
    """
    low = stats.beta.ppf(alpha / 2, count, n - count + 1) if count > 0 else 0.0
    high = stats.beta.isf(alpha / 2, count + 1, n - count) if count < n else 1.0
    return float(low), float(high)
