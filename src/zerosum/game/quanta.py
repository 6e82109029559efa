r"""Quanta of energy in the cells of a calorimeter: how many, of what size, and how many are to be expected.

A cell has n ~ Poisson(lambda) of them, and the sum of their sizes is gamma distributed. Both are drawn by their
quantile functions from normal numbers, so that a generator's latents stay normal and gradients pass.
"""

import torch
from torch import Tensor
from torch.nn import functional

from zerosum.game.given import log_linear, terms

FEW = 1.5  # quanta up to which counts are exact
SMALLEST = 0.02  # cube root of the least size of a cell's quanta, over the mean
ROUNDS = 10


def poisson(rate: Tensor, normal: Tensor, quantile: Tensor) -> Tensor:
    """Poisson counts at the quantiles Phi(normal): exact up to a rate of `FEW`, then Cornish and Fisher's expansion."""
    term = torch.exp(-rate)
    reached, few = term, above(quantile, term)
    for k in range(1, 4):
        term = term * rate * (1 / k)
        reached = reached + term
        few = few + above(quantile, reached)
    many = torch.addcmul(rate, rate.sqrt(), normal) + normal.square() * (1 / 6) + (1 / 2 - 1 / 6)
    return few + above(rate, FEW) * (many.floor().clamp_min(0) - few)


def gamma(width: Tensor, normal: Tensor) -> Tensor:
    """Gamma variables with mean 1 and this relative width at the quantiles Phi(normal), by a cube of normal variables.

    Wilson and Hilferty 1931, PNAS 17, 684: within 1 % of the median and 2 % of the 90 % quantile at a width of 1. At
    larger ones small values come out smaller still, which a threshold empties in either case.
    """
    third = width * (1 / 3)
    root = torch.addcmul(1 - third.square(), third, normal).clamp_min(SMALLEST)
    return root * root.square()


def above(x: Tensor, y: Tensor | float) -> Tensor:
    """1 where x > y, else 0, as numbers: on a CPU in less time than a comparison and its conversion."""
    return (x - y).sign().clamp_min(0)


def expected_rates(energy: Tensor, more: Tensor, belongs: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor]:
    """Ln lambda_i(c) = ln p_i + ln n_l + a_l m_l: a cell's mean share of its layer, and as many quanta as fill cells.

    Of n quanta, sum_i (1 - exp(-n p_i)) cells are filled on average. n_l(c) and a_l are raised or lowered until this is
    the number that is seen, and varies with the layer's energy as it is seen to (Newton's steps of a_l). They start
    where shares scatter as they do, sum (p_i' - p_i)² = (1 - sum p_i²) / n.

    Args:
        energy: Of each cell, (N, cells).
        more: m_l, ln of each layer's energy over the usual one at c, (N, layers).
        belongs: Which layer each cell is in, (layers, cells) of 0 and 1.
        c: Standardised conditions (N, K), or None.

    Returns:
        Coefficients (terms, cells) of ln p_i + ln n_l, and a_l, (layers,).
    """
    layers, filled = energy @ belongs.T, (energy > 0).double() @ belongs.T
    basis = terms(None if c is None else c.double(), layers)
    hit = layers > 0
    shares = energy / (layers @ belongs).clamp_min(1e-30)
    mean = log_linear(shares, c, hit.double() @ belongs).double()
    expected = (basis @ mean).exp()
    scatter = ((shares - expected) ** 2 @ belongs.T) / (1 - expected**2 @ belongs.T).clamp_min(1e-3)
    quanta = -log_linear(scatter, c, hit).double()
    follows = torch.full_like(more[0], 0.5)
    more, number = torch.where(hit, more, 0.0), log_linear(filled, c, hit)
    for _ in range(ROUNDS):
        rate = ((basis @ quanta + follows * more).exp() @ belongs) * expected
        filling = -torch.expm1(-rate)
        found = filling @ belongs.T
        slope = (more.square() * ((rate * (1 - filling)) @ belongs.T)).sum(0).clamp_min(1e-9)
        follows = (follows + (more * (filled - found) * hit).sum(0) / slope).clamp(0.0, 1.5)
        quanta = quanta + 1.5 * (number - log_linear(found, c, hit))
    return mean + quanta @ belongs, follows


def scatter_of_logs(energy: Tensor, belongs: Tensor) -> Tensor:
    """Variance of ln E among the filled cells of a layer, the mean over events with two or more; nan without any."""
    filled = energy > 0
    logs = torch.where(filled, energy.clamp_min(1e-30).log(), 0.0)
    count, first, second = (functional.linear(one, belongs) for one in (filled.to(logs.dtype), logs, logs**2))
    variance = second / count.clamp_min(1) - (first / count.clamp_min(1)) ** 2
    several = count >= 2
    return torch.where(several, variance, 0.0).sum(0) / several.sum(0)
