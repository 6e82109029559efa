"""Betting limits hold at small n, sharpen with n, and average over critics."""

import numpy as np
import pytest

from zerosum.evaluation.capital import paired
from zerosum.theory.betting import Gamble, Wager, lower_limit


def gamble(pairs, share=1.0, low=0.0, high=1.0):
    return Gamble(np.asarray(pairs), low, high, 0.5 * (low + high), (high - low) ** 2 / 12, share)


@pytest.mark.parametrize(
    ("mean", "draw"),
    [
        (0.02, lambda rng: (rng.random(300) < 0.02).astype(float)),
        (0.5, lambda rng: rng.random(100)),
        (0.9, lambda rng: (rng.random(60) < 0.9).astype(float)),
        (1 / 3, lambda rng: rng.beta(0.1, 0.2, 200)),
    ],
)
def test_the_limit_misses_the_mean_in_at_most_five_percent(mean, draw):
    rng = np.random.default_rng(7)
    limits = [Wager([gamble(draw(rng))], 0.05).lower() for _ in range(400)]
    assert np.mean(np.array(limits) > mean) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 400)


def test_the_limit_is_close_to_the_gaussian_one_at_large_n():
    x = np.random.default_rng(3).random(40_000)
    limit = Wager([gamble(x)], 0.05).lower()
    gaussian = x.mean() - 1.645 * x.std() / np.sqrt(len(x))
    wider = x.mean() - 2 * 1.645 * x.std() / np.sqrt(len(x))
    assert wider < limit < gaussian


def test_a_useless_critic_beside_a_good_one_costs_little():
    rng = np.random.default_rng(5)
    good, useless = rng.random(5000) * 0.5 + 0.4, np.full(5000, 0.0)
    alone = Wager([gamble(good)], 0.05).lower()
    both = Wager([gamble(good, 0.5), gamble(useless, 0.5)], 0.05).lower()
    assert alone - 0.002 < both < alone


def test_capital_falls_with_the_claimed_mean_and_scales_with_the_range():
    x = np.random.default_rng(2).random(500)
    wager = Wager([gamble(x)], 0.05)
    capital = [wager.log_capital(m) for m in np.linspace(0.05, 0.95, 19)]
    assert np.all(np.diff(capital) <= 1e-12)
    shifted = Wager([gamble(10 * x - 3, low=-3.0, high=7.0)], 0.05).lower()
    assert shifted == pytest.approx(10 * wager.lower() - 3, abs=1e-4)


@pytest.mark.parametrize("shared", [0.0, 0.5, 1.0])
def test_one_limit_from_two_wagers_holds_however_they_depend_and_is_at_least_the_larger(shared):
    rng = np.random.default_rng(11)
    missed, n = 0, 150
    for _ in range(400):
        x = (rng.random((2, n)) < 0.1).astype(float)
        x[1, : int(shared * n)] = x[0, : int(shared * n)]
        wagers = [Wager([gamble(part)], 0.025) for part in x]
        limit = lower_limit(wagers)
        assert limit >= max(one.lower() for one in wagers) - 1e-6
        missed += limit > 0.1
    assert missed / 400 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 400)


def test_two_halves_that_agree_give_more_than_the_larger_limit():
    x = np.sort(np.random.default_rng(4).random(2000)).reshape(1000, 2).T  # the capital is largest at the end
    wagers = [Wager([gamble(part)], 0.025) for part in x]
    assert lower_limit(wagers) > max(one.lower() for one in wagers)


def test_pairs_of_unequal_samples_use_every_event_and_keep_the_mean():
    u, v = np.arange(7.0), np.full(3, 10.0)
    z = paired(u, v)
    assert len(z) == 3
    assert sorted(np.round(z - 10, 6)) == [0.5, 3.0, 5.5]
    assert paired(v, u) == pytest.approx(z)
