"""The flow: its density integrates to one, its generator inverts it, and zuko leaves torch as it was."""

import subprocess
import sys

import pytest
import torch

from zerosum.likelihood.flow import Flow


def example(features: int = 2, conditions: int = 0) -> Flow:
    torch.manual_seed(0)
    model = Flow(features, conditions, width=16, transforms=3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.5)
    return model.requires_grad_(False)


@pytest.mark.parametrize("conditions", [0, 1])
def test_the_density_integrates_to_one(conditions: int) -> None:
    line = (torch.arange(400) + 0.5) / 400 * 16 - 8
    points = torch.cartesian_prod(line, line)
    c = torch.full((len(points), 1), 0.7) if conditions else None
    total = example(2, conditions).log_prob(points, c).double().exp().sum() * (16 / 400) ** 2
    assert float(total) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("features", [1, 2, 5])
def test_the_generator_is_the_inverse(features: int) -> None:
    """ln p(G(z)) = ln N(z) - ln|det dG/dz|, with the Jacobian by automatic differentiation."""
    model = example(features)
    z = torch.randn(20, features, generator=torch.Generator().manual_seed(1))
    jacobian = torch.stack([torch.func.jacrev(lambda one: model(one[None])[0])(row) for row in z])
    standard = -0.5 * (z**2 + torch.log(torch.tensor(2 * torch.pi))).sum(1)
    expected = standard - torch.linalg.slogdet(jacobian).logabsdet
    assert torch.allclose(model.log_prob(model(z)), expected, atol=2e-3)


def test_zuko_leaves_the_validation_of_torch_switched_on() -> None:
    script = (
        "import torch; from zerosum.likelihood.flow import Flow; Flow(2, 0, 8, 2); "
        "torch.distributions.Normal(0.0, -1.0)"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "ValueError" in found.stderr
    assert "scale" in found.stderr
