"""Files and folders that are written at once or not at all."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

from zerosum.errors import InputError, RunError

FULL = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EIO,
)  # the disk's fault, not that of the name that was given


def write_text(path: Path, text: str) -> None:
    """Write a text file under a temporary name, then rename it."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes, writer: str = "") -> None:
    """Write a file under a temporary name, then rename it.

    Args:
        path: The file.
        content: All of it.
        writer: Who writes, where several processes may write the same at the same time.
    """
    temporary = path.with_name(f".{path.name}{writer}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if error.errno in FULL:
            raise RunError(
                f"{path} cannot be written ({error.strerror}); make room and try again."
            ) from error
        raise InputError(f"{path} cannot be written ({error.strerror}); choose another place.") from None


def replace_folder(folder: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill an empty folder under a temporary name, then put it in the place of the one before.

    Raises:
        OSError: Where that cannot be done; the one before is kept.
    """
    temporary, old = (folder.with_name(f".{folder.name}.{end}") for end in ("tmp", "old"))
    try:
        for earlier in (temporary, old):
            shutil.rmtree(earlier, ignore_errors=True)
        temporary.mkdir(parents=True)
        write(temporary)
        if folder.exists():
            folder.replace(old)
        temporary.replace(folder)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)
        if old.exists() and not folder.exists():
            old.replace(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
