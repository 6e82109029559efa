"""Objectives against the theory: the value at the optimal discriminator, signs, and the calibrated read-out."""

import math

import pytest
import torch

from zerosum.game.objectives import OBJECTIVES, Variational, calibrated_value, value
from zerosum.theory.estimate import EQUILIBRIUM

JS_OF_UNIT_SHIFT = 0.1114214821847361797172368  # D_JS(N(0,1), N(1,1)) in nats


def unit_shift(n: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Optimal logits ln p/q of n events of p = N(0,1) and of q = N(1,1)."""
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(n, generator=random, dtype=torch.float64)
    y = 1 + torch.randn(n, generator=random, dtype=torch.float64)
    return 0.5 - x, 0.5 - y


def test_equilibrium_is_the_value_of_a_blind_discriminator() -> None:
    zero = torch.zeros(5, dtype=torch.float64)
    assert float(value(zero, zero)) == pytest.approx(EQUILIBRIUM, abs=1e-15)
    assert pytest.approx(-math.log(4), abs=1e-15) == EQUILIBRIUM


def test_value_at_the_optimal_discriminator_is_the_divergence() -> None:
    """C(G) = -ln 4 + 2 D_JS, within the Monte Carlo error of 4e5 events (0.001 each)."""
    found = float(value(*unit_shift(400_000)))
    assert found == pytest.approx(EQUILIBRIUM + 2 * JS_OF_UNIT_SHIFT, abs=0.006)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_larger_logit_is_more_real_for_every_objective(name: str) -> None:
    """The discriminator gains by raising real logits and lowering fake ones, the generator by raising fake ones."""
    objective = OBJECTIVES[name]
    real, fake = torch.full((4,), 0.3, requires_grad=True), torch.full((4,), 0.2, requires_grad=True)
    by_real, by_fake = torch.autograd.grad(objective.discriminator(real, fake).mean(), [real, fake])
    (pulled,) = torch.autograd.grad(objective.generator(real, fake).mean(), [fake])
    assert (by_real < 0).all()
    assert (by_fake > 0).all()
    assert (pulled < 0).all()


def test_zero_sum_is_zero_sum() -> None:
    real, fake = torch.randn(9), torch.randn(9)
    for name in ["zero_sum", *(name for name, row in OBJECTIVES.items() if isinstance(row, Variational))]:
        objective = OBJECTIVES[name]
        torch.testing.assert_close(objective.generator(real, fake), -objective.discriminator(real, fake))
    torch.testing.assert_close(OBJECTIVES["zero_sum"].generator(real, fake).mean(), value(real, fake) / 2)


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (0.05, 3.0), (20.0, -1.0)])
def test_calibrated_value_undoes_any_scale(scale: float, shift: float) -> None:
    """An affine change of the optimal logit does not change what the calibrated value says."""
    real, fake = unit_shift(100_000)
    found = calibrated_value(scale * real + shift, scale * fake + shift)
    assert found == pytest.approx(EQUILIBRIUM + 2 * JS_OF_UNIT_SHIFT, abs=0.02)


def test_calibrated_value_of_a_blind_discriminator_is_the_equilibrium() -> None:
    random = torch.Generator().manual_seed(0)
    found = calibrated_value(torch.randn(20_000, generator=random), torch.randn(20_000, generator=random))
    assert found == pytest.approx(EQUILIBRIUM, abs=0.002)
    assert calibrated_value(torch.ones(100), torch.ones(100)) == pytest.approx(EQUILIBRIUM, abs=1e-6)
