"""Images that are mostly empty are deposits: quanta in pixels, exact zeros, and the discriminator sees observables."""

from pathlib import Path

import numpy as np
import pytest
import torch

from zerosum.data.events import Events
from zerosum.data.structure import Structure, structure_of
from zerosum.data.voxels import MOST, layers_of
from zerosum.evaluation.shapes import shapes
from zerosum.export.exporting import export
from zerosum.export.onnx_file import OnnxModel
from zerosum.game.jets import SUBSTRUCTURE
from zerosum.game.voxels import VoxelSight
from zerosum.model import Model
from zerosum.workflow import Run

RNG = np.random.default_rng(0)


def spots(n: int = 600, side: int = 8, channels: int = 1, filled: float = 0.1) -> Events:
    """Images with spots of exponential size around the middle; at least one, and the smallest has 0.01."""
    chance = filled * (1 + np.cos(np.linspace(-3, 3, side)))
    hit = RNG.random((n, channels, side, side)) < chance[:, None]
    hit[:, :, side // 2, side // 2] = True
    return Events.grid(
        np.where(hit, 0.01 + RNG.exponential(size=hit.shape), 0), [f"pt{i}" for i in range(channels)], "GeV"
    )


def test_only_images_that_are_mostly_empty_are_deposits() -> None:
    assert structure_of(spots()).cells == (64,)
    side = int(np.sqrt(MOST)) + 1
    spins = Events.grid(np.where(RNG.random((50, 1, 8, 8)) < 0.1, 1.0, 0.0))
    signed = Events.grid(spots().values * RNG.choice([-1.0, 1.0], spots().values.shape))
    others = spots(filled=0.6), spots(50, channels=2), spots(50, side), spins, signed
    assert [layers_of(one) for one in others] == [()] * len(others)
    assert structure_of(spins).lattice
    assert structure_of(spins, lattices=False) == Structure()
    (layer,) = layers_of(spots())
    assert layer.face.shape == (8, 8)


def test_the_discriminator_sees_the_pattern_of_bright_pixels() -> None:
    """Of two equal pixels, four apart: half of their distance, no tau2, half of the energy in the brighter one."""
    layers = layers_of(spots())
    sight = VoxelSight(layers, torch.from_numpy(np.log1p(spots().values)).float(), None)
    energy = torch.zeros(1, 8, 8)
    energy[0, 2, 3] = energy[0, 2, 7] = 1e6

    def pattern(energy: torch.Tensor) -> dict[str, float]:
        numbers = sight._shown(torch.log1p(energy).flatten(1))[0, -1 - len(SUBSTRUCTURE) :]
        return dict(zip(("ln spread", *SUBSTRUCTURE), numbers.tolist(), strict=True))

    two = pattern(energy)
    assert np.exp(two["ln spread"]) == pytest.approx(20, rel=0.01)  # mm; a pixel has 10
    assert two["share of the hardest 1"] == pytest.approx(0.5)
    assert two["share of the hardest 2"] == pytest.approx(1)
    assert two["ln tau21"] < -10
    turned = pattern(energy.transpose(1, 2))
    assert (two["width eta"], two["width phi"]) == pytest.approx((turned["width phi"], turned["width eta"]))
    energy[0, 5, 3] = 5e5
    assert pattern(energy)["ln tau21"] > -2
    faint = energy.where(energy > 0, torch.tensor(1.0))
    assert pattern(faint)["share of the hardest 1"] == pytest.approx(0.4, rel=1e-3)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Events, Model]:
    events = spots(2000)
    choices = {"steps": 60, "width": 32, "batch": 64, "log_every": 20, "judgements": 0}
    run = Run.start(events, tmp_path_factory.mktemp("deposits") / "run", choices)
    records = list(run.play())
    assert [record["step"] for record in records] == [20, 40, 60]
    assert run.model.blueprint.cells == (64,)
    return events, run.model


def test_generated_images_have_empty_pixels_and_the_threshold_of_the_data(
    model: tuple[Events, Model],
) -> None:
    events, learned = model
    drawn = learned.sample(2000, seed=1)
    assert drawn.values.shape == events.values.shape
    assert drawn.values[drawn.values > 0].min() >= 0.01 * (1 - 1e-5)
    real, fake = (shapes(one, like=events) for one in (events, drawn))
    names = [feature.name for feature in real[1]]
    assert names == [feature.name for feature in fake[1]]
    total = [one.values.sum((1, 2, 3)) for one in (events, drawn)]
    filled = [(one.values > 0).sum((1, 2, 3)) for one in (events, drawn)]
    for here, there in (total, filled):
        error = here.std() * np.sqrt(2 / len(here))
        assert abs(here.mean() - there.mean()) < 5 * error + 0.05 * here.mean()


def test_the_pixels_are_where_they_are_in_the_data(model: tuple[Events, Model]) -> None:
    """The mean image, which no shuffled order of pixels has."""
    events, learned = model
    wanted, found = (one.values.mean((0, 1)) for one in (events, learned.sample(4000, seed=2)))
    assert np.corrcoef(wanted.ravel(), found.ravel())[0, 1] > 0.95
    assert np.corrcoef(wanted.ravel(), RNG.permutation(found.ravel()))[0, 1] < 0.5


def test_an_exported_file_draws_the_same_images(model: tuple[Events, Model], tmp_path: Path) -> None:
    _, learned = model
    assert export(learned, tmp_path / "model.onnx").closure.passed
    mine, its = (one.sample(500, seed=3).values for one in (learned, OnnxModel.load(tmp_path / "model.onnx")))
    assert np.mean(np.abs(its - mine) > 1e-3 * mine.std()) < 1e-3


def test_networks_of_the_users_own_see_images(tmp_path: Path) -> None:
    choices = {"network": "zerosum.game.networks:GRIDS", "steps": 1, "width": 4, "judgements": 0}
    run = Run.start(spots(200), tmp_path / "run", choices)
    assert list(run.play())
    blueprint = run.model.blueprint
    assert blueprint.cells == ()
    assert blueprint.lens().game_shape == (1, 8, 8)
