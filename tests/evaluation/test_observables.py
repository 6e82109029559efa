"""Derived observables: against closed forms, on real muons, and against hostile expressions."""

from pathlib import Path

import numpy as np
import pytest

from zerosum.data.events import Events, Feature
from zerosum.data.formats import load
from zerosum.errors import InputError
from zerosum.evaluation.observables import defaults, observe, observed_pair, parse, with_observables

RNG = np.random.default_rng(1)
NAMES = ["pt1", "eta1", "phi1", "pt2", "eta2", "phi2"]


def kinematics(n: int = 500) -> np.ndarray:
    one = [RNG.exponential(30, n) + 1, RNG.normal(0, 1.5, n), RNG.uniform(-np.pi, np.pi, n)]
    return np.stack([*one, *(column[::-1] for column in one)], axis=1)


def muons(names: list[str] = NAMES, unit: str = "GeV") -> Events:
    return Events.table(kinematics(), names, [unit if "pt" in name else "" for name in names])


def value(text: str, events: Events) -> np.ndarray:
    return observe(events, [parse(text)])[0][:, 0]


def test_massless_pairs_have_their_closed_forms() -> None:
    events = muons()
    p1, e1, f1, p2, e2, f2 = events.values.T
    angle = (f1 - f2 + np.pi) % (2 * np.pi) - np.pi
    sums = p1 * np.cos(f1) + p2 * np.cos(f2), p1 * np.sin(f1) + p2 * np.sin(f2)
    expected = {
        "mass(1,2)": np.sqrt(2 * p1 * p2 * (np.cosh(e1 - e2) - np.cos(angle))),
        "pt(1,2)": np.hypot(*sums),
        "deltaR(1,2)": np.hypot(e1 - e2, angle),
        "deltaeta(1,2)": e1 - e2,
        "eta(1)": e1,
        "energy(1)": p1 * np.cosh(e1),
        "sqrt(pt1**2 + pt2**2) / 2": np.hypot(p1, p2) / 2,
        "maximum(pt1, pt2) - minimum(pt1, pt2)": np.abs(p1 - p2),
        "-arctan2(sin(phi1), cos(phi1)) + exp(log(pt1)) * 0": -f1,
    }
    for expression, numbers in expected.items():
        np.testing.assert_allclose(value(f"x={expression}", events), numbers, rtol=1e-7, atol=1e-6)
    np.testing.assert_allclose(np.abs(value("x=deltaphi(1,2)", events)), np.abs(angle), atol=1e-12)


def test_a_mass_column_is_used() -> None:
    events = Events.table([[3.0, 0.0, 0.0, 4.0]], ["pt1", "eta1", "phi1", "m1"])
    assert value("e=energy(1)", events) == pytest.approx(5)
    assert value("m=mass(1)", events) == pytest.approx(4)


@pytest.mark.parametrize(
    ("names", "particles"),
    [
        (["pt_1", "eta_1", "phi_1", "pt_2", "eta_2", "phi_2"], "1,2"),
        (["mu1_pt", "mu1_eta", "mu1_phi", "mu2_pt", "mu2_eta", "mu2_phi"], "mu1,mu2"),
        (["Muon1_Pt", "Muon1_Eta", "Muon1_Phi", "Muon2_Pt", "Muon2_Eta", "Muon2_Phi"], "Muon1,muon2"),
    ],
)
def test_particles_are_found_in_all_ways_of_writing(names: list[str], particles: str) -> None:
    values = kinematics()
    styled, plain = Events.table(values, names), Events.table(values, NAMES)
    np.testing.assert_array_equal(value(f"m=mass({particles})", styled), value("m=mass(1,2)", plain))


def test_units_are_those_of_the_momenta() -> None:
    features = observe(muons(unit="MeV"), [parse("m=mass(1,2)"), parse("r=deltaR(1,2)"), parse("s=pt1+pt2")])[
        1
    ]
    assert features == (Feature("m", "MeV"), Feature("r"), Feature("s"))


def test_pairs_are_observed_without_being_asked_for() -> None:
    events = muons()
    names = ["mass(1,2)", "deltaR(1,2)", "|deltaphi(1,2)|"]
    assert [one.name for one in defaults(events)] == names
    seen = with_observables(events, ["m=mass(1,2)"])
    assert seen.condition_names == ["m", *names[1:]]
    np.testing.assert_array_equal(seen.values, events.values)
    pair = observed_pair(events, events.take(slice(10)))
    assert pair is not None
    features, first, second = pair
    assert ([one.name for one in features], first.shape, second.shape) == (names, (500, 3), (10, 3))


def test_tables_without_particles_have_none() -> None:
    events = Events.table(np.zeros((5, 2)))
    assert defaults(events) == ()
    assert with_observables(events) is events
    assert observed_pair(events, events) is None


@pytest.mark.parametrize(
    "expression",
    [
        "pt1.__class__",
        "__import__('os').system('true')",
        "open('x')",
        "[pt1]",
        "(lambda: pt1)()",
        "pt1 if pt2 else phi1",
        "sqrt(*pt1)",
        "sqrt(pt1, out=pt2)",
        "sqrt(pt1, pt2)",
        "minimum(pt1, pt2, phi1)",
        "sqrt()",
        "minimum(pt1)",
        "'pt1'",
        "1j * pt1",
        "True + pt1",
        "9**9**9**9",
        "pt1/0",
        "(-8)**0.5",
        "1" + "0" * 400,
        "mass()",
        "mass(3)",
        "mass(pt1+1)",
        "deltaR(1)",
        "deltaR(1,2,1)",
        "nothing",
        "log(-pt1)",
        "pt1 +",
        "pt1 @ pt2",
        "pt1\x00",
    ],
)
def test_what_is_no_expression_is_refused(expression: str) -> None:
    events = muons()
    before = events.digest()
    with pytest.raises(InputError, match=r"^[^\n]{10,1500}[.]$"):
        value(f"x={expression}", events)
    assert events.digest() == before


@pytest.mark.parametrize("text", ["mass(1,2)", "=pt1", "x=", "x", "", "x=" + "1" * 2000])
def test_what_has_no_name_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="NAME=EXPRESSION"):
        parse(text)


def test_a_name_that_is_taken_is_refused() -> None:
    with pytest.raises(InputError, match="pt1 is a column already"):
        with_observables(muons(), ["pt1=pt2"])


def test_the_z_boson_is_where_it_should_be(shared: Path) -> None:
    events = load(shared / "Zmumu_Run2011A.csv")
    masses = value("m=mass(1,2)", events)
    counts, edges = np.histogram(masses, 60, (60, 120))
    assert edges[counts.argmax()] + 0.5 == pytest.approx(91.2, abs=1.0)
