"""Both pages in a real browser: no error, no request to anybody else, at two widths, light and dark; the page lives."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from zerosum.report.html import write_report
from zerosum.workflow import simulate

driver = pytest.importorskip("playwright.sync_api", reason="browser tests need playwright")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="browser tests need chromium")

WIDTHS, SCHEMES = (1280, 390), ("light", "dark")
ENDLESS = "steps: 1000000\nlog_every: 20\ncheckpoint_every: 1000000\njudgements: 1000\nwidth: 16\n"
PATIENCE = 180.0


class Visit:
    """A page, and what went wrong on it."""

    def __init__(self, page: Any) -> None:
        self.page, self.wrong = page, list[str]()
        page.on("console", lambda m: self.wrong.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda request: self._asked(request.url))

    def _asked(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "data:", "file:")):
            self.wrong.append(f"asked {url}")

    def everywhere(self) -> None:
        """At all widths, light and dark: nothing is wrong and nothing sticks out."""
        for scheme in SCHEMES:
            for width in WIDTHS:
                self.page.emulate_media(color_scheme=scheme)
                self.page.set_viewport_size({"width": width, "height": 900})
                self.page.wait_for_timeout(100)
                beyond = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert beyond <= 0, f"{beyond} pixels beyond {width}, {scheme}"
                light = self.page.evaluate("getComputedStyle(document.body).backgroundColor")
                brightness = sum(int(part) for part in light[light.index("(") + 1 : -1].split(",")[:3])
                assert (brightness > 380) == (scheme == "light")
        self.page.set_viewport_size({"width": 1280, "height": 900})
        assert not self.wrong


@pytest.fixture
def visit() -> Iterator[Visit]:
    with driver.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        yield Visit(page)
        browser.close()


def until(holds: Callable[[], bool], page: Any) -> None:
    """Wait for it."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it took too long"
        page.wait_for_timeout(50)


def test_the_report(visit: Visit, tmp_path: Path, comparison, tables, history) -> None:
    pair = [events.select(["x"]) for events in tables]
    write_report(
        tmp_path / "r.html", comparison=comparison, reference=pair[0], generated=pair[1], history=history
    )
    visit.page.goto((tmp_path / "r.html").as_uri())
    visit.everywhere()
    figures = visit.page.locator("figure svg")
    assert figures.count() >= 5
    assert all(box["width"] > 100 for box in (figures.nth(i).bounding_box() for i in range(figures.count())))


@pytest.fixture
def training(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """A folder of runs with one that trains until it is stopped."""
    simulate("ring", 2000, tmp_path / "ring.csv")
    (tmp_path / "c.yaml").write_text(ENDLESS)
    runs = tmp_path / "runs"
    call = [
        "train",
        str(tmp_path / "ring.csv"),
        "--config",
        str(tmp_path / "c.yaml"),
        "--out",
        str(runs / "now"),
        "-q",
    ]
    process = subprocess.Popen([sys.executable, "-m", "zerosum", *call], stderr=subprocess.PIPE)
    yield runs, process
    process.kill()
    process.communicate()


@pytest.fixture
def address(training) -> Iterator[str]:
    """The live page of that folder."""
    pytest.importorskip("uvicorn", reason="the live page needs uvicorn")
    runs, _ = training
    runs.mkdir(exist_ok=True)
    old = runs / "old"
    old.mkdir()
    (old / "config.yaml").write_text("model: gan\nsteps: 20\n")
    (old / "history.jsonl").write_text('{"step": 20, "value": -1.386, "js_estimate": 0.0012345}\n')
    process = subprocess.Popen(
        [sys.executable, "-m", "zerosum", "watch", str(runs)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout
    yield process.stdout.readline().decode().strip()
    process.kill()
    process.communicate()


def test_the_live_page_through_a_training(visit: Visit, address: str, training) -> None:
    runs, process = training
    page = visit.page
    page.goto(address)
    page.click("#rows tr:has-text('now') .named")
    curve = page.locator("#hero svg path").first

    def drawn() -> str:
        return str(curve.get_attribute("d")) if curve.count() else ""

    until(lambda: "L" in drawn(), page)
    before = drawn()
    until(lambda: drawn() != before, page)  # the plot moves while the training runs
    assert page.locator("#link").is_visible()
    assert page.locator("#rows .stated").first.is_hidden()  # at this width the state has a column
    visit.everywhere()
    _the_table_is_seen_on_a_telephone(page)

    page.click("#stop")
    assert process.wait(PATIENCE) == 0
    assert b"continue with" in process.stderr.read()
    assert list((runs / "now" / "checkpoints").iterdir())
    until(lambda: page.locator("#state").inner_text().lower().startswith("stopped"), page)
    assert page.locator("#said").inner_text() == ""
    assert page.locator("#stop").is_hidden()

    _the_slider_replays(page)
    visit.everywhere()


def _the_table_is_seen_on_a_telephone(page: Any) -> None:
    """V and D_JS stand in the table without scrolling."""
    page.set_viewport_size({"width": 390, "height": 900})
    row = page.locator("#rows tr:has-text('old')")
    for text in ("−1.386", "0.00123"):
        box = row.locator(f"td:text('{text}')").bounding_box()
        assert box["x"] + box["width"] <= 390 - 8
    page.set_viewport_size({"width": 1280, "height": 900})


def _the_slider_replays(page: Any) -> None:
    """The first step, the next one, and the button that plays to the end."""
    page.locator("#slider").focus()
    page.keyboard.press("Home")
    until(lambda: page.locator("#live").get_attribute("aria-pressed") == "false", page)
    first, caption = page.inner_text("#shown"), page.inner_text("#hero figcaption")
    page.keyboard.press("ArrowRight")
    until(lambda: page.inner_text("#shown") != first, page)
    assert page.inner_text("#hero figcaption") != caption
    page.keyboard.press("Home")
    until(lambda: page.inner_text("#shown") == first, page)
    page.click("#play")
    page.click("#play")
    page.click("#play")
    until(lambda: page.inner_text("#shown") != first, page)
    page.click("#live")
    until(lambda: page.locator("#live").get_attribute("aria-pressed") == "true", page)
