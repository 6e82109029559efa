"""Power: the smallest standard distortions that samples of this size would have caught.

There is no upper limit for a divergence without assumptions, so a comparison that finds nothing says how large a
distortion would have had to be. Half of the reference is distorted and compared with the other half by quick critics;
from the held-out terms Z follows the lower limit to be expected at the full size (capital.py), and it is above 0 with
90 % probability where it exceeds 1.28 standard errors. The full ladder sees at least as much with more events.

    shift   x -> x + s sigma                            scale   x -> median + (1 + s)(x - median)
    hole    a fraction s around the median is missing   tail    the fraction s with the largest x is missing
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from scipy import stats

from zerosum.data.events import Events, FloatArray
from zerosum.errors import InputError
from zerosum.evaluation.capital import foreseen
from zerosum.evaluation.clipped import choose_clip, terms
from zerosum.evaluation.critics import Critic, Polynomial, Trees, fit_panel
from zerosum.evaluation.variational import DIVERGENCES

PROBABILITY = 0.9
MOST = 20_000  # reference events that are used: the critics need no more, the answer is for the full size
STRENGTHS = np.geomspace(0.005, 0.64, 15)
QUICK: tuple[Critic, ...] = (Polynomial("quadratic", 2), Trees("small trees", 8, 60))
LEAST_EVENTS = 400


@dataclass(frozen=True, slots=True)
class Detectable:
    """The smallest strength of one distortion that would be caught.

    Attributes:
        distortion: "shift", "scale", "hole" or "tail".
        feature: The feature that is distorted.
        strength: In standard deviations (shift), relative (scale), or as a fraction of the events (hole, tail);
            inf where not even the largest that was tried would be caught.
        probability: With which probability it would be caught, at least.
    """

    distortion: str
    feature: str
    strength: float
    probability: float = PROBABILITY

    def __str__(self) -> str:
        unit = " standard deviations" if self.distortion == "shift" else ""
        if not np.isfinite(self.strength):
            return f"no {self.distortion} of {self.feature} up to {STRENGTHS[-1]:.2g}{unit}"
        strength = f"{self.strength:.2g}{unit}" if unit else f"{self.strength:.1%}"
        return f"a {self.distortion} of {self.feature} by {strength}"

    def to_json(self) -> dict[str, Any]:
        """Plain numbers and strings; None for a strength that is not caught."""
        strength = self.strength if np.isfinite(self.strength) else None
        return {
            "distortion": self.distortion,
            "feature": self.feature,
            "strength": strength,
            "probability": self.probability,
        }


def _changed(events: Events, feature: str, change: Callable[[FloatArray], FloatArray]) -> Events:
    """The events with one feature changed, in tables, channels and points alike."""
    values = events.values.copy()
    part = np.moveaxis(values, 1 if events.kind == "grid" else -1, 0)
    part[events.names.index(feature)] = change(part[events.names.index(feature)])
    return replace(events, values=values)


def _score(events: Events, feature: str) -> FloatArray:
    """One number for each event: the feature, its mean over a grid, or its sum over the points."""
    axis = 1 if events.kind == "grid" else -1
    part = np.take(events.values, events.names.index(feature), axis=axis)
    if events.kind == "cloud":
        return np.where(np.asarray(events.mask), part, 0).sum(1)  # type: ignore[no-any-return]
    return part.reshape(len(part), -1).mean(1)  # type: ignore[no-any-return]


def _shift(events: Events, feature: str, strength: float) -> Events:
    return _changed(events, feature, lambda x: x + strength * np.nanstd(x))


def _scale(events: Events, feature: str, strength: float) -> Events:
    return _changed(events, feature, lambda x: np.nanmedian(x) + (1 + strength) * (x - np.nanmedian(x)))


def _hole(events: Events, feature: str, strength: float) -> Events:
    rank = stats.rankdata(_score(events, feature)) / len(events)
    return events.take(np.abs(rank - 0.5) > strength / 2)


def _tail(events: Events, feature: str, strength: float) -> Events:
    return events.take(stats.rankdata(_score(events, feature)) / len(events) <= 1 - strength)


DISTORTIONS = {"shift": _shift, "scale": _scale, "hole": _hole, "tail": _tail}


def power(
    reference: Events,
    n_generated: int,
    *,
    feature: str | None = None,
    confidence: float = 0.95,
    seed: int = 0,
    distortions: Sequence[str] = tuple(DISTORTIONS),
) -> tuple[Detectable, ...]:
    """The smallest shift, scale, hole and tail cut of one feature that a comparison of this size would catch.

    Args:
        reference: The reference events of the comparison.
        n_generated: How many generated events it has.
        feature: The feature to distort; the first by default.
        confidence: Level of the lower limit that has to be above 0.
        seed: Seeds the split and the critics.
        distortions: Which of the four.
    """
    if len(reference) < LEAST_EVENTS:
        raise InputError(
            f"the reference has {len(reference)} events; the power study needs at least {LEAST_EVENTS}."
        )
    feature = reference.names[0] if feature is None else feature
    reference.select([feature])
    used = reference.take(np.random.default_rng((7, seed)).permutation(len(reference))[:MOST])
    size, alpha = min(len(reference), n_generated) // 2, (1 - confidence) / 2

    def caught(name: str, strength: float) -> bool:
        plain, other = used.take(slice(0, None, 2)), used.take(slice(1, None, 2))
        distorted = DISTORTIONS[name](other, feature, strength)
        return _margin(plain, distorted, size, alpha, seed) > 0

    return tuple(Detectable(name, feature, _smallest(partial(caught, name))) for name in distortions)


def _margin(plain: Events, distorted: Events, size: int, alpha: float, seed: int) -> float:
    """The limit that `size` certifying pairs exceed with 90 % probability."""
    rule = DIVERGENCES["jensen_shannon"]
    parts = [
        np.split(np.arange(len(one)), [int(0.4 * len(one)), len(one) // 2]) for one in (plain, distorted)
    ]
    (fit, tune, held) = ((plain.take(a), distorted.take(b)) for a, b in zip(*parts, strict=True))
    panel = fit_panel(QUICK, fit, tune, seed=seed)
    tuning, judged = ((panel.logits(a)[-1], panel.logits(b)[-1]) for a, b in (tune, held))
    clip = choose_clip(rule, tuning, size, alpha)
    z = terms(rule, judged, clip)
    spread = stats.norm.ppf(PROBABILITY) * z.std() / np.sqrt(size)
    return foreseen(z, *rule.bounds(clip), size, alpha / 2) - float(spread)


def _smallest(caught: Callable[[float], bool]) -> float:
    """The smallest strength that is caught, by bisection over `STRENGTHS`."""
    low, high = -1, len(STRENGTHS)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if caught(STRENGTHS[middle]) else (middle, high)
    return float(STRENGTHS[high]) if high < len(STRENGTHS) else np.inf
