"""Layers whose input gradient is itself a forward computation.

Gradient penalties need d|grad_x c|^2 / d theta. Differentiating twice through autograd computes terms that vanish for
piecewise linear activations and leaves tensors in slow memory orders. For a chain of linear layers and leaky ReLUs the
input gradient is the chain of their adjoints, grad_x c = W_1^T S_1 W_2^T S_2 ..., with the slopes S constant almost
everywhere: one more forward computation, and autograd differentiates it once.
"""

from collections.abc import Callable
from functools import singledispatch
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.2  # of the leaky ReLU below 0

Adjoint = Callable[[Tensor], Tensor]


class Chain(nn.Sequential):
    """Layers one after the other, with the adjoint of their Jacobian."""

    def with_adjoint(self, x: Tensor) -> tuple[Tensor, Adjoint]:
        """The output y, and the function that takes dL/dy to dL/dx; both are differentiable by the parameters."""
        adjoints: list[Adjoint] = []
        for layer in self:
            x, adjoint = linearised(layer, x)
            adjoints.append(adjoint)

        def pull(gradient: Tensor) -> Tensor:
            for adjoint in reversed(adjoints):
                gradient = adjoint(gradient)
            return gradient

        return x, pull


def activation() -> nn.Module:
    """The one non-linearity: leaky ReLU."""
    return nn.LeakyReLU(SLOPE, inplace=True)


def mlp(inputs: int, outputs: int, width: int, depth: int) -> Chain:
    """A multilayer perceptron with `depth` hidden layers of `width` units."""
    sizes = [inputs] + [width] * depth
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), activation()]
    return Chain(*layers, nn.Linear(width, outputs))


@singledispatch
def linearised(layer: nn.Module, _: Tensor) -> tuple[Tensor, Adjoint]:
    """A layer's output at x, and the adjoint of its Jacobian there."""
    raise TypeError(f"the adjoint of {type(layer).__name__} is not known")


@linearised.register
def _(layer: nn.Linear, x: Tensor) -> tuple[Tensor, Adjoint]:
    return layer(x), lambda gradient: functional.linear(gradient, layer.weight.t())


@linearised.register
def _(layer: nn.LeakyReLU, x: Tensor) -> tuple[Tensor, Adjoint]:
    y = functional.leaky_relu(x, layer.negative_slope)
    with torch.no_grad():
        slopes = torch.ops.aten.leaky_relu_backward(torch.ones_like(y), y, layer.negative_slope, False)
    return y, lambda gradient: gradient * slopes


@linearised.register
def _(layer: nn.Flatten, x: Tensor) -> tuple[Tensor, Adjoint]:
    return layer(x), lambda gradient: gradient.reshape(x.shape)


@linearised.register
def _(layer: nn.Conv2d, x: Tensor) -> tuple[Tensor, Adjoint]:
    return layer(x), _transposed(functional.conv_transpose2d, layer, x)


@linearised.register
def _(layer: nn.Conv3d, x: Tensor) -> tuple[Tensor, Adjoint]:
    return layer(x), _transposed(functional.conv_transpose3d, layer, x)


def _transposed(transpose: Callable[..., Tensor], layer: nn.Conv2d | nn.Conv3d, x: Tensor) -> Adjoint:
    stride, padding = layer.stride, layer.padding
    if not isinstance(padding, tuple):
        raise TypeError(f"the adjoint of a convolution with padding {padding!r} is not known")

    def pull(gradient: Tensor) -> Tensor:
        reached = [
            (n - 1) * s - 2 * p + k
            for n, s, p, k in zip(gradient.shape[2:], stride, padding, layer.kernel_size, strict=True)
        ]
        beyond = [side - r for side, r in zip(x.shape[2:], reached, strict=True)]
        return transpose(gradient, layer.weight, None, stride, padding, beyond)

    return pull
