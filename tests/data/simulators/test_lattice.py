"""Ising lattices against Kaufman's partition function and the enumeration of all 65,536 states of L = 4."""

from itertools import product

import numpy as np
import pytest

from zerosum.data.simulators.lattice import CRITICAL, energy, simulate_ising
from zerosum.errors import InputError

# L, K, <E> / J, Var E: from the exact density of states (integer arithmetic), which agrees with Kaufman's Z to 1e-39.
EXACT = [
    (4, 0.2, -7.29816591268555467, 47.8184755149423),
    (4, 0.4, -22.0658637161495782, 81.2515229440458),
    (4, CRITICAL, -25.0499806022130977, 64.5311855833944),
    (4, 0.6, -30.5291124452970235, 14.0246132032914),
    (8, 0.2, -27.4155557724212052, 156.662675167947),
    (8, 0.4, -78.228521168058439, 440.190355744973),
    (8, CRITICAL, -95.4617028761412192, 377.517818752139),
    (8, 0.6, -122.180315504896372, 55.7724264969789),
]
# L, K, ln Z (Kaufman, 40 digits).
LOG_Z = [(8, 0.4, 56.59938876042537), (16, 0.2, 188.03988795598317), (16, CRITICAL, 238.64225663513288)]


def log_z(side: int, k: float) -> float:
    """ln Z of the L x L torus: Kaufman, Phys. Rev. 76 (1949) 1232."""
    r = np.arange(1, 2 * side)
    rest = np.arccosh(np.cosh(2 * k) ** 2 / np.sinh(2 * k) - np.cos(np.pi * r / side))
    gamma = np.concatenate([[2 * k + np.log(np.tanh(k))], rest]) * side / 2
    odd, even = gamma[1::2], gamma[::2]
    factors = [2 * np.cosh(odd), 2 * np.sinh(odd), 2 * np.cosh(even), 2 * np.sinh(even)]
    total = sum(np.prod(np.sign(f)) * np.exp(np.log(np.abs(f)).sum()) for f in factors if (f != 0).all())
    return float(np.log(total / 2) + side**2 / 2 * np.log(2 * np.sinh(2 * k)))


def check_moments(values: np.ndarray, mean: float, variance: float) -> None:
    """Mean and variance within 4.5 standard errors."""
    n = len(values)
    assert abs(values.mean() - mean) < 4.5 * np.sqrt(variance / n)
    squares = (values - values.mean()) ** 2
    assert abs(squares.mean() - variance) < 4.5 * squares.std() / np.sqrt(n)


@pytest.mark.parametrize(("side", "k", "value"), LOG_Z)
def test_the_reference_formula_agrees_with_its_published_digits(side, k, value) -> None:
    assert log_z(side, k) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(("side", "k", "mean", "variance"), EXACT)
def test_energies_have_the_exact_mean_and_variance(side, k, mean, variance) -> None:
    events = simulate_ising(4000, side=side, coupling=k, seed=11)
    check_moments(energy(events.values), mean, variance)


@pytest.mark.parametrize("k", [0.2, CRITICAL])
def test_energies_at_side_16_have_the_moments_of_kaufman(k) -> None:
    h = 1e-3
    down, middle, up = (log_z(16, k + step) for step in (-h, 0, h))
    events = simulate_ising(2000, side=16, coupling=k, seed=12)
    check_moments(energy(events.values), (down - up) / (2 * h), (up - 2 * middle + down) / h**2)


@pytest.mark.parametrize("k", [0.2, CRITICAL, 0.6])
def test_magnetisation_at_side_4_against_all_states(k) -> None:
    states = np.array(list(product([-1, 1], repeat=16)), np.int8).reshape(-1, 4, 4)
    weight = np.exp(-k * energy(states) - 32 * k)
    weight /= weight.sum()
    m = np.abs(states.mean(axis=(1, 2)))
    mean = (weight * m).sum()
    values = simulate_ising(6000, side=4, coupling=k, seed=13).values.mean(axis=(1, 2, 3))
    check_moments(np.abs(values), mean, (weight * m**2).sum() - mean**2)
    assert abs(values.mean()) < 4.5 * values.std() / 6000**0.5


def test_spins_are_plus_or_minus_one_and_chains_are_independent() -> None:
    events = simulate_ising(1500, side=8, seed=1)
    assert events.values.shape == (1500, 1, 8, 8)
    assert set(np.unique(events.values)) == {-1.0, 1.0}
    e = energy(events.values)
    assert abs(np.corrcoef(e[:-1], e[1:])[0, 1]) < 4.5 / 1500**0.5


def test_a_short_chain_is_told_from_equilibrium() -> None:
    early = energy(simulate_ising(1000, side=16, seed=2, sweeps=1).values)
    with pytest.raises(AssertionError):
        check_moments(early, -371.47, 1993.0)


def test_zero_coupling_gives_free_spins() -> None:
    e = energy(simulate_ising(2000, side=6, coupling=0.0, seed=3).values)
    check_moments(e, 0.0, 72.0)


@pytest.mark.parametrize("options", [{"side": 2}, {"coupling": -0.1}, {"sweeps": 0}, {"seed": -1}])
def test_wrong_options_are_refused(options) -> None:
    with pytest.raises(InputError):
        simulate_ising(10, **options)
