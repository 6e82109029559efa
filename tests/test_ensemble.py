"""Trainings from several seeds: ranked by validation events, certified by others."""

import json
from pathlib import Path

import pytest

from zerosum.ensemble import rank, table
from zerosum.errors import InputError


def run(folder: Path, seed: int, judged: list[float | None], certified: float | None) -> None:
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(f"seed: {seed}\nsteps: 30\n", encoding="utf-8")
    records = [
        {"step": 10 * (i + 1)} | ({} if js is None else {"js_estimate": js, "js_error": 0.01})
        for i, js in enumerate(judged)
    ]
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (folder / "history.jsonl").write_text(lines, encoding="utf-8")
    if certified is not None:
        found = json.dumps({"jensen_shannon": {"lower": certified}})
        (folder / "certificate.json").write_text(found, encoding="utf-8")


def test_the_best_judged_generator_comes_first(tmp_path: Path) -> None:
    run(tmp_path / "a", 1, [0.3, 0.2, None, 0.25], None)
    run(tmp_path / "b", 2, [0.4, 0.1, 0.15], 0.05)
    run(tmp_path / "c", 3, [None], None)
    first, second = rank(tmp_path)
    assert (first.seed, first.step, first.estimate, first.certified) == (2, 20, 0.1, 0.05)
    assert (second.seed, second.step, second.estimate, second.certified) == (1, 20, 0.2, None)
    lines = table([first, second]).splitlines()
    assert len(lines) == 3
    assert "not finished" in lines[2]


def test_a_difference_within_errors_is_said(tmp_path: Path) -> None:
    run(tmp_path / "a", 1, [0.101], 0.0)
    run(tmp_path / "b", 2, [0.1], 0.0)
    assert "less than the error" in table(rank(tmp_path))


def test_a_folder_without_judged_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no run that was judged"):
        rank(tmp_path)
