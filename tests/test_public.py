"""The public surface: complete, documented, and quick to import."""

import subprocess
import sys

import zerosum


def test_every_public_name_is_there_and_documented() -> None:
    assert sorted(zerosum.__all__) == zerosum.__all__
    for name in zerosum.__all__:
        assert getattr(zerosum, name).__doc__, name


def test_importing_loads_nothing_heavy() -> None:
    """The heavy libraries come with the first use of a name that needs them."""
    code = "import sys, zerosum; print([m for m in ('torch', 'sklearn', 'matplotlib', 'numpy') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
