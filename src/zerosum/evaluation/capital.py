"""What is bet on: pairs of terms of both samples, and the lower limit that is to be expected from some."""

import numpy as np

from zerosum.data.events import FloatArray
from zerosum.theory.betting import LARGEST_STAKE, last


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

    return low + (high - low) * last(lambda m: growth(m) >= wanted, 1e-9, 1.0, 1e-5)
