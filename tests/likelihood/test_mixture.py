"""The mixture: its density against torch's, its generator against its density, its start against the truth."""

import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from zerosum.errors import InputError
from zerosum.likelihood.mixture import Mixture


def example(conditions: int = 0) -> Mixture:
    torch.manual_seed(0)
    model = Mixture(2, conditions, 3)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    return model.requires_grad_(False)


def test_the_density_is_that_of_torch() -> None:
    model, x = example(), torch.randn(100, 2, generator=torch.Generator().manual_seed(1))
    root = model.lower.tril(-1) + torch.diag_embed(model.log_scales.exp())
    reference = MixtureSameFamily(
        Categorical(logits=model.scores), MultivariateNormal(model.means, scale_tril=root)
    )
    assert torch.allclose(model.log_prob(x), reference.log_prob(x), atol=1e-4)


@pytest.mark.parametrize("conditions", [0, 2])
def test_generated_events_follow_the_density(conditions: int) -> None:
    """The mean of q / p over the model's own events is 1 for any density q: here a normal one."""
    model, random = example(conditions), torch.Generator().manual_seed(2)
    c = None if not conditions else torch.tensor([[0.4, -0.8]]).expand(200_000, -1)
    x = model(torch.randn(200_000, 3, generator=random), c)
    q = MultivariateNormal(x.mean(0), 0.2 * torch.eye(2))
    ratio = (q.log_prob(x) - model.log_prob(x, c)).exp()
    assert float(ratio.mean()) == pytest.approx(1, abs=4 * float(ratio.std()) / 200_000**0.5)


def test_expectation_maximisation_finds_separated_modes() -> None:
    random = torch.Generator().manual_seed(3)
    centres = torch.tensor([[-3.0, 0], [3, 0], [0, 3]])
    x = centres[torch.arange(3000) % 3] + 0.1 * torch.randn(3000, 2, generator=random)
    model = Mixture(2, 0, 3)
    model.initialise(x, None, None, 0)
    assert torch.allclose(torch.cdist(centres, model.means.detach()).min(1).values, torch.zeros(3), atol=0.02)
    weighted = Mixture(2, 0, 3)
    weighted.initialise(x, None, (torch.arange(3000) % 3 == 0).float() * 4 + 1, 0)
    assert float(weighted.scores.detach().softmax(0).max()) == pytest.approx(5 / 7, abs=0.01)


def test_more_components_than_events_are_refused() -> None:
    with pytest.raises(InputError, match="fewer"):
        Mixture(2, 0, 50).initialise(torch.randn(40, 2), None, None, 0)


@pytest.mark.parametrize("conditions", [0, 2])
def test_every_parameter_is_learned(conditions: int) -> None:
    model = example(conditions).requires_grad_(True)
    c = torch.randn(50, 2) if conditions else None
    found = torch.autograd.grad(model.log_prob(torch.randn(50, 2), c).mean(), list(model.parameters()))
    assert all(bool(gradient.abs().sum() > 0) for gradient in found)
