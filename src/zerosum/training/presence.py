"""Who is at work in a run's folder, and how to ask it to stop: a lock, and a file."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zerosum.errors import InputError

LOCK, STOP = ".lock", "stop"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Only one process trains in a folder; a lock left by a dead process of this machine is taken over."""
    import fcntl  # not on every system, and nothing but a training and its watchers need it

    with (folder / LOCK).open("a") as file:
        for patience in (0.05, 0.1, 0.2, 0.0):  # one who asks `at_work` holds it for an instant
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                time.sleep(patience)
        else:
            raise InputError(f"another training is at work in {folder}; wait for it or choose another --out.")
        yield


def at_work(folder: Path) -> bool:
    """Whether a process of this machine is training in the folder."""
    import fcntl

    try:
        with (folder / LOCK).open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
