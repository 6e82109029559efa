r"""Layers that know their own linear part, for penalties on the discriminator's gradient.

A discriminator c(x) of linear layers and leaky ReLUs is linear around almost every x. Its input gradient is then one
more forward computation, the chain of adjoints

    a_K = 1,    a_{k-1} = J_k^T a_k,    grad_x c = a_0,

and the gradient of *any* cost of (c, grad_x c) by the parameters is one more again. With l = dL/dc and
v = dL/d(grad_x c) for each event, the Jacobians J_k being constant,

    t_0 = v,    t_k = J_k t_{k-1},    dL/dW_k = a_k (l x_{k-1} + t_{k-1})^T,    dL/db_k = l a_k,

so the loss and the penalty share one pass. Differentiating twice through autograd does half as much again: it sends
the loss backwards although l a_k is known, and computes terms that vanish because the slopes are constant.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import singledispatch
from itertools import pairwise
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from zerosum.game.convolutions import Wrap, adjoint, folded, is_slow, wrapped

SLOPE = 0.2  # of the leaky ReLU below 0


def activation() -> nn.Module:
    """The one non-linearity: leaky ReLU."""
    return nn.LeakyReLU(SLOPE, inplace=True)


def mlp(inputs: int, outputs: int, width: int, depth: int) -> nn.Sequential:
    """A multilayer perceptron with `depth` hidden layers of `width` units."""
    sizes = [inputs] + [width] * depth
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), activation()]
    return nn.Sequential(*layers, nn.Linear(width, outputs))


@dataclass(frozen=True)
class Beside:
    """A layer without parameters: it puts conditions (N, K) beside its input (N, A)."""

    conditions: Tensor | None


class Part(nn.Module):
    """Layers for the first numbers of a row, which are an event of this shape; what is behind them passes by.

    Args:
        shape: The shape of the event.
        layers: From (N, *shape) to (N, A).
    """

    def __init__(self, shape: Sequence[int], layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.shape, self.numbers, self.layers = tuple(shape), math.prod(shape), nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """From (N, prod(shape) + B) to (N, A + B)."""
        return torch.cat([self.layers(self.first(x)), x[:, self.numbers :]], 1)

    def first(self, x: Tensor) -> Tensor:
        """The event (N, *shape)."""
        return x[:, : self.numbers].view(-1, *self.shape)


Layer = nn.Module | Beside


class Local(Protocol):
    """A layer around one input x."""

    y: Tensor

    def pull(self, a: Tensor) -> Tensor:
        """J^T a: from dL/dy to dL/dx."""

    def push(self, t: Tensor) -> Tensor:
        """J t: from a change of x to the change of y."""

    def by_parameters(self, a: Tensor, x: Tensor, cost: Tensor, t: Tensor | None) -> tuple[Tensor, ...]:
        """The gradients by weight and bias, if any: a (l x + t)^T and l a, summed over events; l is `cost`."""


def with_gradient(layers: Sequence[Layer], x: Tensor) -> tuple[Tensor, Tensor]:
    """The logits c(x), shape (N, 1), and grad_x c(x), both differentiable by the parameters.

    Where x itself is to be differentiated, autograd does it, through the same chain of adjoints. Both are computed in
    the precision of x and the parameters, whatever the rest of the game is computed in.
    """
    with torch.autocast(x.device.type, enabled=False):
        if x.requires_grad:
            passed = _there(layers, x)
            return passed[-1].y, _back(passed, torch.ones_like(passed[-1].y))[0]
        found: tuple[Tensor, Tensor] = _WithGradient.apply(layers, x, *_parameters(layers))  # type: ignore[no-untyped-call]
        return found


def _parameters(layers: Iterable[nn.Module | Beside]) -> list[Tensor]:
    found: list[Tensor] = []
    for layer in layers:
        if isinstance(layer, Part):
            found += _parameters(layer.layers)
        elif isinstance(layer, nn.Linear | nn.Conv2d | nn.Conv3d):
            found += [tensor for tensor in (layer.weight, layer.bias) if tensor is not None]
    return found


def _there(layers: Iterable[nn.Module | Beside], x: Tensor) -> list[Local]:
    """Every layer around its own input."""
    passed: list[Local] = []
    for layer in layers:
        passed.append(local(layer, x))
        x = passed[-1].y
    return passed


def _back(passed: Sequence[Local], a: Tensor) -> tuple[Tensor, list[Tensor]]:
    """From the adjoint of the last output to that of the input, a_0; and a_1, ..., a_K."""
    adjoints = [a]
    for here in reversed(passed):
        adjoints.append(here.pull(adjoints[-1]))
    return adjoints[-1], adjoints[-2::-1]


def _by_parameters(
    passed: Sequence[Local], adjoints: Sequence[Tensor], x: Tensor, cost: Tensor, t: Tensor | None
) -> list[Tensor]:
    """The gradients by all parameters: there once more, with the tangent t."""
    gradients: list[Tensor] = []
    for here, a in zip(passed, adjoints, strict=True):
        gradients += here.by_parameters(a, x, cost, t)
        x, t = here.y, None if t is None else here.push(t)
    return gradients


class _WithGradient(torch.autograd.Function):
    """The equations at the head of this file."""

    @staticmethod
    def forward(ctx: Any, layers: Sequence[Layer], x: Tensor, *_: Tensor) -> tuple[Tensor, Tensor]:
        """There and back."""
        ctx.set_materialize_grads(False)
        ctx.x, ctx.passed = x, _there(layers, x)
        logits = ctx.passed[-1].y
        gradient, ctx.adjoints = _back(ctx.passed, torch.ones_like(logits))
        return logits.detach(), gradient  # an output that its own graph held would never be freed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, cost: Tensor | None, v: Tensor | None) -> tuple[Tensor | None, ...]:
        """There once more, with the tangent t."""
        cost = ctx.x.new_zeros(len(ctx.x), 1) if cost is None else cost
        return (None, None, *_by_parameters(ctx.passed, ctx.adjoints, ctx.x, cost, v))


def _along(x: Tensor, cost: Tensor, t: Tensor | None) -> Tensor:
    """The sum l x + t, with one number l for each event."""
    cost = cost.reshape(-1, *[1] * (x.ndim - 1))
    return x * cost if t is None else torch.addcmul(t, x, cost)


def _by_bias(a: Tensor, cost: Tensor) -> Tensor:
    """The sum of l a over events, the first half paired with the second: real events, then fake ones.

    An objective of differences c(x) - c(G(z)) has costs l and -l in each pair, so that a unit with the same slope for
    both, and c's own bias, has the gradient 0 exactly. In another order of summation it is a rounding error, of which
    Adam, dividing by the gradient's size, makes whole steps.
    """
    terms = a * cost
    pairs = len(terms) // 2
    return (terms[:pairs] + terms[pairs : 2 * pairs]).sum(0) + terms[2 * pairs :].sum(0)


@singledispatch
def local(layer: object, _: Tensor) -> Local:
    """A layer around x. To teach one, write a class with the methods of `Local` and register it here."""
    raise TypeError(f"the linear part of {type(layer).__name__} is not known")


NARROW = 10  # columns; BLAS is many times slower for so few, unless their numbers lie one after the other


@local.register(nn.Linear)
class _Linear:
    """y = W x + b."""

    def __init__(self, layer: nn.Linear, x: Tensor) -> None:
        self.weight, self.bias, self.y = layer.weight, layer.bias, layer(x)

    def pull(self, a: Tensor) -> Tensor:
        narrow = self.weight.shape[1] <= NARROW
        return functional.linear(a, self.weight.t().contiguous()) if narrow else a @ self.weight

    def push(self, t: Tensor) -> Tensor:
        return functional.linear(t, self.weight)

    def by_parameters(self, a: Tensor, x: Tensor, cost: Tensor, t: Tensor | None) -> tuple[Tensor, ...]:
        u = _along(x, cost, t)
        weight = (u.t() @ a).t() if u.shape[1] <= NARROW else a.t() @ u
        return (weight,) if self.bias is None else (weight, _by_bias(a, cost))


@local.register(nn.LeakyReLU)
class _LeakyReLU:
    """y = s x, with slopes s that are constant almost everywhere; s has the sign of y."""

    def __init__(self, layer: nn.LeakyReLU, x: Tensor) -> None:
        self.slope, self.y = layer.negative_slope, layer(x)

    def pull(self, a: Tensor) -> Tensor:
        return torch.ops.aten.leaky_relu_backward(a, self.y.detach(), self.slope, True)  # type: ignore[no-any-return]

    push = pull

    def by_parameters(self, *_: Tensor | None) -> tuple[Tensor, ...]:
        return ()


@local.register(nn.Flatten)
class _Flatten:
    """y = x, in one row."""

    def __init__(self, layer: nn.Flatten, x: Tensor) -> None:
        self.shape, self.y = x.shape, layer(x)

    def pull(self, a: Tensor) -> Tensor:
        return a.reshape(self.shape)

    def push(self, t: Tensor) -> Tensor:
        return t.reshape(self.y.shape)

    def by_parameters(self, *_: Tensor | None) -> tuple[Tensor, ...]:
        return ()


@local.register(Beside)
class _Beside:
    """y = (x, conditions)."""

    def __init__(self, layer: Beside, x: Tensor) -> None:
        self.columns, self.given = x.shape[1], layer.conditions
        self.y = x if self.given is None else torch.cat([x, self.given], dim=1)

    def pull(self, a: Tensor) -> Tensor:
        return a[:, : self.columns]

    def push(self, t: Tensor) -> Tensor:
        return t if self.given is None else torch.cat([t, torch.zeros_like(self.given)], dim=1)

    def by_parameters(self, *_: Tensor | None) -> tuple[Tensor, ...]:
        return ()


@local.register(Wrap)
class _Wrap:
    """y = x with its edges again beyond the opposite ones."""

    def __init__(self, layer: Wrap, x: Tensor) -> None:
        self.y = layer(x)

    def pull(self, a: Tensor) -> Tensor:
        return folded(a)

    def push(self, t: Tensor) -> Tensor:
        return wrapped(t)

    def by_parameters(self, *_: Tensor | None) -> tuple[Tensor, ...]:
        return ()


@local.register(Part)
class _Part:
    """y = (the layers of the first numbers, the rest)."""

    def __init__(self, layer: Part, x: Tensor) -> None:
        self.layer, self.passed = layer, _there(layer.layers, layer.first(x))
        self.outputs = self.passed[-1].y.shape[1]
        self.y = torch.cat([self.passed[-1].y, x[:, layer.numbers :]], 1)

    def pull(self, a: Tensor) -> Tensor:
        first, self.adjoints = _back(self.passed, a[:, : self.outputs])
        return torch.cat([first.flatten(1), a[:, self.outputs :]], 1)

    def push(self, t: Tensor) -> Tensor:
        first = self.layer.first(t)
        for here in self.passed:
            first = here.push(first)
        return torch.cat([first, t[:, self.layer.numbers :]], 1)

    def by_parameters(self, a: Tensor, x: Tensor, cost: Tensor, t: Tensor | None) -> tuple[Tensor, ...]:
        del a  # pulled back before
        first = None if t is None else self.layer.first(t)
        return tuple(_by_parameters(self.passed, self.adjoints, self.layer.first(x), cost, first))


@local.register(nn.Conv2d)
@local.register(nn.Conv3d)
class _Convolution:
    """y = W * x + b."""

    def __init__(self, layer: nn.Conv2d | nn.Conv3d, x: Tensor) -> None:
        self.layer, self.weight, self.bias, self.shape, self.y = (
            layer,
            layer.weight,
            layer.bias,
            x.shape,
            layer(x),
        )
        if isinstance(layer.padding, str):
            raise TypeError(f"the linear part of a convolution with padding {layer.padding!r} is not known")

    def pull(self, a: Tensor) -> Tensor:
        layer = self.layer
        if isinstance(layer, nn.Conv2d) and is_slow(layer, a, layer.in_channels):
            return adjoint(a, self.weight, layer.stride, layer.padding, self.shape[2:])  # type: ignore[arg-type]
        return self._backward(a, self.y.new_empty(()).expand(self.shape), (True, False, False))[0]

    def push(self, t: Tensor) -> Tensor:
        moved: Tensor = self.layer._conv_forward(t, self.weight, None)
        return moved

    def by_parameters(self, a: Tensor, x: Tensor, cost: Tensor, t: Tensor | None) -> tuple[Tensor, ...]:
        weight = self._backward(a, _along(x, cost, t), (False, True, False))[1]
        return (weight,) if self.bias is None else (weight, _by_bias(a.flatten(2).sum(2), cost))

    def _backward(self, a: Tensor, x: Tensor, wanted: tuple[bool, bool, bool]) -> tuple[Tensor, ...]:
        layer = self.layer
        zero = (0,) * len(layer.stride)
        return torch.ops.aten.convolution_backward(  # type: ignore[no-any-return]
            a,
            x,
            self.weight,
            None,
            layer.stride,
            layer.padding,
            layer.dilation,
            False,
            zero,
            layer.groups,
            wanted,
        )
