"""Showers from the simulator to generated ones, by the commands."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from zerosum.cli import main
from zerosum.data.formats import load
from zerosum.data.voxels import geometry_of
from zerosum.workflow import Run, sample, simulate

BLOCK = """
name: block
material: {radiation_length: 10, moliere_radius: 20, critical_energy: 9, atomic_number: 60}
layers:
  - {start: 0, stop: 5, r_edges: [0, 10, 20, 40], n_alpha: 4}
  - {start: 5, stop: 25, r_edges: [0, 10, 30, 60]}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a few steps on showers of a calorimeter of our own."""
    folder = tmp_path_factory.mktemp("showers")
    (folder / "block.yaml").write_text(BLOCK)
    simulate("showers", 600, folder / "showers.h5", geometry=str(folder / "block.yaml"), energies=[1e3, 1e5])
    data = folder / "showers.h5"
    choices = {"data": str(data), "steps": 10, "width": 16, "log_every": 5, "judgements": 1}
    made = Run.start(load(data), folder / "run", choices)
    assert [record["step"] for record in made.play()] == [5, 10]
    return folder / "run"


def test_generated_showers_are_a_calochallenge_file_with_the_geometry(run: Path, tmp_path: Path) -> None:
    sample(run, 300, tmp_path / "generated.h5", where={"incident_energy": 5e4}, seed=1)
    with h5py.File(tmp_path / "generated.h5") as file:
        assert (file["showers"].shape, file["incident_energies"].shape) == ((300, 15), (300, 1))
        assert (file["incident_energies"][:] == 5e4).all()
    generated = load(tmp_path / "generated.h5")
    assert geometry_of(generated) == geometry_of(load(run.parent / "showers.h5"))
    assert generated.values.sum(1).mean() == pytest.approx(5e4, rel=0.2)
    lowest = load(run.parent / "showers.h5").values
    assert ((generated.values == 0) | (generated.values >= lowest[lowest > 0].min())).all()


@pytest.mark.parametrize(("force", "code"), [([], 2), (["--force"], 0)])
def test_extrapolation_is_refused_unless_forced(
    run: Path, tmp_path: Path, force: list[str], code: int
) -> None:
    arguments = [
        "sample",
        str(run),
        "-n",
        "10",
        "-o",
        str(tmp_path / "g.h5"),
        "--where",
        "incident_energy=3e5",
    ]
    with pytest.raises(SystemExit) as done:
        main([*arguments, *force])
    assert (done.value.code or 0) == code
    assert (tmp_path / "g.h5").exists() == bool(force)


def test_options_of_the_simulator_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["simulate", "showers", "-n", "40", "-o", str(tmp_path / "s.h5"), "--set"]
    with pytest.raises(SystemExit) as done:
        main([*command, "geometry=volume", "energies=1e4,2e4", "discrete=true"])
    assert not done.value.code
    events = load(tmp_path / "s.h5")
    assert (events.kind, events.event_shape) == ("grid", (1, 12, 12, 12))
    assert set(events.column("incident_energy")) == {1e4, 2e4}
    capsys.readouterr()
    with pytest.raises(SystemExit) as done:
        main([*command, "colour=blue"])
    assert done.value.code == 2
    assert "geometry:" in capsys.readouterr().err


def test_showers_of_a_bare_file_get_their_geometry_by_name(tmp_path: Path) -> None:
    (tmp_path / "block.yaml").write_text(BLOCK)
    with h5py.File(tmp_path / "bare.h5", "w") as file:
        file["incident_energies"], file["showers"] = np.full((200, 1), 1e4), np.ones((200, 15))
    bare = load(tmp_path / "bare.h5")
    assert geometry_of(bare) is None
    from zerosum.workflow import read_events

    found = geometry_of(read_events(tmp_path / "bare.h5", geometry=str(tmp_path / "block.yaml")))
    assert found is not None
    assert found.name == "block"
