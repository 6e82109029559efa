"""Every source keeps the contract: n events, the same for every chunk size, others for another seed."""

import warnings

import numpy as np
import pytest

from zerosum.data.events import Events
from zerosum.data.simulators import SOURCES, source
from zerosum.errors import InputError
from zerosum.theory.sources import DENSITIES

SMALL = {"ising": {"side": 4}}  # options that make a source quick


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_gives_n_events_that_depend_on_the_seed_alone(name) -> None:
    options = SMALL.get(name, {})
    whole = Events.joined(list(source(name).stream(1200, 1, **options)))
    parts = list(source(name).stream(1200, 1, chunk=1, **options))
    assert [len(part) for part in parts] == [250, 250, 250, 250, 200]
    assert Events.joined(parts).digest() == whole.digest()
    assert next(source(name).stream(5, 2, **options)).digest() != whole.take(slice(0, 5)).digest()
    assert np.isfinite(whole.values).all()
    assert whole.values.dtype == np.float32


@pytest.mark.parametrize("name", SOURCES)
def test_names_and_summaries_are_there(name) -> None:
    entry = source(name)
    assert entry.name == name
    assert entry.summary
    with pytest.raises(InputError, match="at least 1"):
        next(entry.stream(0, 1))


def test_a_wrong_name_lists_all() -> None:
    with pytest.raises(InputError, match=r"showers.*ising.*ring"):
        source("shower")


ALL = SOURCES | DENSITIES
OPTIONS = [(name, option) for name, found in ALL.items() for option in found.options]
VALUES = ("abc", ["a", "b"], [1, True], -1, 0, 1.5, True, [1, 2], 1e300, float("nan"), "")


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_any_value_of_any_option_is_used_or_refused_in_one_sentence(name: str, option: str) -> None:
    """What is not refused by its type is refused by whoever takes it, or gives events."""
    found = ALL[name]
    for value in VALUES:
        said, events = ".", None
        try:
            found.check({option: value})
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # of 1e300, where it overflows
                events = next(found.stream(2, seed=1, **{option: value}))
        except InputError as refused:
            said = str(refused)
        assert said.endswith("."), value
        assert (events is None) == (len(said) > 20), value
    for value in ([None], {"a": 1}, object()):
        with pytest.raises(InputError, match=rf"{option} is .*; give \w"):
            found.check({option: value})
