"""The duel: identical splits, one row for each model, and the truth recognised."""

import json
from pathlib import Path

import numpy as np
import pytest

from zerosum.cli import main
from zerosum.data.events import Events
from zerosum.duel.contest import Row, duel
from zerosum.duel.outcome import duel_of_file, table
from zerosum.duel.predictions import filling_in_between, likelihood_is_forward_kl
from zerosum.errors import InputError
from zerosum.evaluation.compare import compare
from zerosum.evaluation.critics import Polynomial
from zerosum.theory.estimate import Estimate
from zerosum.theory.identity import LikelihoodIdentity


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
    assert gaussian.filling.value > 0.1
    assert abs(mixture.filling.value) < 4 * mixture.filling.error
    assert gaussian.identity is not None
    assert gaussian.identity.kl.value == pytest.approx(
        -entropy - gaussian.log_likelihood.value, abs=4 * gaussian.identity.kl.error + 0.05
    )
    text = table(rows)
    assert max(map(len, text.splitlines())) <= 80
    assert all(row.model in text.splitlines()[0] for row in rows)


def test_the_command_writes_one_table_the_numbers_and_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zerosum.evaluation.folds.ladder", lambda _: (Polynomial("quadratic", 2),))
    data, out = tmp_path / "peaks.npy", tmp_path / "duel"
    np.save(data, two_peaks(2000).values)
    with pytest.raises(SystemExit) as stop:
        main([*f"duel {data} --seconds 0.2 --out {out} --models gaussian mixture:2 --quiet".split()])
    assert stop.value.code == 0
    found = json.loads((out / "duel.json").read_text())
    assert [row["model"] for row in found["models"]] == ["gaussian", "mixture:2"]
    gaussian, mixture = found["models"]
    assert mixture["log_likelihood"]["estimate"] > gaussian["log_likelihood"]["estimate"]
    assert gaussian["filling_in"]["fraction"] > 0.1 > mixture["filling_in"]["fraction"]
    assert found["predictions"]
    page = (out / "report.html").read_text()
    assert "mixture:2" in page
    assert "http" not in page.split("<main")[1].split("BibTeX")[0]


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    np.save(tmp_path / "peaks.npy", two_peaks(2000).values)
    with pytest.raises(InputError, match=r"no/duel\.json cannot be written"):
        duel_of_file(tmp_path / "peaks.npy", tmp_path / "duel", 0.2, json_file=tmp_path / "no" / "duel.json")
    assert not (tmp_path / "duel").exists()


def rows_of(**numbers: Estimate) -> list[Row]:
    """A game and a flow with these numbers instead of measured ones; all else is equal."""
    same = Estimate(0.1, 0.01, 100, "test")
    likelihood = LikelihoodIdentity(*(numbers.get(key, same) for key in ("log_likelihood", "entropy", "kl")))
    events = two_peaks(200)
    rng = np.random.default_rng(1)
    comparison = compare(events, Events.table(rng.normal(size=(200, 1))))
    return [
        Row("gan", None, "", None, same, same, comparison, 1, 1.0, 1.0, events),
        Row(
            "mixture", likelihood.log_likelihood, "", likelihood, numbers.get("filling", same),
            numbers.get("uncovered", same), comparison, 1, 1.0, 1.0, events,
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("filling", "holds"), [(0.5, True), (0.105, None), (0.0, False)], ids=["more", "as much", "less"]
)
def test_a_claim_is_decided_by_its_errors(filling: float, holds: bool | None) -> None:
    (one,) = filling_in_between(rows_of(filling=Estimate(filling, 0.01, 100, "test")))
    assert one.holds is holds


def test_a_likelihood_above_minus_the_entropy_is_found_out() -> None:
    for kl, holds in ((Estimate(0.2, 0.1, 10, ""), True), (Estimate(-1.0, 0.1, 10, ""), False)):
        (one,) = likelihood_is_forward_kl(rows_of(kl=kl))
        assert one.holds is holds


def test_what_cannot_be_fought_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the models are gan"):
        duel(two_peaks(), tmp_path / "duel", 1.0, models=["magic"])
    with pytest.raises(InputError, match="exists"):
        duel(two_peaks(), tmp_path, 1.0)
