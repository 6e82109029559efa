"""How a number changes over a training."""

import math


def cosine(span: tuple[float, float], progress: float) -> float:
    """A half cosine from span[0] at progress 0 to span[1] at progress 1."""
    start, end = span
    return end + (start - end) * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0))) / 2


def decay(span: tuple[float, float], progress: float) -> float:
    """A half cosine of the logarithm, which falls by equal factors; of the number itself where an end is 0."""
    start, end = span
    if min(span) <= 0:
        return cosine(span, progress)
    return math.exp(cosine((math.log(start), math.log(end)), progress))
