"""Run benchmarks and write their page: every table with its machine, date and command.

    python benchmarks/collect.py                        all of them, with their defaults (hours)
    python benchmarks/collect.py startup modes          these
    python benchmarks/collect.py modes -- --seeds 3     this one, with its own options
    python benchmarks/collect.py --render               write README.md again from results/, run nothing

A run leaves results/NAME.json: {"name", "question", "command", "date", "machine", "seconds", "table", "rows"}.
README.md is written from these files alone, so that no number stands there which no command printed.
"""

import argparse
import ast
import datetime
import json
import os
import platform
import re
import shlex
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS, PAGE = HERE / "results", HERE / "README.md"
NO_BENCHMARK = ("collect.py", "__init__.py")

HEAD = """# Benchmarks

<!-- Written by benchmarks/collect.py from results/; change nothing here. -->

Each script prints a table; `--quick` ends within about a minute, `--json FILE` writes the numbers. `make benchmarks`
runs all of them and writes this page; `python benchmarks/collect.py NAME` runs one. Times compare programs only within
one table, which one run on one machine measured.
"""


def scripts() -> list[str]:
    """The names of all benchmarks."""
    return sorted(path.stem for path in HERE.glob("[a-z]*.py") if path.name not in NO_BENCHMARK)


def machine() -> str:
    """Where the numbers were taken."""
    info = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if "model name" in line]
    return (
        f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the "
        f"start, Python {platform.python_version()}, torch {version('torch')}"
    )


def question(name: str) -> str:
    """The first line of a script's docstring."""
    text = ast.get_docstring(ast.parse((HERE / f"{name}.py").read_text(encoding="utf-8"))) or ""
    return text.splitlines()[0]


def run(name: str, options: list[str]) -> None:
    """Run one benchmark and keep what it prints and writes."""
    where, started = machine(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.json"
        command = [sys.executable, str(HERE / f"{name}.py"), *options, "--json", str(rows)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found: dict[str, Any] = {
            "name": name,
            "question": question(name),
            "command": shlex.join(["python", f"benchmarks/{name}.py", *options]),
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "machine": where,
            "seconds": round(time.monotonic() - started, 1),
            "table": done.stdout.strip(),
            "rows": json.loads(rows.read_text()) if rows.exists() else None,
        }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def results() -> list[dict[str, Any]]:
    """What earlier runs left, by name."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))]
    return [one for one in found if isinstance(one, dict) and {"name", "command", "table"} <= set(one)]


def page() -> str:
    """README.md."""
    found = results()
    missing = [name for name in scripts() if name not in {one["name"].split(" ")[0] for one in found}]
    rest = "".join(f"- `python benchmarks/{name}.py`: {question(name)}\n" for name in missing)
    end = f"\n## Without a stored result\n\n{rest}" if missing else ""
    return HEAD + "".join(map(section, found)) + end


def section(one: dict[str, Any]) -> str:
    """One result."""
    table = one["table"] if "\n|---" in one["table"] else f"```text\n{one['table']}\n```"
    table = re.sub(r"(?<=[^\n|])\n\|", "\n\n|", table)  # a table stands apart from the text above it
    date = one["date"] if one["seconds"] is None else f"{one['date']}, {one['seconds']} s"
    return (
        f"\n## {one['name']}\n\n{one['question']}\n\n- Command: `{one['command']}`\n- Machine: {one['machine']}\n"
        f"- Date: {date}\n\n{table}\n"
    )


def main() -> None:
    """Run and render."""
    given = sys.argv[1:]
    given, options = (
        (given[: given.index("--")], given[given.index("--") + 1 :]) if "--" in given else (given, [])
    )
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(scripts()))
    parser.add_argument("--render", action="store_true", help="write README.md again, run nothing")
    arguments = parser.parse_args(given)
    if unknown := set(arguments.names) - set(scripts()):
        parser.error(f"there is no benchmark {', '.join(unknown)}; choose among {', '.join(scripts())}")
    for name in [] if arguments.render else arguments.names or scripts():
        print(name, flush=True)
        run(name, options)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
