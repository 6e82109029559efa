"""The Gaussian fit against the closed form of its likelihood."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal

from zerosum.errors import InputError
from zerosum.likelihood.gaussian import Gaussian


def drawn(n: int = 5000) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    c = torch.randn(n, 2, generator=random)
    noise = torch.randn(n, 3, generator=random) @ torch.tensor([[1.0, 0.2, 0], [0, 0.5, -0.4], [0, 0, 2.0]])
    return noise + c @ torch.tensor([[1.0, 0, -1], [0.5, 2, 0]]) + 3, c


def test_the_maximum_of_the_likelihood_is_the_closed_form() -> None:
    """<ln p_g> = -(F ln(2 pi e) + ln det S) / 2, with S the covariance of the events."""
    x, _ = drawn()
    model = Gaussian((3,), 0)
    model.initialise(x, None, None, 0)
    closed = -0.5 * (3 * math.log(2 * math.pi * math.e) + torch.logdet(torch.cov(x.T, correction=0)))
    assert float(model.log_prob(x).mean()) == pytest.approx(float(closed), abs=1e-5)
    reference = MultivariateNormal(x.mean(0), torch.cov(x.T, correction=0)).log_prob(x)
    assert torch.allclose(model.log_prob(x), reference, atol=1e-3)


def test_the_mean_follows_the_conditions() -> None:
    x, c = drawn(50_000)
    model = Gaussian((3,), 2)
    model.initialise(x, c, None, 0)
    assert torch.allclose(model.slope.T, torch.tensor([[1.0, 0, -1], [0.5, 2, 0]]), atol=0.05)
    given = torch.tensor([[2.0, -1.0]]).expand(20_000, -1)
    generated = model(torch.randn(20_000, 3, generator=torch.Generator().manual_seed(1)), given)
    assert torch.allclose(generated.mean(0), torch.tensor([4.5, 1.0, 1.0]), atol=0.06)


def test_weights_count_events() -> None:
    """An event of weight 2 is two events."""
    x, _ = drawn(400)
    weights = torch.ones(400)
    weights[:100] = 2
    weighted, doubled = Gaussian((3,), 0), Gaussian((3,), 0)
    weighted.initialise(x, None, weights, 0)
    doubled.initialise(torch.cat([x, x[:100]]), None, None, 0)
    assert torch.allclose(weighted.root, doubled.root, atol=1e-5)


def test_a_feature_that_is_a_function_of_others_is_refused() -> None:
    x, _ = drawn(200)
    with pytest.raises(InputError, match="linear function"):
        Gaussian((4,), 0).initialise(torch.cat([x, x[:, :1] + x[:, 1:2]], 1), None, None, 0)
