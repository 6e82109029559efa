"""ONNX files: they reproduce the model, say what they are, and are refused where they would not."""

import json
from inspect import isabstract
from pathlib import Path

import numpy as np
import onnx
import pytest
from tests.export.cases import QUICK, SLOW, TRANSFORMS, family, made

from zerosum.data import discrete, steps
from zerosum.data.events import Events, Feature
from zerosum.data.formats import load
from zerosum.data.steps import Affine
from zerosum.errors import InputError, RunError
from zerosum.export import exporting
from zerosum.export.closure import BATCH, TIES, judged
from zerosum.export.exporting import export
from zerosum.export.graph import in_double, operators, traced
from zerosum.export.onnx_file import OnnxModel, run, session_of
from zerosum.export.sofie import SOFIE
from zerosum.game.networks import FAMILIES
from zerosum.likelihood.games import MODELS
from zerosum.model import Model
from zerosum.training.config import Config
from zerosum.training.engine import Engine
from zerosum.training.setup import prepare
from zerosum.workflow import Run, simulate


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def test_a_file_draws_the_same_events_as_its_model(name: str, tmp_path: Path) -> None:
    """Closure at batch 1 and 4096 for every family and every transform; then whole samples, by seed alone."""
    model = family(name)
    written = export(model, tmp_path / "model.onnx")
    assert written.closure.difference <= 1e-4
    assert written.closure.events == (BATCH, 16)
    onnx.checker.check_model(str(tmp_path / "model.onnx"), full_check=True)
    loaded = OnnxModel.load(tmp_path / "model.onnx")
    mine, its = model.sample(700, seed=5), loaded.sample(700, seed=5)
    assert its.names == mine.names
    if mine.conditions is not None:
        np.testing.assert_array_equal(its.conditions, mine.conditions)
    answers = [mine.values.astype(np.float64)] * 2
    found = judged(its.values, answers, 1 if model.kind == "grid" else -1, (700, 0))
    apart = np.abs(its.values - mine.values) > 1e-3 * np.std(mine.values)
    assert found.difference <= 1e-4 or apart.mean() < TIES


def test_clouds_keep_their_points(tmp_path: Path) -> None:
    """A trained model of clouds: the same points exist, and their entries agree."""
    rng = np.random.default_rng(0)
    mask = np.arange(6) < rng.integers(1, 7, (300, 1))
    values = np.where(mask[..., None], rng.exponential(size=(300, 6, 2)), 0)
    events = Events(values, (Feature("x", "cm"), Feature("pt", "GeV")), "cloud", mask=mask)
    setup = prepare(Config.of({"width": 8}).resolved(events), events, events, Engine(device="cpu"))
    model = Model(setup.blueprint, setup.preprocessor, setup.training.averaged, "cloud", events.features)
    export(model, tmp_path / "model.onnx")
    mine, its = (one.sample(600, seed=3) for one in (model, OnnxModel.load(tmp_path / "model.onnx")))
    np.testing.assert_array_equal(its.mask, mine.mask)
    assert np.all(its.values[~its.mask] == 0)
    apart = np.abs(its.values - mine.values) > 1e-3 * np.std(mine.values)
    assert apart.mean() < TIES


def test_showers_keep_their_energy_and_their_empty_cells(tmp_path: Path) -> None:
    """A trained model of showers, given their energy: the closure test, and what is exact stays exact."""
    simulate("showers", 400, tmp_path / "showers.h5", geometry="compact", energies=[1e3, 1e4])
    choices = {"steps": 10, "width": 16, "log_every": 10, "judgements": 0}
    run = Run.start(load(tmp_path / "showers.h5"), tmp_path / "run", choices)
    assert [record["step"] for record in run.play()] == [10]
    written = export(run.model, tmp_path / "model.onnx")
    assert written.closure.difference <= 1e-4
    mine, its = (one.sample(300, seed=3) for one in (run.model, OnnxModel.load(tmp_path / "model.onnx")))
    apart = np.abs(its.values - mine.values) > 1e-3 * np.std(mine.values)
    assert apart.mean() < TIES
    assert np.array_equal(its.values == 0, mine.values == 0) or apart.any()
    used = set(operators(onnx.load(tmp_path / "model.onnx")))
    assert used <= SOFIE
    assert "Where" not in used  # of log Phi(-x), for gradients alone


def test_every_family_and_every_transform_has_a_case() -> None:
    """What is added to the tables is exported in these tests, or they fail."""
    defined = [one for module in (steps, discrete) for one in vars(module).values() if isinstance(one, type)]
    known = {one for one in defined if issubclass(one, steps.Step) and not isabstract(one)}
    assert known == {type(one) for chain in TRANSFORMS.values() for one in chain}
    models = [family(name) for name in (*QUICK, *SLOW)]
    made_of = {(model.blueprint.model, model.kind) for model in models}
    assert made_of >= {(name, kind) for name, row in MODELS.items() for kind in row.kinds}
    assert {kind for name, kind in made_of if name == "gan"} | {"cloud"} == FAMILIES.keys()  # clouds: above


def test_a_file_says_what_it_is(tmp_path: Path) -> None:
    model = made({key: TRANSFORMS[key] for key in ("log", "angle")}, conditions=2)
    export(model, tmp_path / "model.onnx", facts={"certificate": {"jensen_shannon": {"lower": 0.01}}})
    graph = onnx.load(tmp_path / "model.onnx")
    facts = json.loads({entry.key: entry.value for entry in graph.metadata_props}["zerosum"])
    assert [one["name"] for one in facts["features"]] == ["log", "angle"]
    assert facts["conditions"][0] == {"name": "energy", "unit": "GeV"} | {
        "low": pytest.approx(10, abs=1), "high": pytest.approx(100, abs=1)
    }  # fmt: skip
    assert facts["prior"] == {"name": "independent standard normal numbers", "dimensions": 6}
    assert facts["certificate"]["jensen_shannon"]["lower"] == 0.01
    assert facts["precision"] == "single"
    assert facts["operators"] == operators(graph)
    assert set(facts["operators"]) <= SOFIE
    assert facts["closure"]["difference"] <= 1e-4
    text = (tmp_path / "model.onnx").read_bytes()
    assert str(Path(__file__).parents[2]).encode() not in text
    assert [value.name for value in graph.graph.input] == ["latent", "conditions"]


def test_where_single_precision_loses_the_spread_the_graph_is_double(tmp_path: Path) -> None:
    """A time stamp of 1.7e9 s with a spread of 10 s."""
    written = export(made({"time": (Affine(1.7e9, 10.0),)}, conditions=0), tmp_path / "model.onnx")
    assert "double precision" in str(written)
    assert written.closure.difference < 1e-5
    assert OnnxModel.load(tmp_path / "model.onnx").sample(10).values.std() > 1


def test_what_does_not_close_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = made({"x": (Affine(0.0, 1.0),)}, conditions=0)

    def wrong(model, events=None):
        graph = traced(model, events)
        for tensor in graph.graph.initializer:
            numbers = onnx.numpy_helper.to_array(tensor)
            if numbers.dtype == np.float32 and numbers.ndim == 2:
                tensor.CopyFrom(onnx.numpy_helper.from_array(numbers * np.float32(1.001), tensor.name))
        return graph

    monkeypatch.setattr(exporting, "traced", wrong)
    with pytest.raises(RunError, match="nothing was written"):
        export(model, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_steps_are_ties_only_where_pytorch_is_on_the_step_too() -> None:
    answer = np.arange(1000.0)[:, None] % 7
    nearby = answer.copy()
    nearby[3] += 1
    flipped = answer.copy()
    flipped[3] += 1
    assert judged(flipped, [answer, nearby], -1, (1000, 0)).ties == 1
    assert judged(flipped, [answer, nearby], -1, (1000, 0)).passed
    flipped[5] += 1
    assert not judged(flipped, [answer, nearby], -1, (1000, 0)).passed
    assert not judged(answer + np.nan, [answer, nearby], -1, (1000, 0)).passed
    assert not judged(answer[:, 0], [answer, nearby], -1, (1000, 0)).passed


def test_double_precision_is_at_least_as_close() -> None:
    model = family("table on circles")
    session = session_of(in_double(traced(model)).SerializeToString())
    latent = np.random.default_rng(0).standard_normal((100, 6)).astype(np.float32)
    conditions = model.known_conditions[:100]
    np.testing.assert_allclose(
        run(session, latent, conditions), model.generate(latent, conditions)[0], rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("name", ["model.xyz", "absent/model.onnx"])
def test_a_name_that_cannot_be_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"export to one of|folder"):
        export(made({"x": (Affine(),)}, conditions=0), tmp_path / name)


@pytest.mark.parametrize("content", [b"", b"onnx", b"\x08\x07" * 50, "absent"])
def test_a_file_that_is_no_model_is_refused_with_a_sentence(content: bytes | str, tmp_path: Path) -> None:
    if isinstance(content, bytes):
        (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(InputError, match="no model that zerosum can read") as caught:
        OnnxModel.load(tmp_path / "model.onnx")
    assert "\n" not in str(caught.value)
