"""The duel: identical splits, one row for each model, and the truth recognised."""

from pathlib import Path

import numpy as np
import pytest

from zerosum.data.events import Events
from zerosum.duel import duel, table
from zerosum.errors import InputError


def two_peaks(n: int = 4000) -> Events:
    rng = np.random.default_rng(0)
    return Events.table(np.where(rng.random((n, 1)) < 0.5, -3.0, 3.0) + rng.normal(size=(n, 1)) * 0.5)


@pytest.mark.slow
def test_the_gaussian_fills_in_between_peaks_and_the_mixture_does_not(tmp_path: Path) -> None:
    rows = duel(
        two_peaks(), tmp_path / "duel", 1.0, models=["gan", "gaussian", "mixture"], device="cpu", width=4
    )
    gan, gaussian, mixture = rows
    assert gan.log_likelihood is None
    assert "no density" in gan.reason
    assert gaussian.log_likelihood is not None
    assert mixture.log_likelihood is not None
    entropy = 0.5 * np.log(2 * np.pi * np.e * 0.25) + np.log(2)
    assert mixture.log_likelihood.value == pytest.approx(-entropy, abs=4 * mixture.log_likelihood.error)
    assert gaussian.log_likelihood.value < mixture.log_likelihood.value - 0.5
    assert gaussian.comparison.jensen_shannon.lower is not None
    assert gaussian.comparison.jensen_shannon.lower > 0.05
    assert abs(mixture.comparison.jensen_shannon.estimate) < 0.02
    assert len(table(rows).splitlines()) == 1 + len(rows) + 1


def test_what_cannot_be_fought_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the models are gan"):
        duel(two_peaks(), tmp_path / "duel", 1.0, models=["magic"])
    with pytest.raises(InputError, match="exists"):
        duel(two_peaks(), tmp_path, 1.0)
