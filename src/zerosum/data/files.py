"""Files that are written at once or not at all."""

import errno
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


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file under a temporary name, then rename it."""
    temporary = path.with_name(f".{path.name}.tmp")
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
