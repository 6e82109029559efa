"""Confidence limits for the mean of bounded, independent numbers, valid at every sample size.

    P(limit <= mean) >= 1 - alpha     for X_1..n in [lower, upper] and any n, without asymptotics.

| limit                 | method                                                                          |
|-----------------------|---------------------------------------------------------------------------------|
| `betting_lower`       | capital of a gambler (Waudby-Smith and Ramdas, arXiv:2010.09686, section 4); the tightest |
| `bernstein_lower`     | empirical Bernstein (Maurer and Pontil 2009, arXiv:0907.3740, theorem 4)        |
| `clopper_pearson`     | exact, for a fraction of successes (Biometrika 26 (1934) 404)                   |

The betting limit depends on the order of the numbers, which must not depend on their values.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from zerosum.errors import InputError
from zerosum.theory.betting import Gamble, Wager

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A number with limits on both sides.

    Attributes:
        value: The number, in nats for divergences.
        error: Its standard error.
        lower: The limit from below.
        upper: The limit from above.
        confidence: The probability that both limits hold.
        n: How many events went in.
        guarantee: "finite sample" where the limits hold at every n, "asymptotic" where n must be large.
    """

    value: float
    error: float
    lower: float
    upper: float
    confidence: float
    n: int
    guarantee: Literal["finite sample", "asymptotic"]


def betting_lower(x: npt.ArrayLike, lower: float, upper: float, alpha: float) -> float:
    """A limit that lies below the mean with probability of at least 1 - alpha, by betting.

    The stakes are lambda_t = min(sqrt(2 ln(1/alpha) / (n var_{t-1})), 3/(4m)); see betting.py.

    Args:
        x: Independent numbers in [lower, upper], shape (n,), in an order that does not depend on their values.
        lower: The least value that x can take.
        upper: The largest value that x can take.
        alpha: The probability to be wrong, in (0, 1).

    Examples:
        >>> import numpy as np
        >>> x = np.random.default_rng(0).random(1000)
        >>> 0.45 < betting_lower(x, 0.0, 1.0, alpha=0.05) < 0.5
        True
    """
    unit = _unit(x, lower, upper, alpha)
    limit = Wager([Gamble(unit, 0.0, 1.0, mean=0.5, variance=0.25, pseudo=1.0)], alpha).lower()
    return float(lower + (upper - lower) * limit)


def betting_upper(x: npt.ArrayLike, lower: float, upper: float, alpha: float) -> float:
    """A limit that lies above the mean with probability of at least 1 - alpha; as `betting_lower`."""
    return -betting_lower(-np.asarray(x, np.float64), -upper, -lower, alpha)


def betting_interval(x: npt.ArrayLike, lower: float, upper: float, alpha: float) -> tuple[float, float]:
    """Limits (low, high) that hold the mean with probability of at least 1 - alpha, each at alpha/2."""
    return betting_lower(x, lower, upper, alpha / 2), betting_upper(x, lower, upper, alpha / 2)


def bernstein_lower(x: npt.ArrayLike, lower: float, upper: float, alpha: float) -> float:
    """The empirical Bernstein limit, mean - sqrt(2 V ln(2/alpha) / n) - 7 (upper - lower) ln(2/alpha) / (3 (n - 1)).

    Args:
        x: Independent numbers in [lower, upper], shape (n,), n >= 2; V is their variance.
        lower: The least value that x can take.
        upper: The largest value that x can take.
        alpha: The probability to be wrong, in (0, 1).
    """
    unit, width = _unit(x, lower, upper, alpha), upper - lower
    n, wanted = len(unit), np.log(2 / alpha)
    margin = np.sqrt(2 * unit.var(ddof=1) * wanted / n) + 7 * wanted / (3 * (n - 1))
    return float(lower + width * max(unit.mean() - margin, 0.0))


def bernstein_upper(x: npt.ArrayLike, lower: float, upper: float, alpha: float) -> float:
    """The limit from above; as `bernstein_lower`."""
    return -bernstein_lower(-np.asarray(x, np.float64), -upper, -lower, alpha)


def clopper_pearson(successes: int, n: int, alpha: float) -> tuple[float, float]:
    """Limits (low, high) that hold a probability with at least 1 - alpha, each side at alpha/2.

    For a one-sided limit at alpha give 2 alpha.

    Examples:
        >>> low, high = clopper_pearson(3, 10, alpha=0.05)
        >>> round(low, 4), round(high, 4)
        (0.0667, 0.6525)
    """
    from scipy.special import betaincinv

    if not 0 <= successes <= n or n < 1:
        raise InputError(
            f"{successes} successes in {n} trials are impossible; give 0 <= successes <= n, n >= 1."
        )
    _check_alpha(alpha / 2)
    low = 0.0 if successes == 0 else float(betaincinv(successes, n - successes + 1, alpha / 2))
    high = 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, 1 - alpha / 2))
    return low, high


def _unit(x: npt.ArrayLike, lower: float, upper: float, alpha: float) -> Array:
    """X mapped from [lower, upper] to [0, 1], after the checks."""
    values: npt.NDArray[Any] = np.asarray(x, np.float64)
    _check_alpha(alpha)
    if values.ndim != 1 or len(values) < 2:
        raise InputError(f"x has shape {values.shape}; give one dimension with at least 2 numbers.")
    if not (np.isfinite(lower) and np.isfinite(upper) and lower < upper):
        raise InputError(f"the bounds are {lower} and {upper}; give finite numbers with lower < upper.")
    slack = 1e-9 * (upper - lower)
    if not (values.min() >= lower - slack and values.max() <= upper + slack):
        raise InputError(
            f"x spans [{values.min():g}, {values.max():g}], beyond its bounds [{lower:g}, {upper:g}]; "
            "clip it before the limit is taken, or widen the bounds."
        )
    return np.clip((values - lower) / (upper - lower), 0.0, 1.0)


def _check_alpha(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise InputError(f"alpha is {alpha}; give a probability strictly between 0 and 1.")
