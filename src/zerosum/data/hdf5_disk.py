"""The disk under an HDF5 file that is written: it never fails while the library looks.

Where the library (2.0) cannot write what it still holds when a file is closed, it ends the process. It is therefore
given a file that takes everything; the first failure is kept, nothing more is written, and the writer asks for it.
"""

import errno
import io
import os
from pathlib import Path
from typing import Any


class Disk(io.RawIOBase):
    """A new file for h5py.

    Args:
        path: Its name.

    Attributes:
        failure: The first error, after which nothing was written.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b", buffering=0)
        self.failure: OSError | None = None

    def demand(self) -> None:
        """Raise what failed, if anything did."""
        if self.failure is not None:
            raise self.failure

    def write(self, content: Any) -> int:
        """Take all of it, whether or not there was room."""
        if self.failure is None:
            try:
                if self._file.write(content) < len(content):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError as error:
                self.failure = error
        return len(content)

    def truncate(self, size: int | None = None) -> int:
        """Likewise."""
        if self.failure is None:
            try:
                return self._file.truncate(size)
            except OSError as error:
                self.failure = error
        return size or 0

    def readinto(self, buffer: Any) -> int:
        """Read back; zeros where nothing was written."""
        n = self._file.readinto(buffer) or 0
        memoryview(buffer)[n:] = bytes(len(buffer) - n)
        return len(buffer)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The place."""
        return self._file.tell()

    def close(self) -> None:
        """Close the file; the library has closed its own view of it before."""
        self._file.close()
        super().close()
