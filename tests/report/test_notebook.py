"""What notebooks show: small tables, escaped and complete, and figures of what was compared."""

from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

import zerosum
from zerosum.data.events import Events
from zerosum.data.simulators import simulate_showers
from zerosum.errors import InputError
from zerosum.evaluation.critics import Polynomial
from zerosum.report.compared import FIGURES, Compared, compare
from zerosum.training.run import RunFolder
from zerosum.workflow import Run

HOSTILE = "<script>alert('x')</script>"


class Reader(HTMLParser):
    """The tags that are open and the text; fails where a tag is closed that is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.tags, self.text = list[str](), set[str](), ""

    def handle_starttag(self, tag, attributes) -> None:
        self.open.append(tag)
        self.tags.add(tag)
        assert not {name for name, _ in attributes} & {"src", "href", "onload"}

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.text += data + " "


def read(shown: object) -> str:
    html = shown._repr_html_()  # type: ignore[attr-defined]
    reader = Reader()
    reader.feed(html)
    assert not reader.open
    assert reader.tags <= {"div", "b", "table", "thead", "tbody", "tr", "th", "td"}
    assert len(html) < 10_000
    return reader.text


@pytest.fixture(scope="module")
def found(tables) -> Compared:
    return compare(*tables, observables=["s=x+y"], critics=[Polynomial("linear", 1)])


def test_events_of_every_kind(tables, grids, clouds) -> None:
    text = read(tables[0])
    assert "1,200 events, table of shape (3,)" in text
    assert "GeV" in text
    assert f"{tables[0].values[:, 0].mean():.4g}" in text
    assert "E (given)" in read(grids[0])
    assert "200 events, cloud" in read(clouds[0])
    assert HOSTILE in read(Events.table(np.ones((2, 1)), [HOSTILE]))
    assert read(Events.table(np.full((2, 1), np.nan)))
    assert "of the first" in read(Events.table(np.ones((10_001, 1))))


def test_numbers_with_errors(found) -> None:
    assert "0.5 ± 0.1 closed" not in read(zerosum.Estimate(0.5, 0.1, 0, "closed form"))
    assert "0.5 ± 0.1" in read(zerosum.Estimate(0.5, 0.1, 0, HOSTILE))
    assert str(found.jensen_shannon) in read(found.jensen_shannon)
    assert "kl.bound(x, y)" in read(zerosum.kl)
    assert "bound" not in read(zerosum.bhattacharyya)


def test_a_comparison(found) -> None:
    text = read(replace(found, notes=(HOSTILE,)))
    assert found.verdict in text
    assert HOSTILE in text
    assert f"{found.kl_forward.estimate:.5f}" in text


def test_a_comparison_is_the_one_without_samples(found, tables) -> None:
    from zerosum.evaluation.compare import compare as without

    alone = without(*tables, observables=["s=x+y"], critics=[Polynomial("linear", 1)])
    assert alone.to_json() == found.to_json()
    assert isinstance(found, zerosum.Comparison)


def test_a_comparison_draws_each_name_that_it_knows(found, grids) -> None:
    for name in ("certificate", "correlations", "pairs", "x", "n", "s"):
        assert found.plot(name).axes, name
    assert found.plot("x", below="pull").axes[1].get_ylabel() == "pull"
    assert found.plot("s").axes[1].get_xlabel() == "s"
    with pytest.raises(InputError, match="the names are certificate, correlations, pairs, x, y, n, s"):
        found.plot("images")
    with pytest.raises(InputError, match="there is no style"):
        found.plot(style="TOTEM")  # type: ignore[arg-type]
    images = Compared.of(found, *grids)
    for name in ("images", "events", "E"):
        assert images.plot(name).axes, name
    pair = [simulate_showers(60, seed=seed, geometry="compact") for seed in (1, 2)]
    deposits = Compared.of(found, *pair)
    for name in ("showers", "single showers", "incident_energy", "layer 1"):
        assert deposits.plot(name).axes, name
    assert all(set(kinds) <= {"table", "grid", "cloud", "calorimeter"} for kinds, _ in FIGURES.values())


def test_figures_show_themselves_without_pyplot(found) -> None:
    assert found.plot()._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]


def test_a_comparison_writes_its_report(found, tmp_path) -> None:
    found.report(tmp_path / "report.html", style="CMS")
    assert "s" in (tmp_path / "report.html").read_text()


def test_a_model(tmp_path, tables) -> None:
    events = replace(tables[0], features=(*tables[0].features[:-1], zerosum.Feature(HOSTILE))).given(["x"])
    run = Run.start(events, tmp_path / "run", {"model": "gaussian", "steps": 10, "log_every": 10})
    list(run.play())
    text = read(run.model)
    for shown in ("table of shape (2,)", HOSTILE, "x [", "gaussian", "latents", "y: ", "sample(n, seed=1)"):
        assert shown in text, shown


def test_a_run(tmp_path, tables, history) -> None:
    run = Run.start(tables[0], tmp_path / "run", {"model": "gan", "steps": 90_100})
    for record in history:
        run.folder.history.append(record, 0.0)
    text = read(run)
    assert "90,100 of 90,100" in text
    assert "0.0120" in text
    assert len(run.plot(style="ATLAS").axes) == 4
    RunFolder(run.folder.path).write_json("certificate.json", {"verdict": HOSTILE})
    assert HOSTILE in read(run)
