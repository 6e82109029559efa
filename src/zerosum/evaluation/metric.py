"""One number that says how far two samples are apart: what every distance and quoted metric returns."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """A distance, or another number that papers quote.

    Attributes:
        name: Which.
        value: The number; in the column's unit for a Wasserstein distance of one column.
        error: Its standard error; as published, whatever was published as its error.
        null: What the reference against itself gives at this size, in expectation; None where it is not known.
        p_value: Of "both samples have one distribution"; None as published, which has none.
        n: Events of the reference and of the generated sample that went in.
    """

    name: str
    value: float
    error: float
    null: float | None
    p_value: float | None
    n: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.name} = {self.value:.4g} ± {self.error:.2g}"
