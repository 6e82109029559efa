"""The table of results: each number with its error, its limit, and what kind of statement it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from zerosum.report.numbers import absent, limited, measured, number
from zerosum.theory.estimate import EQUILIBRIUM


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
            or absent(found, "estimate"),
            (limited(found) if row.limited else ""),
            kind,
            why,
        )
    js = comparison.get("jensen_shannon") or {}
    yield Statement(
        "p-value", "of “both samples have one distribution”",
        number(js.get("p_value")) or absent(js, "p_value"), "", "exact", "a permutation test, given the critic",
    )  # fmt: skip
    yield Statement(
        "Null floor", "what reference against reference gives",
        number(js.get("null_floor")) or absent(js, "null_floor"), "", "heuristic",
        "the upper edge of one repetition of the whole pipeline",
    )  # fmt: skip
