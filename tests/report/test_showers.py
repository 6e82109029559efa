"""Pictures of showers: every cell where it belongs, pairs of like energy, and none where there is no calorimeter."""

from dataclasses import replace

import numpy as np
import pytest

from zerosum.data.calorimeters import GEOMETRIES, geometry
from zerosum.data.events import Events
from zerosum.data.simulators import simulate_showers
from zerosum.errors import InputError
from zerosum.report.sections import sections
from zerosum.report.showers import (
    _nearest,
    calorimeter_of,
    disc,
    drawn,
    shower_panels,
    showers_figure,
    single_showers_figure,
)


@pytest.fixture(scope="module")
def samples() -> tuple[Events, Events]:
    made = [simulate_showers(300, seed=seed, geometry="compact", energies=(1e3, 1e5)) for seed in (1, 2)]
    return made[0], made[1]


@pytest.mark.parametrize(("sectors", "rings"), [(1, 5), (8, 4), (10, 16)])
def test_a_disc_has_equal_sectors_and_rings_of_equal_width(sectors: int, rings: int) -> None:
    picture = disc((sectors, rings), dots=600)
    counts = np.bincount(picture[picture >= 0], minlength=sectors * rings).reshape(sectors, rings)
    share = (2 * np.arange(rings) + 1) / rings**2 / sectors * np.pi / 4
    np.testing.assert_allclose(counts / 600**2, np.tile(share, (sectors, 1)), atol=2e-4)
    assert picture[0, 0] == -1


def test_sector_0_begins_at_three_o_clock_and_goes_round_against_the_clock() -> None:
    picture = disc((4, 2), dots=100)
    assert [picture[y, x] for y, x in ((40, 60), (40, 40), (60, 40), (60, 60))] == [0, 2, 4, 6]
    assert picture[30, 85] == 1  # sector 0, the outer ring


@pytest.mark.parametrize("name", GEOMETRIES)
def test_each_cell_is_drawn_once_and_an_empty_one_not_at_all(name: str) -> None:
    for layer in geometry(name).layers[:3]:
        values = 1.0 + np.arange(layer.n_cells)
        values[layer.n_cells // 2] = 0.0
        picture = drawn(values, layer.face)
        assert set(picture[np.isfinite(picture)]) == set(values[values > 0])


def test_profiles_name_the_disagreement(samples: tuple[Events, Events]) -> None:
    first, second = samples
    doubled = replace(second, values=2 * second.values)
    same, other = (
        [float(panel.alt.split("at most ")[1].split()[0]) for panel in shower_panels(first, x)]
        for x in (second, doubled)
    )
    assert len(same) == 2
    assert max(same) < 4 < min(other)


def test_single_showers_stand_beside_the_nearest_energy_and_none_twice(
    samples: tuple[Events, Events],
) -> None:
    first, second = samples
    assert _nearest(first, first, 4) == [0, 1, 2, 3]
    found = _nearest(first, second, 4)
    assert len(set(found)) == 4
    off = np.log(first.conditions[:4, 0] / second.conditions[found, 0])
    assert np.abs(off).max() < 0.1
    titles = [axes.get_title() for axes in single_showers_figure(first, second).axes[:8]]
    assert all(title.endswith("GeV") for title in titles)


def test_the_page_has_them_where_both_samples_are_of_one_calorimeter(
    samples: tuple[Events, Events], tables: tuple[Events, Events]
) -> None:
    (section,) = (s for s in sections({}, *samples, None, None) if s.id == "showers")
    assert [picture.name for picture in section.pictures][2:] == ["Mean showers", "Single showers"]
    assert not any(s.id == "showers" for s in sections({}, *tables, None, None))
    assert calorimeter_of(samples[0], samples[1].select(samples[1].names[:9])) is None
    with pytest.raises(InputError, match="--geometry"):
        showers_figure(*tables)
