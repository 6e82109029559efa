"""The command line as a stranger meets it: results, exit codes, one sentence for a mistake, nothing left behind."""

import contextlib
import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import h5py
import numpy as np
import pytest
from tests.malformed import CASES
from typer.main import get_command

from zerosum.cli import app, main
from zerosum.cli.options import spread
from zerosum.evaluation.critics import Polynomial
from zerosum.game.networks import GRIDS
from zerosum.manual import PAGES
from zerosum.training.config import Config

pytestmark = pytest.mark.xdist_group("command line")  # they share one run
QUICK = "steps: 40\nlog_every: 10\ncheckpoint_every: 20\njudgements: 1\nwidth: 16\n"


class Result:
    """What one call of the command gave."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def zerosum(capsys: pytest.CaptureFixture[str]):
    """Call the command line inside this process."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def call(*arguments: object) -> Result:
        code = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = int(stop.code or 0)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small CSV file of two particles."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("data") / "events.csv"
    columns = [20 + rng.exponential(10, 600), rng.normal(size=600), rng.uniform(-np.pi, np.pi, 600)] * 2
    noise = rng.normal(0, 0.01, size=(600, 6))
    header = "pt1 [GeV],eta1,phi1,pt2 [GeV],eta2,phi2"
    np.savetxt(path, np.stack(columns, axis=1) + abs(noise), delimiter=",", header=header, comments="")
    return path


@pytest.fixture(scope="module")
def run(events: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on those events."""
    folder = tmp_path_factory.mktemp("runs")
    config = folder / "quick.yaml"
    config.write_text(QUICK)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zerosum.evaluation.folds.ladder", lambda _: (Polynomial("linear", 1),))
        with pytest.raises(SystemExit) as stop:
            main(["train", str(events), "--config", str(config), "--out", str(folder / "run"), "--quiet"])
    for number, handler in handlers.items():
        signal.signal(number, handler)
    assert not stop.value.code
    return folder / "run"


def sentence(result: Result) -> str:
    """The one line on stderr that says what is wrong."""
    assert "Traceback" not in result.err
    lines = [line for line in result.err.splitlines() if line.strip()]
    assert len(lines) == 1, result.err
    return lines[0]


def test_a_run_has_every_file_that_is_promised(run: Path) -> None:
    for name in (
        "config.yaml",
        "history.jsonl",
        "splits.json",
        "provenance.json",
        "certificate.json",
        "report.html",
    ):
        assert (run / name).stat().st_size > 0, name
    assert (run / "model/model.safetensors").exists()
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == ["step-20", "step-40"]
    assert json.loads((run / "splits.json").read_text()) == {
        "seed": 0,
        "train": 480,
        "validation": 60,
        "test": 60,
    }
    assert not list(run.rglob("*.tmp"))


def test_sample_then_compare_writes_the_promised_keys(
    zerosum, run: Path, events: Path, tmp_path: Path
) -> None:
    generated = tmp_path / "g.h5"
    assert zerosum("sample", run, "-n", 500, "-o", generated).code == 0
    target, page = tmp_path / "c.json", tmp_path / "r.html"
    result = zerosum("compare", events, generated, "--json", target, "--report", page)
    assert result.code == 0, result.err
    assert max(map(len, result.out.splitlines())) <= 80
    numbers = json.loads(target.read_text())
    # What is in them: evaluation/test_compare.py.
    promised = (
        "reference generated seed confidence unit jensen_shannon kl_forward kl_reverse auc value missing"
    )
    promised += " invented features"
    assert set(promised.split()) <= numbers.keys()
    assert numbers["reference"]["n"] == 600
    assert page.read_text().lstrip().lower().startswith("<!doctype html>")


def test_export_then_sample_the_file(zerosum, run: Path, tmp_path: Path) -> None:
    """The file draws the run's events for one seed, and its description carries the run's certificate."""
    told = zerosum("export", run, "-o", tmp_path / "model.onnx")
    assert told.code == 0, told.err
    assert "largest relative difference" in told.out
    for source, name in ((run, "a.npy"), (tmp_path / "model.onnx", "b.npy")):
        assert zerosum("sample", source, "-n", 300, "-o", tmp_path / name, "--seed", 4).code == 0
    mine, its = np.load(tmp_path / "a.npy"), np.load(tmp_path / "b.npy")
    np.testing.assert_allclose(its, mine, rtol=1e-3, atol=1e-3 * mine.std())
    assert zerosum("export", run, "-o", tmp_path / "model.xyz").code == 2
    assert not (tmp_path / "model.xyz").exists()


def test_units_travel_from_the_data_to_the_samples(zerosum, run: Path, tmp_path: Path) -> None:
    assert zerosum("sample", run, "-n", 10, "-o", tmp_path / "g.csv").code == 0
    header = (tmp_path / "g.csv").read_text().splitlines()[0]
    assert header.split(",")[0].replace('"', "") == "pt1 [GeV]"


def test_the_same_seed_gives_the_same_events_whatever_the_number(zerosum, run: Path, tmp_path: Path) -> None:
    for name, n, seed in (("a", 100, 1), ("b", 5000, 1), ("c", 100, 2)):
        assert zerosum("sample", run, "-n", n, "-o", tmp_path / f"{name}.npy", "--seed", seed).code == 0
    a, b, c = (np.load(tmp_path / f"{name}.npy") for name in "abc")
    np.testing.assert_array_equal(a, b[:100])
    assert not np.array_equal(a, c)


def test_simulate_and_inspect(zerosum, tmp_path: Path) -> None:
    target = tmp_path / "s.h5"
    assert zerosum("simulate", "shower-images", "-n", 300, "-o", target).code == 0
    with h5py.File(target) as file:
        assert len(file) > 0
    shown = zerosum("inspect", target)
    assert "16" in shown.out
    assert "MeV" in shown.out
    assert json.loads(zerosum("inspect", target, "--json").out)["n"] == 300


@pytest.mark.parametrize("name", CASES)
def test_a_malformed_file_gives_one_sentence_and_exit_code_2(zerosum, name: str, tmp_path: Path) -> None:
    """No traceback, no output file, no run folder."""
    folder = tmp_path / "in"
    folder.mkdir()
    path = CASES[name](folder)
    out = tmp_path / "run"
    result = zerosum("train", path, "--out", out, "--quiet")
    assert result.code == 2, result.err
    assert len(sentence(result)) > 30
    assert not out.exists()


MISTAKES = {
    "no data": (["train"], "no file of events"),
    "absent column": (["train", "{events}", "--columns", "pt1", "pt9"], "pt9"),
    "unknown option": (["train", "{events}", "--config", "{tmp}/bad.yaml"], "gama"),
    "unknown model": (["train", "{events}", "--model", "wizard"], "model"),
    "no run": (["sample", "{tmp}", "-o", "{tmp}/g.csv"], "no run"),
    "unknown format": (["sample", "{run}", "-o", "{tmp}/g.xls"], ".xls"),
    "unknown condition": (["sample", "{run}", "-o", "{tmp}/g.csv", "--where", "energy=3"], "energy"),
    "no number": (["sample", "{run}", "-o", "{tmp}/g.csv", "--where", "energy=high"], "NAME=VALUE"),
    "no events": (["sample", "{run}", "-n", "0", "-o", "{tmp}/g.csv"], "at least 1"),
    "absent file": (["compare", "{tmp}/x.csv", "{events}"], "x.csv"),
    "confidence": (["compare", "{events}", "{events}", "--confidence", "2"], "confidence"),
    "hostile expression": (
        ["compare", "{events}", "{events}", "--observable", "m=__import__('os')"],
        "cannot be",
    ),
    "unknown particle": (["compare", "{events}", "{events}", "--observable", "m=mass(1,7)"], "7"),
    "unknown source": (["simulate", "magic", "-o", "{tmp}/s.h5"], "shower-images"),
    "second run": (["train", "{events}", "--out", "{run}"], "--resume"),
    "nothing to resume": (["train", "--resume", "--out", "{tmp}/none"], "no run"),
    "refused observable": (["train", "{events}", "--observable", "m=mass(1,7)"], "7"),
    "observable of some events": (["train", "{events}", "--observable", "r=log(eta1)"], "not finite"),
    "option of another type": (["simulate", "mixture", "-o", "{tmp}/s.h5", "--set", "means=a,b"], "numbers"),
    "text as an energy": (["simulate", "showers", "-o", "{tmp}/s.h5", "--set", "energies=abc,d"], "numbers"),
    "half a sweep": (["simulate", "ising", "-o", "{tmp}/s.h5", "--set", "sweeps=1.5"], "a whole number"),
    "rank of a run": (["rank", "{run}"], "a run itself"),
    "rank of a file": (["rank", "{events}"], "no folder"),
    "resume by more": (["train", "--resume", "--out", "{run}", "--devices", "2"], "leave --devices out"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_gives_one_sentence_and_exit_code_2(
    zerosum, name: str, run: Path, events: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.yaml").write_text("gama: 3\n")
    before = sorted(tmp_path.rglob("*"))
    arguments, word = MISTAKES[name]
    filled = [argument.format(events=events, run=run, tmp=tmp_path) for argument in arguments]
    if arguments[0] == "train" and "--out" not in arguments:
        filled += ["--out", str(tmp_path / "run")]
    result = zerosum(*filled)
    assert result.code == 2, result.err
    assert word in sentence(result)
    assert sorted(tmp_path.rglob("*")) == before


def test_values_after_an_option_belong_to_it_until_the_next_option() -> None:
    given = ["train", "f.csv", "--columns", "a", "b", "--out", "r", "--condition", "c"]
    expected = ["train", "f.csv", "--columns", "a", "--columns", "b", "--out", "r", "--condition", "c"]
    assert spread(given) == expected


def test_the_version_is_the_one_that_is_installed(zerosum) -> None:
    assert zerosum("--version").out == f"zerosum {version('zerosum')}\n"


@pytest.mark.parametrize("verb", ["", *PAGES])
def test_every_verb_has_a_page_of_manual_in_80_columns(
    zerosum, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERMINAL_WIDTH", "80")
    result = zerosum(*filter(None, [verb]), "--help")
    assert result.code == 0
    lines = result.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith(f"Usage: zerosum {verb}".rstrip())
    assert lines[lines.index("  Examples:") + 1].startswith(f"    zerosum {verb}".rstrip())
    assert [line.split()[0] for line in lines[lines.index("  Exit codes:") + 1 :]] == ["0", "1", "2"]
    listed = [line for line in lines if line.split()[:1] and line.split()[0] in PAGES]
    assert not [line for line in listed if line.endswith("...")], "a summary is too long for the list"


def test_every_verb_has_its_page_and_every_option_its_default() -> None:
    """What is neither a switch nor required says what happens without it; examples name only what exists."""
    commands = get_command(app).commands
    assert commands.keys() == PAGES.keys()
    for name, command in commands.items():
        options = [one for one in command.params if one.param_type_name == "option" and not one.hidden]
        for option in options:
            said = option.required or option.is_flag or (option.show_default and option.default is not None)
            assert said or "[default: " in (option.help or ""), f"{name} {option.opts}"
        known = {flag for option in options for flag in option.opts}
        for example in PAGES[name].examples:
            words = shlex.split(example)
            begin = words.index("zerosum")  # a batch system's launcher may stand in front
            assert words[:begin] in ([], ["srun"])
            assert words[begin + 1] == name
            assert {word for word in words[begin:] if word.startswith("-")} <= known, example
    steps = f"{GRIDS.steps} of images.  [default: {Config.model_fields['steps'].default}]"
    assert steps in str([option.help for option in commands["train"].params])


def test_large_files_are_streamed_to_the_same_kind_of_answer(
    zerosum, events: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above the size limit the same command streams: same keys, and two halves of one sample do not differ."""
    monkeypatch.setattr("zerosum.workflow.reading.LARGE", 1000)
    rng = np.random.default_rng(3)
    for name in "ab":
        np.save(tmp_path / f"{name}.npy", rng.normal(size=(2000, 2)))
    result = zerosum("compare", tmp_path / "a.npy", tmp_path / "b.npy", "--json", tmp_path / "c.json")
    assert result.code == 0, result.err
    numbers = json.loads((tmp_path / "c.json").read_text())
    assert numbers["reference"]["n"] == 2000
    assert numbers["jensen_shannon"]["lower"] <= 0 or numbers["jensen_shannon"]["p_value"] < 0.05


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_training_saves_and_says_how_to_go_on(events: Path, tmp_path: Path, number: int) -> None:
    """Ctrl-C, and SIGTERM from a batch system: a checkpoint, exit code 0, and the command that continues."""
    config = tmp_path / "long.yaml"
    config.write_text("steps: 100000\nlog_every: 10\ncheckpoint_every: 100000\njudgements: 0\nwidth: 16\n")
    out = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-m", "zerosum", "train", events, "--config", config, "--out", out, "--quiet"],
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (out / "history.jsonl").exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.1)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert f"zerosum train --resume --out {out}" in said
    assert len(list((out / "checkpoints").iterdir())) == 1


def test_json_on_stdout_is_all_that_is_printed(zerosum, events: Path) -> None:
    result = zerosum("compare", events, events, "--columns", "pt1", "--json", "-", "--style", "cms")
    assert json.loads(result.out)["unit"] == "nats"
    assert zerosum("compare", events, events, "--columns", "pt1", "--quiet").out == ""


def test_a_style_that_is_not_there_is_refused_before_anything_is_done(zerosum, tmp_path: Path) -> None:
    result = zerosum("compare", tmp_path / "no.csv", tmp_path / "no.csv", "--style", "totem")
    assert result.code == 2
    assert "choose among plain, ATLAS, CMS, LHCb" in result.err


@pytest.mark.parametrize(
    ("option", "file"), [("--report", "no/r.html"), ("--json", "no/n.json"), ("--training", "x.csv")]
)
def test_a_file_that_cannot_be_used_is_refused_before_the_comparison(
    zerosum, events: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, file: str
) -> None:
    monkeypatch.setattr("zerosum.workflow.files.compare", lambda *_, **__: pytest.fail("compared first"))
    result = zerosum("compare", events, events, option, tmp_path / file)
    assert result.code == 2
    assert file in sentence(result)
    assert not list(tmp_path.iterdir())


SHOWN = """
import time
from types import SimpleNamespace as S
from zerosum.cli.progress import show_training
records = [{"step": n, "value": -1.25, "js_estimate": 0.0123} for n in range(1000, 20001, 1000)]

def play(stop, notice):
    notice("[told] once")
    for record in records:
        time.sleep(0.02)
        yield record

run = S(config=S(steps=20000), finished=True, warnings=[], play=play)
assert show_training(run, lambda: False, quiet=False)
"""


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_progress_is_one_line_plain_in_a_pipe_and_without_colours_where_asked(
    environment: dict[str, str],
) -> None:
    call = [sys.executable, "-c", SHOWN]
    written, code = _in_terminal(call, environment) if environment else _in_pipe(call)
    assert code == 0, written
    assert "20000/20000" in written
    assert "[told] once" in written
    codes = set(re.findall(r"\x1b\[([0-9;?]*)([a-zA-Z])", written))
    assert not {parts for parts, end in codes if end == "m"} - {"", "0", "1", "2"}, "a colour"
    if not environment:
        assert not codes
        assert "\r" not in written
        assert len(written.splitlines()) == 2
    shown = [re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line) for line in re.split(r"[\r\n]+", written)]
    assert max(map(len, shown)) <= 80


def _in_pipe(call: list[str]) -> tuple[str, int]:
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    return done.stderr, done.returncode


def _in_terminal(call: list[str], environment: dict[str, str]) -> tuple[str, int]:
    """What a terminal of 80 columns is sent."""
    ours, theirs = pty.openpty()
    known = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    settings = known | {"TERM": "xterm-256color", "COLUMNS": "80"} | environment
    process = subprocess.Popen(call, stdout=theirs, stderr=theirs, env=settings)
    os.close(theirs)
    written = b""
    with contextlib.suppress(OSError):  # the other end closes
        while part := os.read(ours, 65536):
            written += part
    os.close(ours)
    return written.decode(), process.wait()
