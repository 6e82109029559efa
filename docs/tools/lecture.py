"""The chapters of the lecture: run them, and write each with its output as a page.

    python docs/tools/lecture.py               all chapters, into docs/lecture/*.md and docs/lecture/figures
    python docs/tools/lecture.py 03 05         these
    jupytext --to ipynb docs/lecture/03_modes.py     a notebook to play with

A chapter is a Python script in jupytext's percent format: it runs as it is, and as a notebook.
"""

import contextlib
import io
import os
import sys
import textwrap
import warnings
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "lecture"
FIGURES = FOLDER / "figures"


def chapters() -> list[Path]:
    """The chapters, in order."""
    return sorted(FOLDER.glob("[0-9][0-9]_*.py"))


def cells(chapter: Path) -> list[tuple[str, str]]:
    """Kind ("markdown" or "code") and source of each cell."""
    import jupytext

    return [(cell.cell_type, cell.source) for cell in jupytext.read(chapter).cells]


def page(chapter: Path) -> str:
    """The chapter as Markdown, with what its cells print and draw."""
    import matplotlib

    matplotlib.use("Agg")
    space: dict[str, Any] = {"__name__": "__main__"}
    parts = []
    for kind, source in cells(chapter):
        if kind == "markdown":
            parts.append(source)
            continue
        output, figures = run(source, chapter, space)
        parts.append(f"```python\n{source}\n```")
        if output:
            parts.append("```text\n" + output.rstrip() + "\n```")
        parts += [f"![{caption(chapter, name)}](figures/{name})" for name in figures]
    note = f"This chapter is the script [`{chapter.name}`]({chapter.name}): change its numbers and run it."
    mark = f"<!-- Written by docs/tools/lecture.py from {chapter.name}; change it there. -->"
    return "\n\n".join([*parts, note, mark]) + "\n"


def run(source: str, chapter: Path, space: dict[str, Any]) -> tuple[str, list[str]]:
    """What a cell prints, and the names of the figures that it shows."""
    import matplotlib.pyplot as plt

    names = []

    def show() -> None:
        number = len(list(FIGURES.glob(f"{chapter.stem}-*.png"))) + 1
        names.append(f"{chapter.stem}-{number}.png")
        plt.savefig(FIGURES / names[-1], dpi=110, metadata={"Software": None})
        plt.close("all")

    shown, plt.show = plt.show, show
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output), warnings.catch_warnings():
            warnings.simplefilter("error")
            exec(compile(source, str(chapter), "exec"), space)
    finally:
        plt.show = shown
    return output.getvalue(), names


def caption(chapter: Path, figure: str) -> str:
    """What a reader who does not see the figure is told."""
    return (
        f"Figure {figure.rpartition('-')[2].removesuffix('.png')} of chapter {chapter.stem[:2].lstrip('0')}"
    )


def write(chapter: Path) -> None:
    """Run a chapter and write its page and figures."""
    FIGURES.mkdir(exist_ok=True)
    for old in FIGURES.glob(f"{chapter.stem}-*.png"):
        old.unlink()
    chapter.with_suffix(".md").write_text(page(chapter), encoding="utf-8")


def blocks_of(written: str, kind: str) -> list[str]:
    """The blocks of a written page: "python", the code of its cells, or "text", what they printed."""
    return [block.split("\n```")[0] for block in written.split(f"```{kind}\n")[1:]]


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for one in chapters():
        if not sys.argv[1:] or one.name[:2] in sys.argv[1:]:
            print(textwrap.shorten(one.name, 60), flush=True)
            write(one)
