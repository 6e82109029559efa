"""Spectral normalisation: singular values of one, and the same weights wherever a call uses them."""

import pytest
import torch
from torch import nn

from zerosum.game.blueprint import Blueprint
from zerosum.game.penalties import with_gradient
from zerosum.game.spectral import LAYERS

KINDS = [("table", (3,)), ("grid", (2, 11, 9)), ("grid", (1, 8, 8, 9))]


def discriminator(kind: str, shape: tuple[int, ...]) -> nn.Module:
    torch.manual_seed(0)
    blueprint = Blueprint(kind, shape, conditions=2, latent=4, width=8, depth=3, spectral=True)
    return blueprint.discriminator().double()


@pytest.mark.parametrize(("kind", "shape"), KINDS)
def test_the_largest_singular_value_of_every_weight_is_one(kind: str, shape: tuple[int, ...]) -> None:
    critic = discriminator(kind, shape)
    x, c = torch.randn(4, *shape, dtype=torch.float64), torch.randn(4, 2, dtype=torch.float64)
    for _ in range(300):
        critic(x, c)
    critic.eval()
    layers = [layer for layer in critic.modules() if isinstance(layer, LAYERS)]
    assert layers
    for layer in layers:
        norm = torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2)
        assert norm.detach().item() == pytest.approx(1, abs=1e-3)


def test_a_normalised_network_of_linear_layers_is_a_contraction() -> None:
    """|c(x) - c(y)| <= |x - y|: linear layers of norm 1 and leaky ReLUs of slope at most 1."""
    critic = discriminator("table", (3,))
    c = torch.zeros(500, 2, dtype=torch.float64)
    for _ in range(300):
        critic(torch.randn(500, 3, dtype=torch.float64), c)
    critic.eval()
    x, y = torch.randn(2, 500, 3, dtype=torch.float64)
    assert ((critic(x, c) - critic(y, c)).abs() <= 1.001 * (x - y).norm(dim=1)).all()


@pytest.mark.parametrize(("kind", "shape"), KINDS)
def test_the_input_gradient_is_that_of_autograd(kind: str, shape: tuple[int, ...]) -> None:
    """One power iteration a call: logits and gradient belong to the same weights, and both reach the parameters."""
    critic = discriminator(kind, shape)
    state = {key: tensor.clone() for key, tensor in critic.state_dict().items()}
    x, c = torch.randn(6, *shape, dtype=torch.float64), torch.randn(6, 2, dtype=torch.float64)
    logits, gradient = with_gradient(critic, x, c)
    mine = torch.autograd.grad(gradient.square().sum(), list(critic.parameters()), allow_unused=True)
    critic.load_state_dict(state)
    x = x.requires_grad_()
    same = critic(x, c)
    (reference,) = torch.autograd.grad(same.sum(), x, create_graph=True)
    theirs = torch.autograd.grad(reference.square().sum(), list(critic.parameters()), allow_unused=True)
    torch.testing.assert_close((logits, gradient), (same, reference), rtol=1e-10, atol=1e-12)
    for a, b in zip(mine, theirs, strict=True):
        if a is not None and b is not None:
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)
