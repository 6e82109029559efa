"""The model of ln p/q against pairs whose ratio is known; the bias that it measures; what is gained by that."""

import numpy as np
import pytest

from zerosum.theory.neighbours import _log_ratios, knn_kl
from zerosum.theory.ratio import MODELS, LogRatio, log_ratio
from zerosum.theory.relabelling import bias


def gaussian(
    rng: np.random.Generator, n: int, d: int, *, shift: float = 0.0, scale: float = 1.0
) -> np.ndarray:
    x = scale * rng.normal(size=(n, d))
    x[:, 0] += shift
    return x


def two_peaks(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    return rng.normal(size=(n, d)) + 2 * rng.choice([-1, 1], size=(n, d))


RATIOS = {
    "linear": lambda rng: (gaussian(rng, 3000, 2), gaussian(rng, 2000, 2, shift=1.0)),
    "quadratic": lambda rng: (gaussian(rng, 3000, 3), gaussian(rng, 2000, 3, scale=1.5)),
    "additive": lambda rng: (two_peaks(rng, 3000, 2), gaussian(rng, 2000, 2, scale=5**0.5)),
}
EXACT = {
    "linear": lambda z: 0.5 - z[:, 0],
    "quadratic": lambda z: 3 * np.log(1.5) - (z**2).sum(1) * (1 - 1 / 2.25) / 2,
    "additive": lambda z: (np.log(np.cosh(2 * z)) - 2 - 0.4 * z**2 + np.log(5) / 2).sum(1),
}


@pytest.mark.parametrize("name", RATIOS)
def test_a_known_ratio_is_found(name: str) -> None:
    """The simplest model that holds it is chosen, and its values are near; sizes differ, as does the prior's odds."""
    rng = np.random.default_rng(0)
    x, y = RATIOS[name](rng)
    found = log_ratio(x, y, rng)
    off = found.values - EXACT[name](np.concatenate([x, y]))
    assert list(MODELS).index(found.model) == list(MODELS).index(name)
    assert np.sqrt((off[: len(x)] ** 2).mean()) < 0.3
    assert found.odds.mean() == pytest.approx(0.6, abs=0.02)


def test_no_ratio_is_found_where_there_is_none() -> None:
    rng = np.random.default_rng(0)
    found = log_ratio(gaussian(rng, 900, 4), gaussian(rng, 600, 4), rng)
    assert found.model == "none"
    assert not found.values.any()
    np.testing.assert_allclose(found.odds, 0.6)


def test_features_that_are_constant_or_whole_numbers_do_no_harm() -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.normal(size=500), rng.poisson(0.1, 500), np.ones(500), rng.standard_cauchy(500)])
    y = np.column_stack(
        [rng.normal(1, 1, 500), rng.poisson(0.3, 500), np.ones(500), rng.standard_cauchy(500)]
    )
    found = log_ratio(x, y, rng)
    assert np.isfinite(found.values).all()
    assert found.values[:500].mean() > 0.3
    assert np.isfinite(knn_kl(x, y).value)


def test_a_bias_is_measured() -> None:
    """Terms that are right have none; terms that are 0.3 too high have 0.3; one within its error is shrunk."""
    rng = np.random.default_rng(0)
    events = gaussian(rng, 2000, 1)
    ratio = LogRatio(events[:, 0], 1 / (1 + np.exp(-events[:, 0])), "linear")

    def found(terms):
        return bias(terms, events, ratio, rng, each=500, total=5000)

    exact = found(lambda x, _, rows: x[rows, 0])
    high = found(lambda x, _, rows: x[rows, 0] + 0.3)
    loud = found(lambda x, _, rows: x[rows, 0] + rng.normal(size=len(rows)))
    assert exact.value == 0
    assert high.value == pytest.approx(0.3 * (1 - (high.error / 0.3) ** 2), rel=1e-9)
    assert 0.28 < high.value < 0.3
    assert abs(loud.value) < 3 * loud.error
    of_labels = np.minimum(np.exp(events[:, 0]), 10).std() / np.sqrt(1000 * 10)
    assert loud.error == pytest.approx(np.hypot(1 / np.sqrt(5000), of_labels), rel=0.3)


def test_the_error_of_the_correction_is_its_scatter() -> None:
    """Over draws of the labels of one pair, for neighbours in two dimensions."""
    rng = np.random.default_rng(0)
    x, y = gaussian(rng, 1000, 2), gaussian(rng, 1000, 2, shift=1.0)
    ratio, events = log_ratio(x, y, rng), np.concatenate([x, y])

    def terms(first: np.ndarray, second: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return _log_ratios(first, second, rows, 10, 1)

    found = [bias(terms, events, ratio, rng, each=1000, total=3000) for _ in range(20)]
    values, errors = np.array([[one.value, one.error] for one in found]).T
    assert 0.5 < errors.mean() / values.std(ddof=1) < 1.6


def shift_in_ten(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    return gaussian(rng, n, 10), gaussian(rng, n, 10, shift=1.0)


def wider_in_ten(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    return gaussian(rng, n, 10), gaussian(rng, n, 10, scale=1.5)


def exponentials(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.exponential(size=(n, 5)), rng.exponential(size=(n, 5)) / 2


def peaks_or_one(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    return two_peaks(rng, n, 5), gaussian(rng, n, 5, scale=5**0.5)


def heavy_tails(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.standard_cauchy((n, 3)), rng.standard_cauchy((n, 3)) + 1


def bent(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """A shift by one in the first feature, on which the others hang as squares."""
    pair = gaussian(rng, n, 3), gaussian(rng, n, 3, shift=1.0)
    for z in pair:
        z[:, 1:] += z[:, :1] ** 2
    return pair


def ring_of_unequal_peaks(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    angle = np.arange(8) * np.pi / 4
    centres = np.stack([np.cos(angle), np.sin(angle)], 1)
    weights = [1 / 8] * 8, np.repeat([1, 3], 4) / 16
    return tuple(centres[rng.choice(8, n, p=w)] + 0.1 * rng.normal(size=(n, 2)) for w in weights)  # type: ignore[return-value]


def nothing(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    return two_peaks(rng, n, 5), two_peaks(rng, n, 5)


PAIRS = {
    shift_in_ten: 0.5,
    wider_in_ten: 1.276873303303866,
    exponentials: 5 * 0.3068528194400546,
    peaks_or_one: 5 * 0.1719987624801832,
    heavy_tails: 3 * np.log(1.25),
    bent: 0.5,
    ring_of_unequal_peaks: np.log(2 / 1) / 2 + np.log(2 / 3) / 2,
    nothing: 0.0,
}


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.__name__)
def test_the_correction_helps_or_does_no_harm(pair) -> None:
    """Over repeats, nearer to the truth than the published formula (or as near, where that is good); errors cover."""
    truth, plain, ours, errors = PAIRS[pair], [], [], []
    for seed in range(4):
        x, y = pair(np.random.default_rng(seed), 600)
        found = knn_kl(x, y)
        ours.append(found.value - truth)
        errors.append(found.error)
        plain.append(knn_kl(x, y, k=5, corrected=False).value - truth)
    square = [float(np.sqrt(np.mean(np.square(off)))) for off in (ours, plain)]
    assert square[0] < max(0.6 * square[1], min(square[1] + 0.03, 0.1))
    assert np.mean(np.abs(ours) < 2 * np.array(errors)) >= 0.75


def test_units_do_not_matter() -> None:
    """A feature in MeV or in GeV: the same estimate, as far as that is a power of ten."""
    x, y = (np.random.default_rng(seed).normal(seed, 1, (400, 2)) for seed in (0, 1))
    found = [knn_kl(x * scale, y * scale).value for scale in ([1.0, 1.0], [1e3, 1e-2])]
    assert found[0] == pytest.approx(found[1], rel=1e-9)
