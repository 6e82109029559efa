"""What a run's folder says to one who watches: records as they are appended, the state, the snapshots."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from zerosum.training.presence import STOP, at_work

DEEPEST = ("", "*/", "*/*/")  # where runs lie below the watched folder
LARGEST = 64 * 2**20  # bytes of a file that is served
TOLD = ("model", "objective", "penalty", "steps", "seed")  # of the configuration
MOST_RUNS = 200


def find_runs(root: Path) -> dict[str, Path]:
    """The runs in a folder, or the folder itself, by an id that says nothing; links that lead outside are no runs."""
    root = root.resolve()
    found: dict[str, Path] = {}
    for pattern in DEEPEST:
        for config in sorted(root.glob(f"{pattern}config.yaml")):
            folder = config.parent.resolve()
            if folder.is_relative_to(root) and len(found) < MOST_RUNS:
                name = str(folder.relative_to(root)) if folder != root else root.name
                found[hashlib.sha256(name.encode()).hexdigest()[:12]] = folder
    return found


def inside(folder: Path, name: str) -> bytes | None:
    """A file of a run; None where there is none, where it is a link that leads outside, or where it is too large."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file() or path.stat().st_size > LARGEST:
        return None
    return path.read_bytes()


def snapshot_steps(folder: Path) -> list[int]:
    """The steps of the snapshots in a folder, ascending."""
    found = [path.stem.removeprefix("step-") for path in folder.glob("step-*.safetensors")]
    return sorted(int(number) for number in found if number.isdigit())


class Tail:
    """Follows a file of JSON lines that grows, and that may be rewritten.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.start_again()

    def start_again(self) -> None:
        """Read from the beginning the next time."""
        self.inode, self.offset, self.rest = 0, 0, b""

    def read(self) -> tuple[bool, list[dict[str, Any]]]:
        """Whether the file began anew since the last call, and the complete records that came."""
        try:
            with self.path.open("rb") as file:
                return self._read(file)
        except OSError:
            anew = self.offset > 0
            self.start_again()
            return anew, []

    def _read(self, file: Any) -> tuple[bool, list[dict[str, Any]]]:
        facts = os.fstat(file.fileno())
        anew = self.offset > 0 and (facts.st_ino != self.inode or facts.st_size < self.offset)
        if anew:
            self.start_again()
        self.inode = facts.st_ino
        file.seek(self.offset)
        content = file.read(LARGEST)
        self.offset += len(content)
        *lines, self.rest = (self.rest + content).split(b"\n")
        return anew, list(_records(lines))


def _records(lines: list[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and isinstance(record.get("step"), int):
            yield record


class Watched:
    """One run, as told to one page.

    Args:
        key: The id under which the page asks for it.
        folder: The run's folder.
        name: Its name on the page.
    """

    def __init__(self, key: str, folder: Path, name: str) -> None:
        self.key, self.folder, self.name = key, folder, name
        self.history, self.timing = Tail(folder / "history.jsonl"), Tail(folder / "timing.jsonl")
        self.told: dict[str, Any] = {}
        self.last: dict[str, Any] = {}

    def news(self) -> dict[str, Any] | None:
        """What is new since the last call; None where nothing is."""
        anew, records = self.history.read()
        anew_too, timing = self.timing.read()
        if anew or anew_too:  # both are told again from their beginnings
            self.history.start_again()
            self.timing.start_again()
            (_, records), (_, timing) = self.history.read(), self.timing.read()
        if anew or anew_too or records:
            self.last = records[-1] if records else {}
        state = self.state()
        if not (anew or anew_too or records or timing or state != self.told):
            return None
        self.told = state
        times = [[entry["step"], entry.get("seconds")] for entry in timing]
        return {"run": self.key, "anew": anew or anew_too, "records": records, "times": times, "state": state}

    def state(self) -> dict[str, Any]:
        """What the run is and how far: plain values."""
        config = self._yaml()
        training = at_work(self.folder)
        certificate = self._json("certificate.json")
        last = int(self.last.get("step", 0))
        ended = last >= int(config.get("steps") or 0) > 0 or "stopped" in self.last
        stopping = training and (self.folder / STOP).exists()
        words = {"stopping": stopping, "training": training, "finished": ended, "stopped": True}
        return {
            "name": self.name,
            "config": {key: config.get(key) for key in TOLD},
            "state": next(word for word, holds in words.items() if holds),
            "snapshots": snapshot_steps(self.folder / "snapshots"),
            "verdict": str(certificate.get("verdict", "")),
            "report": (self.folder / "report.html").is_file(),
        }

    def _yaml(self) -> dict[str, Any]:
        try:
            found = yaml.safe_load((inside(self.folder, "config.yaml") or b"").decode())
        except (ValueError, yaml.YAMLError):
            return {}
        return found if isinstance(found, dict) else {}

    def _json(self, name: str) -> dict[str, Any]:
        try:
            found = json.loads(inside(self.folder, name) or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class Board:
    """All runs of a folder, as told to one page.

    Args:
        root: A run, or a folder of runs.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.runs = root.resolve(), dict[str, Watched]()

    def news(self) -> Iterator[tuple[str, Any]]:
        """Names and contents of what is to be told."""
        found = find_runs(self.root)
        if gone := [key for key in self.runs if key not in found]:
            self.runs = {key: run for key, run in self.runs.items() if key in found}
            yield "gone", gone
        for key, folder in found.items():
            if key not in self.runs:
                name = str(folder.relative_to(self.root)) if folder != self.root else folder.name
                self.runs[key] = Watched(key, folder, name)
            if news := self.runs[key].news():
                yield "run", news
