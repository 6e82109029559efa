"""Checkpoints: everything that a training needs to go on to the same numbers, as plain files.

A checkpoint is a folder step-N with tensors.safetensors and state.json. It is written under a temporary name and
renamed when complete, so that a folder with the right name is always whole. state.json holds the SHA-256 of all the
rest, so that a flipped bit is noticed, and which code wrote it. Nothing is pickled.
"""

import hashlib
import json
import os
import shutil
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors.torch import load, save
from torch import Tensor

from zerosum.errors import RunError, reason

Tensors = dict[str, Tensor]
SEAL, CODE = "sha256", "code"  # the keys of state.json that are not the training's own


class Checkpoints:
    """The checkpoints of one run.

    Args:
        folder: Where they lie.
        keep: How many of the newest are kept.
    """

    def __init__(self, folder: str | Path, keep: int = 2) -> None:
        self.folder = Path(folder)
        self.keep = keep
        self.writes = True  # one process of a game writes

    def steps(self) -> list[int]:
        """The steps at which checkpoints lie, in ascending order."""
        names = [path.name.removeprefix("step-") for path in self.folder.glob("step-*")]
        return sorted(int(name) for name in names if name.isdigit())

    def write(self, step: int, tensors: Tensors, state: dict[str, Any]) -> Path:
        """Write a checkpoint completely, then drop the oldest ones."""
        final = self.folder / f"step-{step}"
        if not self.writes:
            return final
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
        """The newest checkpoint that can be read.

        Returns:
            Step, tensors, state, and sentences for the user: newer checkpoints that are damaged, and other code.

        Raises:
            RunError: Where there is none.
        """
        notices: list[str] = []
        for step in reversed(self.steps()):
            try:
                tensors, state = read_folder(self.folder / f"step-{step}")
            except (OSError, ValueError, KeyError, RecursionError) as error:
                notices.append(
                    f"the checkpoint of step {step} is damaged ({reason(error)}) and was passed over"
                )
                continue
            wrote = state.pop(CODE, None)
            if wrote is not None and wrote != code():
                notices.append(
                    f"the checkpoint of step {step} was written by {spoken(wrote)}; this is {spoken(code())}: the "
                    "numbers that follow may differ from those of an uninterrupted training"
                )
            return step, tensors, state, notices
        found = f" ({'; '.join(notices)})" if notices else ""
        raise RunError(
            f"there is no checkpoint to continue from in {self.folder}{found}; train without --resume, into a new "
            "folder."
        )


@cache
def code() -> dict[str, str]:
    """Which code this is: the versions of zerosum and torch, and the SHA-256 of zerosum's source."""
    source = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(source.rglob("*.py")):
        digest.update(f"{path.relative_to(source).as_posix()}\n".encode() + path.read_bytes())
    return {"zerosum": version("zerosum"), "torch": version("torch"), "source": digest.hexdigest()}


def spoken(wrote: Any) -> str:
    """The code that `code` described, in words."""
    if not isinstance(wrote, dict):
        return "unknown code"
    known = {name: str(wrote.get(name, "?")) for name in ("zerosum", "torch", "source")}
    return f"zerosum {known['zerosum']} (source {known['source'][:12]}) with torch {known['torch']}"


def write_folder(folder: Path, tensors: Tensors, state: dict[str, Any]) -> None:
    """Tensors and JSON into a new folder, flushed to disk."""
    folder.mkdir(parents=True)
    numbers = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    state = state | {CODE: code()}
    text = json.dumps(state | {SEAL: seal(numbers, state)}, indent=1)
    for name, content in (("tensors.safetensors", numbers), ("state.json", text.encode())):
        with (folder / name).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def seal(content: bytes, state: dict[str, Any]) -> str:
    """The SHA-256 of the tensors' file and of the state, as they are read back."""
    return hashlib.sha256(
        content + json.dumps(json.loads(json.dumps(state)), sort_keys=True).encode()
    ).hexdigest()


def read_folder(folder: Path) -> tuple[Tensors, dict[str, Any]]:
    """Tensors and JSON from a folder; ValueError or OSError where it is damaged."""
    content = (folder / "tensors.safetensors").read_bytes()
    state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    if not isinstance(state, dict):
        raise ValueError("state.json holds no dictionary")
    given = state.pop(SEAL, None)
    if (given is not None or CODE in state) and given != seal(
        content, state
    ):  # the first checkpoints had neither
        raise ValueError("its checksum does not fit")
    try:
        return load(content), state
    except Exception as error:  # safetensors raises its own type, which is no ValueError
        raise ValueError(f"tensors.safetensors: {error}") from None
