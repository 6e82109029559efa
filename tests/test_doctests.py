"""Every example in a docstring runs and prints what it says, and every public name has one."""

import ast
import doctest
import inspect
from functools import reduce
from importlib import import_module
from pathlib import Path

import pytest

import zerosum

SOURCE = Path(zerosum.__file__).parent
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
SLOW = {"zerosum.workflow.run.train", "zerosum.divergence.Divergence.bound"}  # critics of whole ladders


def with_examples() -> list[tuple[str, str]]:
    """Module and name of all docstrings that hold an example, found without importing anything."""
    found: list[tuple[str, str]] = []

    def look(node: ast.AST, module: str, name: str) -> None:
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if documented and ">>>" in (ast.get_docstring(node) or ""):
            found.append((module, name))
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef | ast.FunctionDef):
                look(child, module, f"{name}.{child.name}".lstrip("."))

    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        module = ".".join(part for part in parts if part != "__init__")
        look(ast.parse(path.read_text(encoding="utf-8")), module, "")
    return found


def cases() -> list[object]:
    """One test for each docstring."""
    marks = [pytest.mark.slow]
    names = [(module, name, f"{module}.{name}") for module, name in with_examples()]
    return [pytest.param(m, name, id=full, marks=marks if full in SLOW else []) for m, name, full in names]


@pytest.mark.parametrize(("module", "name"), cases())
def test_the_example_prints_what_it_says(
    module: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home = import_module(module)
    found = reduce(getattr, name.split("."), home) if name else home
    names = dict(vars(home))
    case = doctest.DocTestParser().get_doctest(inspect.getdoc(found) or "", names, name, None, 0)
    said: list[str] = []
    result = doctest.DocTestRunner(optionflags=FLAGS).run(case, out=said.append)
    assert result.attempted > 0
    assert not result.failed, "".join(said)


def test_every_public_name_has_an_example() -> None:
    """An instance, such as zerosum.kl, has that of its class; a result, that of what makes it."""
    results = {"Certificate": "certify", "Comparison": "compare"}
    without = [
        name
        for name in zerosum.__all__
        if ">>>" not in (getattr(zerosum, results.get(name, name)).__doc__ or "")
    ]
    assert not without
