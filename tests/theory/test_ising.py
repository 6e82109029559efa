"""The Ising model against reference values, counted states and exact sampling."""

import json
from pathlib import Path

import numpy as np
import pytest

from zerosum.data.simulators.lattice import CRITICAL
from zerosum.errors import InputError
from zerosum.theory.exact import exact
from zerosum.theory.fdivergences import JENSEN_SHANNON
from zerosum.theory.ising import Ising, density_of_states

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "ising.json").read_text())


def coupling(model) -> float:
    return CRITICAL if model["coupling"] == "K_c" else model["coupling"]


@pytest.mark.parametrize("model", REFERENCE["models"], ids=lambda m: f"{m['side']} {m['coupling']}")
def test_reference_values(model) -> None:
    ising = Ising(model["side"], coupling(model))
    found = {"log_partition": ising.log_partition, "mean_energy": ising.mean_energy, "entropy": ising.entropy}
    for name in set(found) & set(model):
        assert found[name] == pytest.approx(model[name], rel=1e-11), name
    if "variance" in model:
        energy = 2.0 * np.arange(2 * ising.dim + 1) - 2 * ising.dim
        weight = np.exp(ising.energy_levels().log_prob(np.arange(len(energy))[:, None]))
        assert weight @ (energy - weight @ energy) ** 2 == pytest.approx(model["variance"], rel=1e-10)


@pytest.mark.parametrize("side", [4, 8])
def test_density_of_states_is_counted_exactly(side: int) -> None:
    assert [int(g) for g in density_of_states(side)] == [int(g) for g in REFERENCE["states"][str(side)]]


@pytest.mark.parametrize("side", [3, 5, 6, 7])
def test_counted_states_add_up_to_the_partition_function(side: int) -> None:
    states = density_of_states(side).astype(object)
    assert sum(states) == 2 ** (side * side)
    for k in (0.1, 0.4, 0.7):
        terms = np.log(np.array([float(g) if g else np.nan for g in states])) - k * (
            2 * np.arange(len(states)) - 2 * side**2
        )
        assert np.logaddexp.reduce(terms[~np.isnan(terms)]) == pytest.approx(
            Ising(side, k).log_partition, rel=1e-12
        )


@pytest.mark.parametrize(("side", "n"), [(3, 20_000), (6, 20_000), (12, 3_000)])
def test_samples_have_the_exact_energy_and_no_magnetisation(side: int, n: int) -> None:
    model = Ising(side, 0.42)
    spins = model.sample(n, np.random.default_rng(1))
    energy = model.energy(spins)
    assert spins.shape == (n, side**2)
    assert set(np.unique(spins)) == {-1.0, 1.0}
    assert energy.mean() == pytest.approx(model.mean_energy, abs=5 * energy.std() / np.sqrt(n))
    assert abs(spins.mean(axis=1).mean()) < 5 / np.sqrt(n)


def test_sampled_states_of_the_smallest_torus_have_their_probabilities() -> None:
    """All 512 states of L = 3, each within five standard deviations."""
    model, n = Ising(3, 0.3), 100_000
    spins = model.sample(n, np.random.default_rng(2))
    counts = np.bincount(((spins > 0) @ (1 << np.arange(9))).astype(int), minlength=512)
    states = 2.0 * ((np.arange(512)[:, None] >> np.arange(9)) & 1) - 1
    expected = n * np.exp(model.log_prob(states))
    assert expected.sum() == pytest.approx(n, rel=1e-12)
    assert (np.abs(counts - expected) < 5 * np.sqrt(expected) + 3).all()


def test_divergence_beyond_counting_is_by_monte_carlo() -> None:
    found = exact(JENSEN_SHANNON, Ising(10, 0.40), Ising(10, 0.44), n=600)
    assert found.method == "monte carlo"
    assert 0.0795 < found.value < 0.30  # more spins tell the temperatures apart better than 8 x 8


def test_misuse_is_refused() -> None:
    for arguments in ((2, 0.4), (4, 0.0), (4, np.inf)):
        with pytest.raises(InputError, match="at least 3"):
            Ising(*arguments)
    with pytest.raises(InputError, match="spins"):
        Ising(3, 0.4).log_prob(np.zeros((1, 9)))
    with pytest.raises(InputError, match="counted"):
        density_of_states(9)
