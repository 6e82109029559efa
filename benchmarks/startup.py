"""How long until `import zerosum` and `zerosum --help` are there, beside `import numpy` on the same machine.

    python benchmarks/startup.py [--quick] [--json FILE]

Each command is started anew, in turns, and the medians are compared: the ratio hardly depends on the load.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import numpy": ["-c", "import numpy"],
    "import zerosum": ["-c", "import zerosum"],
    "zerosum --help": ["-m", "zerosum", "--help"],
    "zerosum train --help": ["-m", "zerosum", "train", "--help"],
    "zerosum.kl (with torch)": ["-c", "import zerosum; zerosum.kl"],
}


def seconds(arguments: list[str]) -> float:
    """One start of Python."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - started


def measure(rounds: int) -> list[dict[str, float | str]]:
    """Medians of the rounds, and ratios to `import numpy` of the same round."""
    taken = [{name: seconds(arguments) for name, arguments in COMMANDS.items()} for _ in range(rounds + 1)][
        1:
    ]
    return [
        {
            "command": name,
            "seconds": statistics.median(one[name] for one in taken),
            "ratio": statistics.median(one[name] / one["import numpy"] for one in taken),
        }
        for name in COMMANDS
    ]


def table(rows: list[dict[str, float | str]]) -> str:
    """The rows as Markdown."""
    lines = ["| command | seconds | ratio to `import numpy` |", "|---|---|---|"]
    return "\n".join(lines + [f"| `{r['command']}` | {r['seconds']:.3f} | {r['ratio']:.2f} |" for r in rows])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="three rounds instead of fifteen")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    rows = measure(3 if arguments.quick else 15)
    print(table(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
