"""Divergences that are functions of an f-divergence: Renyi's, Bhattacharyya's, and the metric sqrt(D_JS).

Renyi           R_a(p || q) = ln(1 + a (a - 1) D_a) / (a - 1),   D_a of the alpha family
Bhattacharyya   B(p, q)     = -ln(1 - H^2)
JS distance     sqrt(D_JS), which obeys the triangle inequality (Endres and Schindelin 2003)
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from zerosum.errors import InputError
from zerosum.theory.estimate import Estimate
from zerosum.theory.fdivergences import HELLINGER, JENSEN_SHANNON, KL, FDivergence, alpha


@dataclass(frozen=True)
class Derived:
    """A function of a row of the table.

    Attributes:
        name: The name in code.
        symbol: The name in formulas.
        base: The f-divergence.
        of: The function of the base's value, increasing, 0 at 0.
        slope: Its derivative, for errors.
        reference: Where it is defined.
    """

    name: str
    symbol: str
    base: FDivergence
    of: Callable[[float], float]
    slope: Callable[[float], float]
    reference: str

    def from_base(self, base: Estimate) -> Estimate:
        """This divergence from an estimate of the base's, with the error carried through."""
        value = self.of(base.value)
        error = 0.0 if base.error == 0 else abs(self.slope(base.value)) * base.error
        return Estimate(value, error, base.n, base.method)


def renyi(a: float) -> Derived:
    """Renyi's divergence of order a > 0 (Renyi 1961); a = 1 is KL."""
    if not a > 0:
        raise InputError(f"Renyi's order is {a:g}; give a number above 0, where it is a divergence.")
    if a == 1:
        return Derived("renyi(1)", "R_1(p‖q)", KL, lambda value: value, lambda _: 1.0, "Renyi 1961")
    scale = a * (a - 1)
    return Derived(
        name=f"renyi({a:g})",
        symbol=f"R_{a:g}(p‖q)",
        base=alpha(a),
        of=lambda value: _log1p(scale * value) / (a - 1),
        slope=lambda value: a / (1 + scale * value) if scale * value > -1 else math.inf,
        reference="Renyi 1961; van Erven and Harremoes, arXiv:1206.2459",
    )


BHATTACHARYYA = Derived(
    name="bhattacharyya",
    symbol="B(p,q)",
    base=HELLINGER,
    of=lambda value: -_log1p(-value),
    slope=lambda value: 1 / (1 - value) if value < 1 else math.inf,
    reference="Bhattacharyya 1943",
)

JENSEN_SHANNON_DISTANCE = Derived(
    name="jensen_shannon_distance",
    symbol="√D_JS(p,q)",
    base=JENSEN_SHANNON,
    of=lambda value: math.sqrt(max(value, 0.0)),
    slope=lambda value: 0.5 / math.sqrt(value) if value > 0 else math.inf,
    reference="Endres and Schindelin, IEEE Trans. Inf. Theory 49 (2003) 1858",
)


def _log1p(x: float) -> float:
    """ln(1 + x), with its limit -inf at -1."""
    return math.log1p(x) if x > -1 else -math.inf
