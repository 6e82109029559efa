"""Divergences as a best bet: two functions of a critic's logit for each.

For convex f with f(1) = 0, and ANY function T of the event (Nguyen, Wainwright and Jordan 2010, with T = ln
r),

    D_f(p, q) = E_q f(p/q)  >=  E_p u(T) + E_q v(T),    u(T) = f'(e^T),    v(T) = f(e^T) - e^T f'(e^T),

with equality where T = ln p/q. u grows and v falls with T, so a logit clipped to [-B, B] gives bounded terms.
For Jensen-Shannon this is 1/2 E_p ln 2D + 1/2 E_q ln 2(1 - D) with D = sigmoid(T): the game's value (V + ln
4)/2. One row of `DIVERGENCES` is one divergence.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from zerosum.data.events import FloatArray
from zerosum.errors import InputError

Function = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True)
class Variational:
    """One divergence: what a reference event and what a generated event contribute.

    Attributes:
        name: The divergence's name.
        reference: u(T), averaged over p.
        generated: v(T), averaged over q.
        largest: The largest value that the divergence can take, inf where there is none.
    """

    name: str
    reference: Function
    generated: Function
    largest: float = np.inf

    def bounds(self, clip: float) -> tuple[float, float]:
        """The range of u(T(x)) + v(T(y)) for logits clipped to [-clip, clip]."""
        ends = np.array([-clip, clip])
        u, v = self.reference(ends), self.generated(ends)
        return float(u[0] + v[1]), float(u[1] + v[0])


def _log_two_sigmoid(t: FloatArray) -> FloatArray:
    """The logarithm of 2 sigmoid(t) without overflow."""
    return np.log(2) - np.logaddexp(0, -t)  # type: ignore[no-any-return]


DIVERGENCES = {
    row.name: row
    for row in (
        Variational(
            "jensen_shannon", lambda t: _log_two_sigmoid(t) / 2, lambda t: _log_two_sigmoid(-t) / 2, np.log(2)
        ),
        Variational("kl", lambda t: 1 + t, lambda t: -np.exp(t)),
        Variational("reverse_kl", lambda t: -np.exp(-t), lambda t: 1 - t),
        Variational("jeffreys", lambda t: 1 + t - np.exp(-t), lambda t: 1 - t - np.exp(t)),
        Variational("total_variation", lambda t: np.sign(t) / 2, lambda t: -np.sign(t) / 2, 1.0),
        Variational("hellinger", lambda t: (1 - np.exp(-t / 2)) / 2, lambda t: (1 - np.exp(t / 2)) / 2, 1.0),
        Variational("pearson", lambda t: 2 * np.expm1(t), lambda t: -np.expm1(2 * t)),
        Variational("neyman", lambda t: -np.expm1(-2 * t), lambda t: 2 * np.expm1(-t)),
    )
}


def divergence(name: str) -> Variational:
    """The divergence of this name, or a sentence that lists the names."""
    if name not in DIVERGENCES:
        raise InputError(
            f"there is no certificate for the divergence {name!r}; choose among {', '.join(DIVERGENCES)}."
        )
    return DIVERGENCES[name]
