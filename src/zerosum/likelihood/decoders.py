"""What the numbers of a VAE's decoder mean: the density p(x | z) of an event, and how to draw from it.

To add one, write a class and its line in `decoder_of`.
"""

import math
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

from zerosum.data.discrete import CELL
from zerosum.game.blueprint import Blueprint
from zerosum.likelihood.gaussian import LN_2PI

LIMIT = 5.0  # the logarithms of all standard deviations lie within +-LIMIT: no density diverges
EDGE = 1e-6  # of a uniform number that becomes a logistic one


class Decoder(Protocol):
    """What the decoder's numbers mean."""

    counts: bool
    outputs: int  # numbers for each number of the event

    def log_prob(self, x: Tensor, y: Tensor) -> Tensor:
        """The density, ln p(x | z), shape (N,), from events (N, *shape) and the network's (N, outputs x C, ...)."""

    def draw(self, y: Tensor, noise: Tensor) -> Tensor:
        """An event (N, *shape) from the decoder's output and normal numbers of the event's shape."""


class NormalDecoder:
    """Each number of the event is normal, with a mean and a standard deviation that the decoder gives."""

    counts, outputs = False, 2

    def log_prob(self, x: Tensor, y: Tensor) -> Tensor:
        """The density, ln p(x | z), shape (N,)."""
        mean, log_scale = halves(y)
        return normal_log_prob(x, mean, log_scale)

    def draw(self, y: Tensor, noise: Tensor) -> Tensor:
        """Mean + standard deviation x noise."""
        mean, log_scale = halves(y)
        return mean + log_scale.exp() * noise


class FixedDecoder:
    """Each number of the event is normal, with a mean that the decoder gives and one fixed standard deviation.

    Args:
        scale: The standard deviation, in standardised units.
    """

    counts, outputs = False, 1

    def __init__(self, scale: float = 1.0) -> None:
        self.log_scale = torch.tensor(math.log(scale))

    def log_prob(self, x: Tensor, y: Tensor) -> Tensor:
        """The density, ln p(x | z), shape (N,)."""
        return normal_log_prob(x, y, self.log_scale.to(y))

    def draw(self, y: Tensor, noise: Tensor) -> Tensor:
        """Mean + standard deviation x noise."""
        return y + self.log_scale.to(y).exp() * noise


class LevelsDecoder:
    """Each number of the event is one of a few levels, each spread evenly over the part of its cell that is filled.

    A level has the probability that a logistic variable, whose mean and scale the decoder gives, falls into its cell;
    the outermost cells reach to infinity (Salimans et al. 2017, arXiv:1701.05517, eq. 2). Divided by the width of what
    de-quantised numbers fill (data/discrete.py) that is their density, so it can be compared with any other.

    Args:
        low: The lower edge of the lowest cell, in standardised units.
        high: The upper edge of the highest cell.
        levels: How many cells there are.
    """

    counts, outputs = False, 2

    def __init__(self, low: float, high: float, levels: int) -> None:
        self.low, self.width, self.levels = low, (high - low) / levels, levels

    def log_prob(self, x: Tensor, y: Tensor) -> Tensor:
        """The density, ln p(x | z), shape (N,)."""
        mean, log_scale = halves(y)
        level = ((x - self.low) / self.width).floor().clamp(0, self.levels - 1)
        thickness = self.width / log_scale.exp()  # of a cell, in units of the logistic's scale
        below = (self.low + level * self.width - mean) / log_scale.exp()
        ln_below, ln_above = logsigmoid(below + thickness), logsigmoid(-below)  # ln P(x < b) and ln P(x > a)
        ln_inside = ln_below + ln_above + torch.log(-torch.expm1(-thickness))
        ln_mass = torch.where(
            level == 0, ln_below, torch.where(level == self.levels - 1, ln_above, ln_inside)
        )
        return (ln_mass - math.log(CELL * self.width)).flatten(1).sum(1)

    def draw(self, y: Tensor, noise: Tensor) -> Tensor:
        """A logistic number, whose cell is the level."""
        mean, log_scale = halves(y)
        uniform = torch.special.ndtr(noise).clamp(EDGE, 1 - EDGE)
        drawn = mean + log_scale.exp() * (uniform.log() - (-uniform).log1p())
        inside: Tensor = drawn.clamp(self.low, self.low + self.levels * self.width)
        return inside


class BernoulliDecoder:
    """Each number of the event is one of two values; the decoder gives the logit of the upper one.

    Args:
        low: The lower value, in standardised units.
        high: The upper value.
    """

    counts, outputs = True, 1

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def log_prob(self, x: Tensor, y: Tensor) -> Tensor:
        """The probability, ln P(x | z), shape (N,); a value in between counts as its share of the upper one."""
        share = ((x - self.low) / (self.high - self.low)).clamp(0, 1)
        return -binary_cross_entropy_with_logits(y, share, reduction="none").flatten(1).sum(1)

    def draw(self, y: Tensor, noise: Tensor) -> Tensor:
        """The upper value with the decoder's probability."""
        upper = torch.special.ndtr(noise) < torch.sigmoid(y)
        return torch.where(upper, self.high, self.low).to(y.dtype)


def decoder_of(b: Blueprint) -> Decoder:
    """The decoder that serves a model's events."""
    (low, *_), (high, *_) = b.low or (None,), b.high or (None,)
    if b.shape[0] == 1 and low is not None and high is not None:
        return LevelsDecoder(low, high, b.levels) if b.levels else BernoulliDecoder(low, high)
    return FixedDecoder() if b.decoder == "fixed" else NormalDecoder()


def halves(y: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and ln(standard deviation), the latter bent smoothly into +-LIMIT."""
    mean, raw = y.chunk(2, dim=1)
    return mean, LIMIT * torch.tanh(raw / LIMIT)


def normal_log_prob(x: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    """The density, ln N(x; mean, scale²), summed over everything but the first axis."""
    return (-0.5 * ((x - mean) / log_scale.exp()) ** 2 - log_scale - 0.5 * LN_2PI).flatten(1).sum(1)
