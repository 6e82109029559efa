"""What is expected of numbers where the conditions are given: their mean and width as smooth functions of them.

The energy in a cell of a calorimeter spans seven orders of magnitude with the incident energy, and fluctuates by a few
per cent once that is given. A game that is played on standardised numbers (x - m(c)) / s(c) sees the fluctuation.
"""

import torch
from torch import Tensor, nn

DEGREE = 4
ROUNDS = 15
CONVERGED = 1e-6  # a step of ln E[x]
SAMPLE = 20_000
NUMBERS = 8_000_000  # events times columns, of what is only seen


class Given(nn.Module):
    """m(c) and s(c) of K columns: polynomials in each of C conditions, with the products of two conditions.

    Fitted as a normal distribution by maximum likelihood (Fisher scoring), m is the least-squares fit for widths s.
    """

    mean: Tensor
    log_width: Tensor

    def __init__(self, conditions: int, columns: int) -> None:
        super().__init__()
        terms = 1 + DEGREE * conditions + conditions * (conditions - 1) // 2
        self.register_buffer("mean", torch.zeros(terms, columns))
        self.register_buffer("log_width", torch.zeros(terms, columns))

    @torch.no_grad()
    def fit(
        self, values: Tensor, c: Tensor | None, present: Tensor | None = None, floor: float = 1e-3
    ) -> Tensor:
        """Learn from values (N, K) and standardised conditions (N, C); returns the smallest width of each, (K,).

        Args:
            values: What is to be expected.
            c: Standardised conditions, or None.
            present: Which values count, shape (N, K); all of them where None.
            floor: The smallest width, as a fraction of the width over all conditions.
        """
        values = values[:SAMPLE].double()
        basis = terms(c[:SAMPLE].double() if c is not None else None, values)
        weight = torch.ones_like(values) if present is None else present[:SAMPLE].double()
        total = weight.sum(0).clamp_min(1)
        centre = (weight * values).sum(0) / total
        spread = ((weight * (values - centre) ** 2).sum(0) / total).sqrt().clamp_min(1e-6)
        mean, log_width = torch.zeros_like(self.mean).double(), torch.zeros_like(self.mean).double()
        mean[0], log_width[0] = centre, spread.log()
        for _ in range(ROUNDS):
            width = (basis @ log_width).exp().clamp_min(floor * spread)
            mean = _solve(basis, weight / width**2, values)
            ratio = ((values - basis @ mean) / width).square().clamp_max(9.0)
            log_width = log_width + 0.5 * _solve(basis, weight, ratio - 1)
        self.mean.copy_(mean)
        self.log_width.copy_(log_width)
        return floor * spread.float()

    def forward(self, c: Tensor | None, like: Tensor) -> tuple[Tensor, Tensor]:
        """m(c) and s(c), each of shape (N, K)."""
        return self.at(terms(c, like))

    def at(self, basis: Tensor) -> tuple[Tensor, Tensor]:
        """m(c) and s(c) of the terms of c (N, terms), each of shape (N, K)."""
        return basis @ self.mean, (basis @ self.log_width).exp()


class Expected(nn.Module):
    """Observables as the discriminator sees them: asinh((x - m(c)) / s(c)), with what is expected of the data.

    Args:
        examples: Observables of real events, shape (N, K).
        c: Their standardised conditions, shape (N, C), or None.
        floor: The smallest s(c), as a fraction of the width over all conditions.
    """

    floor: Tensor

    def __init__(self, examples: Tensor, c: Tensor | None, floor: float = 0.05) -> None:
        super().__init__()
        self.given = Given(0 if c is None else c.shape[1], examples.shape[1])
        examples = examples[: max(NUMBERS // examples.shape[1], 1_000)]
        least = self.given.fit(examples, None if c is None else c[: len(examples)], floor=floor)
        self.register_buffer("floor", least)

    def forward(self, x: Tensor, c: Tensor | None) -> Tensor:
        """From (N, K) and (N, C) to (N, K)."""
        mean, width = self.given(c, x)
        return torch.asinh((x - mean) / width.clamp_min(self.floor))


@torch.no_grad()
def log_linear(values: Tensor, c: Tensor | None, present: Tensor, rounds: int = 12) -> Tensor:
    """Coefficients (terms, K) of ln E[values | c], for values (N, K) of 0 and more, by the Poisson score equations.

    They are unbiased for any positive values, whatever their variance (Gourieroux, Monfort and Trognon 1984). Newton's
    steps begin from the values themselves (McCullagh and Nelder 1989, section 2.5): from a constant they go astray.
    """
    values, present = values[:SAMPLE].double(), present[:SAMPLE].double()
    basis = terms(c[:SAMPLE].double() if c is not None else None, values)
    usual = ((present * values).sum(0) / present.sum(0).clamp_min(1)).clamp_min(1e-9)
    start = (values + usual) / 2
    found = _solve(basis, present * start, start.log() + values / start - 1)
    moving = torch.arange(values.shape[1])
    for _ in range(rounds):
        expected = (basis @ found[:, moving]).clamp(-30, 30).exp()
        step = _solve(basis, present * expected, values / expected - 1)
        found[:, moving] += step.clamp(-1, 1)
        still = step.abs().amax(0) > CONVERGED
        if not still.any():
            break
        moving, values, present = moving[still], values[:, still], present[:, still]
    return found.float()


def terms(c: Tensor | None, like: Tensor) -> Tensor:
    """1, the powers of each condition, and the products of two conditions: shape (N, terms)."""
    if c is None:
        return torch.ones_like(like[:, :1])
    columns = c.unbind(1)
    parts = [torch.ones_like(columns[0])]
    for i, column in enumerate(columns):
        parts += [column**power for power in range(1, DEGREE + 1)]
        parts += [column * other for other in columns[:i]]
    return torch.stack(parts, 1)


def _solve(basis: Tensor, weight: Tensor, values: Tensor) -> Tensor:
    """The weighted least-squares coefficients (terms, K) of values (N, K) with weights (N, K)."""
    products = (basis[:, :, None] * basis[:, None, :]).flatten(1)
    normal = (weight.T @ products).reshape(-1, basis.shape[1], basis.shape[1])
    ridge = 1e-9 * normal.diagonal(dim1=1, dim2=2).amax(1)[:, None, None]
    normal = normal + ridge * torch.eye(basis.shape[1], dtype=basis.dtype)
    right = (weight * values).T @ basis
    found: Tensor = torch.linalg.solve(normal, right).T
    return found
