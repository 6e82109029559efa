"""Geometries: the cells of published files, exact shares of the radial profile, one sentence for a bad file."""

import numpy as np
import pytest
from scipy.integrate import dblquad

from zerosum.data.calorimeters import GEOMETRIES, LEAD_ARGON, atlas_like, geometry, silicon_like
from zerosum.data.geometry import Geometry, Layer, Material, Pixels, Rings
from zerosum.errors import InputError

GOOD_XML = """<Bins><Bin pid="22" name="photon">
<Layer id="0" r_edges="0,5,10" n_bin_alpha="1"/><Layer id="1" r_edges="0,2,4" n_bin_alpha="10"/>
<Layer id="4" r_edges="0" n_bin_alpha="1"/></Bin><Bin pid="11" name="electron"></Bin></Bins>"""

BAD_XML = {
    "entities": '<!DOCTYPE x [<!ENTITY a "&#97;"><!ENTITY b "&a;&a;">]>' + GOOD_XML,
    "external": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>' + GOOD_XML,
    "truncated": GOOD_XML[:100],
    "no edges": GOOD_XML.replace("r_edges", "edges"),
    "not a number": GOOD_XML.replace("0,5,10", "0,five"),
    "decreasing": GOOD_XML.replace("0,5,10", "0,10,5"),
    "not finite": GOOD_XML.replace("0,5,10", "0,nan,10"),
    "layer outside": '<Bins><Layer id="0" r_edges="0,5" n_bin_alpha="1"/></Bins>',
    "no sectors": GOOD_XML.replace('n_bin_alpha="10"', 'n_bin_alpha="0"'),
    "unknown layer": GOOD_XML.replace('id="1"', 'id="77"'),
    "binary": "\x00\x01\x02",
    "empty": "",
}

YAML = """
name: block
material: {radiation_length: 10, moliere_radius: 20, critical_energy: 9, atomic_number: 60}
layers:
  - {start: 0, stop: 5, r_edges: [0, 10, 20], n_alpha: 4}
  - {start: 5, stop: 25, r_edges: [0, 30]}
"""


def one_sentence(error: pytest.ExceptionInfo[InputError]) -> bool:
    text = str(error.value)
    return text.endswith(".") and "\n" not in text and ". " not in text


def test_atlas_like_is_dataset_1_for_photons(shared) -> None:
    read = Geometry.from_xml(shared / "binning_dataset_1_photons.xml", "photon")
    assert (read.layers, read.material) == (atlas_like().layers, atlas_like().material)
    assert read.offsets == (0, 8, 168, 358, 363, 368)


def test_silicon_like_is_dataset_2(shared) -> None:
    read = Geometry.from_xml(shared / "binning_dataset_2.xml")
    assert read.layers == silicon_like().layers
    assert read.n_voxels == 6480


def test_xml_takes_the_named_particle_and_only_layers_with_cells(tmp_path) -> None:
    path = tmp_path / "binning.xml"
    path.write_text(GOOD_XML)
    read = Geometry.from_xml(path, "photon")
    assert [layer.n_cells for layer in read.layers] == [2, 20]
    for wrong in ("muon", None):
        with pytest.raises(InputError, match="photon, electron"):
            Geometry.from_xml(path, wrong)


@pytest.mark.parametrize("case", BAD_XML)
def test_a_bad_xml_gives_one_sentence(tmp_path, case) -> None:
    path = tmp_path / "bad.xml"
    path.write_text(BAD_XML[case])
    with pytest.raises(InputError, match=r"bad\.xml") as error:
        Geometry.from_xml(path, "photon")
    assert one_sentence(error)


def test_yaml(tmp_path) -> None:
    path = tmp_path / "block.yaml"
    path.write_text(YAML)
    read = geometry(str(path))
    assert read == Geometry(
        "block",
        Material("block", 10, 20, 9, 60),
        (Layer(0, 5, Rings((0, 10, 20), 4)), Layer(5, 25, Rings((0, 30)))),
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: block", "nome: block"),
        ("moliere_radius: 20, ", ""),
        ("atomic_number: 60", "atomic_number: sixty"),
        ("atomic_number: 60", "atomic_number: 60, sampling_frequency: 3"),
        ("radiation_length: 10", "radiation_length: -1"),
        ("start: 5", "start: 4"),
        ("stop: 25", "stop: .nan"),
        ("stop: 25", "end: 25"),
        ("[0, 30]", "30"),
        ("[0, 30]", "[0, 30, 30]"),
        ("n_alpha: 4", "n_alpha: 1.5"),
        ("layers:", "layers: ]"),
        ("name: block", "name: [block]"),
        (YAML, "3"),
        (YAML, "[" * 2000),
        (YAML, "!!python/object/apply:os.getcwd []"),
    ],
)
def test_a_bad_yaml_gives_one_sentence(tmp_path, old, new) -> None:
    path = tmp_path / "bad.yaml"
    assert old in YAML
    path.write_text(YAML.replace(old, new))
    with pytest.raises(InputError, match=r"bad\.yaml") as error:
        Geometry.from_yaml(path)
    assert one_sentence(error)


def test_a_yaml_that_multiplies_itself_gives_a_short_sentence(tmp_path) -> None:
    path = tmp_path / "bad.yaml"
    bomb = "b0: &b0 [x, x]\n" + "".join(
        f"b{i}: &b{i} [{', '.join([f'*b{i - 1}'] * 9)}]\n" for i in range(1, 20)
    )
    layer = bomb + "layers: [{start: 0, stop: 1, r_edges: *b19}]"
    path.write_text(YAML.split("layers:")[0] + layer)
    with pytest.raises(InputError, match=r"bad\.yaml") as error:
        Geometry.from_yaml(path)
    assert len(str(error.value)) < 500


def test_unknown_names_and_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="atlas-like"):
        geometry("cms")
    with pytest.raises(InputError, match="voxels"):
        Geometry("x", LEAD_ARGON, (Layer(0, 1, Rings((0, 1))),), (2, 2))
    with pytest.raises(InputError, match="no layer"):
        Geometry("x", LEAD_ARGON, ())


def test_rings_are_numbered_with_r_fastest_and_share_in_closed_form() -> None:
    shares = Rings((0, 10, 20), 4).shares(np.array([10.0, 5.0]))
    np.testing.assert_allclose(shares[0], np.tile([0.5, 0.3], 4) / 4)
    np.testing.assert_allclose(shares.sum(axis=1), [0.8, 400 / 425])


def test_pixels_share_the_integral_of_the_density() -> None:
    radius, x, y = 3.0, (-4.0, -1.0, 2.0, 9.0), (-2.0, 0.5, 6.0)
    shares = Pixels(x, y).shares(np.array([radius]))[0].reshape(2, 3)

    def density(b: float, a: float) -> float:
        return radius**2 / np.pi / (a * a + b * b + radius**2) ** 2

    truth = [[dblquad(density, x[i], x[i + 1], y[j], y[j + 1])[0] for i in range(3)] for j in range(2)]
    np.testing.assert_allclose(shares, truth, rtol=1e-9)


def test_the_whole_plane_has_share_one() -> None:
    radius = np.array([0.1, 1.0, 30.0])
    np.testing.assert_allclose(Pixels((-np.inf, 0.3, np.inf)).shares(radius).sum(axis=1), 1.0, rtol=1e-9)
    np.testing.assert_allclose(Rings((0, 1e9), 3).shares(radius).sum(axis=1), 1.0)


@pytest.mark.parametrize("name", GEOMETRIES)
def test_built_in_geometries_hold_their_voxels(name) -> None:
    made = geometry(name)
    assert made.n_voxels == made.offsets[-1] == sum(layer.n_cells for layer in made.layers)
    assert made.shape is None or np.prod(made.shape) == made.n_voxels
