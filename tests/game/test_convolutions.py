"""The convolutions of images with few channels are torch's, in value and in every derivative."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck, gradgradcheck

from zerosum.game import convolutions
from zerosum.game.convolutions import Convolution, Deconvolution
from zerosum.game.layers import with_gradient
from zerosum.game.networks import FAMILIES, GridDiscriminator, GridGenerator

WAYS: list[dict[str, Any]] = [
    {"kernel_size": 4, "stride": 2, "padding": 1},
    {"kernel_size": 3, "stride": 1, "padding": 1},
    {"kernel_size": (3, 5), "stride": (2, 3), "padding": (0, 2), "bias": False},
]


def pair(channels: int, way: dict[str, Any], *, transposed: bool) -> tuple[nn.Module, nn.Module]:
    """Ours and torch's with the same weights."""
    torch.manual_seed(0)
    ours, torchs = (Deconvolution, nn.ConvTranspose2d) if transposed else (Convolution, nn.Conv2d)
    sizes = (5, channels) if transposed else (channels, 5)
    one, other = ours(*sizes, **way, dtype=torch.float64), torchs(*sizes, **way, dtype=torch.float64)
    other.load_state_dict(one.state_dict())
    return one, other


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("transposed", [False, True])
def test_values_and_derivatives_are_those_of_torch(
    channels: int, way: dict[str, Any], transposed: bool
) -> None:
    layers = pair(channels, way, transposed=transposed)
    x = torch.randn(3, 5 if transposed else channels, 8, 9, dtype=torch.float64, requires_grad=True)
    found = []
    for layer in layers:
        y = layer(x)
        gradients = torch.autograd.grad(y.sin().sum(), [x, *layer.parameters()], create_graph=True)
        twice = torch.autograd.grad(gradients[0].square().sum(), [x, *layer.parameters()], allow_unused=True)
        found.append([y, *gradients, *(one for one in twice if one is not None)])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("transposed", [False, True])
def test_derivatives_agree_with_finite_differences(transposed: bool) -> None:
    layer, _ = pair(1, WAYS[0], transposed=transposed)
    x = torch.randn(2, 5 if transposed else 1, 4, 4, dtype=torch.float64, requires_grad=True)
    assert gradcheck(layer, (x,))
    assert gradgradcheck(layer, (x,))


def test_a_convolution_and_its_adjoint_are_adjoint() -> None:
    """<y, W x> = <W^T y, x>."""
    direct = Convolution(1, 5, 4, 2, 1, bias=False, dtype=torch.float64)
    back = Deconvolution(5, 1, 4, 2, 1, bias=False, dtype=torch.float64)
    back.load_state_dict(direct.state_dict())
    x, y = torch.randn(3, 1, 8, 8, dtype=torch.float64), torch.randn(3, 5, 4, 4, dtype=torch.float64)
    torch.testing.assert_close((y * direct(x)).sum(), (back(y) * x).sum(), rtol=1e-12, atol=0)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_discriminator_and_a_generator_are_the_same_without(
    channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """c, its input gradient, and the gradients of a penalty: by `fold`, and by torch's convolutions alone."""
    torch.manual_seed(0)
    discriminator = GridDiscriminator((channels, 16, 16), 0, 8, 3).double()
    generator = GridGenerator(6, 0, (channels, 16, 16), 8, 3).double()
    z = torch.randn(4, 6, dtype=torch.float64)

    def numbers() -> list[Tensor]:
        x = generator(z)
        logits, gradient = discriminator.with_gradient(x.detach())
        cost = logits.sum() + gradient.square().sum()
        of_penalty = torch.autograd.grad(cost, list(discriminator.parameters()))
        of_game = torch.autograd.grad(discriminator(x).sum(), list(generator.parameters()))
        return [x, logits, gradient, *of_penalty, *of_game]

    fast = numbers()
    monkeypatch.setattr(convolutions, "FEW", 0)
    for one, other in zip(fast, numbers(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


def test_channels_lie_side_by_side() -> None:
    family = FAMILIES["grid"]
    networks = [family.generator(6, 0, (1, 16, 16), 8, 3), family.discriminator((1, 16, 16), 0, 8, 3)]
    for network in networks:
        weights = [one for one in network.parameters() if one.ndim == 4]
        assert weights
        assert all(one.is_contiguous(memory_format=torch.channels_last) for one in weights)


def test_where_x_is_differentiated_the_chain_of_adjoints_is_too() -> None:
    layer, last = Convolution(1, 4, 4, 2, 1, dtype=torch.float64), nn.Linear(16, 1, dtype=torch.float64)
    x = torch.randn(2, 1, 4, 4, dtype=torch.float64, requires_grad=True)

    def penalty(x: Tensor) -> Tensor:
        _, gradient = with_gradient([layer, nn.LeakyReLU(0.2), nn.Flatten(), last], x)
        return gradient.square().sum() + 0 * x.sum()

    assert gradcheck(penalty, (x,))
