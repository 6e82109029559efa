"""Limits for bounded means: they hold as often as they say, they are ordered, and misuse is refused."""

import numpy as np
import pytest

from zerosum.errors import InputError
from zerosum.theory import intervals

LOWER = {"betting": intervals.betting_lower, "bernstein": intervals.bernstein_lower}
UPPER = {"betting": intervals.betting_upper, "bernstein": intervals.bernstein_upper}
SHAPES = {
    "coin": (lambda rng, n: rng.random(n) < 0.3, 0.3),
    "rare": (lambda rng, n: rng.random(n) < 0.02, 0.02),
    "narrow": (lambda rng, n: rng.beta(50, 50, n), 0.5),
    "skewed": (lambda rng, n: rng.beta(0.3, 3, n), 0.3 / 3.3),
}


@pytest.mark.parametrize("method", LOWER)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [30, 300])
def test_limits_miss_no_more_often_than_alpha(method: str, shape: str, n: int) -> None:
    draw, mean = SHAPES[shape]
    rng = np.random.default_rng(n)
    low, high, alpha, repeats = -2.0, 3.0, 0.1, 200
    true = low + (high - low) * mean
    missed_below = missed_above = 0
    for _ in range(repeats):
        x = low + (high - low) * draw(rng, n)
        missed_below += LOWER[method](x, low, high, alpha) > true
        missed_above += UPPER[method](x, low, high, alpha) < true
    allowed = alpha * repeats + 3 * np.sqrt(repeats * alpha * (1 - alpha))
    assert max(missed_below, missed_above) <= allowed


def test_betting_is_tighter_than_bernstein_and_both_close_in() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for n in (200, 2_000, 20_000):
        x = rng.beta(2, 5, n)
        betting, bernstein = (LOWER[name](x, 0.0, 1.0, 0.05) for name in ("betting", "bernstein"))
        assert bernstein < betting < x.mean()
        widths.append(x.mean() - betting)
    assert widths[0] > 2 * widths[1] > 4 * widths[2]


def test_betting_comes_near_the_normal_limit() -> None:
    x = np.random.default_rng(1).beta(2, 5, 100_000)
    normal = x.mean() - 1.645 * x.std() / np.sqrt(len(x))
    lower = intervals.betting_lower(x, 0.0, 1.0, 0.05)
    assert x.mean() - lower < 1.8 * (x.mean() - normal)


def test_limits_move_and_stretch_with_the_numbers() -> None:
    x = np.random.default_rng(2).random(500)
    for limit in (*LOWER.values(), *UPPER.values()):
        assert limit(7 * x - 3, -3.0, 4.0, 0.05) == pytest.approx(7 * limit(x, 0.0, 1.0, 0.05) - 3, abs=1e-6)


def test_zeros_leave_the_bound() -> None:
    assert intervals.betting_lower(np.zeros(100), 0.0, 1.0, 0.05) == 0.0
    assert 0.0 < intervals.betting_upper(np.zeros(100), 0.0, 1.0, 0.05) < 0.1


def test_clopper_pearson_is_exact() -> None:
    from scipy.stats import binom

    low, high = intervals.clopper_pearson(7, 50, 0.1)
    assert binom.sf(6, 50, low) == pytest.approx(0.05)
    assert binom.cdf(7, 50, high) == pytest.approx(0.05)
    assert intervals.clopper_pearson(0, 20, 0.1) == (0.0, pytest.approx(1 - 0.05 ** (1 / 20)))
    assert intervals.clopper_pearson(20, 20, 0.1)[1] == 1.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([0.5, 1.5], 0.0, 1.0, 0.05), "beyond its bounds"),
        (([0.5, np.nan], 0.0, 1.0, 0.05), "beyond its bounds"),
        (([0.5, 0.5], 0.0, 1.0, 1.5), "alpha"),
        (([0.5], 0.0, 1.0, 0.05), "at least 2"),
        (([0.5, 0.5], 1.0, 0.0, 0.05), "lower < upper"),
        (([0.5, 0.5], 0.0, np.inf, 0.05), "finite"),
    ],
)
@pytest.mark.parametrize("method", LOWER)
def test_misuse_is_refused(method: str, arguments: tuple, words: str) -> None:
    with pytest.raises(InputError, match=words):
        LOWER[method](*arguments)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(InputError, match="impossible"):
        intervals.clopper_pearson(5, 3, 0.1)
