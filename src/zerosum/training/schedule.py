"""How a number changes over a training."""

import math


def cosine(span: tuple[float, float], progress: float) -> float:
    """A half cosine from span[0] at progress 0 to span[1] at progress 1."""
    start, end = span
    return end + (start - end) * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0))) / 2
