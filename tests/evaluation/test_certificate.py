"""The limit holds, is tight, and the p-value is uniform: with the optimal critic (quick) and with learned ones."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from zerosum.data.events import Events
from zerosum.errors import InputError
from zerosum.evaluation.certificate import certificate, certify, null_floor, p_value
from zerosum.evaluation.clipped import estimate, wager
from zerosum.evaluation.compare import assemble
from zerosum.evaluation.critics import Polynomial
from zerosum.evaluation.folds import examine, scores
from zerosum.evaluation.variational import DIVERGENCES
from zerosum.theory.betting import lower_limit

# N(delta, 1) against N(0, 1): delta and the exact values, from quadrature with 40 digits.
JS = {0.1: 0.001248440096070658, 0.5: 0.030311300520839, 1.0: 0.1114214821847362, 3.0: 0.526776805307}
UNIT = {
    "jensen_shannon": 0.1114214821847362,
    "kl": 0.5,
    "reverse_kl": 0.5,
    "jeffreys": 1.0,
    "total_variation": 0.3829249225480262,
    "hellinger": 0.1175030974154046,
    "pearson": np.e - 1,
    "neyman": np.e - 1,
}
LINEAR = (Polynomial("linear", 1),)


class Oracle:
    """The optimal critic of N(delta, 1) against N(0, 1)."""

    name = "oracle"

    def __init__(self, delta):
        self.delta = delta

    def fit(self, *samples, seed):
        return self

    def logit(self, events):
        return self.delta * events.values[:, 0].astype(float) - self.delta**2 / 2


def gaussians(delta, n, m, seed):
    rng = np.random.default_rng(seed)
    return Events.table(rng.normal(delta, 1, n)), Events.table(rng.normal(0, 1, m))


def limit(rule, folds):
    return lower_limit([wager(DIVERGENCES[rule], fold, 0.025)[0] for fold in folds])


def limits(delta, n, m, repeats):
    for seed in range(repeats):
        folds = examine(*gaussians(delta, n, m, seed), seed=seed, critics=[Oracle(delta)])
        yield limit("jensen_shannon", folds)


@pytest.mark.parametrize(("delta", "n", "m"), [(0.1, 400, 400), (1.0, 150, 1000), (3.0, 400, 300)])
def test_the_limit_holds(delta, n, m):
    found = np.array(list(limits(delta, n, m, 120)))
    assert np.mean(found > JS[delta]) <= 0.05


def test_the_limit_holds_for_every_divergence():
    samples = [
        examine(*gaussians(1.0, 400, 400, seed), seed=seed, critics=[Oracle(1.0)]) for seed in range(60)
    ]
    for rule, exact in UNIT.items():
        found = np.array([limit(rule, folds) for folds in samples])
        assert np.mean(found > exact) <= 0.05, rule
        assert np.median(found) > 0.25 * exact, rule


def test_the_estimate_of_every_divergence_is_within_its_error():
    folds = examine(*gaussians(1.0, 40_000, 20_000, 3), seed=1, critics=[Oracle(1.0)])
    for rule, exact in UNIT.items():
        found = estimate(DIVERGENCES[rule], folds)
        assert found.value == pytest.approx(exact, abs=4 * found.error)
        assert found.error < 0.1 * exact


def test_the_limit_is_tight_with_a_learned_critic():
    reference, generated = gaussians(1.0, 20_000, 20_000, 5)
    found = certify(reference, generated, critics=LINEAR)
    assert 0.92 * JS[1.0] < found.lower < JS[1.0]
    assert found.certified
    assert found.p_value == pytest.approx(0.001)


def test_the_limit_grows_with_n_and_falls_with_confidence():
    by_n = [np.mean(list(limits(1.0, n, n, 5))) for n in (100, 1000, 10_000)]
    assert by_n == sorted(by_n)
    folds = examine(*gaussians(1.0, 2000, 2000, 1), seed=1, critics=LINEAR)
    by_confidence = [certificate(folds, confidence=c).lower for c in (0.99, 0.95, 0.8)]
    assert by_confidence == sorted(by_confidence)


def test_a_limit_above_the_estimate_is_explained():
    """A critic that is blind in one half: the limit is that of the other half, the estimate the mean of both."""
    folds = examine(*gaussians(1.0, 4000, 4000, 1), seed=1, critics=LINEAR)
    blind = [np.zeros_like(part) for part in (*folds[1].tune, *folds[1].held)]
    folds = folds[0], replace(folds[1], tune=(blind[0], blind[1]), held=(blind[2], blind[3]))
    found = certificate(folds)
    assert found.estimate < found.lower < JS[1.0]
    assert "the limit of D_JS is above the estimate" in found.notes[0]
    reference, generated = gaussians(1.0, 4000, 4000, 1)
    whole = assemble(folds, reference, generated, confidence=0.95, seed=0, floor=None)
    assert [note.split(" is above")[0] for note in whole.notes] == [
        f"the limit of {name}"
        for name, one in (
            ("D_JS", whole.jensen_shannon),
            ("D_KL(reference || generated)", whole.kl_forward),
            ("D_KL(generated || reference)", whole.kl_reverse),
            ("total_variation", whole.total_variation),
        )
        if one.lower > one.estimate
    ]
    assert len(whole.notes) > 1
    assert not certificate(examine(*gaussians(1.0, 4000, 4000, 1), seed=1, critics=LINEAR)).notes


def test_the_null_gives_uniform_p_values_and_nothing_to_certify():
    p, lower = [], []
    for seed in range(120):
        folds = examine(*gaussians(0.0, 120, 120, seed), seed=seed, critics=LINEAR)
        p.append(p_value(folds[0], seed=seed, weighted=False))
        lower.append(wager(DIVERGENCES["jensen_shannon"], folds[0], 0.05)[0].lower())
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert np.mean(np.array(lower) > 0) <= 0.05


@pytest.mark.parametrize("n", [60, 1000])
def test_no_certified_kl_exceeds_ln_n(n):
    apart = certify(*gaussians(12.0, n, n, 1), critics=LINEAR, divergence="kl")
    assert 0.3 * np.log(n / 2) < apart.lower <= np.log(n / 2)


def test_disjoint_samples_come_close_to_ln_2():
    found = certify(*gaussians(12.0, 2000, 2000, 1), critics=LINEAR)
    assert 0.95 * np.log(2) < found.lower <= found.estimate <= np.log(2)


def test_weighted_events_have_estimates_and_no_limit():
    reference, generated = gaussians(1.0, 8000, 8000, 2)
    sign = np.where(np.random.default_rng(0).random(8000) < 0.1, -1.0, 1.0)
    weighted = Events.table(reference.values, weights=sign)
    found = certify(weighted, generated, critics=LINEAR)
    assert found.lower is None
    assert not found.certified
    assert any("weighted" in note for note in found.notes)
    assert found.estimate == pytest.approx(JS[1.0], abs=4 * found.error)
    assert found.effective[0] == pytest.approx(sign.sum() ** 2 / 8000)


def test_weights_bring_a_biased_sample_back():
    rng = np.random.default_rng(6)
    x, y = rng.normal(0, 1, 6000), rng.normal(1, 1, 6000)
    reference = Events.table(x, weights=np.exp(x - 0.5))
    found = certify(reference, Events.table(y), critics=LINEAR)
    assert abs(found.estimate) < 0.01
    assert certify(Events.table(x), Events.table(y), critics=LINEAR).estimate > 0.1


def test_a_critic_that_sees_more_is_said_to():
    rng = np.random.default_rng(4)
    x, y = rng.normal(0, 2, (8000, 1)), rng.normal(0, 1, (8000, 1))
    blind, seeing = Polynomial("linear", 1), Polynomial("quadratic", 2)
    found = certify(x, y, critics=[blind, seeing])
    assert found.growing
    assert any("grows" in note for note in found.notes)
    assert not certify(x, y, critics=[seeing, blind]).growing
    assert [rung.name for rung in found.ladder] == ["linear", "quadratic", "stack"]


def test_scores_stand_in_the_order_of_the_events():
    reference, generated = gaussians(2.0, 300, 200, 1)
    score = scores(examine(reference, generated, seed=0, critics=[Oracle(2.0)]))
    assert np.corrcoef(score[0], reference.values[:, 0])[0, 1] > 0.99
    assert np.corrcoef(score[1], generated.values[:, 0])[0, 1] > 0.99


def test_the_null_floor_is_small_beside_a_difference():
    reference, generated = gaussians(0.5, 4000, 4000, 1)
    assert 0 <= null_floor(reference, seed=0, critics=LINEAR) < 0.2 * JS[0.5]
    assert certify(reference, generated, critics=LINEAR).estimate > 0.8 * JS[0.5]


def test_the_same_seed_gives_the_same_certificate():
    pair = gaussians(0.5, 500, 500, 1)
    first, second, other = (certify(*pair, seed=seed, critics=LINEAR) for seed in (1, 1, 2))
    assert first == second
    assert first.lower != other.lower


@pytest.mark.parametrize("bad", [np.ones((20, 2)), np.full((100, 2), np.nan)])
def test_samples_that_cannot_be_judged_are_refused(bad):
    with pytest.raises(InputError, match="reference sample"):
        certify(bad, np.random.default_rng(0).normal(size=(100, 2)))


@pytest.mark.slow
@pytest.mark.parametrize("delta", [0.0, 0.5, 1.0])
def test_the_limit_holds_with_learned_critics(delta):
    true = 0.0 if delta == 0 else JS[delta]
    found = np.array([certify(*gaussians(delta, 300, 300, seed), seed=seed).lower for seed in range(30)])
    assert np.sum(found > true) <= 4
