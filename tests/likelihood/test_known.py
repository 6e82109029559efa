"""Fits to known densities: the directions of the divergence differ as the mathematics says."""

import math

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, MultivariateNormal, Normal

from zerosum.errors import InputError
from zerosum.likelihood.flow import Flow
from zerosum.likelihood.known import DIVERGENCES, effective_sample_size, fit_known, jensen_shannon

SMALL = {"steps": 250, "batch": 128, "width": 16, "transforms": 2}


def two_modes() -> MixtureSameFamily:
    """Two modes, with 0.8 and 0.2 of the events."""
    means = torch.tensor([[0.0, 0.0], [4.0, 0.0]])
    return MixtureSameFamily(
        Categorical(torch.tensor([0.8, 0.2])), Independent(Normal(means, torch.full((2, 2), 0.4)), 1)
    )


@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_a_correlated_normal_is_found_by_every_divergence(divergence: str) -> None:
    target = MultivariateNormal(torch.tensor([0.5, -0.5]), torch.tensor([[1.0, 0.6], [0.6, 1.0]]))
    fit = fit_known(target, divergence, learning_rate=1e-2, **SMALL | {"steps": 120})
    assert fit.effective > 0.85
    assert abs(sum(fit.losses[-50:]) / 50) < 0.05
    x = fit.flow(torch.randn(20_000, 2, generator=torch.Generator().manual_seed(0)))
    assert float(torch.corrcoef(x.T)[0, 1]) == pytest.approx(0.6, abs=0.06)


@pytest.mark.slow
def test_reverse_kl_takes_one_mode_and_loses_the_log_of_its_share() -> None:
    """q on one mode of weight w: D_KL(q || p) = -ln w."""
    fit = fit_known(two_modes(), "reverse_kl", learning_rate=1e-2, **SMALL)
    assert sum(fit.losses[-50:]) / 50 == pytest.approx(-math.log(0.8), abs=0.05)
    x = fit.flow(torch.randn(5000, 2, generator=torch.Generator().manual_seed(0)))
    assert float((x[:, 0] > 2).float().mean()) < 0.01


@pytest.mark.slow
def test_forward_kl_covers_both_modes() -> None:
    fit = fit_known(two_modes(), "forward_kl", learning_rate=1e-2, **SMALL)
    x = fit.flow(torch.randn(5000, 2, generator=torch.Generator().manual_seed(0)))
    assert float((x[:, 0] > 2).float().mean()) == pytest.approx(0.2, abs=0.06)


def test_jensen_shannon_of_disjoint_densities_is_ln_2() -> None:
    torch.manual_seed(0)
    far = Independent(Normal(torch.full((2,), 60.0), torch.ones(2)), 1)
    flow = Flow(2, 0, 8, 2).requires_grad_(False)
    assert float(jensen_shannon(flow, far, torch.randn(500, 2))) == pytest.approx(math.log(2), abs=1e-4)


def test_effective_sample_size_at_its_ends() -> None:
    assert effective_sample_size(torch.full((100,), -900.0)) == pytest.approx(100)
    assert effective_sample_size(torch.tensor([0.0, -800.0, -800.0])) == pytest.approx(1)


def test_the_seed_decides_and_the_global_state_stays() -> None:
    short = SMALL | {"steps": 3}
    state = torch.get_rng_state()
    assert fit_known(two_modes(), **short).losses == fit_known(two_modes(), **short).losses
    assert torch.equal(state, torch.get_rng_state())


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(InputError, match="reverse_kl"):
        fit_known(two_modes(), "kl")
    with pytest.raises(InputError, match="rows"):
        fit_known(Normal(0.0, 1.0))
