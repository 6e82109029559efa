"""How a number changes over a training."""

import math
from collections.abc import Callable

Span = tuple[float, float]


def cosine(span: Span, progress: float) -> float:
    """A half cosine from span[0] at progress 0 to span[1] at progress 1."""
    start, end = span
    return end + (start - end) * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0))) / 2


def geometric(span: Span, progress: float) -> float:
    """A half cosine of the logarithm, which falls by equal factors; of the number itself where an end is 0."""
    if min(span) <= 0:
        return cosine(span, progress)
    return math.exp(cosine((math.log(span[0]), math.log(span[1])), progress))


SCHEDULES: dict[str, Callable[[Span, float], float]] = {"geometric": geometric, "cosine": cosine}
