"""Lower limits for means by betting, with the capital averaged over several critics.

X_1..n in [0, 1] are independent with mean mu. A gambler who stakes lambda_t >= 0, fixed before X_t is seen,
against the claim "mu <= m" has the capital

    K_t(m) = prod_{s <= t} [1 + lambda_s (X_s - m)],   E K_t(m) <= 1 if mu <= m,

so that (Ville) P(max_t K_t(mu) >= 1/alpha) <= alpha, and all m with max_t K_t(m) >= 1/alpha are excluded
(Waudby-Smith and Ramdas, arXiv:2010.09686, section 4.4). A weighted mean of capitals is a capital again:
several critics share one stake, divided beforehand, and none is picked by its luck on the certifying events.
It is valid at every n, without asymptotics.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from zerosum.data.events import FloatArray

PSEUDO = 20  # the tuning events' mean and variance count as this many certifying events
LARGEST_STAKE = 0.75  # as a fraction of 1/m, so that a single event cannot ruin the gambler


def paired(reference: FloatArray, generated: FloatArray) -> FloatArray:
    """Sums u_i + v_i of independent pairs; of a longer sample, blocks of neighbours are averaged first."""
    size = min(len(reference), len(generated))
    return _blocks(reference, size) + _blocks(generated, size)


def _blocks(values: FloatArray, size: int) -> FloatArray:
    if len(values) == size:
        return values
    edges = np.linspace(0, len(values), size + 1).round().astype(int)
    return np.add.reduceat(values, edges[:-1]) / np.diff(edges)


def foreseen(pairs: FloatArray, low: float, high: float, n: int, alpha: float) -> float:
    """The lower limit to be expected from n pairs like these, in [low, high], at level alpha.

    It is the m at which n E ln[1 + lambda (X - m)] = ln 1/alpha for the stake that `Gamble` will settle on.
    """
    x, wanted = (pairs - low) / (high - low), np.log(1 / alpha) / n
    stake = np.sqrt(2 * wanted / max(x.var(), 1e-6))

    def growth(m: float) -> float:
        return float(np.log1p(min(stake, LARGEST_STAKE / m) * (x - m)).mean())

    return low + (high - low) * _last(lambda m: growth(m) >= wanted, 1e-9, 1.0, 1e-5)


def _last(holds: Callable[[float], bool], low: float, high: float, precision: float) -> float:
    """Where a statement that holds at `low` and fails further up ceases to hold, by bisection."""
    while high - low > precision:
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


@dataclass(frozen=True, slots=True)
class Gamble:
    """One critic's pairs and what was known of them beforehand.

    Attributes:
        pairs: The certifying pairs Z, shape (n,), in the order in which they are bet on.
        low: The least value that Z can take.
        high: The largest value that Z can take.
        mean: The mean of Z expected from the tuning events.
        variance: The variance of Z expected from the tuning events.
        share: This critic's share of the first stake; the shares add up to 1.
    """

    pairs: FloatArray
    low: float
    high: float
    mean: float
    variance: float
    share: float

    def stakes(self, alpha: float) -> FloatArray:
        """The stakes lambda_t before truncation, each from the pairs before it, shape (n,)."""
        x, n = (self.pairs - self.low) / (self.high - self.low), len(self.pairs)
        prior_mean = (self.mean - self.low) / (self.high - self.low)
        prior = max(self.variance / (self.high - self.low) ** 2, 1e-6)
        count = PSEUDO + np.arange(n)
        mean = (PSEUDO * prior_mean + np.cumsum(x) - x) / count
        squares = np.cumsum((x - mean) ** 2)
        variance = (PSEUDO * prior + squares - (x - mean) ** 2) / count
        return np.sqrt(2 * np.log(1 / alpha) / (n * variance))  # type: ignore[no-any-return]

    def log_capital(self, m: float, stakes: FloatArray) -> FloatArray:
        """Ln of this critic's capital against "the mean is at most m", after each pair, shape (n,)."""
        scaled = (m - self.low) / (self.high - self.low)
        if scaled <= 0:
            return np.full(len(self.pairs), np.inf)
        stake = np.minimum(stakes, LARGEST_STAKE / scaled)
        x = (self.pairs - self.low) / (self.high - self.low)
        return np.log(self.share) + np.cumsum(np.log1p(stake * (x - scaled)))  # type: ignore[no-any-return]


class Wager:
    """Several critics' gambles on the same events, with one capital."""

    def __init__(self, gambles: Sequence[Gamble], alpha: float) -> None:
        self.alpha = alpha
        self._gambles = [(gamble, gamble.stakes(alpha)) for gamble in gambles]

    def log_capital(self, m: float) -> float:
        """The largest ln K_t(m) over t: large where the claim "the mean is at most m" loses."""
        parts = [gamble.log_capital(m, stakes) for gamble, stakes in self._gambles]
        return float(np.logaddexp.reduce(parts, axis=0).max())

    def lower(self) -> float:
        """The least m that is not excluded: with probability 1 - alpha at most the mean."""
        low = max(gamble.low for gamble, _ in self._gambles)
        high = max(gamble.high for gamble, _ in self._gambles)
        needed = np.log(1 / self.alpha)
        return _last(lambda m: self.log_capital(m) >= needed, low, high, 1e-7 * max(1.0, high - low))
