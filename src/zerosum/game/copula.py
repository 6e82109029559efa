r"""A Gaussian copula: columns with any distribution each, that rise and fall together.

With Phi the normal distribution function and F_k that of column k, u_k = Phi^{-1}(F_k(x_k)) is standard normal; the
copula takes the vector u as jointly normal with the correlations it is seen to have (Sklar 1959; Liu, Lafferty and
Wasserman 2009, JMLR 10, 2295). Drawing goes the other way: u = R z with R R^T the correlations and z standard normal,
then x_k = F_k^{-1}(Phi(u_k)), here a broken line through quantiles. Each F_k is exact up to the line; what the columns
know of one another beyond correlations is left to a network, which shifts u.

Further columns g are only seen as yes or no, g > 0 or not. Of such a one the score s = E[g | yes or no] is known, and
E[s u] = rho E[s²] gives its correlation rho with u (the biserial one, Pearson 1909, Biometrika 7, 96).
"""

import torch
from torch import Tensor, nn

KNOTS = 25
REACH = 3.0  # the outermost knots, in standard deviations; straight lines go on from there
MOST = 0.98  # correlation
TOLD = 0.05  # least E[s²]; at 1 % of the one or the other answer it is 0.07
LEAST = 1e-3  # smallest slope of a quantile function, and eigenvalue of the correlations


class Copula(nn.Module):
    """Columns' quantile functions and their correlations; before `fit`, independent standard normal numbers.

    Args:
        columns: How many, K.
        hidden: Further columns that are seen as yes or no, G.
    """

    root: Tensor
    start: Tensor
    bends: Tensor

    def __init__(self, columns: int, hidden: int = 0) -> None:
        super().__init__()
        self.register_buffer("root", torch.eye(columns + hidden))
        self.register_buffer("start", torch.full((columns,), -REACH))
        bends = torch.zeros(KNOTS - 1, columns)
        bends[0] = 1.0
        self.register_buffer("bends", bends)

    @property
    def knots(self) -> Tensor:
        """Where the broken lines may bend, in u, shape (knots,)."""
        return torch.linspace(-REACH, REACH, KNOTS, dtype=self.start.dtype, device=self.start.device)

    @torch.no_grad()
    def fit(self, values: Tensor, present: Tensor, scores: Tensor | None = None) -> None:
        """Learn from values (N, K), of which those count that are present (N, K), and hidden columns' scores (N, G)."""
        levels = torch.special.ndtr(self.knots.double())
        u = torch.zeros_like(values)
        for k in range(values.shape[1]):
            there = present[:, k] > 0
            column = values[there, k]
            if len(column) < KNOTS:
                continue
            quantiles = torch.quantile(column, levels)
            slopes = (quantiles.diff() / self.knots.diff().double()).clamp_min(LEAST)
            self.start[k] = quantiles[0]
            self.bends[:, k] = torch.cat([slopes[:1], slopes.diff()])
            ranks = column.argsort().argsort().to(values.dtype)
            u[there, k] = torch.special.ndtri((ranks + 0.5) / len(column))
        if scores is not None:
            u, present = torch.cat([u, scores], 1), torch.cat([present, torch.ones_like(scores) > 0], 1)
        self.root.copy_(_root(_correlations(u, present.to(values.dtype), values.shape[1])))

    def mixed(self, z: Tensor) -> Tensor:
        """Correlated normal numbers (u, g) from independent ones z, both (N, K + G)."""
        return z @ self.root.T

    def forward(self, u: Tensor) -> Tensor:
        """The values x at the normal numbers u, both (N, K)."""
        steps = u.unsqueeze(1) - self.knots[:-1, None]
        beyond = torch.cat([steps[:, :1], steps[:, 1:].clamp_min(0)], 1)
        return self.start + (beyond * self.bends).sum(1)


def _correlations(u: Tensor, present: Tensor, columns: int) -> Tensor:
    """Of columns u, and of hidden ones behind them by their scores; each pair where both are present."""
    together = (u.T @ u) / (present.T @ present).clamp_min(1)
    told = together.diagonal().clone()  # E[s²], how much the score tells of g
    told[:columns] = 1.0
    known = torch.where(told > TOLD, told, torch.inf)  # of what is hardly ever no, or yes, nothing is known
    found = together / (known[:, None] * known)
    return found.clamp(-MOST, MOST).fill_diagonal_(1.0)


def _root(correlations: Tensor) -> Tensor:
    """R with R R^T = the correlations; pairs seen in different events may ask for a little less than is possible."""
    values, vectors = torch.linalg.eigh(correlations)
    possible = vectors @ torch.diag(values.clamp_min(LEAST)) @ vectors.T
    scale = possible.diagonal().rsqrt()
    root: Tensor = torch.linalg.cholesky(possible * scale[:, None] * scale)
    return root
