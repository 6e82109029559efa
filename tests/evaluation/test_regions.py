"""Where: planted differences are described by their rule, and nothing is described where nothing differs."""

import json

import numpy as np
import pytest

from zerosum.data.events import Events
from zerosum.evaluation.regions import Columns, regions

N = 8000


def muons(seed, *, hole=False, n=N):
    """Momentum and pseudorapidity; with a hole the corner pt > 61 GeV and |eta| < 0.4 is lost."""
    rng = np.random.default_rng(seed)
    x = np.stack([rng.exponential(20, 2 * n) + 20, rng.normal(0, 1, 2 * n), rng.normal(0, 1, 2 * n)], axis=1)
    keep = ~((x[:, 0] > 61) & (np.abs(x[:, 1]) < 0.4)) | (not hole)
    return Events.table(x[keep][:n].astype(np.float32), ["pt", "eta", "z"], ["GeV", "", ""])


def test_a_lost_corner_is_written_as_a_physicist_would():
    found = regions(muons(0), muons(1, hole=True), seed=0)
    first = found[0]
    truth = np.exp(-41 / 20) * 0.3108
    assert first.kind == "too few generated"
    assert "pt > 6" in first.rule
    assert "GeV" in first.rule
    assert "|eta| <= 0.4" in first.rule
    assert "z" not in first.rule
    assert first.reference.value == pytest.approx(truth, abs=4 * first.reference.error)
    assert first.generated.value < 0.005
    assert first.p_value < 1e-9
    assert [one.divergence for one in found] == sorted((one.divergence for one in found), reverse=True)


def test_limits_enclose_the_fractions_and_survive_json():
    for one in regions(muons(2), muons(3, hole=True), seed=1):
        record = json.loads(json.dumps(one.to_json(), allow_nan=False))
        for side in ("reference", "generated"):
            assert record[side]["low"] <= record[side]["fraction"] <= record[side]["high"]
            assert record[side]["error"] > 0


def test_rules_hold_exactly_as_written():
    """Counting events by the printed rule gives the printed fraction."""
    reference, generated = muons(4), muons(5, hole=True)
    columns = Columns.of(reference, generated)
    boxes = columns.leaves(reference, generated, 3, 0)
    inside = np.zeros(len(reference), dtype=int)
    for box in boxes:
        rule = columns.rule(box).replace("GeV", "")
        rule = rule.replace("|eta|", "abs(eta)").replace("|z|", "abs(z)")
        values = [
            all(
                eval(part, {"abs": abs}, dict(zip(("pt", "eta", "z"), map(float, row), strict=True)))
                for part in rule.split(" and ")
            )
            for row in reference.values
        ]
        inside += values
    assert (inside == 1).all(), "the leaves are a partition"


def test_identical_samples_have_no_regions():
    """At 95 % for all leaves together, 40 repeats leave at most 6 with a region (probability 0.986)."""
    false = sum(bool(regions(muons(10 + i, n=1500), muons(100 + i, n=1500), seed=i)) for i in range(40))
    assert false <= 6


def test_weights_and_small_numbers():
    rng = np.random.default_rng(0)
    x, y = rng.normal(0, 1, (4000, 1)), rng.normal(0.5, 1, (4000, 1))
    reweighted = Events.table(x, weights=np.exp(0.5 * x[:, 0] - 0.125))
    assert not regions(reweighted, Events.table(y), seed=0)
    assert regions(Events.table(x, weights=np.full(4000, 2.0)), Events.table(y), seed=0)
    assert regions(Events.table(x[:60]), Events.table(y[:60] + 5), seed=0)[0].p_value < 1e-3


def test_columns_of_one_value_and_grids_are_no_trouble():
    rng = np.random.default_rng(1)
    x, y = rng.choice([-1.0, 1.0], (2, 1000, 4, 4)).astype(np.float32)
    y[:, 1] = y[:, 0]
    found = regions(Events.grid(x, ("spin",)), Events.grid(y, ("spin",)), seed=0)
    assert "spin" in found[0].rule
    constant = Events.table(np.ones((200, 1)))
    assert not regions(constant, constant, seed=0)
