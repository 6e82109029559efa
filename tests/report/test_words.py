"""Numbers become words without being changed."""

import math

import pytest

from zerosum.report import words
from zerosum.report.numbers import measured
from zerosum.report.statements import statements
from zerosum.theory.estimate import floored


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.03291, 0.00151, "0.0329 ± 0.0015"),
        (-0.0021, 0.25, "−0.00 ± 0.25"),
        (1234.5, 67.8, "1234 ± 68"),
        (12.0, 0.0, "12"),
        (12.0, None, "12"),
        (math.inf, 1.0, "∞"),
        (None, 1.0, ""),
        (math.nan, 1.0, ""),
    ],
)
def test_measured(value, error, text) -> None:
    assert measured(value, error) == text


@pytest.mark.parametrize("value", [0.027494, 0.0274999, 0.1, 0.69314, 1e-7, 3.14159e-5, 12.34567])
def test_a_limit_is_never_rounded_up(value: float) -> None:
    shown = float(floored(value))
    assert value * (1 - 2e-3) < shown <= value * (1 + 1e-12)


def test_places_run_from_the_equilibrium_to_ln_2() -> None:
    assert [words.place(x) for x in (-0.1, 0.0, math.log(2) / 4, math.log(2), 3.0)] == [0, 0, 50, 100, 100]


def test_verdict_and_meaning_without_the_comparisons_own() -> None:
    js = {"estimate": 0.2, "error": 0.01, "lower": 0.18, "null_floor": 0.003}
    assert (
        words.verdict({"jensen_shannon": js})
        == "The samples differ: D_JS ≥ 0.18 nats (estimate 0.200 ± 0.010)."
    )
    assert words.verdict({"jensen_shannon": js | {"lower": 0.0}}).startswith("No difference is certified")
    assert words.verdict({}) == "The Jensen-Shannon divergence was not measured."
    assert "75.0 % of the time" in words.meaning({"total_variation": {"estimate": 0.5}})
    assert words.meaning({}) == ""


@pytest.mark.parametrize(
    ("lower", "kind"), [(0.02, "certified"), (0.0, "asymptotic"), (-0.1, "asymptotic"), (None, "asymptotic")]
)
def test_only_a_limit_above_0_is_called_certified(lower, kind) -> None:
    row = next(statements({"jensen_shannon": {"estimate": 0.03, "error": 0.01, "lower": lower}}))
    assert (row.name, row.kind) == ("Jensen-Shannon", kind)


def test_metrics_power_and_memorisation_in_words(comparison) -> None:
    assert words.metrics(comparison)[0] == {
        "name": "FPD",
        "value": "0.00210 ± 0.00040",
        "null": "0",
        "p_value": "0.005",
    }
    assert words.metrics(comparison)[1]["p_value"] == ""
    assert words.caught(comparison).endswith("by a shift of x by 0.08 standard deviations.")
    assert "0.520 ± 0.020 are closest to a training event" in words.memorised(comparison)
    assert words.metrics({}) == []
    assert words.caught({}) == words.memorised({}) == ""
