r"""Convolutions of images with few channels, and their adjoints, fast on a CPU too.

A convolution y = W * x and its adjoint x = W^T y (the de-convolution of the generator, and the gradient by the input of
the discriminator) are products of a matrix with patches of the image:

    y = W patches(x),    W^T y = sum of patches (W^T y)_p, each put where patch p was.

oneDNN (torch 2.13) computes the second for images of one or a few channels several times slower than a matrix product
and `fold` do. Both directions are here each other's backward pass, so they can be differentiated as often as one likes.
On other devices, for many channels, in half precision and in an exported graph, the layers are torch's own.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

FEW = 2  # channels of the image up to which `fold` is faster


class Convolution(nn.Conv2d):
    """`torch.nn.Conv2d`."""

    def forward(self, input: Tensor) -> Tensor:
        """From (N, C, H, W) to (N, D, H', W')."""
        if not is_slow(self, input, self.in_channels):
            return super().forward(input)
        found: Tensor = _Direct.apply(input, self.weight, self.bias, self.stride, self.padding)  # type: ignore[no-untyped-call]
        return found


class Deconvolution(nn.ConvTranspose2d):
    """`torch.nn.ConvTranspose2d`."""

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """From (N, D, H', W') to (N, C, H, W)."""
        if output_size is not None or not is_slow(self, input, self.out_channels):
            return super().forward(input, output_size)
        sides = [
            (input.shape[2 + i] - 1) * self.stride[i]
            - 2 * int(self.padding[i])
            + self.kernel_size[i]
            + self.output_padding[i]
            for i in range(2)
        ]
        found: Tensor = _Adjoint.apply(input, self.weight, self.stride, self.padding, tuple(sides))  # type: ignore[no-untyped-call]
        return found if self.bias is None else found + self.bias[:, None, None]


class Wrap(nn.Module):
    """Images on a torus: the last row and column again before the first, the first behind the last."""

    def forward(self, x: Tensor) -> Tensor:
        """From (N, C, H, W) to (N, C, H + 2, W + 2)."""
        return wrapped(x)


def wrapped(x: Tensor) -> Tensor:
    """As `Wrap` does."""
    x = torch.cat([x[..., -1:], x, x[..., :1]], 3)
    return torch.cat([x[:, :, -1:], x, x[:, :, :1]], 2)


def folded(a: Tensor) -> Tensor:
    """The adjoint of `wrapped`: what is beyond an edge is added to where it came from."""
    a = torch.cat([a[..., 1:2] + a[..., -1:], a[..., 2:-2], a[..., -2:-1] + a[..., :1]], 3)
    return torch.cat([a[:, :, 1:2] + a[:, :, -1:], a[:, :, 2:-2], a[:, :, -2:-1] + a[:, :, :1]], 2)


def is_slow(layer: nn.Conv2d | nn.ConvTranspose2d, x: Tensor, channels: int) -> bool:
    """Whether `adjoint` serves this layer, with images of so many channels, better than torch."""
    return (
        channels <= FEW
        and x.device.type == "cpu"
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_exporting()
        and layer.groups == 1
        and layer.dilation == (1, 1)
        and layer.padding_mode == "zeros"
        and not isinstance(layer.padding, str)
    )


def adjoint(
    y: Tensor, weight: Tensor, stride: tuple[int, ...], padding: tuple[int, ...], sides: tuple[int, ...]
) -> Tensor:
    """W^T y: from (N, D, H', W') with a weight (D, C, k, k') to images (N, C, *sides)."""
    patches = torch.matmul(weight.flatten(1).t(), y.flatten(2))
    return functional.fold(patches, sides, weight.shape[2:], padding=padding, stride=stride)


def by_weight(
    y: Tensor, x: Tensor, weight: Tensor, stride: tuple[int, ...], padding: tuple[int, ...]
) -> Tensor:
    """The gradient of <y, W * x> by W."""
    found: Tensor = torch.ops.aten.convolution_backward(
        y, x, weight, None, stride, padding, (1, 1), False, (0, 0), 1, (False, True, False)
    )[1]
    return found


class _Direct(torch.autograd.Function):
    """W * x + b; its gradient by x is the adjoint."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any
    ) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.where = stride, padding
        return functional.conv2d(x, weight, bias, stride, padding)

    @staticmethod
    def backward(ctx: Any, a: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        return (
            _Adjoint.apply(a, weight, *ctx.where, tuple(x.shape[2:])) if wanted[0] else None,  # type: ignore[no-untyped-call]
            by_weight(a, x, weight, *ctx.where) if wanted[1] else None,
            a.sum((0, 2, 3)) if wanted[2] else None,
            None,
            None,
        )


class _Adjoint(torch.autograd.Function):
    """W^T y; its gradient by y is the convolution."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, weight: Tensor, stride: Any, padding: Any, sides: Any) -> Tensor:
        ctx.save_for_backward(y, weight)
        ctx.where = stride, padding
        return adjoint(y, weight, stride, padding, sides)

    @staticmethod
    def backward(ctx: Any, a: Tensor) -> tuple[Tensor | None, ...]:
        y, weight = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        return (
            _Direct.apply(a, weight, None, *ctx.where) if wanted[0] else None,  # type: ignore[no-untyped-call]
            by_weight(y, a, weight, *ctx.where) if wanted[1] else None,
            None,
            None,
            None,
        )
