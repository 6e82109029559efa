"""The stages import only from stages above them, in the order in which data flow."""

import ast
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src" / "zerosum"
STAGES = [
    "errors",
    "data",
    "theory",
    "game",
    "likelihood",
    "training",
    "drawer",
    "model",
    "evaluation",
    "divergence",
    "report",
    "export",
    "workers",
    "ensemble",
    "workflow",
    "duel",
    "manual",
    "cli",
    "__main__",
]


def imports(path: Path) -> set[str]:
    """The stages of zerosum that a file imports, at any depth of it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            modules = (
                [node.module] if node.module != "zerosum" else [f"zerosum.{name.name}" for name in node.names]
            )
        elif isinstance(node, ast.Import):
            modules = [name.name for name in node.names]
        else:
            continue
        found |= {module.split(".")[1] for module in modules if module.startswith("zerosum.")}
    return found


def test_stages_import_only_from_stages_above() -> None:
    wrong = []
    for path in sorted(SOURCE.rglob("*.py")):
        stage = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        if stage == "__init__":
            continue
        assert stage in STAGES, f"{stage} has no place in the order of stages"
        wrong += [
            f"{path.relative_to(SOURCE)} imports {other}"
            for other in imports(path)
            if other in STAGES and STAGES.index(other) > STAGES.index(stage)
        ]
    assert not wrong
