"""The page is one file, says every number, and shows what it is given as text."""

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zerosum.data.events import Events, Feature
from zerosum.errors import InputError
from zerosum.report.html import write_report

pytestmark = pytest.mark.xdist_group("pages")  # they share the pages
VOID = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """All tags with their attributes and all text; mismatched tags fail."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.source = path.read_text(encoding="utf-8")
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(self.source)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"<{tag}> has an attribute twice"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))

    def attributes(self, name: str) -> list[str]:
        return [attrs[name] or "" for _, attrs in self.tags if name in attrs]

    def download(self, file: str) -> bytes:
        (uri,) = [attrs["href"] for _, attrs in self.tags if attrs.get("download") == file]
        return base64.b64decode(str(uri).partition(";base64,")[2])


@pytest.fixture(scope="module")
def page(comparison, tables, history, tmp_path_factory) -> Page:
    path = tmp_path_factory.mktemp("report") / "r.html"
    rng = np.random.default_rng(0)
    observables = ((Feature("mass", "GeV"),), rng.normal(90, 3, (1200, 1)), rng.normal(90, 4, (1500, 1)))
    write_report(
        path,
        comparison=comparison,
        reference=tables[0],
        generated=tables[1],
        observables=observables,
        history=history,
        provenance={"git": "abc123", "versions": {"torch": "9.9"}, "arguments": ["compare", "a b"]},
        title="A title",
    )
    assert [file.name for file in path.parent.iterdir()] == ["r.html"]
    return Page(path)


def test_nothing_is_asked_from_outside(page: Page) -> None:
    for name in ("href", "src", "xlink:href", "srcset", "data", "action", "poster"):
        for value in page.attributes(name):
            assert value.startswith(("data:", "#")), value[:80]
    assert "@import" not in page.source
    assert not re.search(r"url\((?!#)", page.source)
    assert not re.search(r"fetch\(|XMLHttpRequest|WebSocket|import\(", page.source)
    assert {tag for tag, _ in page.tags}.isdisjoint({"link", "iframe", "object", "embed", "base", "form"})


def test_every_id_is_unique_and_every_reference_is_found(page: Page) -> None:
    ids = page.attributes("id")
    assert len(set(ids)) == len(ids)
    used = re.findall(r'(?:url\(#|href="#|aria-labelledby=")([^)"]+)', page.source)
    assert set(used) <= set(ids)
    assert len(used) > 20


def test_every_number_of_the_comparison_is_shown(page: Page) -> None:
    shown = (
        "0.0329 ± 0.0015", "≥ 0.02749", "0.00123", "0.00345", "0.1331 ± 0.0062", "≥ 0.1104", "0.1356 ± 0.0065",
        "≥ 0.1124", "0.2229 ± 0.0058", "≥ 0.2019", "0.6465 ± 0.0033", "−1.3204 ± 0.0030", "−1.3863",
        "(4.12 ± 0.21) %", "(7.31 ± 0.27) %", "0.02341", "1.327", "0.1167", "0.0625", "0.00061", "90 %",
        "(12.5 ± 1.1) %", "(0.40 ± 0.10) %", "x > 2 and y < 1", "0.00070 ± 0.00020", "1 200 reference",
        "a note that must be seen", "abc123", "versions.torch", "9.9", "compare a b",
        "steps 80100 to 80200: the discriminator wins",
        "step 80100: a mode < 2 is gone",
    )  # fmt: skip
    assert [number for number in shown if number not in page.text] == []
    assert "The samples differ: DJS ≥ 0.0275 nats at 90 % confidence." in page.text
    assert "61.1 % of the time" in page.text


def test_what_kind_of_statement_each_is(page: Page) -> None:
    for kind in ("certified", "exact", "asymptotic", "heuristic"):
        assert f'class="kind {kind}"' in page.source


def test_drawings_have_words_and_the_page_has_landmarks(page: Page) -> None:
    drawings = [attrs for _, attrs in page.tags if attrs.get("role") == "img"]
    assert len(drawings) >= 12
    assert all(len(attrs.get("aria-label") or "") > 20 for attrs in drawings)
    hidden = [attrs for tag, attrs in page.tags if tag == "svg" and attrs.get("role") != "img"]
    assert all(attrs.get("aria-hidden") == "true" for attrs in hidden)
    assert {"main", "nav", "header", "footer", "h1"} <= {tag for tag, _ in page.tags}
    assert dict(page.tags)["html"] == {"lang": "en"}


def test_downloads_hold_what_they_say(page: Page, comparison: dict[str, Any]) -> None:
    everything = json.loads(page.download("comparison.json"))
    for key, value in comparison.items():
        assert everything[key] == value, key
    assert [one["name"] for one in everything["histograms"]] == ["mass", "x", "y", "n"]
    assert len(everything["history"]) == 901
    assert page.download("x.pdf").startswith(b"%PDF")
    assert page.download("x.png").startswith(b"\x89PNG")
    assert page.download("histograms.root").startswith(b"root")


@pytest.fixture(scope="module")
def grid_page(comparison, grids, tmp_path_factory) -> Page:
    path = tmp_path_factory.mktemp("report") / "g.html"
    write_report(path, comparison=comparison, reference=grids[0], generated=grids[1], style="CMS")
    return Page(path)


def test_the_same_input_gives_the_same_page(
    page: Page, grid_page: Page, comparison, grids, tmp_path: Path
) -> None:
    again = tmp_path / "g.html"
    write_report(again, comparison=comparison, reference=grids[0], generated=grids[1], style="CMS")
    first, second = (
        re.sub(r"base64,[\w+/=]+", "", source) for source in (grid_page.source, again.read_text())
    )
    assert first == second
    assert "GAN} is dead" in page.source
    assert "GAN} is dead" not in first


def test_hostile_names_are_text(comparison, tmp_path: Path) -> None:
    evil = ['<script>alert(1)</script>"', "$\\frac{$", "a\x26b' onload='x", "日本", "n" * 300]
    events = Events.table(np.random.default_rng(0).normal(size=(200, 5)), evil, ["<b>", "", "", "", ""])
    numbers = comparison | {
        "features": [{"name": name, "ks": 0.1} for name in evil],
        "notes": ["<img src=x onerror=alert(1)>"],
        "verdict": "<i>D_JS</i>",
    }
    path = tmp_path / "r.html"
    write_report(path, comparison=numbers, reference=events, generated=events, title="</title><script>")
    page = Page(path)
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert {"img", "i", "b"} & {tag for tag, attrs in page.tags} <= {"b"}
    assert not page.attributes("onload")
    assert evil[0] in page.text


def test_absent_numbers_are_not_invented(tables, tmp_path: Path) -> None:
    path = tmp_path / "r.html"
    js = {"estimate": 0.01, "error": 0.002, "lower": None, "p_value": 0.5, "null_floor": None}
    numbers = {"jensen_shannon": js, "kl_forward": None, "auc": {"reason": "too few events"}}
    write_report(path, comparison=numbers, reference=tables[0], generated=tables[1])
    text = Page(path).text
    assert "no finite-sample limit for weighted events" in text
    assert "needs at least 100 reference events" in text
    assert "not part of this comparison" in text
    assert "too few events" in text
    assert "None" not in text
    assert "nan" not in text.lower().split()


@pytest.mark.parametrize("kind", ["grids", "clouds"])
def test_other_kinds_of_events(kind: str, request, comparison, tmp_path: Path) -> None:
    if kind == "grids":
        text = request.getfixturevalue("grid_page").text
    else:
        reference, generated = request.getfixturevalue(kind)
        path = tmp_path / "r.html"
        write_report(path, comparison=comparison, reference=reference, generated=generated, style="CMS")
        text = Page(path).text
    wanted = {
        "grids": (
            "Mean image, reference",
            "Mean of rows",
            "Single events",
            "pixel value",
            "sum of cell given E",
        ),
        "clouds": ("Mean image, generated, eta and phi", "points", "pt"),
    }
    assert [words for words in wanted[kind] if words not in text] == []


def test_of_wide_tables_the_most_different_are_shown(comparison, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("zerosum.report.sections.MOST_FEATURES", 2)
    events = Events.table(np.random.default_rng(0).normal(size=(200, 9)), [f"f{i}" for i in range(9)])
    numbers = comparison | {"features": [{"name": f"f{i}", "jensen_shannon": i % 5} for i in range(9)]}
    path = tmp_path / "r.html"
    write_report(path, comparison=numbers, reference=events, generated=events.take(slice(100)))
    page = Page(path)
    assert "The 2 most different of 9 features." in page.text
    assert [n for n in range(9) if f"f{n}.pdf" in page.attributes("download")] == [3, 4]
    assert "less different by" not in page.text


def test_a_long_table_of_features_is_folded(comparison, tables, tmp_path: Path) -> None:
    numbers = comparison | {"features": [{"name": f"f{i}", "jensen_shannon": -i} for i in range(40)]}
    path = tmp_path / "r.html"
    write_report(path, comparison=numbers, reference=tables[0], generated=tables[1])
    html = path.read_text()
    unfolded, _, rest = html.partition("The other 25, less different by")
    assert ">f14<" in unfolded
    assert ">f15<" not in unfolded
    assert ">f39<" in rest


@pytest.mark.slow
def test_a_large_report_stays_small(comparison, history, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = [f"f{i}" for i in range(20)]
    first, second = (
        Events.table(rng.normal(size=(100_000, 20)) @ rng.normal(size=(20, 20)), names) for _ in range(2)
    )
    path = tmp_path / "r.html"
    write_report(path, comparison=comparison, reference=first, generated=second, history=history)
    assert path.stat().st_size < 5e6


def test_an_unknown_style_is_refused(comparison, tables, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no style 'ALICE'; choose among plain, ATLAS, CMS, LHCb"):
        write_report(
            tmp_path / "r.html",
            comparison=comparison,
            reference=tables[0],
            generated=tables[1],
            style="ALICE",
        )
    assert not list(tmp_path.iterdir())
