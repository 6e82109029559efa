"""Files that are written at once or not at all, and places where none can be written."""

import os
from pathlib import Path

import pytest

from zerosum.data.files import demand_writable, write_text
from zerosum.errors import InputError


def test_a_place_that_can_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("old")
    demand_writable(tmp_path / "new.json")
    demand_writable(tmp_path / "old.json")
    assert [path.name for path in tmp_path.iterdir()] == ["old.json"]
    assert (tmp_path / "old.json").read_text() == "old"


@pytest.mark.parametrize(("name", "reason"), [("no/file", "No such file"), ("folder", "Is a directory")])
def test_a_place_that_cannot_be_written_is_refused_alike_before_and_after(
    tmp_path: Path, name: str, reason: str
) -> None:
    (tmp_path / "folder").mkdir()
    for refuse in (demand_writable, lambda path: write_text(path, "x")):
        with pytest.raises(
            InputError, match=rf"{name} cannot be written \({reason}.*\); choose another place"
        ):
            refuse(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    """As /dev/null is, in whose place a file would do harm."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    demand_writable(pipe)
    write_text(pipe, "all of it")
    assert os.read(reader, 100) == b"all of it"
    os.close(reader)
    assert pipe.is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
