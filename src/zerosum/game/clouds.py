"""Networks for point clouds: the points of an event are a set, so no network may depend on their order.

An event in the game is a matrix (C, M) of C numbers for each of M places; the first number says whether there is a
point (1 or 0), and where there is none all others are 0. Each block lets every point see a summary of all points,

    g <- g + act(A [mean_i h_i, sum_i h_i / M, g]),    h_i <- h_i + act(B h_i + C g),

as in the equivariant layers of Buhmann, Kasieczka and Thaler, SciPost Phys. 15 (2023) 130, arXiv:2301.08128, which need
time proportional to M; sets as sums: Zaheer et al. 2017, arXiv:1703.06114, theorem 2.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from zerosum.game.layers import SLOPE, mlp

POINT_LATENT = 4  # latents of each point; all others belong to the event


def _act(x: Tensor) -> Tensor:
    return functional.leaky_relu(x, SLOPE, inplace=True)


class Block(nn.Module):
    """One exchange between the points and a summary of the event.

    Args:
        width: Numbers of a point and of the summary.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.up = nn.Linear(3 * width, width)
        self.point = nn.Linear(width, width)
        self.down = nn.Linear(width, width, bias=False)

    def forward(self, h: Tensor, g: Tensor, exists: Tensor) -> tuple[Tensor, Tensor]:
        """Points (N, M, W), the summary (N, W) and which points exist (N, M, 1), to new points and summary."""
        g = g + _act(self.up(torch.cat([*pooled(h, exists), g], 1)))
        h = (h + _act(self.point(h) + self.down(g).unsqueeze(1))) * exists
        return h, g


def pooled(h: Tensor, exists: Tensor) -> tuple[Tensor, Tensor]:
    """The mean over the points that exist, and their sum over the number of places; h is 0 elsewhere."""
    total = h.sum(1)
    return total / exists.sum(1).clamp_min(1.0), total / h.shape[1]


def existing(share: Tensor, places: int) -> Tensor:
    """The first n = share · M places are points, the others are not: (N,) to (N, M), 1 and 0."""
    n = (share * places).round().unsqueeze(1)
    return (torch.arange(places, device=share.device) < n).to(share.dtype)


class CloudGenerator(nn.Module):
    """From latents of the event and of each point to points.

    The first of the conditions is the share n / M of the places in use: a sum that is drawn (sums.py).
    """

    def __init__(self, latent: int, conditions: int, shape: tuple[int, ...], width: int, depth: int) -> None:
        super().__init__()
        channels, self.places = shape
        self.own = self.places * POINT_LATENT
        self.begin = nn.Linear(latent - self.own + conditions, width)
        self.lift = nn.Linear(POINT_LATENT, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.last = nn.Linear(width, channels - 1)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        """From (N, L) and (N, K) to (N, C, M)."""
        exists = existing(c[:, 0], self.places).unsqueeze(2)
        own = z[:, : self.own].reshape(-1, self.places, POINT_LATENT)
        g = _act(self.begin(torch.cat([z[:, self.own :], c], 1)))
        h = _act(self.lift(own)) * exists
        for block in self.blocks:
            h, g = block(h, g, exists)
        return torch.cat([exists, self.last(h) * exists], 2).transpose(1, 2)


class CloudDiscriminator(nn.Module):
    """From points, in any order, observables and conditions to a logit.

    Args:
        shape: (C, M).
        conditions: K.
        width: Numbers of a point and of the summary.
        depth: Blocks.
        beside: S, how many observables stand behind the points, which are then one row; none where 0.
    """

    def __init__(
        self, shape: tuple[int, ...], conditions: int, width: int, depth: int, *, beside: int = 0
    ) -> None:
        super().__init__()
        self.shape = shape
        conditions += beside
        self.lift = nn.Linear(shape[0], width)
        self.begin = nn.Linear(2 * width + conditions, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.last = mlp(3 * width + conditions, 1, width, 1)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """From (N, C, M), or (N, C M + S) with observables, and (N, K) to (N,)."""
        numbers = math.prod(self.shape)
        rows = x.flatten(1)
        points = rows[:, :numbers].view(-1, *self.shape).transpose(1, 2)
        exists = points[..., :1].detach()
        given = (rows[:, numbers:],) if c is None else (rows[:, numbers:], c)
        h = _act(self.lift(points)) * exists
        g = _act(self.begin(torch.cat([*pooled(h, exists), *given], 1)))
        for block in self.blocks:
            h, g = block(h, g, exists)
        return self.last(torch.cat([*pooled(h, exists), g, *given], 1)).squeeze(1)  # type: ignore[no-any-return]
