"""Lower limits for means by betting: the capital of gamblers, averaged over critics and over halves of the data.

X_1..n in [0, 1] are independent with mean mu. A gambler who stakes lambda_t >= 0, fixed before X_t is seen,
against the claim "mu <= m" has the capital

    K_t(m) = prod_{s <= t} [1 + lambda_s (X_s - m)],   E K_t(m) <= 1 if mu <= m,

so that (Ville) P(max_t K_t(mu) >= 1/alpha) <= alpha, and all m with max_t K_t(m) >= 1/alpha are excluded
(Waudby-Smith and Ramdas, arXiv:2010.09686, section 4.4), at every n, without asymptotics. A weighted mean of capitals
on the same events is a capital again: several gamblers share one stake, divided beforehand, and none is picked by its
luck (`Wager`). Capitals on different, dependent events (two halves, each judged by what was learned on the other) have
no common order in time, but what a gambler takes home who leaves with 2/alpha or at the end is an e-value, E <= 1, and
so is the mean of two: m is excluded where that mean reaches 1/alpha (`lower_limit`; Markov). This excludes all that
two limits at level alpha/2 would.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from zerosum.data.events import FloatArray

PSEUDO = 20.0  # the expected mean and variance count as this many events
LARGEST_STAKE = 0.75  # as a fraction of 1/m, so that a single event cannot ruin the gambler


@dataclass(frozen=True, slots=True)
class Gamble:
    """One gambler's numbers and what was known of them beforehand.

    Attributes:
        values: The numbers, shape (n,), in the order in which they are bet on.
        low: The least value that they can take.
        high: The largest value that they can take.
        mean: The mean that was expected.
        variance: The variance that was expected.
        share: This gambler's share of the first stake; the shares of a wager add up to 1.
        pseudo: As how many events the expectations count.
    """

    values: FloatArray
    low: float
    high: float
    mean: float
    variance: float
    share: float = 1.0
    pseudo: float = PSEUDO

    def unit(self) -> FloatArray:
        """The numbers mapped to [0, 1]."""
        unit: FloatArray = (self.values - self.low) / (self.high - self.low)
        return unit

    def stakes(self, alpha: float) -> FloatArray:
        """The stakes lambda_t before truncation, each from the numbers before it, shape (n,)."""
        x, n = self.unit(), len(self.values)
        prior_mean = (self.mean - self.low) / (self.high - self.low)
        prior = max(self.variance / (self.high - self.low) ** 2, 1e-6)
        count = self.pseudo + np.arange(n)
        mean = (self.pseudo * prior_mean + np.cumsum(x) - x) / count
        squares = np.cumsum((x - mean) ** 2)
        variance = (self.pseudo * prior + squares - (x - mean) ** 2) / count
        stakes: FloatArray = np.sqrt(2 * np.log(1 / alpha) / (n * variance))
        return stakes

    def log_capital(self, m: float, stakes: FloatArray) -> FloatArray:
        """Ln of this gambler's capital against "the mean is at most m", after each number, shape (n,)."""
        scaled = (m - self.low) / (self.high - self.low)
        if scaled <= 0:
            return np.full(len(self.values), np.inf)
        stake = np.minimum(stakes, LARGEST_STAKE / scaled)
        capital: FloatArray = np.log(self.share) + np.cumsum(np.log1p(stake * (self.unit() - scaled)))
        return capital


class Wager:
    """Gamblers on the same events, with one capital; they leave once they hold 1/alpha."""

    def __init__(self, gambles: Sequence[Gamble], alpha: float) -> None:
        self.alpha = alpha
        self.low, self.high = max(one.low for one in gambles), max(one.high for one in gambles)
        self._gambles = [(gamble, gamble.stakes(alpha)) for gamble in gambles]

    def log_capital(self, m: float) -> float:
        """Ln of the capital against the claim "the mean is at most m" when the gamblers leave."""
        parts = [gamble.log_capital(m, stakes) for gamble, stakes in self._gambles]
        path = np.logaddexp.reduce(parts, axis=0)
        largest, enough = float(path.max()), float(np.log(1 / self.alpha))
        return largest if largest >= enough else float(path[-1])

    def lower(self) -> float:
        """The least m that is not excluded: with probability 1 - alpha at most the mean."""
        return lower_limit([self])


def lower_limit(wagers: Sequence[Wager]) -> float:
    """The least m that is not excluded by K wagers on different events, which need not be independent.

    Args:
        wagers: Each at level alpha/K; the limit lies below the mean with probability 1 - alpha.
    """
    needed = np.log(1 / wagers[0].alpha)

    def excluded(m: float) -> bool:
        return bool(np.logaddexp.reduce([wager.log_capital(m) for wager in wagers]) >= needed)

    low, high = (max(ends) for ends in zip(*((one.low, one.high) for one in wagers), strict=True))
    return last(excluded, low, high, 1e-7 * max(1.0, high - low))


def last(holds: Callable[[float], bool], low: float, high: float, precision: float) -> float:
    """Where a statement that holds at `low` and fails further up ceases to hold, by bisection."""
    while high - low > precision:
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
