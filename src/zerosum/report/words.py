"""What the numbers mean, in words: the verdict, what it means in everyday terms, and the rows of the page's tables."""

from collections.abc import Iterator, Mapping
from math import sqrt
from typing import Any

from zerosum.report.numbers import ABSENT, absent, limited, measured, number
from zerosum.theory.estimate import LN2


def cell(record: Mapping[str, Any], key: str) -> str:
    """One number of a table of features."""
    return number(record.get(key)) or absent(record, key)


def verdict(comparison: Mapping[str, Any]) -> str:
    """The comparison's own sentence, or one made from its numbers."""
    if comparison.get("verdict"):
        return str(comparison["verdict"]).replace(">=", "≥").replace("%", "\u00a0%")
    js = comparison.get("jensen_shannon") or {}
    estimate = measured(js.get("estimate"), js.get("error"))
    if not estimate:
        return "The Jensen-Shannon divergence was not measured."
    if js.get("lower") and js["lower"] > 0:
        return f"The samples differ: D_JS ≥ {number(js['lower'])} nats (estimate {estimate})."
    return f"No difference is certified: D_JS = {estimate} nats."


def meaning(comparison: Mapping[str, Any]) -> str:
    """What the verdict says in everyday terms, and how much the test could see."""
    variation = (comparison.get("total_variation") or {}).get("estimate")
    floor = (comparison.get("jensen_shannon") or {}).get("null_floor")
    parts = []
    if variation is not None:
        right = 0.5 + min(max(variation, 0.0), 1.0) / 2
        parts.append(
            "Shown one event, real or generated with equal odds, the best judge found tells which it is "
            f"{100 * right:.1f} % of the time; 50 % is guessing."
        )
    if floor is not None and floor > 0:
        parts.append(f"By the same method, two halves of the reference seem up to {floor:.2g} nats apart.")
    return " ".join(parts)


def scale(comparison: Mapping[str, Any]) -> dict[str, Any]:
    """Where the certificate's numbers lie on [0, ln 2], in percent of a square-root scale."""
    js = comparison.get("jensen_shannon") or {}
    lower, estimate, error, floor = (js.get(key) for key in ("lower", "estimate", "error", "null_floor"))
    error = error or 0.0
    return {
        "ticks": [(f"{tick:g}", place(tick), tick in (0.001, 0.35)) for tick in TICKS],
        "lower": place(lower) if lower is not None and lower > 0 else None,
        "lower_text": limited(js),
        "floor": None if floor is None else place(floor),
        "floor_text": number(floor) or absent(js, "null_floor"),
        "estimate": None if estimate is None else [place(estimate + shift) for shift in (-error, 0.0, error)],
        "estimate_text": measured(estimate, error) or absent(js, "estimate"),
    }


TICKS = (0.001, 0.01, 0.05, 0.1, 0.2, 0.35, 0.5)


def place(value: float) -> float:
    """Percent of the way from 0 to ln 2, where distances go with the square root."""
    return round(100 * sqrt(min(max(value, 0.0), LN2) / LN2), 2)


def ladder(comparison: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What each critic sees, with the length of a bar in percent of the largest."""
    critics = comparison.get("critics") or comparison.get("capacity") or ()
    largest = max([critic.get("estimate") or 0.0 for critic in critics] + [1e-12])
    return [
        {
            "name": critic["name"],
            "estimate": measured(critic.get("estimate"), critic.get("error")) or ABSENT,
            "bar": round(100 * min(max((critic.get("estimate") or 0.0) / largest, 0.0), 1.0), 1),
        }
        for critic in critics
    ]


def regions(comparison: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Where the samples differ: each rule with the share of both samples that fulfils it."""
    return [
        {
            "rule": region["rule"],
            "kind": region.get("kind", ""),
            **{
                side: {
                    "text": measured(part.get("fraction"), part.get("error"), percent=True) or ABSENT,
                    "bar": round(100 * min(max(part.get("fraction") or 0.0, 0.0), 1.0), 2),
                }
                for side in ("reference", "generated")
                for part in (region.get(side) or {},)
            },
        }
        for region in comparison.get("regions") or ()
    ]


def metrics(comparison: Mapping[str, Any]) -> list[dict[str, str]]:
    """The metrics that papers quote: value with error, null and p-value as texts."""
    return [
        {
            "name": one["name"],
            "value": measured(one.get("value"), one.get("error")) or ABSENT,
            "null": number(one.get("null")),
            "p_value": number(one.get("p_value")),
        }
        for key in ("metrics", "column_metrics")
        for one in comparison.get(key) or ()
    ]


def memorised(comparison: Mapping[str, Any]) -> str:
    """What the test of memorisation found; nothing where it was not made."""
    found = comparison.get("memorisation")
    if not found:
        return ""
    copies = measured(found["copies"]["fraction"], found["copies"]["error"], percent=True)
    return (
        f"Of the generated events, {measured(found['share_closer'], found['error'])} are closest to a training event "
        f"and not to a held-out one; {number(found['expected'])} is expected where nothing was memorised "
        f"(p = {number(found['p_value'])}). Copies: {copies}."
    )


def caught(comparison: Mapping[str, Any]) -> str:
    """What samples of this size would have shown; nothing where it was not asked."""
    found = comparison.get("power") or ()
    parts = [
        f"a {one['distortion']} of {one['feature']} by {number(one['strength'])}"
        + (" standard deviations" if one["distortion"] == "shift" else "")
        for one in found
        if one.get("strength") is not None
    ]
    return (
        f"Samples of this size would be told apart with 90 % probability by {', or '.join(parts)}."
        if parts
        else ""
    )


def rows(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """A nested record as lines of a table: dotted names and values."""
    for key, value in record.items():
        if isinstance(value, Mapping):
            yield from rows(value, f"{prefix}{key}.")
        else:
            yield (
                f"{prefix}{key}",
                " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value),
            )
