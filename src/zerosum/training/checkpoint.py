"""Checkpoints: everything that a training needs to go on to the same numbers, as plain files.

A checkpoint is a folder step-N with tensors.safetensors and state.json. It is written under a temporary name and
renamed when complete, so that a folder with the right name is always whole. Nothing is pickled.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from safetensors.torch import load, save
from torch import Tensor

from zerosum.errors import RunError

Tensors = dict[str, Tensor]


class Checkpoints:
    """The checkpoints of one run.

    Args:
        folder: Where they lie.
        keep: How many of the newest are kept.
    """

    def __init__(self, folder: str | Path, keep: int = 2) -> None:
        self.folder = Path(folder)
        self.keep = keep

    def steps(self) -> list[int]:
        """The steps at which checkpoints lie, in ascending order."""
        names = [path.name.removeprefix("step-") for path in self.folder.glob("step-*")]
        return sorted(int(name) for name in names if name.isdigit())

    def write(self, step: int, tensors: Tensors, state: dict[str, Any]) -> Path:
        """Write a checkpoint completely, then drop the oldest ones."""
        final = self.folder / f"step-{step}"
        temporary = self.folder / f".step-{step}.tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        try:
            write_folder(temporary, tensors, state)
            if final.exists():
                shutil.rmtree(final)
            temporary.replace(final)
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise RunError(
                f"the checkpoint of step {step} could not be written ({error.strerror}); earlier ones are intact: "
                "make room and continue with --resume."
            ) from error
        for old in self.steps()[: -self.keep]:
            shutil.rmtree(self.folder / f"step-{old}", ignore_errors=True)
        return final

    def read_newest(self) -> tuple[int, Tensors, dict[str, Any], list[str]]:
        """The newest checkpoint that can be read: step, tensors, state, and the reasons why newer ones cannot."""
        damaged: list[str] = []
        for step in reversed(self.steps()):
            try:
                return step, *read_folder(self.folder / f"step-{step}"), damaged
            except (OSError, ValueError, KeyError) as error:
                damaged.append(f"the checkpoint of step {step} is damaged ({error}) and was passed over")
        raise RunError(f"there is no checkpoint to continue from in {self.folder}; train without --resume.")


def write_folder(folder: Path, tensors: Tensors, state: dict[str, Any]) -> None:
    """Tensors and JSON into a new folder, flushed to disk."""
    folder.mkdir(parents=True)
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    for name, content in (
        ("tensors.safetensors", save(contiguous)),
        ("state.json", json.dumps(state, indent=1).encode()),
    ):
        with (folder / name).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def read_folder(folder: Path) -> tuple[Tensors, dict[str, Any]]:
    """Tensors and JSON from a folder; ValueError or OSError where it is damaged."""
    try:
        tensors = load((folder / "tensors.safetensors").read_bytes())
    except Exception as error:  # safetensors raises its own type, which is no ValueError
        if isinstance(error, OSError):
            raise
        raise ValueError(f"tensors.safetensors: {error}") from None
    state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    if not isinstance(state, dict):
        raise ValueError("state.json holds no dictionary")
    return tensors, state
