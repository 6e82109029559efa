"""What the pages tell a reader to type works: commands name what exists, and the Python blocks run."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.main import get_command

import zerosum
from zerosum.cli import app
from zerosum.workflow import export

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND = re.compile(r"^(?:    )?(zerosum [^\n]*)$", re.MULTILINE)
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHORTER = {  # the same calls with less to do
    'train(events, out="run")': 'train(events, out="run", steps=40)',
    "steps=300)": "steps=40)",
    "sample(100_000": "sample(1_000",
    "sample(10_000": "sample(1_000",
    "stream(10_000": "stream(1_000",
    "stream(5_000": "stream(2_000",
    "5_000": "2_000",
    "seconds=60": "seconds=0.2, models=['gaussian', 'mixture']",
    "(1_000, 10_000, 100_000)": "(1_000,)",
}


def name(page: Path) -> str:
    """A page's path in the repository."""
    return page.relative_to(ROOT).as_posix()


def commands() -> Iterator[tuple[str, str]]:
    """Each command of the documentation, with its page."""
    for page in PAGES:
        for found in COMMAND.finditer(page.read_text(encoding="utf-8")):
            yield name(page), found[1]


def test_every_command_names_verbs_and_options_that_exist() -> None:
    group = get_command(app)
    general = {flag for option in group.params for flag in option.opts} | {"--help"}
    seen = 0
    for page, text in commands():
        words = shlex.split(text, comments=True)[1:]
        if words[0].startswith("-"):
            assert words[0] in general, f"{page}: {text}"
            continue
        assert words[0] in group.commands, f"{page}: {text}"
        options = group.commands[words[0]].params
        known = {flag for option in options for flag in option.opts} | {"--help"}
        assert {word for word in words if re.match(r"-\D", word)} <= known, f"{page}: {text}"
        seen += 1
    assert seen > 20


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the pages speak of: events, weighted events, a run, an exported generator."""
    pytest.importorskip("onnxruntime", reason="the pages on exports need the extra [export]")
    folder = tmp_path_factory.mktemp("reader")
    zerosum.simulate("dimuon", 2000, folder / "events.csv")
    events = zerosum.load(folder / "events.csv")
    for other in ("data.csv", "muons.h5"):
        zerosum.save(events, folder / other)
    weights = np.random.default_rng(0).uniform(0.5, 1.5, size=(len(events), 1))
    weighted = np.concatenate([events.values, weights], axis=1)
    zerosum.save(zerosum.Events.table(weighted, [*events.names, "w"]), folder / "events.h5")
    zerosum.train(folder / "events.csv", out=folder / "run", steps=40, log_every=10, judgements=1)
    export(folder / "run", folder / "model.onnx")
    (folder / "run").rename(folder / "made")
    return folder


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # a reader does not turn warnings into errors
@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.parent.name != "lecture" and BLOCK.search(page.read_text())],
    ids=name,
)
def test_the_python_blocks_of_a_page_run_in_turn(
    page: Path, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in prepared.iterdir():
        (tmp_path / file.name).symlink_to(file)
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    if "load_run" in "".join(blocks):
        (tmp_path / "run").symlink_to(prepared / "made")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks:
        for long, short in SHORTER.items():
            block = block.replace(long, short)
        exec(compile(block, name(page), "exec"), names)
