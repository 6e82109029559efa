"""The saved model: what was saved is what comes back, and the seed alone decides what is drawn."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from zerosum.data.events import Events, Feature
from zerosum.data.transforms import Preprocessor
from zerosum.drawer import BLOCK, check_within
from zerosum.errors import InputError
from zerosum.game.blueprint import Blueprint
from zerosum.model import Model
from zerosum.training.config import Config
from zerosum.training.engine import Engine
from zerosum.training.setup import prepare


def table() -> Events:
    rng = np.random.default_rng(0)
    columns = [
        20 + rng.exponential(10, 2000),
        rng.uniform(-np.pi, np.pi, 2000),
        rng.poisson(3, 2000),
        rng.uniform(10, 100, 2000),
    ]
    return Events.table(np.stack(columns, axis=1), ["pt", "phi", "n", "energy"], ["GeV", "", "", "GeV"])


def model(events: Events | None = None) -> Model:
    events = table().given(["energy"]) if events is None else events
    torch.manual_seed(0)
    blueprint = Blueprint(
        kind=events.kind,
        shape=events.event_shape,
        conditions=len(events.condition_features),
        latent=4,
        width=16,
        depth=3,
    )
    preprocessor = Preprocessor.fit(events)
    known = events.conditions
    return Model(
        blueprint,
        preprocessor,
        blueprint.generator(),
        events.kind,
        events.features,
        events.condition_features,
        known,
        {"seed": 3},
    )


def test_a_saved_model_draws_the_same_events(tmp_path: Path) -> None:
    first = model()
    first.save(tmp_path / "model")
    second = Model.load(tmp_path / "model")
    np.testing.assert_array_equal(first.sample(300, seed=5).values, second.sample(300, seed=5).values)
    assert second.features == first.features
    assert second.facts == {"seed": 3}
    assert not list(tmp_path.glob(".*"))


def test_saving_again_replaces_the_model(tmp_path: Path) -> None:
    for _ in range(2):
        model().save(tmp_path / "model")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


def test_events_depend_on_seed_and_place_alone() -> None:
    drawn = model()
    few, many = drawn.sample(100, seed=1), drawn.sample(BLOCK["table"] + 100, seed=1)
    np.testing.assert_array_equal(few.values, many.values[:100])
    later = next(part for i, part in enumerate(drawn.stream(BLOCK["table"] + 100, seed=1)) if i == 1)
    np.testing.assert_array_equal(later.values, many.values[BLOCK["table"] :])
    assert not np.array_equal(few.values, drawn.sample(100, seed=2).values)


def test_generated_events_keep_edges_integers_and_angles() -> None:
    events = model().sample(5000).values
    assert events[:, 0].min() >= 20 - 1e-9
    assert np.abs(events[:, 1]).max() <= np.pi
    np.testing.assert_array_equal(events[:, 2], np.round(events[:, 2]))


def test_conditions_are_those_that_were_asked_for() -> None:
    fixed = model().sample(50, where={"energy": 42.0})
    assert fixed.conditions is not None
    assert set(fixed.conditions[:, 0]) == {42.0}
    free = model().sample(500)
    assert free.conditions is not None
    assert 10 <= free.conditions.min() < free.conditions.max() <= 100
    with pytest.raises(InputError, match="energy"):
        model().sample(5, where={"mass": 1.0})


def test_a_grid_is_drawn_in_its_shape() -> None:
    images = Events.grid(np.random.default_rng(0).exponential(size=(200, 16, 12)).astype(np.float32))
    assert model(images).sample(7).values.shape == (7, 1, 16, 12)


def clouds(n: int = 400) -> Events:
    rng = np.random.default_rng(0)
    mask = np.arange(9) < rng.integers(1, 10, (n, 1))
    values = np.where(mask[..., None], rng.exponential(size=(n, 9, 2)), 0)
    return Events(values, (Feature("x", "cm"), Feature("pt", "GeV")), "cloud", mask=mask)


def test_a_saved_model_of_clouds_draws_the_same_points(tmp_path: Path) -> None:
    """With the multiplicities of the data, which are part of the model, and nothing but 0 where there is no point."""
    events = clouds()
    config = Config.of({"width": 8, "steps": 2}).resolved(events)
    setup = prepare(config, events, events, Engine(device="cpu"))
    generator = setup.training.averaged
    first = Model(setup.blueprint, setup.preprocessor, generator, "cloud", events.features)
    first.save(tmp_path / "model")
    drawn, again = (one.sample(600, seed=3) for one in (first, Model.load(tmp_path / "model")))
    assert drawn.kind == "cloud"
    assert drawn.features == events.features
    assert drawn.mask is not None
    assert again.mask is not None
    np.testing.assert_array_equal(drawn.values, again.values)
    np.testing.assert_array_equal(drawn.mask, again.mask)
    assert set(np.unique(drawn.mask.sum(1))) == set(range(1, 10))
    assert np.all(drawn.values[~drawn.mask] == 0)
    assert np.all(drawn.values[drawn.mask] >= 0)


DAMAGE = {
    "no folder": lambda folder: None,
    "no weights": lambda folder: (folder / "model.safetensors").unlink(),
    "cut weights": lambda folder: (folder / "model.safetensors").write_bytes(b"\x00" * 20),
    "no JSON": lambda folder: (folder / "model.json").write_text("{"),
    "list": lambda folder: (folder / "model.json").write_text("[]"),
    "later version": lambda folder: change(folder, format=99),
    "huge network": lambda folder: change(folder, blueprint={"kind": "table"}),
    "unknown step": lambda folder: change(
        folder, preprocessor={"kind": "table", "features": [["import os"]]}
    ),
}


def change(folder: Path, **facts: object) -> None:
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_model_is_refused_with_a_sentence(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "model"
    if name != "no folder":
        model().save(folder)
    DAMAGE[name](folder)
    with pytest.raises(InputError, match="zerosum") as caught:
        Model.load(folder)
    assert "\n" not in str(caught.value)


def test_conditions_outside_the_trained_range_are_refused_unless_forced() -> None:
    known = 10 ** np.random.default_rng(1).uniform(3, 6, (500, 1))
    features = (Feature("incident_energy", "MeV"),)
    for inside in (1e3, 5e4, 1e6):
        check_within({0: inside}, known, features)
    for outside in (-1.0, 0.0, 500.0, 2e6, float("nan")):
        with pytest.raises(InputError, match=r"outside the range .* MeV.*--force"):
            check_within({0: outside}, known, features)
    with pytest.raises(InputError, match="force"):
        model().sample(5, where={"energy": 500.0})
    assert (model().sample(5, where={"energy": 500.0}, force=True).column("energy") == 500.0).all()
