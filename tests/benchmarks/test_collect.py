"""The page of benchmarks is what its results say, and the README quotes no number that is not on it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.collect import HERE, PAGE, page, question, scripts

ROOT = Path(__file__).resolve().parents[2]
NUMBER = re.compile(r"(?<![\w.])\d+\.\d+(?![\w.])")
NOT_MEASURED = {"3.11", "0.95"}  # versions, confidences


def measured(text: str) -> list[str]:
    """The numbers with a decimal point in a text, without its code and links."""
    prose = re.sub(r"```.*?```|\n    [^\n]*|`[^`]*`|\]\([^)]*\)", " ", text, flags=re.DOTALL)
    return [number for number in NUMBER.findall(prose) if number not in NOT_MEASURED]


def rounds_to(exact: str, quoted: str) -> bool:
    """Whether a number, rounded to the digits of the quoted one, is that one."""
    digits = len(quoted.split(".")[1])
    return abs(float(exact) - float(quoted)) <= 0.5 * 10**-digits + 1e-12


def test_the_page_is_what_the_results_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python benchmarks/collect.py --render"


def test_every_number_that_the_readme_quotes_was_printed_by_a_benchmark() -> None:
    known = re.findall(r"\d+\.\d+", page())
    quoted = measured((ROOT / "README.md").read_text(encoding="utf-8"))
    assert quoted
    missing = [number for number in quoted if not any(rounds_to(one, number) for one in known)]
    assert not missing, f"{missing} stand in README.md and in no result of a benchmark"


@pytest.mark.parametrize("name", scripts())
def test_every_script_says_what_it_asks_and_has_the_options(name: str) -> None:
    source = (HERE / f"{name}.py").read_text(encoding="utf-8")
    assert question(name)
    assert '"--quick"' in source
    assert '"--json"' in source


def test_an_unknown_benchmark_is_refused_with_the_names() -> None:
    command = [sys.executable, str(HERE / "collect.py"), "nothing"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "startup" in done.stderr
