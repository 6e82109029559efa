"""Adam for a player whose parameters lie in one vector, so that an update is one kernel."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

from zerosum.training.checkpoint import Tensors

EPSILON = 1e-8


class Adam:
    """Kingma and Ba 2014, arXiv:1412.6980, algorithm 1; with beta1 = 0, theta <- theta - rate g / (sqrt(v) + epsilon).

    Args:
        parameters: The player's parameters; they become views of one vector, `theta`.
        beta1: The decay of the mean gradient; a player's memory of it makes a game of two turn in circles.

    Attributes:
        rate: The learning rate.
        beta2: The decay of v, the mean square of the gradient.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], beta1: float = 0.0) -> None:
        self.rate, self.beta1, self.beta2 = 0.0, beta1, 0.99
        self.theta = one_vector(parameters)
        self.state: Tensors = {
            "mean": torch.zeros_like(self.theta),
            "mean_square": torch.zeros_like(self.theta),
            "step": torch.zeros((), device=self.theta.device),
        }

    @torch.no_grad()
    def update(self, gradients: Sequence[Tensor]) -> None:
        """One update, with the gradients by the parameters in their order."""
        if not gradients:  # a player in closed form has no parameters
            return
        adam(
            [self.theta],
            [torch.cat([gradient.reshape(-1) for gradient in gradients])],
            [self.state["mean"]],
            [self.state["mean_square"]],
            [],
            [self.state["step"]],
            foreach=False,
            fused=self.theta.device.type != "mps",
            amsgrad=False,
            beta1=self.beta1,
            beta2=self.beta2,
            lr=self.rate,
            weight_decay=0.0,
            eps=EPSILON,
            maximize=False,
        )


@torch.no_grad()
def one_vector(parameters: Iterable[nn.Parameter]) -> Tensor:
    """Lay parameters into one vector, of which they become views, and return it."""
    own = list(parameters)
    theta = torch.cat([parameter.reshape(-1) for parameter in own]) if own else torch.zeros(0)
    for parameter, part in zip(own, torch.split(theta, [p.numel() for p in own]), strict=True):
        parameter.data = part.view_as(parameter)
    return theta
