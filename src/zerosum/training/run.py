"""The run: a folder of plain files that holds all of a training."""

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from zerosum.data.files import write_text
from zerosum.errors import InputError
from zerosum.training import presence
from zerosum.training.checkpoint import Checkpoints
from zerosum.training.history import History


class RunFolder:
    """Paths and small files of a run.

    Args:
        path: The folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.history = History(self.path)
        self.checkpoints = Checkpoints(self.path / "checkpoints")
        self.model = self.path / "model"
        self.config = self.path / "config.yaml"
        self.stop = self.path / presence.STOP

    def create(self) -> None:
        """Make the folder; one that holds a run already is refused."""
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"{self.path} is a file; choose another folder with --out.")
        if self.config.exists():
            raise InputError(
                f"{self.path} holds a run already; continue it with --resume or choose another --out."
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"{self.path} cannot be made ({error.strerror}); choose another folder with --out."
            ) from None

    def existing(self) -> "RunFolder":
        """The same folder, if it holds a run."""
        if not self.config.is_file():
            raise InputError(
                f"{self.path} holds no run (no config.yaml); give the folder that zerosum train wrote."
            )
        return self

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Write a small file at once or not at all."""
        write_text(self.path / name, json.dumps(content, indent=1) + "\n")

    def read_json(self, name: str) -> dict[str, Any]:
        """Read a small file of the run."""
        try:
            content = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{self.path / name} cannot be read ({error}); the run is damaged.") from None
        if not isinstance(content, dict):
            raise InputError(f"{self.path / name} holds no dictionary; the run is damaged.")
        return content

    def locked(self) -> AbstractContextManager[None]:
        """Only one process trains in a folder."""
        return presence.locked(self.path)

    def remove(self) -> None:
        """Delete the folder, after a run that failed before it began."""
        shutil.rmtree(self.path, ignore_errors=True)


def provenance(command: str, digest: str, source: str) -> dict[str, Any]:
    """Versions, machine, command and the data's digest: what is needed to do it again."""
    packages = ("zerosum", "torch", "numpy", "scipy", "scikit-learn", "lightning-fabric", "safetensors")
    return {
        "command": command,
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "data": {"source": source, "sha256": digest},
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        "git": _git_hash(),
        "host": {"machine": platform.machine(), "system": platform.platform(), "cpus": os.cpu_count()},
        "arguments": sys.argv[1:],
    }


def _git_hash() -> str | None:
    """The commit of the working folder, where it is a git checkout."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None
