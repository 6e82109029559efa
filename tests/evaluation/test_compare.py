"""It diagnoses: each distortion is named, and worse ones are found to be worse."""

import json
from dataclasses import replace

import numpy as np
import pytest

from zerosum.data.events import Events, Feature
from zerosum.errors import InputError
from zerosum.evaluation.compare import compare, matched
from zerosum.evaluation.critics import Polynomial, Trees
from zerosum.evaluation.neural import Network, Rows, View

pytestmark = pytest.mark.xdist_group("comparisons")  # they share what was found
N = 4000
QUICK = (Polynomial("quadratic", 2), Trees("trees", 15, 100))
NETWORK = Network("network", View.of_rows, Rows)
KEYS = {
    "reference": {"path", "n"},
    "generated": {"path", "n"},
    "jensen_shannon": {"estimate", "error", "lower", "p_value", "null_floor"},
    "kl_forward": {"estimate", "error", "lower"},
    "kl_reverse": {"estimate", "error", "lower"},
    "auc": {"estimate", "error"},
    "value": {"estimate", "equilibrium"},
    "missing": {"fraction", "error"},
    "invented": {"fraction", "error"},
}


def gaussian(seed, *, shift=0.0, scale=1.0, correlation=0.6):
    rng = np.random.default_rng(seed)
    x = rng.multivariate_normal([0, 0, 0], [[1, correlation, 0], [correlation, 1, 0], [0, 0, 1]], N)
    x[:, 2] = shift + scale * x[:, 2]
    return Events.table(x.astype(np.float32), ["a", "b", "c"])


def grid_of_modes(seed, modes):
    rng = np.random.default_rng(seed)
    mode = rng.choice(modes, N)
    centre = np.stack([mode % 5, mode // 5], axis=1) * 2.0 - 4
    return Events.table((centre + 0.1 * rng.normal(size=(N, 2))).astype(np.float32))


def exponential(seed, cut=np.inf):
    x = np.random.default_rng(seed).exponential(1, 2 * N)
    return Events.table(x[x < cut][:N].astype(np.float32), ["pt"])


def pairs():
    reference = gaussian(0)
    return {
        "identical": (reference, gaussian(1)),
        "shifted": (reference, gaussian(2, shift=0.3)),
        "scaled": (reference, gaussian(3, scale=1.5)),
        "flipped": (reference, gaussian(4, correlation=-0.6)),
        "mode": (grid_of_modes(5, np.arange(25)), grid_of_modes(6, np.arange(24))),
        "tail": (exponential(7), exponential(8, cut=2.5)),
    }


@pytest.fixture(scope="module")
def found():
    return {
        name: compare(*pair, critics=(*QUICK, NETWORK) if name == "mode" else QUICK)
        for name, pair in pairs().items()
    }


@pytest.mark.slow
def test_the_full_ladder_finds_all_distortions():
    lower = {name: compare(*pair).jensen_shannon.lower for name, pair in pairs().items()}
    assert [name for name, limit in lower.items() if limit <= 0] == ["identical"]


def test_identical_samples_are_not_told_apart(found):
    one = found["identical"]
    assert one.jensen_shannon.lower <= 0
    assert one.verdict.startswith("No difference was found")
    assert abs(one.value + np.log(4)) < 0.01
    assert abs(one.auc.value - 0.5) < 4 * one.auc.error


@pytest.mark.parametrize("name", ["shifted", "scaled", "flipped", "mode", "tail"])
def test_every_distortion_is_certified(found, name):
    assert found[name].jensen_shannon.lower > 0
    assert found[name].verdict.startswith("The samples differ")


def test_distortions_are_ranked_by_their_divergence(found):
    """Exact: shift by 0.3 0.0111, 1 of 25 modes 0.0141, scale 1.5 0.0367, flipped correlation 0.2 and more."""
    values = [found[name].jensen_shannon.estimate for name in ("identical", "shifted", "scaled", "flipped")]
    assert values == sorted(values)
    assert found["shifted"].jensen_shannon.estimate == pytest.approx(0.0111, abs=0.005)
    assert found["scaled"].jensen_shannon.estimate == pytest.approx(0.0367, abs=0.01)
    assert found["mode"].jensen_shannon.estimate == pytest.approx(0.0141, abs=0.004)


def test_the_feature_that_differs_stands_first(found):
    assert found["shifted"].features[0].name == "c"
    assert found["scaled"].features[0].name == "c"
    assert found["shifted"].features[0].p_value < 1e-6
    assert found["shifted"].features[1].p_value > 1e-4
    assert found["shifted"].features[0].wasserstein == pytest.approx(0.3, abs=0.08)


def test_a_flipped_correlation_is_seen_by_no_single_feature(found):
    one = found["flipped"]
    assert min(feature.p_value for feature in one.features) > 1e-3
    assert one.jensen_shannon.lower > 0.1


def test_missing_and_invented_fractions(found):
    mode, tail = found["mode"], found["tail"]
    assert mode.missing.value == pytest.approx(0.04, abs=4 * mode.missing.error)
    assert mode.missing.error < 0.005
    assert mode.invented.value < 0.005
    assert tail.missing.value == pytest.approx(np.exp(-2.5), abs=0.02)
    assert tail.invented.value < 0.005
    assert found["identical"].missing.value < 0.005


def test_the_directions_of_kl_tell_missing_from_invented(found):
    mode = found["mode"]
    assert mode.kl_forward.estimate > 1.5 * mode.kl_reverse.estimate
    assert mode.kl_reverse.estimate == pytest.approx(np.log(25 / 24), abs=0.02)


def test_json_has_the_fixed_keys_and_survives_a_round_trip(found):
    record = json.loads(json.dumps(found["shifted"].to_json(), allow_nan=False))
    for key, parts in KEYS.items():
        assert parts <= set(record[key]), key
    assert record["unit"] == "nats"
    assert record["value"]["equilibrium"] == pytest.approx(-np.log(4))
    assert {"name", "jensen_shannon", "wasserstein", "ks", "p_value"} <= set(record["features"][0])


def test_the_summary_fits_a_terminal(found):
    for one in found.values():
        assert max(map(len, one.summary().splitlines())) <= 80
        assert one.verdict.split()[0] in one.summary()


def test_long_names_keep_their_ends(found):
    one = found["shifted"]
    features = [replace(one.features[0], name=f"profile(energy, axis 1)[{i}]") for i in (2, 11)]
    text = replace(one, features=tuple(features)).summary()
    assert "profile(energy…is 1)[2]" in text
    assert "[11]" in text


def test_it_says_where_the_samples_differ(found):
    tail = found["tail"]
    assert tail.ranking[0].name == tail.regions[0].rule.split()[0] == "pt"
    assert tail.regions[0].rule.startswith("pt > 2.")
    assert tail.regions[0].generated.value < 0.01
    assert {one.name for one in found["flipped"].ranking} == {"a", "b"}
    assert not found["identical"].ranking
    assert not found["identical"].regions
    record = tail.to_json()
    assert record["regions"][0]["reference"]["fraction"] == tail.regions[0].reference.value
    assert record["ranking"][0]["share"] == 1
    assert "pt > 2." in tail.summary()


def test_conditions_have_bins_and_observables_have_none():
    reference = gaussian(0).given(["c"])
    one = compare(reference, gaussian(2, correlation=0.3).given(["c"]), observables=["s=a+b"], critics=QUICK)
    assert {each.name for each in one.conditions} == {"c"}
    assert len(one.to_json()["conditions"]) == 5
    assert max(map(len, one.summary().splitlines())) <= 80
    assert "c -" in one.summary()


def test_columns_are_matched_by_name():
    reference = gaussian(0)
    swapped = gaussian(1).select(["c", "a", "b"])
    first, second = matched(reference, swapped)
    assert first.names == second.names == ["a", "b", "c"]
    assert np.array_equal(second.column("c"), swapped.column("c"))
    first, second = matched(reference, swapped, ["b"])
    assert first.names == second.names == ["b"]


def test_a_condition_on_one_side_is_a_condition():
    reference, generated = gaussian(0), gaussian(1).given(["c"])
    first, second = matched(reference, generated)
    assert first.names == second.names == ["a", "b"]
    assert first.condition_names == second.condition_names == ["c"]


def test_samples_that_do_not_match_are_refused():
    table = gaussian(0)
    with pytest.raises(InputError, match="no mass; the names are a, b, c"):
        compare(table, table, columns=["mass"])
    with pytest.raises(InputError, match="share no feature"):
        compare(table, Events.table(np.ones((100, 2)), ["u", "v"]))
    with pytest.raises(InputError, match="one kind"):
        compare(table, Events.grid(np.ones((100, 4, 4))))
    with pytest.raises(InputError, match="between 0 and 1"):
        compare(table, table, confidence=95)


def test_grids_name_their_summaries():
    rng = np.random.default_rng(0)
    x, y = rng.choice([-1.0, 1.0], (2, 600, 4, 4)).astype(np.float32)
    y[:, :, 1] = y[:, :, 0]
    one = compare(Events.grid(x, ("spin",)), Events.grid(y, ("spin",)), critics=QUICK)
    assert one.jensen_shannon.lower > 0.2
    assert one.features[0].name.startswith(("neighbours(spin", "profile(spin", "spread(spin"))


def test_weights_are_used_everywhere():
    rng = np.random.default_rng(6)
    x, y = rng.normal(0, 1, (2000, 1)), rng.normal(1, 1, (2000, 1))
    reference = Events((x), (Feature("x"),), weights=np.exp(x[:, 0] - 0.5))
    one = compare(reference, Events(y, (Feature("x"),)), critics=QUICK)
    assert one.jensen_shannon.lower is None
    assert abs(one.jensen_shannon.estimate) < 0.02
    assert abs(one.auc.value - 0.5) < 4 * one.auc.error
    assert abs(one.features[0].jensen_shannon) < 0.02
    assert any("weighted" in note for note in one.notes)
    assert "not given" in one.summary()


def test_an_observable_opens_the_eyes_of_a_blind_critic():
    rng = np.random.default_rng(9)
    x, y = rng.normal(size=(2, 3000, 2))
    y[:, 1] = 0.6 * y[:, 0] + 0.8 * y[:, 1]
    blind = (Polynomial("linear", 1),)
    plain, seeing = (
        compare(Events.table(x), Events.table(y), critics=blind, observables=o) for o in ((), ("p=x0*x1",))
    )
    assert abs(plain.jensen_shannon.estimate) < 0.005
    assert seeing.jensen_shannon.lower > 0.02
    assert "p" in seeing.columns
    assert seeing.features[0].name == "p"


def test_negative_weights_leave_valid_json():
    rng = np.random.default_rng(6)
    sign = np.where(rng.random(600) < 0.1, -1.0, 1.0)
    reference = Events.table(rng.normal(size=600), ["x"], weights=sign)
    record = compare(reference, Events.table(rng.normal(size=600), ["x"]), critics=QUICK).to_json()
    assert json.dumps(record, allow_nan=False)
    assert record["features"][0]["wasserstein"] is None
    assert record["jensen_shannon"]["lower"] is None


def test_metrics_that_papers_quote_stand_beside():
    one = compare(gaussian(0), gaussian(2, shift=0.3), critics=QUICK, metrics=True)
    record = json.loads(json.dumps(one.to_json(), allow_nan=False))
    found = {metric["name"]: metric for metric in record["metrics"]}
    assert {"AUC", "JSD [bits]", "FPD", "KPD", "precision", "coverage", "sliced wasserstein"} <= set(found)
    assert found["JSD [bits]"]["value"] == pytest.approx(one.jensen_shannon.estimate / np.log(2))
    columns = {metric["name"]: metric for metric in record["column_metrics"]}
    assert columns["W1(c)"]["value"] == pytest.approx(0.3, abs=5 * columns["W1(c)"]["error"])
    assert columns["separation power(c)"]["p_value"] < 1e-6
    assert columns["separation power(a)"]["p_value"] > 1e-4
    assert "coverage" in one.summary()
    assert max(map(len, one.summary().splitlines())) <= 80
    assert not compare(gaussian(0), gaussian(2, shift=0.3), critics=QUICK).metrics


def test_where_nothing_is_found_it_says_what_would_have_been(found):
    one = found["identical"]
    shift = next(each for each in one.power if each.distortion == "shift")
    assert 0.02 < shift.strength < 0.5
    assert "told apart with 90 % probability" in one.summary()
    assert one.to_json()["power"][0]["distortion"] == "shift"
    assert not found["scaled"].power


def test_weighted_events_have_the_metrics_that_are_defined_for_them():
    rng = np.random.default_rng(6)
    x, w = rng.normal(size=(2000, 2)), rng.exponential(size=2000)
    one = compare(
        Events.table(x, weights=w), Events.table(rng.normal(size=(2000, 2))), critics=QUICK, metrics=True
    )
    assert [metric.name for metric in one.metrics] == ["AUC", "JSD [bits]"]
    assert [metric.name for metric in one.column_metrics] == ["separation power(x0)", "separation power(x1)"]
    assert all(metric.p_value > 1e-4 for metric in one.column_metrics)
