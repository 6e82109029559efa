"""The site builds without a warning and without a request to anybody (where its tools are installed)."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
LOADED = re.compile(r'(?:<link[^>]+rel="stylesheet"[^>]+href|<script[^>]+src|<img[^>]+src)="(https?:)?//')


def pages(entry: object) -> list[str]:
    """All pages of the navigation."""
    if isinstance(entry, str):
        return [entry]
    parts = entry if isinstance(entry, list) else list(entry.values()) if isinstance(entry, dict) else []
    return [page for part in parts for page in pages(part)]


def test_every_written_page_is_in_the_navigation() -> None:
    listed = pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    there = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    assert there <= set(listed)
    assert len(listed) == len(set(listed))


def test_every_stage_is_in_the_navigation() -> None:
    listed = pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    stages = {
        path.stem for path in (ROOT / "src" / "zerosum").iterdir() if path.suffix == ".py" or path.is_dir()
    }
    hidden = {"__init__", "__main__", "__pycache__", "py", "cli", "manual"}
    assert {f"reference/{stage}.md" for stage in stages - hidden} <= set(listed)


@pytest.mark.slow
def test_the_site_builds_strictly_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    pytest.importorskip("mkdocstrings_handlers.python", reason="make docs installs the tools")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    built = list(tmp_path.rglob("*.html"))
    assert len(built) > 50
    for page in built:
        text = page.read_text(encoding="utf-8")
        assert not LOADED.search(text), page
        assert "arithmatex" not in text, page
