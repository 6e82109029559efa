"""Every source keeps the contract: n events, the same for every chunk size, others for another seed."""

import numpy as np
import pytest

from zerosum.data.events import Events
from zerosum.data.simulators import SOURCES, source
from zerosum.errors import InputError

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
