"""What the theory predicts of a duel, and whether it happened: each claim against the measured rows.

Maximum likelihood is minimum forward KL: it must cover every event and pays nothing for weight where there are none, so
a stiff model fills in between the peaks; the game, whose value is a Jensen-Shannon divergence, feels both (Mehta et al.
2018, arXiv:1803.08823, section XVII; Goodfellow et al. 2014, arXiv:1406.2661). A claim holds or fails where the
difference is larger than twice its error, and is undecided in between. To add one, write a function and add it to
CLAIMS.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import hypot

from zerosum.duel.contest import Row
from zerosum.theory.estimate import Estimate

SIGNIFICANT = 2.0  # standard errors
FIRM = ("gaussian", "mixture")  # models too stiff to follow every gap


@dataclass(frozen=True)
class Prediction:
    """One claim and what was found.

    Attributes:
        claim: What the theory says.
        found: The numbers.
        holds: Whether it happened; None where the errors do not tell.
    """

    claim: str
    found: str
    holds: bool | None

    @property
    def verdict(self) -> str:
        """The answer in words."""
        return {True: "it happened", False: "it did not happen", None: "undecided within errors"}[self.holds]


def predictions(rows: Sequence[Row]) -> list[Prediction]:
    """Every claim that these rows can decide."""
    return [one for claim in CLAIMS for one in claim(rows)]


def larger(a: Estimate, b: Estimate) -> bool | None:
    """Whether a > b, where the difference is significant."""
    pull = (a.value - b.value) / max(hypot(a.error, b.error), 1e-300)
    return None if abs(pull) < SIGNIFICANT else pull > 0


def no_more(a: Estimate, b: Estimate) -> bool:
    """Whether a is not significantly larger than b."""
    return larger(a, b) is not True


def filling_in_between(rows: Sequence[Row]) -> list[Prediction]:
    """The stiff fits of maximum likelihood put more weight into empty places than the game does."""
    games = [row for row in rows if row.adversarial]
    return [
        Prediction(
            f"the {row.model}, fitted by forward KL, fills in where there are no data; the {game.model} does so less",
            f"{percent(row.filling)} of its events lie there, against {percent(game.filling)} of the {game.model}'s",
            larger(row.filling, game.filling),
        )
        for row in rows
        if row.model.startswith(FIRM)
        for game in games
    ]


def covering(rows: Sequence[Row]) -> list[Prediction]:
    """Forward KL punishes missing events: a likelihood fit leaves no more of the data uncovered than the game."""
    games = [row for row in rows if row.adversarial]
    return [
        Prediction(
            f"the {row.model} covers the data: it leaves no more of them uncovered than the {game.model}",
            f"uncovered: {percent(row.uncovered)} against {percent(game.uncovered)}",
            no_more(row.uncovered, game.uncovered),
        )
        for row in rows
        if row.log_likelihood is not None
        for game in games
    ]


def flow_is_likeliest(rows: Sequence[Row]) -> list[Prediction]:
    """The most flexible exact density has the highest likelihood of held-out events."""
    measured = {row.model: row.log_likelihood for row in rows if row.log_likelihood is not None}
    if "flow" not in measured or len(measured) < 2:
        return []
    flow = measured.pop("flow")
    best = max(measured, key=lambda name: measured[name].value)
    return [
        Prediction(
            "the flow has the highest likelihood of the held-out events",
            f"<ln p_g> = {flow.value:.3f} ± {flow.error:.3f}, the next is the {best} with "
            f"{measured[best].value:.3f} ± {measured[best].error:.3f} nats per event",
            larger(flow, measured[best]),
        )
    ]


def likelihood_is_forward_kl(rows: Sequence[Row]) -> list[Prediction]:
    """<ln p_g> = -S - D_KL: no likelihood exceeds minus the entropy of the data."""
    known = [(row, row.identity) for row in rows if row.identity is not None]
    if not known:
        return []
    worst = min(known, key=lambda pair: pair[1].kl.value / max(pair[1].kl.error, 1e-300))
    row, identity = worst
    return [
        Prediction(
            "no likelihood exceeds minus the entropy of the data: <ln p_g> = -S - D_KL, and D_KL >= 0",
            f"the smallest is the {row.model}'s: D_KL = {identity.kl.value:.3f} ± {identity.kl.error:.3f}, "
            f"S = {identity.entropy.value:.3f} ± {identity.entropy.error:.3f} nats (nearest neighbours)",
            identity.kl.value > -SIGNIFICANT * identity.kl.error,
        )
    ]


def closest(rows: Sequence[Row]) -> list[Prediction]:
    """Who is nearest to the data by D_JS, which needs no likelihood; the game minimises it."""
    games, others = (
        [row for row in rows if row.adversarial],
        [row for row in rows if not row.adversarial],
    )
    if not games or not others:
        return []
    best = min(others, key=lambda row: row.comparison.jensen_shannon.estimate)
    return [
        Prediction(
            f"the {game.model}, which plays for D_JS, is nearer to the data by D_JS than any fit of maximum likelihood",
            f"D_JS = {_js(game).value:.4f} ± {_js(game).error:.4f} against {_js(best).value:.4f} ± "
            f"{_js(best).error:.4f} nats of the {best.model}",
            larger(_js(best), _js(game)),
        )
        for game in games
    ]


def _js(row: Row) -> Estimate:
    js = row.comparison.jensen_shannon
    return Estimate(js.estimate, js.error, 0, "held-out critics")


def percent(one: Estimate) -> str:
    """A fraction in percent with its error."""
    return f"({100 * one.value:.2f} ± {100 * one.error:.2f}) %"


CLAIMS: tuple[Callable[[Sequence[Row]], list[Prediction]], ...] = (
    filling_in_between,
    covering,
    flow_is_likeliest,
    likelihood_is_forward_kl,
    closest,
)
