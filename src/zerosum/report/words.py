"""What the numbers mean, in words: the verdict, the table of statements, and the reason where a number is absent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Any

from zerosum.theory.estimate import EQUILIBRIUM, LN2, floored

ABSENT = "not measured"


@dataclass(frozen=True)
class Statement:
    """One line of the table of results.

    Attributes:
        name: The quantity.
        symbol: Its formula, or what it is.
        estimate: Value and error, or why there is none.
        limit: The confidence limit, or why there is none.
        kind: "exact", "certified", "asymptotic" or "heuristic".
        why: What that rests on.
    """

    name: str
    symbol: str
    estimate: str
    limit: str
    kind: str
    why: str


@dataclass(frozen=True)
class _Row:
    key: str
    name: str
    symbol: str
    kind: str
    why: str
    limited: bool = True


_DIVERGENCE = "the limit holds at any sample size; the estimate is a lower bound in expectation"
_ROWS = (
    _Row("jensen_shannon", "Jensen-Shannon", "D_JS, in [0, ln 2]", "certified", _DIVERGENCE),
    _Row("kl_forward", "KL forward", "D_KL(reference‖generated)", "certified",
         "likewise, at most ln n; large where modes are missing"),
    _Row("kl_reverse", "KL reverse", "D_KL(generated‖reference)", "certified",
         "likewise, at most ln n; large where events are invented"),
    _Row("total_variation", "Total variation", "½∫|p − q|", "certified", _DIVERGENCE),
    _Row("auc", "AUC", "½ where the critics see nothing", "asymptotic", "held-out ranks, normal error", limited=False),
    _Row("value", "Value of the game", "V = −ln 4 + 2 D_JS", "asymptotic", "equilibrium", limited=False),
    _Row("missing", "Missing", "of the reference, where generated is absent", "heuristic",
         "the region is the critic’s, its fraction is held-out", limited=False),
    _Row("invented", "Invented", "of generated, where the reference is absent", "heuristic",
         "the region is the critic’s, its fraction is held-out", limited=False),
)  # fmt: skip
_REASONS = {
    "lower": "no finite-sample limit for weighted events",
    "null_floor": "needs at least 100 reference events",
    "wasserstein": "not defined for negative weights",
    "p_value": "no permutations were made",
}


def statements(comparison: Mapping[str, Any]) -> Iterator[Statement]:
    """All results with their errors and what kind of statement each is."""
    for row in _ROWS:
        found = comparison.get(row.key) or {}
        share = row.key in ("missing", "invented")
        kind, why = row.kind, row.why
        if row.key == "value":
            why = f"at equilibrium −ln 4 = {EQUILIBRIUM:.4f}".replace("-", "−")
        if row.limited and not (found.get("lower") or 0.0) > 0:
            kind, why = "asymptotic", "without a limit, the estimate is a lower bound in expectation"
        yield Statement(
            row.name,
            row.symbol,
            measured(found.get("fraction" if share else "estimate"), found.get("error"), percent=share)
            or _absent(found, "estimate"),
            (_limit(found) if row.limited else ""),
            kind,
            why,
        )
    js = comparison.get("jensen_shannon") or {}
    yield Statement(
        "p-value", "of “both samples have one distribution”",
        number(js.get("p_value")) or _absent(js, "p_value"), "", "exact", "a permutation test, given the critic",
    )  # fmt: skip
    yield Statement(
        "Null floor", "what reference against reference gives",
        number(js.get("null_floor")) or _absent(js, "null_floor"), "", "heuristic",
        "the upper edge of one repetition of the whole pipeline",
    )  # fmt: skip


def _limit(found: Mapping[str, Any]) -> str:
    lower = found.get("lower")
    if lower is None:
        return _absent(found, "lower")
    return f"≥ {floored(lower)}" if lower > 0 else "nothing certified"


def _absent(found: Mapping[str, Any], key: str) -> str:
    """That a number is absent, and why: the comparison's own reason where it gives one."""
    if not found:
        return f"{ABSENT}: not part of this comparison"
    reason = found.get("reason") or _REASONS.get(key)
    return f"{ABSENT}: {reason}" if reason else ABSENT


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


def cell(record: Mapping[str, Any], key: str) -> str:
    """One number of a table of features."""
    return number(record.get(key)) or _absent(record, key)


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
        "lower_text": _limit(js),
        "floor": None if floor is None else place(floor),
        "floor_text": number(floor) or _absent(js, "null_floor"),
        "estimate": None if estimate is None else [place(estimate + shift) for shift in (-error, 0.0, error)],
        "estimate_text": measured(estimate, error) or _absent(js, "estimate"),
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
