"""Two samples of one score: the area under the ROC curve with its error, and an exact permutation test."""

import numpy as np
from scipy import stats

from zerosum.data.events import FloatArray
from zerosum.theory.estimate import Estimate

PERMUTE = 19370101  # keeps the permutations independent of events that were drawn from the same seed


def auc(reference: FloatArray, generated: FloatArray, weights: tuple[FloatArray, FloatArray]) -> Estimate:
    """P(a reference event scores above a generated one), ties by half, with DeLong's error.

    The placements of each event among the other sample are independent up to O(1/n); the variance is the sum
    of the variances of their means (DeLong, DeLong and Clarke-Pearson 1988, eq. 5).

    Examples:
        >>> import numpy as np
        >>> ones = (np.ones(3), np.ones(3))
        >>> auc(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.5, 0.5]), ones).value  # 8 of 9 pairs
        0.888...
    """
    above = _below(reference, generated, weights[1])
    beneath = 1 - _below(generated, reference, weights[0])
    value, first = weighted_mean(above, weights[0])
    _, second = weighted_mean(beneath, weights[1])
    return Estimate(value, float(np.hypot(first, second)), len(reference) + len(generated), "held-out AUC")


def _below(score: FloatArray, other: FloatArray, weight: FloatArray) -> FloatArray:
    """The weight fraction of `other` below each score; ties count half."""
    order = np.argsort(other)
    total = np.r_[0.0, np.cumsum(weight[order])]
    left, right = (np.searchsorted(other[order], score, side=side) for side in ("left", "right"))
    return (total[left] + total[right]) / (2 * total[-1])  # type: ignore[no-any-return]


def weighted_mean(values: FloatArray, weights: FloatArray) -> tuple[float, float]:
    """The weighted mean and its standard error sqrt(sum w^2 (z - mean)^2) / |sum w|."""
    total = weights.sum()
    mean = float(weights @ values / total)
    return mean, float(np.sqrt(weights**2 @ (values - mean) ** 2) / abs(total))


def effective_size(weights: FloatArray) -> float:
    """(sum w)^2 / sum w^2: how many unweighted events carry the same information."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def permutation_p_value(reference: FloatArray, generated: FloatArray, *, seed: int, most: int = 999) -> float:
    """P of a difference of the mean scores this large or larger if the labels carry no information.

    (1 + #{permuted >= observed}) / (1 + B) is exact for a score fixed beforehand (Phipson and Smyth 2010). B
    is `most`, or fewer where the samples are so large that 999 would take minutes, but never below 199.
    """
    rng = np.random.default_rng((PERMUTE, seed))
    pooled = np.concatenate([reference, generated])
    rounds = int(np.clip(2e8 / len(pooled), 199, most))
    smaller, sign = (reference, 1) if len(reference) <= len(generated) else (generated, -1)
    observed = sign * smaller.mean()
    permuted = [sign * rng.permuted(pooled)[: len(smaller)].mean() for _ in range(rounds)]
    return float((1 + np.sum(np.array(permuted) >= observed - 1e-12)) / (1 + rounds))


def asymptotic_p_value(
    reference: FloatArray, generated: FloatArray, weights: tuple[FloatArray, FloatArray]
) -> float:
    """The same question for weighted events, by the central limit theorem."""
    (p, dp), (q, dq) = weighted_mean(reference, weights[0]), weighted_mean(generated, weights[1])
    error = np.hypot(dp, dq)
    return float(stats.norm.sf((p - q) / error)) if error > 0 else 1.0
