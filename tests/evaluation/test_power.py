"""What is said to be caught is caught, what is far smaller is not, and more events catch less."""

import numpy as np
import pytest

from zerosum.data.events import Events
from zerosum.errors import InputError
from zerosum.evaluation.certificate import certify
from zerosum.evaluation.power import DISTORTIONS, QUICK, power


def sample(n, seed):
    return Events.table(np.random.default_rng(seed).normal(size=(n, 2)).astype(np.float32), ["u", "v"])


@pytest.fixture(scope="module")
def found():
    return {one.distortion: one for one in power(sample(4000, 1), 4000, feature="v")}


@pytest.mark.parametrize("name", DISTORTIONS)
def test_a_distortion_of_the_stated_strength_is_certified(found, name):
    strength = found[name].strength
    assert 0.005 < strength < 0.65
    generated = DISTORTIONS[name](sample(4000, 2), "v", 1.3 * strength)
    assert certify(sample(4000, 3), generated, critics=QUICK).lower > 0


@pytest.mark.parametrize("name", DISTORTIONS)
def test_a_quarter_of_it_is_not(found, name):
    generated = DISTORTIONS[name](sample(4000, 2), "v", found[name].strength / 4)
    assert certify(sample(4000, 3), generated, critics=QUICK).lower <= 0


def test_more_events_catch_smaller_shifts(found):
    (few,) = power(sample(500, 1), 500, feature="v", distortions=["shift"])
    (many,) = power(sample(4000, 1), 4000, feature="v", distortions=["shift"])
    assert many == found["shift"]
    assert many.strength < 0.7 * few.strength


@pytest.mark.parametrize(("name", "moment", "expected"), [("shift", np.mean, 0.2), ("scale", np.std, 1.2)])
def test_distortions_do_what_they_say(name, moment, expected):
    events = sample(20_000, 5)
    distorted = DISTORTIONS[name](events, "v", 0.2)
    assert moment(distorted.column("v")) == pytest.approx(expected, abs=0.03)
    assert np.array_equal(distorted.column("u"), events.column("u"))


def test_holes_and_tails_drop_their_fraction():
    events = sample(10_000, 6)
    hole, tail = (DISTORTIONS[name](events, "v", 0.1) for name in ("hole", "tail"))
    assert len(hole) == pytest.approx(9000, abs=2)
    assert np.abs(hole.column("v")).min() > 0.1
    assert len(tail) == pytest.approx(9000, abs=2)
    assert tail.column("v").max() == pytest.approx(1.28, abs=0.05)


def test_grids_are_distorted_by_channel():
    grid = Events.grid(np.random.default_rng(0).random((500, 4, 4)), ("energy",))
    assert DISTORTIONS["scale"](grid, "energy", 0.5).values.std() > 1.4 * grid.values.std()
    assert len(DISTORTIONS["tail"](grid, "energy", 0.2)) == 400


def test_small_samples_and_unknown_features_are_refused():
    with pytest.raises(InputError, match="at least 400"):
        power(sample(100, 0), 100)
    with pytest.raises(InputError, match="no mass"):
        power(sample(500, 0), 500, feature="mass")
