"""The chapters run as scripts, and their pages hold what the scripts say now."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from docs.tools.lecture import FOLDER, blocks_of, chapters

ROOT = Path(__file__).resolve().parents[2]
STEADY = ("01", "03")  # nothing is trained there, on no real data: the same numbers everywhere
SHARED = ROOT.parent / "shared" / "data" / "Zmumu_Run2011A.csv"


def test_there_are_nine_chapters() -> None:
    assert [chapter.name[:2] for chapter in chapters()] == [f"{n:02}" for n in range(1, 10)]


@pytest.mark.parametrize("chapter", chapters(), ids=lambda chapter: chapter.stem)
def test_the_page_holds_the_code_of_the_chapter(chapter: Path) -> None:
    source = chapter.read_text(encoding="utf-8")
    page = chapter.with_suffix(".md").read_text(encoding="utf-8")
    blocks = [part for part in source.split("# %%") if part.strip() and not part.startswith(" [markdown]")]
    assert blocks_of(page, "python") == [block.strip("\n") for block in blocks], (
        "run python docs/tools/lecture.py"
    )
    prose = "".join(
        line.removeprefix("# ").removeprefix("#") for line in source.splitlines() if line.startswith("#")
    )
    for figure in page.split("](figures/")[1:]:
        assert (FOLDER / "figures" / figure.split(")")[0]).is_file()
    assert page.count("```python") == len(blocks)
    assert prose


@pytest.mark.slow
@pytest.mark.parametrize("chapter", chapters(), ids=lambda chapter: chapter.stem)
def test_the_chapter_runs(chapter: Path, tmp_path: Path) -> None:
    """Each holds its own assertions against the theory; real collisions are used where they are at hand."""
    surroundings = os.environ | {"MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"}
    surroundings |= {"ZMUMU": str(SHARED)} if SHARED.is_file() else {}
    done = subprocess.run(
        [sys.executable, str(chapter)],
        cwd=tmp_path,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    if chapter.stem[:2] in STEADY:
        printed = "\n".join(blocks_of(chapter.with_suffix(".md").read_text(encoding="utf-8"), "text"))
        (words, numbers), (words_now, numbers_now) = (split_numbers(text) for text in (printed, done.stdout))
        assert words_now == words, "run python docs/tools/lecture.py"
        assert numbers_now == pytest.approx(numbers, rel=1e-3, abs=1e-12), "run python docs/tools/lecture.py"


def split_numbers(text: str) -> tuple[list[str], list[float]]:
    """The words of a text, and its numbers."""
    number = r"(?<![A-Za-z_])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
    return re.sub(number, "#", text).split(), [float(one) for one in re.findall(number, text)]
