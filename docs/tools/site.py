"""What mkdocs does beside its own work: formulas become MathML, and the reference is written from the code.

No page asks another server for anything: browsers draw MathML themselves.
"""

import html
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "zerosum"
WORDS = re.compile(r"_\{(JS|KL|data|prior|max|real|fake)\}")
SPACES = (  # thin ones, as TeX puts them around a logarithm: after a factor, and before what is not in brackets
    (re.compile(r"(?:(?<=[)}\]\d])|(?<=\b\w)) *\\ln\b"), r"\\,\\ln"),
    (re.compile(r"\\ln\b(?! *(?:[(_^]|\\(?:left|big|langle)))"), r"\\ln\\,"),
)
MARKS = {  # a bar of the text's height, for a stretched one sinks under a power; a tilde that is a relation
    "<mo>&#x0007C;</mo>": '<mo stretchy="false" lspace="0" rspace="0">&#x0007C;</mo>',
    "<mi>&#x0007E;</mi>": "<mo>&#x0223C;</mo>",
}
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that are written from the code."""
    for path, text in written().items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_content(content: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Formulas as MathML."""
    del page, config, files
    return FORMULA.sub(formula, content)


def formula(found: re.Match[str]) -> str:
    """One formula as MathML."""
    from latex2mathml.converter import convert

    block = found[1] == "div"
    text = WORDS.sub(r"_{\\mathrm{\1}}", html.unescape(found[2]).strip())
    for place, space in SPACES:
        text = place.sub(space, text)
    drawn = convert(text, display="block" if block else "inline")
    for poor, good in MARKS.items():
        drawn = drawn.replace(poor, good)
    return f'<div class="formula">{drawn}</div>' if block else drawn


def written() -> dict[str, str]:
    """The pages that are written from the code, by their place in the site."""
    pages = {f"reference/{stage}.md": stage_page(stage, modules) for stage, modules in stages().items()}
    pages["reference/cli.md"] = command_line()
    pages["reference/configuration.md"] = configuration()
    pages["reference/benchmarks.md"] = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    pages["reference/changelog.md"] = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return pages


def stages() -> dict[str, list[str]]:
    """The modules of each stage."""
    found: dict[str, list[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        if parts[0] in ("__init__", "__main__", "cli", "manual"):
            continue
        name = ".".join(("zerosum", *(part for part in parts if part != "__init__")))
        found.setdefault(parts[0], []).append(name)
    return found


def stage_page(stage: str, modules: list[str]) -> str:
    """The reference of one stage."""
    return f"# zerosum.{stage}\n\n" + "\n\n".join(f"::: {name}" for name in modules) + "\n"


def commands() -> Iterator[tuple[str, str]]:
    """Each verb and its help, the whole command first."""
    from typer.main import get_command
    from typer.testing import CliRunner

    from zerosum.cli import app

    os.environ["COLUMNS"] = os.environ["TERMINAL_WIDTH"] = "80"
    group: Any = get_command(app)
    for verb in ("", *group.commands):
        found = CliRunner().invoke(app, [verb, "--help"] if verb else ["--help"], prog_name="zerosum")
        yield f"zerosum {verb}".strip(), found.output.strip()


def command_line() -> str:
    """The help of every verb."""
    head = "# The command line\n\nWhat `zerosum VERB --help` prints, verb by verb.\n"
    return head + "".join(f"\n## {name}\n\n```text\n{text}\n```\n" for name, text in commands())


def configuration() -> str:
    """Every option of a run, with its default and meaning."""
    from zerosum.training.config import Config

    lines = [
        "# The configuration of a run",
        "",
        "`zerosum train --config run.yaml` reads these keys; a run writes all of them, resolved, to",
        "`RUN/config.yaml`. A pair is a schedule from the first number to the second. Where the",
        "default is `None` the choice is made by looking at the events.",
        "",
        "| key | default | meaning |",
        "|---|---|---|",
    ]
    for key, field in Config.model_fields.items():
        lines.append(f"| `{key}` | `{field.default!r}` | {(field.description or '').replace('|', '/')} |")
    return "\n".join(lines) + "\n"
