"""The wheel holds all that the package needs, and nothing else (`make wheel` installs it into an empty environment)."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    """Templates, styles and scripts of the pages, the mark of types; no tests, no documentation."""
    pytest.importorskip("build")
    pytest.importorskip("hatchling")
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(tmp_path),
        str(ROOT),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    source = ROOT / "src"
    files = (path for path in (source / "zerosum").rglob("*") if path.is_file() and path.suffix != ".pyc")
    assert held == {path.relative_to(source).as_posix() for path in files}
    assert {Path(name).suffix for name in held} >= {".py", ".j2", ".css", ".js", ".typed"}
