"""Files and folders that are written at once or not at all."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
    """Write a file under a temporary name, then rename it; a device or a pipe is written to as it is.

    Args:
        path: The file.
        content: All of it.
        writer: Who writes, where several processes may write the same at the same time.
    """
    with _written(path, writer) as temporary:
        if _special(path):
            path.write_bytes(content)
        else:
            temporary.write_bytes(content)
            temporary.replace(path)


def demand_writable(path: Path) -> None:
    """Refuse a file that could not be written, before the work whose result it is to hold.

    Examples:
        >>> demand_writable(Path("no/such/folder/report.html"))
        Traceback (most recent call last):
        zerosum.errors.InputError: no/such/folder/report.html cannot be written (No such file or directory); choose \
    another place.
    """
    with _written(path) as temporary:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not _special(path):
            temporary.touch()
            temporary.unlink()


def _special(path: Path) -> bool:
    """Whether this is a device or a pipe, such as /dev/null, in whose place no file may be put."""
    return path.exists() and not path.is_file() and not path.is_dir()


@contextmanager
def _written(path: Path, writer: str = "") -> Iterator[Path]:
    """The temporary name of a file; an error says in one sentence what is wrong with the place, or with the disk."""
    temporary = path.with_name(f".{path.name}{writer}.tmp")
    try:
        yield temporary
    except OSError as error:
        with suppress(OSError):
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
