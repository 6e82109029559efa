"""The history of a run: one append-only file that terminal, live page and report read.

history.jsonl holds what the game determines, one record for each logged step, so that two runs with one seed have
byte for byte the same history. timing.jsonl beside it holds the clock: {"step", "seconds"}.
"""

import errno
import json
import os
from pathlib import Path
from typing import Any

from zerosum.data.files import write_text
from zerosum.errors import RunError

Record = dict[str, Any]


class History:
    """Append records, read them, and go back to an earlier step.

    Args:
        folder: The run's folder.
    """

    def __init__(self, folder: str | Path) -> None:
        self.path = Path(folder) / "history.jsonl"
        self.timing = Path(folder) / "timing.jsonl"
        self.writes = True  # one process of a game writes

    def append(self, record: Record, seconds: float) -> None:
        """Write one record and the seconds that the training has taken until then."""
        if not self.writes:
            return
        _append(self.path, record)
        _append(self.timing, {"step": record["step"], "seconds": round(seconds, 3)})

    def records(self) -> list[Record]:
        """All records, with "seconds" where the clock was read."""
        seconds = {entry["step"]: entry["seconds"] for entry in _read(self.timing)}
        return [
            record | ({"seconds": seconds[s]} if (s := record["step"]) in seconds else {})
            for record in _read(self.path)
        ]

    @property
    def step(self) -> int:
        """The last step that was logged; 0 where none was."""
        records = _read(self.path)
        return int(records[-1]["step"]) if records else 0

    @property
    def stopped(self) -> str | None:
        """Why the training ended by itself before all its steps (stopping.py), if it did."""
        records = _read(self.path)
        return records[-1].get("stopped") if records else None

    def rewind(self, step: int) -> None:
        """Forget what was logged after this step: the run goes on from a checkpoint taken there."""
        for path in (self.path, self.timing) if self.writes else ():
            lines = [json.dumps(entry) + "\n" for entry in _read(path) if entry["step"] <= step]
            write_text(path, "".join(lines))


def _append(path: Path, entry: Record) -> None:
    """Write one whole line; where there is no room for it, none of it stays."""
    line = (json.dumps(entry) + "\n").encode()
    with path.open("ab", buffering=0) as file:
        before = file.tell()
        try:
            if file.write(line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            file.truncate(before)
            raise RunError(
                f"{path} cannot be written ({error.strerror}); make room and continue with --resume."
            ) from error


def _read(path: Path) -> list[Record]:
    """The complete records of a file; a last line that was cut off by a crash does not count."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1] if line]
