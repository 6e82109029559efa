"""A number with its error: what every measurement here returns."""

import math
from dataclasses import dataclass

from zerosum.data.notebook import table

LN2 = math.log(2)  # the largest value of D_JS, in nats
EQUILIBRIUM = -math.log(4)  # the value of the game where p_g = p_data, in nats


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its error.

    Attributes:
        value: The number, in nats for divergences and entropies; may be inf.
        error: One standard error (samples), or a bound on the numerical error (quadrature); 0 for closed forms.
        n: How many events went in; 0 where none did.
        method: How it was found, such as "closed form", "quadrature", "monte carlo" or "nearest neighbours".

    Examples:
        >>> print(Estimate(0.125, 0.002, 1000, "nearest neighbours"))
        0.125 ± 0.002 (nearest neighbours)
    """

    value: float
    error: float
    n: int
    method: str

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return f"{self.value:.6g} ± {self.error:.2g} ({self.method})"

    def _repr_html_(self) -> str:
        """For notebooks."""
        cells = [("error", f"{self.error:.2g}"), ("events", f"{self.n:,}"), ("method", self.method)]
        return table(f"{self.value:.6g} ± {self.error:.2g}", (), cells)


def floored(limit: float) -> str:
    """A positive lower limit to four digits, never rounded up: what is printed still holds.

    Examples:
        >>> floored(0.123456), floored(0.00019999)
        ('0.1234', '0.0001999')
    """
    unit = 10.0 ** (math.floor(math.log10(limit)) - 3)
    return f"{(limit // unit) * unit:.4g}"
