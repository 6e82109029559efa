"""Copies are found and counted, and generators that copy nothing, good or poor, are left in peace."""

import numpy as np
import pytest
from scipy import stats

from zerosum.data.events import Events
from zerosum.errors import InputError
from zerosum.evaluation.memorisation import memorisation, memorised


def normal(seed, n=2000, scale=1.0, d=3):
    return scale * np.random.default_rng(seed).normal(size=(n, d))


def found(generated, *, seed=0, n=2000, held=2000):
    train, held_out = normal(2 * seed + 1, n), normal(2 * seed + 2, held)
    return memorisation(
        Events.table(train), Events.table(held_out), Events.table(generated(train)), seed=seed
    )


@pytest.mark.parametrize("scale", [1.0, 0.3, 3.0])
def test_p_values_are_uniform_for_any_generator_that_copies_nothing(scale):
    p = [
        found(lambda _, s=s: normal(1000 + s, 400, scale), seed=s, n=400, held=300).p_value for s in range(40)
    ]
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_nothing_memorised():
    one = found(lambda _: normal(9))
    assert one.share_closer.value == pytest.approx(0.5, abs=4 * one.share_closer.error)
    assert one.copies.value == pytest.approx(0, abs=4 * one.copies.error)
    assert one.expected == 0.5
    assert one.p_value > 0.01


def test_two_percent_of_copies_are_found_and_counted():
    one = found(lambda train: np.concatenate([train[:40], normal(10, 1960)]), seed=3)
    assert one.p_value < 0.01
    assert one.copies.value == pytest.approx(0.02, abs=4 * one.copies.error)
    assert one.copies.error < 0.005


def test_all_copies():
    one = found(lambda train: train, seed=4)
    assert one.share_closer.value == 1
    assert one.copies.value == 1
    assert one.p_value == pytest.approx(0.001)


def test_copies_with_noise_are_seen_in_the_share():
    one = found(lambda train: train + normal(11, len(train), 0.05), seed=5)
    assert one.share_closer.value > 0.8
    assert one.p_value == pytest.approx(0.001)


def test_sizes_may_differ():
    one = found(lambda _: normal(12, 3000), seed=6, n=3000, held=1000)
    assert one.expected == 0.75
    assert one.share_closer.value == pytest.approx(0.75, abs=4 * one.share_closer.error)
    assert (one.n_train, one.n_held_out, one.n_generated) == (3000, 1000, 3000)
    assert "0.750 expected" in str(one)


def test_discrete_events_coincide_without_being_copies():
    rng = np.random.default_rng(7)
    train, held_out, made = (Events.table(part.astype(float)) for part in rng.integers(0, 4, (3, 1000, 3)))
    assert memorisation(train, held_out, made, seed=0).p_value > 0.01
    assert memorisation(train, held_out, train, seed=0).p_value > 0.01  # nobody can tell


def test_small_and_foreign_samples_are_refused():
    events = Events.table(normal(0, 100))
    with pytest.raises(InputError, match="held-out sample has 10 events"):
        memorisation(events, events.take(slice(10)), events, seed=0)
    with pytest.raises(InputError, match="other columns"):
        memorisation(events, events, Events.table(normal(0, 100, d=2)), seed=0)


def test_columns_are_matched_and_conditions_refused():
    train = Events.table(normal(1), ["a", "b", "c"])
    other = Events.table(normal(2), ["c", "a", "b"])
    found = memorised(train, other, train.take(slice(500)), seed=0)
    assert found.copies.value == 1
    with pytest.raises(InputError, match="without conditions"):
        memorised(train.given(["c"]), other.given(["c"]), train.given(["c"]), seed=0)
