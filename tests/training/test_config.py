"""Choices: complete and commented when written, refused with a sentence when wrong."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from zerosum.data.events import Events
from zerosum.errors import InputError
from zerosum.likelihood.games import MODELS
from zerosum.training.config import Config
from zerosum.training.schedule import cosine, geometric

WRONG = {
    "unknown": ({"stepz": 3}, "no option stepz"),
    "type": ({"steps": "many"}, "steps"),
    "range": ({"steps": 0}, "steps"),
    "objective": ({"objective": "chess"}, "choose one of relativistic"),
    "penalty": ({"penalty": "r3"}, "choose one of r1r2"),
    "dynamics": ({"dynamics": "brownian"}, "choose one of alternating"),
    "packing": ({"packing": 3, "batch": 256}, "multiple of packing"),
    "updates": ({"dynamics": "optimistic", "discriminator_updates": 2}, "only alternating"),
    "gamma": ({"gamma": [-1, 0]}, "negative"),
    "schedule": ({"gamma": 3}, "gamma"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_choice_is_named_in_one_sentence(case: str) -> None:
    choices, word = WRONG[case]
    with pytest.raises(InputError, match=word) as caught:
        Config.of(choices)
    assert "\n" not in str(caught.value)


def test_a_written_configuration_is_complete_and_reads_back(tmp_path: Path) -> None:
    config = Config.of({"steps": 7, "columns": ["a", "b"]})
    path = tmp_path / "config.yaml"
    path.write_text(config.to_yaml())
    assert Config.of(Config.read(path)) == config
    assert set(yaml.safe_load(path.read_text())) == set(Config.model_fields)


@pytest.mark.parametrize("text", ["- a\n- b\n", "steps: [", "\x00"])
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"run\.yaml"):
        Config.read(path)


def test_open_choices_are_made_by_looking_at_the_events() -> None:
    table = Config.of({}).resolved(Events.table(np.zeros((1000, 5))))
    grid = Config.of({}).resolved(Events.grid(np.zeros((1000, 16, 16))))
    assert (table.latent, table.signs, table.width) == (16, 16, 128)
    assert grid.width != table.width
    small = Config.of({"latent": 3}).resolved(Events.table(np.zeros((1000, 5))))
    assert (small.latent, small.signs) == (3, 3)
    with pytest.raises(InputError, match="signs is 5; it can be at most latent, 3"):
        Config.of({"latent": 3, "signs": 5}).resolved(Events.table(np.zeros((1000, 5))))


def test_each_model_has_its_own_pace_and_a_run_of_an_earlier_version_keeps_the_one_it_had(
    tmp_path: Path,
) -> None:
    events = Events.table(np.zeros((1000, 5)))
    game, flow = (Config.of({"model": model}).resolved(events) for model in ("gan", "flow"))
    assert (game.beta1, game.beta2, game.schedule) == (0.0, (0.9, 0.99), "geometric")
    assert (flow.beta1, flow.schedule, flow.gamma) == (MODELS["flow"].pace.beta1, "cosine", (1.0, 1.0))
    old = tmp_path / "config.yaml"
    old.write_text("model: vae\nlearning_rate: [0.002, 5.0e-05]\nbeta2: [0.9, 0.99]\nlatent: 16\n")
    resumed = Config.of_run(old).resolved(events)
    assert (resumed.beta1, resumed.beta2, resumed.decoder) == (0.0, (0.9, 0.99), "normal")
    assert (resumed.latent, resumed.schedule) == (16, "cosine")


def test_the_schedule_starts_and_ends_where_it_says() -> None:
    assert cosine((3.0, 1.0), 0.0) == 3.0
    assert cosine((3.0, 1.0), 0.5) == pytest.approx(2.0)
    assert cosine((3.0, 1.0), 1.0) == 1.0
    assert geometric((4.0, 1.0), 0.5) == pytest.approx(2.0)
    assert [geometric((0.1, 0.002), p) for p in (0.0, 1.0)] == pytest.approx([0.1, 0.002])
    assert geometric((1.0, 0.0), 0.5) == cosine((1.0, 0.0), 0.5)
