"""One normal distribution with full covariance, by maximum likelihood in closed form.

Given conditions c, its mean is linear in them: x = W c + b + L z, with z ~ N(0, 1). The maximum of the likelihood is
the weighted least-squares solution for (W, b) and the covariance of what it leaves (divided by N, not N - 1).
"""

import math

import torch
from torch import Tensor

from zerosum.errors import InputError
from zerosum.likelihood.player import LikelihoodModel

LN_2PI = math.log(2 * math.pi)


class Gaussian(LikelihoodModel):
    """N(W c + b, L Lᵀ) in F dimensions; nothing is left to learn after `initialise`.

    Args:
        shape: The shape of one standardised event.
        conditions: How many numbers are given with each event.
    """

    slope: Tensor
    mean: Tensor
    root: Tensor

    def __init__(self, shape: tuple[int, ...], conditions: int) -> None:
        super().__init__()
        self.shape = shape
        features = math.prod(shape)
        self.register_buffer("slope", torch.zeros(features, conditions))
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("root", torch.eye(features))

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """From (N, F) and (N, K) to (N, *shape)."""
        return (self._centre(c) + z @ self.root.T).view(-1, *self.shape)

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """The density, ln p_g(x | c), shape (N,)."""
        rest = x.flatten(1) - self._centre(c)
        z = torch.linalg.solve_triangular(self.root, rest.T, upper=False)
        volume = self.root.diagonal().log().sum() + 0.5 * len(z) * LN_2PI
        density: Tensor = -0.5 * (z**2).sum(0) - volume
        return density

    def initialise(self, x: Tensor, c: Tensor | None, weights: Tensor | None, seed: int) -> None:
        """The maximum of the likelihood."""
        del seed
        events = x.flatten(1).double()
        share = torch.ones(len(x), 1, device=x.device) if weights is None else weights[:, None]
        share = (share / share.sum()).double()
        given = [] if c is None else [c.double()]
        inputs = torch.cat([torch.ones_like(share), *given], dim=1)
        solution = torch.linalg.lstsq(inputs * share.sqrt(), events * share.sqrt()).solution
        rest = events - inputs @ solution
        root, failed = torch.linalg.cholesky_ex(rest.T @ (rest * share))
        if failed or root.diagonal().min() < 1e-6 * root.diagonal().max():
            raise InputError(
                "a feature is a linear function of the others, so the Gaussian's likelihood has no maximum; "
                "leave that feature out with --columns."
            )
        self.mean.copy_(solution[0])
        self.slope.copy_(solution[1:].T)
        self.root.copy_(root)

    def _centre(self, c: Tensor | None) -> Tensor:
        return self.mean if c is None else self.mean + c @ self.slope.T
