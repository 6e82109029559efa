"""What the figures show is what is in the events."""

import io
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import uproot
import yaml
from scipy import stats

from zerosum.data.events import Events, Feature
from zerosum.report import plots
from zerosum.report.closure import moments
from zerosum.report.curves import series
from zerosum.report.joint import content_levels, correlation
from zerosum.report.takeaway import as_hepdata, as_root

X = Feature("x", "GeV")


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", ["normal", "lognormal", "poisson", "constant", "cauchy"])
def test_contents_equal_numpy(shape: str, weighted: bool) -> None:
    rng = np.random.default_rng(3)
    draw = {
        "normal": lambda n: rng.normal(size=n),
        "lognormal": lambda n: rng.lognormal(0, 3, n),
        "poisson": lambda n: rng.poisson(4, n).astype(float),
        "constant": lambda n: np.full(n, 2.5),
        "cauchy": lambda n: rng.standard_cauchy(n),
    }[shape]
    values = draw(2000), draw(3000)
    weights = [rng.normal(1, 0.5, len(x)) if weighted else None for x in values]
    found = plots.overlay(X, *values, weights=(weights[0], weights[1]))
    for filled, x, w in zip((found.reference, found.generated), values, weights, strict=True):
        edges = np.r_[-np.inf, found.edges, np.inf]
        w = np.ones(len(x)) if w is None else w
        view = filled.view(flow=True)
        inside = np.digitize(x, found.edges)
        np.testing.assert_allclose(view["value"], np.bincount(inside, w, len(edges) - 1), atol=1e-9)
        np.testing.assert_allclose(view["variance"], np.bincount(inside, w**2, len(edges) - 1), atol=1e-9)
    assert found.logarithmic == (shape == "lognormal")
    if shape == "poisson":
        np.testing.assert_allclose(np.diff(found.edges), 1)


def test_generated_is_scaled_to_the_reference_with_its_flow() -> None:
    found = plots.overlay(X, np.linspace(0, 1, 1001), np.r_[np.full(500, -3.0), np.full(1500, 0.31)])
    r, _, g, dg = found.counts
    assert r.sum() == pytest.approx(g.sum()) == pytest.approx(1001)
    assert g[0] == pytest.approx(1001 / 4)
    assert dg[0] == pytest.approx(500 * (1001 / 2000) ** 2)


def test_chi2_is_that_of_two_histograms_and_uniform_under_the_null() -> None:
    rng = np.random.default_rng(0)
    found = plots.overlay(X, rng.random(100_000), rng.random(50_000))
    r, dr, g, dg = (column[1:-1] for column in found.counts)
    chi2, ndf, p = found.chi2
    assert chi2 == pytest.approx(np.sum((r - g) ** 2 / (dr + dg)), rel=1e-6)
    assert ndf == len(r) - 1
    assert p == pytest.approx(stats.chi2.sf(chi2, ndf))
    p_values = [plots.overlay(X, rng.normal(size=300), rng.normal(size=200)).chi2[2] for _ in range(200)]
    assert stats.kstest(p_values, "uniform").pvalue > 1e-3
    shifted = [plots.overlay(X, rng.normal(size=300), rng.normal(1, 1, 200)).chi2[2] for _ in range(20)]
    assert max(shifted) < 1e-3


def test_drawn_stairs_are_the_counts_and_the_flow() -> None:
    rng = np.random.default_rng(0)
    found = plots.overlay(X, rng.standard_cauchy(5000), rng.standard_cauchy(4000))
    main, under = plots.feature_figure(found).axes
    drawn = main.patches[0].get_data()
    np.testing.assert_allclose(drawn.values[2:-2], found.counts[0][1:-1])
    assert (drawn.values[0], drawn.values[-1]) == (found.counts[0][0], found.counts[0][-1])
    assert drawn.edges[1] < found.edges[0] < found.edges[-1] < drawn.edges[-2]
    assert [text.get_text() for text in under.texts] == ["<", ">"]
    assert "χ²/ndf" in main.get_title(loc="right")
    bounded = plots.overlay(X, rng.random(500), rng.random(500) * 0.9 + 0.05)
    assert not plots.feature_figure(bounded).axes[1].texts


@pytest.mark.parametrize("style", ["plain", "ATLAS", "CMS", "LHCb"])
@pytest.mark.parametrize("below", ["ratio", "pull"])
def test_styles_differ_in_ticks_and_leave_no_trace(style, below) -> None:
    before = dict(plt.rcParams)
    rng = np.random.default_rng(0)
    with plots.using(style):
        figure = plots.feature_figure(
            plots.overlay(X, rng.normal(size=500), rng.normal(size=500)), below=below
        )
    figure.savefig(io.BytesIO(), format="png")
    direction = figure.axes[0].xaxis.get_major_ticks()[0].get_tickdir()
    assert direction == ("out" if style == "plain" else "in")
    assert figure.axes[1].get_ylabel() == ("pull" if below == "pull" else "gen. / ref.")
    assert plt.get_fignums() == []
    assert dict(plt.rcParams) == before


def test_correlations_are_numpys_and_weights_count() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(500, 3)) @ rng.normal(size=(3, 3))
    events = Events.table(values)
    np.testing.assert_allclose(correlation(events), np.corrcoef(values.T), atol=1e-12)
    times = rng.integers(1, 4, 500)
    doubled = np.corrcoef(np.repeat(values, times, axis=0).T)
    np.testing.assert_allclose(correlation(replace(events, weights=times.astype(float))), doubled, atol=1e-12)
    assert correlation(Events.table(np.ones((9, 2)))).tolist() == [[0, 0], [0, 0]]


def test_contours_hold_the_content_they_name() -> None:
    x = np.linspace(-4, 4, 201)
    table = np.exp(-(x[:, None] ** 2 + x**2) / 2)
    low, high = content_levels(table)
    assert table[table >= low].sum() / table.sum() == pytest.approx(0.95, abs=0.005)
    assert table[table >= high].sum() / table.sum() == pytest.approx(0.68, abs=0.005)
    assert not len(content_levels(np.zeros((5, 5))))


def test_moments_in_bins_of_a_condition() -> None:
    rng = np.random.default_rng(0)
    condition = rng.uniform(0, 3, 30_000)
    values, weights = rng.normal(np.floor(condition), 2), rng.uniform(0.5, 1.5, 30_000)
    for w in (None, weights):
        mean, width, error = moments(condition, values, np.arange(4.0), w)
        assert np.all(np.abs(mean - [0, 1, 2]) < 4 * error)
        np.testing.assert_allclose(width, 2, rtol=0.03)
    assert np.isnan(moments(condition[:5], values[:5], np.array([0.0, 3.0]))[0]).all()


def test_series_tolerates_any_subset_and_averages_long_histories(history) -> None:
    steps, values = series(history, "value")
    assert len(steps) == len(values) == 400
    assert steps[-1] == 90_000
    np.testing.assert_allclose(values, -1.2 - 0.18 * steps / 90_000, atol=0.001)
    assert [len(part) for part in series(history, "js_estimate")] == [2, 2]
    assert len(series(history, "never")[0]) == 0
    assert len(plots.training_figure(history).axes) == 4
    assert len(plots.training_figure([{"step": 1}]).axes) == 0


def test_a_constant_curve_is_drawn_as_one(history) -> None:
    """Rounding in its running mean is not blown up to the whole height, nor a narrow range to a logarithm."""
    for axes in plots.training_figure(history).axes[2:]:
        low, high = axes.get_ylim()
        assert high - low > 0.01 * high
        assert axes.get_yscale() == "linear"


def test_the_equilibrium_is_drawn(history) -> None:
    value = plots.training_figure(history).axes[0]
    assert any(np.allclose(line.get_ydata(), -np.log(4)) for line in value.lines)


def test_the_certificate_is_drawn_where_it_is(comparison) -> None:
    axes = plots.certificate_figure(comparison).axes[0]
    assert axes.get_xlim() == pytest.approx((0, np.log(2)))
    lower, error, estimate = axes.lines
    assert lower.get_xdata() == pytest.approx([0.027494] * 2)
    assert error.get_xdata() == pytest.approx([0.03291 - 0.00151, 0.03291 + 0.00151])
    assert estimate.get_xdata() == pytest.approx([0.03291])
    assert not plots.certificate_figure({"jensen_shannon": None}).axes[0].lines


def test_histograms_come_back_from_root_and_hepdata(tmp_path) -> None:
    rng = np.random.default_rng(0)
    found = [plots.overlay(X, rng.normal(size=500), rng.normal(size=700), weights=(rng.random(500), None))]
    path = tmp_path / "h.root"
    path.write_bytes(as_root(found))
    with uproot.open(path) as file:
        read = file["h0_reference"]
        np.testing.assert_allclose(read.values(flow=True), found[0].reference.view(flow=True)["value"])
        np.testing.assert_allclose(read.variances(flow=True), found[0].reference.view(flow=True)["variance"])
        np.testing.assert_allclose(read.axis().edges(), found[0].edges)
    (table,) = yaml.safe_load_all(as_hepdata(found))
    assert table["independent_variables"][0]["header"] == {"name": "x", "units": "GeV"}
    values = [bin["value"] for bin in table["dependent_variables"][1]["values"]]
    np.testing.assert_allclose(values, found[0].generated.view()["value"])


def test_pairs_and_images_are_drawn_for_every_shape(tables, grids) -> None:
    pairs = plots.pairs_figure(*tables, most=2)
    assert len(pairs.axes) == 3
    assert len(plots.images_figure(*grids).axes) == 5 + 3  # three images bring a colour bar each
    solid = [Events.grid(np.ones((4, 1, 2, 3, 3)) * k) for k in (1.0, 2.0)]
    panels = plots.images_figure(solid[0], solid[1]).axes
    assert panels[0].images[0].get_array().tolist() == (2 * np.ones((3, 3))).tolist()
    assert len(plots.gallery_figure(*grids, most=5).axes) == 10
