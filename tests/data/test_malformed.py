"""Every bad file is refused with one sentence that names the file and what is wrong with it."""

import re
from pathlib import Path

import numpy as np
import pytest
from tests.malformed import CASES, SAYS

from zerosum.data.formats import iterate, load
from zerosum.errors import InputError


@pytest.mark.parametrize("name", CASES)
def test_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    path = CASES[name](tmp_path)
    with pytest.raises(InputError) as refusal:
        load(path)
    message = str(refusal.value)
    assert str(path) in message
    assert SAYS[name] in message
    assert message.endswith(".")
    assert "\n" not in message
    assert not re.search(r"\.\.$|[.:;,] ?\.$", message), message
    with pytest.raises(InputError):
        list(iterate(path, 2000))


def test_there_are_many() -> None:
    assert len(CASES) >= 40


CHOICES = {
    "an absent column": ({"columns": ["a", "z"]}, "there is no z"),
    "an absent condition": ({"conditions": ["z"]}, "there is no z"),
    "an absent weight": ({"weight": "z"}, "there is no z"),
    "a column twice": ({"columns": ["a", "a"]}, "a was chosen more than once"),
    "a column that is a condition too": (
        {"columns": ["a"], "conditions": ["a"]},
        "a was chosen more than once",
    ),
    "nothing left": ({"conditions": ["a", "b"]}, "no column is left"),
    "no columns": ({"columns": []}, "no column is left"),
    "one name for a list": ({"columns": "a"}, "lists of names"),
    "no events": ({"max_events": 0}, "max_events is 0"),
    "a dataset": ({"dataset": "t"}, "no datasets"),
}


@pytest.mark.parametrize("name", CHOICES)
def test_choices_that_a_good_file_cannot_serve(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n3,4\n")
    arguments, says = CHOICES[name]
    with pytest.raises(InputError, match=says) as refusal:
        load(tmp_path / "x.csv", **arguments)
    assert str(tmp_path / "x.csv") in str(refusal.value)


def test_one_event_and_a_chosen_column_beside_bad_ones_load(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,word,gap\n1.5,GT,\n")
    assert load(tmp_path / "x.csv", columns=["a"]).values.tolist() == [[1.5]]


def test_rows_are_counted_over_the_whole_file(tmp_path: Path) -> None:
    values = np.ones((200_000, 1))
    values[[150_000, 199_999]] = np.nan
    np.save(tmp_path / "x.npy", values)
    with pytest.raises(InputError, match=r"has 2 missing values in 200000 rows \(first at row 150001\)"):
        load(tmp_path / "x.npy")
    with pytest.raises(InputError, match=r"\(first at row 150001\)"):
        list(iterate(tmp_path / "x.npy", 1000))
