"""Numbers as texts: digits that the error allows, limits that still hold, and the reason where a number is absent."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from zerosum.theory.estimate import floored

ABSENT = "not measured"
REASONS = {
    "lower": "no finite-sample limit for weighted events",
    "null_floor": "needs at least 100 reference events",
    "wasserstein": "not defined for negative weights",
    "p_value": "no permutations were made",
}


def number(value: float | None) -> str:
    """Four digits with a true minus sign; nothing for None and NaN."""
    if value is None or value != value:
        return ""
    return ("∞" if value > 0 else "−∞") if not isfinite(value) else f"{value:.4g}".replace("-", "−")


def measured(value: float | None, error: float | None, *, percent: bool = False) -> str:
    """A value with its error, to the error's second digit; nothing for None and NaN."""
    if value is None or value != value:
        return ""
    scale, unit = (100.0, " %") if percent else (1.0, "")
    if not error or not isfinite(error) or not isfinite(value):
        return number(scale * value) + unit
    digits = min(max(1 - _exponent(scale * error), 0), 8)
    text = f"{scale * value:.{digits}f} ± {scale * error:.{digits}f}"
    return (f"({text})" if unit else text).replace("-", "−") + unit


def _exponent(value: float) -> int:
    return int(f"{value:e}".partition("e")[2])


def limited(found: Mapping[str, Any]) -> str:
    """A lower limit, never rounded up; or that nothing is certified, or why there is none."""
    lower = found.get("lower")
    if lower is None:
        return absent(found, "lower")
    return f"≥ {floored(lower)}" if lower > 0 else "nothing certified"


def absent(found: Mapping[str, Any], key: str) -> str:
    """That a number is absent, and why: the comparison's own reason where it gives one."""
    if not found:
        return f"{ABSENT}: not part of this comparison"
    reason = found.get("reason") or REASONS.get(key)
    return f"{ABSENT}: {reason}" if reason else ABSENT
