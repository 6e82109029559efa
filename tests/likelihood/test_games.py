"""Runs of every model of maximum likelihood: from events to a saved model with a density in physical units."""

from pathlib import Path

import numpy as np
import pytest

from zerosum.data.events import Events
from zerosum.errors import InputError
from zerosum.likelihood.games import MODELS
from zerosum.model import Model
from zerosum.theory.identity import likelihood_identity
from zerosum.workflow import Run

CHOICES = {
    "steps": 50,
    "log_every": 10,
    "checkpoint_every": 20,
    "batch": 128,
    "judgements": 0,
    "device": "cpu",
}
SIZES = {"gaussian": {}, "mixture": {"width": 3}, "flow": {"width": 16, "depth": 2}, "vae": {"width": 16}}


def table(n: int = 3000) -> Events:
    """An energy with a lower edge (logarithm), a fraction with two edges (probit), given one condition."""
    rng = np.random.default_rng(0)
    e = rng.uniform(1, 3, n)
    values = np.stack([rng.lognormal(e / 2, 0.5), rng.uniform(0, 20, n), e], 1)
    return Events.table(values, ["energy", "fraction", "beam"])


def start(folder: Path, model: str, events: Events, **more: object) -> Run:
    return Run.start(events, folder, CHOICES | SIZES[model] | more | {"model": model})


@pytest.mark.parametrize("model", MODELS)
def test_a_run_trains_saves_loads_and_samples_the_same_events(tmp_path: Path, model: str) -> None:
    run = start(tmp_path / "run", model, table().given(["beam"]))
    records = list(run.play())
    assert all(np.isfinite(record["log_likelihood"]) for record in records)
    loaded = Model.load(tmp_path / "run" / "model")
    a, b = run.model.sample(1000, seed=3), loaded.sample(1000, seed=3)
    assert a.values.tobytes() == b.values.tobytes()
    assert a.values[:, 0].min() > 0
    assert np.array_equal(run.model.log_prob(run.test), loaded.log_prob(run.test))
    assert np.isfinite(loaded.log_prob(a)).all()


@pytest.mark.parametrize("model", ["mixture", "flow", "vae"])
def test_a_stopped_run_goes_on_to_the_same_numbers(tmp_path: Path, model: str) -> None:
    events = table()
    whole = start(tmp_path / "whole", model, events)
    list(whole.play())
    part = start(tmp_path / "part", model, events)
    steps = iter(range(1000))
    list(part.play(stop=lambda: next(steps) == 33))
    list(Run.resume(tmp_path / "part", events).play())
    for name in ("history.jsonl", "model/model.safetensors"):
        assert (tmp_path / "part" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize("model", ["gaussian", "mixture", "flow"])
def test_the_density_in_physical_units_integrates_to_one(tmp_path: Path, model: str) -> None:
    run = start(tmp_path / "run", model, table().select(["energy", "fraction"]))
    list(run.play())
    steps = " ".join(run.model.preprocessor.describe())
    assert "log" in steps
    assert "probit" in steps
    log_energy = np.linspace(-6, 10, 401)
    fraction = (np.arange(400) + 0.5) / 400 * 20
    x, y = np.meshgrid(np.exp(log_energy), fraction, indexing="ij")
    density = np.exp(
        run.model.log_prob(Events.table(np.stack([x.ravel(), y.ravel()], 1), ["energy", "fraction"]))
    )
    total = (density * x.ravel()).sum() * (log_energy[1] - log_energy[0]) * 20 / 400
    assert total == pytest.approx(1, abs=5e-3)


@pytest.mark.parametrize("model", ["gaussian", "mixture", "flow"])
def test_sampled_events_have_the_density_that_the_model_claims(tmp_path: Path, model: str) -> None:
    """The mean of u / p_g over generated events is the volume where p_g > 0, here u is uniform in a box."""
    run = start(tmp_path / "run", model, table().select(["energy", "fraction"]))
    list(run.play())
    events = run.model.sample(20_000, seed=1)
    low, high = np.array([1.0, 4.0]), np.array([6.0, 16.0])
    inside = ((events.values > low) & (events.values < high)).all(1)
    ratio = np.where(inside, np.exp(-run.model.log_prob(events)), 0) / np.prod(high - low)
    assert ratio.mean() == pytest.approx(1, abs=4 * ratio.std() / len(ratio) ** 0.5)


def test_the_likelihood_is_minus_entropy_minus_divergence(tmp_path: Path) -> None:
    """<ln p_g>_data = -S - D_KL: with the data's own density the divergence is zero within its error."""
    x = np.random.default_rng(1).normal(size=(8000, 2)) @ [[1.0, 0.8], [0.0, 0.6]]
    run = start(tmp_path / "run", "gaussian", Events.table(x))
    list(run.play())
    found = likelihood_identity(run.model.log_prob(run.train_events), run.train_events.values)
    entropy = 1 + np.log(2 * np.pi) + np.log(0.6)
    assert found.entropy.value == pytest.approx(entropy, abs=5 * found.entropy.error)
    assert found.kl.value == pytest.approx(0, abs=4 * found.kl.error)


def test_grids_have_convolutional_models_and_spins_have_probabilities(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    spins = Events.grid(np.where(rng.random((300, 8, 8)) < 0.7, 1.0, -1.0))
    run = start(tmp_path / "spins", "vae", spins)
    list(run.play())
    assert set(np.unique(run.model.sample(100).values)) == {-1.0, 1.0}
    independent = 64 * (0.7 * np.log(0.7) + 0.3 * np.log(0.3))
    assert run.model.log_prob(run.test).mean() == pytest.approx(independent, abs=4)
    with pytest.raises(InputError, match="the model flow is for a table"):
        start(tmp_path / "flow", "flow", spins)


def test_the_adversarial_game_has_no_density(tmp_path: Path) -> None:
    run = Run.start(table(500), tmp_path / "run", CHOICES | {"model": "gan", "steps": 2, "width": 8})
    list(run.play())
    with pytest.raises(InputError, match="no density"):
        run.model.log_prob(run.test)
