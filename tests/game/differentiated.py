"""A discriminator's own input gradient beside that of autograd."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from zerosum.game.penalties import with_gradient


class Hidden(nn.Module):
    """A discriminator that does not tell its input gradient."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor, c: Tensor | None) -> Tensor:
        return self.inner(x, c)


def assert_as_autograd(
    critic: nn.Module, x: Tensor, c: Tensor | None, cost: Callable[[Tensor, Tensor], Tensor]
) -> None:
    """Equal logits, input gradient, and gradient of the cost by all parameters, and by x where it wants one."""
    results = []
    for network in (critic, Hidden(critic)):
        logits, gradient = with_gradient(network, x, c)
        loss = cost(logits, gradient)
        wanted = [*critic.parameters(), *([x] if x.requires_grad else [])]
        by_all = torch.autograd.grad(loss, wanted, allow_unused=True, materialize_grads=True)
        results.append([logits, gradient, *by_all])
    for mine, autograd in zip(*results, strict=True):
        torch.testing.assert_close(mine, autograd, rtol=1e-10, atol=1e-12)
