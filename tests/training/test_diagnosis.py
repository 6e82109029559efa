"""The diagnosis diagnoses: each failure is named at the record where it shows, and a healthy game is left in peace."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zerosum.data.events import Events
from zerosum.evaluation.breadth import breadth
from zerosum.theory.estimate import EQUILIBRIUM
from zerosum.training import diagnosis
from zerosum.training.config import Config
from zerosum.training.diagnosis import CHECKS, diagnose, warned
from zerosum.training.history import Record
from zerosum.workflow import Run

STEPS = 2000
HEALTHY = {
    "loss_discriminator": 0.65,
    "loss_generator": 0.8,
    "gradient_discriminator": 0.3,
    "gradient_generator": 1.0,
    "value": -1.3,
    "value_error": 0.01,
}
BROAD = {"js_estimate": 0.1, "js_error": 0.01, "spread": 0.98, "uncovered": 0.01, "uncovered_error": 0.005}


def game(n: int = 20, **late: Any) -> list[Record]:
    """Records of a game, healthy in its first half; in the second with these numbers, or functions of the step."""
    records = []
    for step in range(100, 100 * n + 1, 100):
        record: Record = {"step": step} | HEALTHY | (BROAD if step % 200 == 0 else {})
        if step > 50 * n:
            record |= {key: new(step) if callable(new) else new for key, new in late.items() if key in record}
        records.append(record)
    return records


def played(records: list[Record], **choices: Any) -> list[tuple[int, str]]:
    """What the loop would have said."""
    config = Config.of({"steps": STEPS, "gamma": [0.1, 0.01], "learning_rate": [0.002, 0.0001]} | choices)
    for i, record in enumerate(records):
        if found := diagnose(records[: i + 1], config):
            record["warnings"] = found
    return warned(records)


FAILURES: dict[str, tuple[dict[str, Any], str, int, str]] = {
    "one mode": ({"spread": 0.1}, "collapse", 1400, "packing: 4"),
    "lost modes": ({"uncovered": 0.4}, "collapse", 1400, "40% of the validation events"),
    "D always right": ({"value": -0.01}, "dominated discriminator", 1500, "gamma"),
    "losses": ({"loss_generator": lambda s: 1.05 ** (s - 900)}, "divergence", 1300, "learning_rate"),
    "losses below": ({"loss_discriminator": -500.0}, "divergence", 1300, "loss of the discriminator"),
    "gradients": ({"gradient_generator": 3e4}, "divergence", 1300, "gradient of the generator"),
    "V too low": ({"value": EQUILIBRIUM - 0.2}, "V out of range", 1500, "more events"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_each_failure_is_named_once_with_what_to_change(case: str) -> None:
    numbers, name, step, word = FAILURES[case]
    found = played(game(**numbers))
    assert [(when, what.partition(":")[0]) for when, what in found] == [(step, name)]
    assert word in found[0][1]
    assert found[0][1].endswith(".")
    assert "\n" not in found[0][1]


def test_every_check_is_among_the_failures() -> None:
    assert {name for _, name, _, _ in FAILURES.values()} == set(CHECKS)


def test_a_healthy_game_is_left_in_peace() -> None:
    assert played(game()) == []


def test_what_passes_is_no_failure() -> None:
    """A first generator that is far away, one narrow judgement, and a V that fluctuates about -ln 4."""
    records = game(value=lambda step: EQUILIBRIUM + (0.05 if step % 300 else -0.1))
    for record in records[:2]:
        record["value"] = -0.01
    records[1] |= {"spread": 0.1, "uncovered": 0.9}
    assert played(records) == []


def test_the_last_judgement_alone_may_find_a_collapse() -> None:
    found = played(game(spread=lambda step: 0.1 if step == STEPS else 1.0))
    assert [step for step, _ in found] == [STEPS]


@pytest.mark.parametrize(
    ("choices", "advice"),
    [
        ({"objective": "hinge"}, "objective: relativistic (now hinge)"),
        ({"penalty": "none"}, "penalty: r1r2 (now none)"),
        ({"packing": 4}, "packing: 10 (now 4)"),
        ({}, "gamma, for example to [0.4, 0.04] (now [0.1, 0.01])"),
    ],
    ids=str,
)
def test_the_advice_is_about_the_configuration_at_hand(choices: dict[str, Any], advice: str) -> None:
    assert advice in played(game(spread=0.1), **choices)[0][1]


def test_a_young_generator_has_not_collapsed() -> None:
    """Every generator begins narrow: within the first thousand steps nothing is said, however few there are in all."""
    narrow = [record | {"spread": 0.1, "uncovered": 0.9} for record in game(8)]
    assert played(narrow, steps=800) == []
    assert played(narrow + game(10)[8:], steps=1000) == []
    assert [step for step, _ in played([*narrow, {"step": 1000} | BROAD | {"spread": 0.1}], steps=1000)] == [
        1000
    ]


def test_a_likelihood_model_plays_no_game() -> None:
    assert played(game(spread=0.1, loss_generator=1e9), model="flow") == []


def test_breadth_sees_what_a_generator_leaves_out() -> None:
    """Equal distributions have spread 1 and cover; one of two modes, and one point, do not."""
    rng = np.random.default_rng(0)

    def modes(n: int, sign: float | None) -> Events:
        centre = rng.choice([-5.0, 5.0], n) if sign is None else np.full(n, 5 * sign)
        return Events.table(np.stack([centre, np.zeros(n)], 1) + rng.normal(size=(n, 2)))

    data = modes(1000, None)
    same, half = breadth(data, modes(2000, None)), breadth(data, modes(2000, 1.0))
    point = breadth(data, Events.table(np.full((2000, 2), 5.0) + 1e-3 * rng.normal(size=(2000, 2))))
    assert same["spread"] == pytest.approx(1, abs=0.05)
    assert abs(same["uncovered"]) < 4 * same["uncovered_error"]
    assert half["uncovered"] == pytest.approx(0.5, abs=0.05)
    assert point["spread"] < 0.01
    assert point["uncovered"] > 0.9
    assert breadth(data.take(slice(50)), modes(200, None)).keys() == {"spread"}


def events(n: int = 1500) -> Events:
    rng = np.random.default_rng(0)
    centres = 4 * np.stack([np.cos(a := 2 * np.pi * rng.integers(8, size=n) / 8), np.sin(a)], axis=1)
    return Events.table(centres + 0.2 * rng.normal(size=(n, 2)))


QUICK = {"steps": 300, "log_every": 10, "judgements": 3, "batch": 64, "width": 32}
REAL: dict[str, dict[str, Any]] = {
    "divergence": {"objective": "wasserstein", "penalty": "none", "learning_rate": [0.01, 0.01]},
    "collapse": {"objective": "zero_sum", "penalty": "none", "discriminator_updates": 10},
}


@pytest.mark.parametrize("name", REAL)
def test_a_training_that_fails_says_so(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "YOUNG", 100)  # this one collapses early
    run = Run.start(events(), tmp_path / "run", QUICK | REAL[name])
    list(run.play())
    assert name in {sentence.partition(":")[0] for _, sentence in run.warnings}


def test_a_healthy_training_is_silent(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    longer = {"steps": 600, "judgements": 2}
    run = Run.start(Events.table(rng.normal(size=(1500, 2))), tmp_path / "run", QUICK | longer)
    list(run.play())
    assert run.warnings == []
    assert {"spread", "uncovered", "gradient_generator", "value_error"} <= run.history[-1].keys()
