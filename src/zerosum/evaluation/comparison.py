"""What a comparison of two samples found: one frozen record, as JSON and as text."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from zerosum.data.notebook import table
from zerosum.evaluation.certificate import Certificate
from zerosum.evaluation.conditional import ConditionBin
from zerosum.evaluation.importance import Rank
from zerosum.evaluation.marginals import Marginal
from zerosum.evaluation.memorisation import Memorisation
from zerosum.evaluation.metric import Metric
from zerosum.evaluation.power import Detectable
from zerosum.evaluation.regions import Region
from zerosum.theory.estimate import EQUILIBRIUM, Estimate, floored

MOST_REGIONS = 5
MOST_BINS = 10
NAME = 23  # letters of a name


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two samples: where it came from and how many events it has."""

    path: str
    n: int


@dataclass(frozen=True)
class Comparison:
    """All that `compare` found.

    Attributes:
        reference: The real events.
        generated: The generated events.
        seed: Seed of splits, critics and permutations.
        confidence: Level of all lower limits.
        columns: What the critics saw.
        jensen_shannon: D_JS, with the null floor; nats.
        kl_forward: D_KL(reference || generated), nats; large where modes are missing.
        kl_reverse: D_KL(generated || reference), nats; large where events are invented.
        total_variation: Half the integral of |p - q|.
        auc: Area under the stack's held-out ROC curve.
        missing: Fraction of the reference that the generated sample lacks.
        invented: Fraction of the generated sample where there is no reference.
        features: Each feature by itself, the most different first.
        ranking: The columns by what a critic loses without them, correlations included.
        regions: Where one sample has significantly more events than the other.
        conditions: The divergence in bins of each condition.
        notes: Plain statements about what does not hold.
        metrics: What papers quote, of whole events; empty unless asked for.
        column_metrics: Wasserstein-1 and separation power of each column; empty unless asked for.
        power: The smallest distortions that samples of this size would have caught with 90 % probability; empty where
            a difference was certified, unless the metrics were asked for.
        memorisation: Whether training events were memorised; None where those are not known.
    """

    reference: Side
    generated: Side
    seed: int
    confidence: float
    columns: tuple[str, ...]
    jensen_shannon: Certificate
    kl_forward: Certificate
    kl_reverse: Certificate
    total_variation: Certificate
    auc: Estimate
    missing: Estimate
    invented: Estimate
    features: tuple[Marginal, ...]
    ranking: tuple[Rank, ...]
    regions: tuple[Region, ...]
    conditions: tuple[ConditionBin, ...]
    notes: tuple[str, ...]
    metrics: tuple[Metric, ...] = ()
    column_metrics: tuple[Metric, ...] = ()
    power: tuple[Detectable, ...] = ()
    memorisation: Memorisation | None = None

    @property
    def value(self) -> float:
        """The value of the game V = -ln 4 + 2 D_JS at the estimate; -ln 4 at equilibrium."""
        return EQUILIBRIUM + 2 * self.jensen_shannon.estimate

    @property
    def verdict(self) -> str:
        """One sentence with its number."""
        js = self.jensen_shannon
        estimate = f"{js.estimate:#.3g} ± {js.error:#.2g}"
        if js.lower is not None and js.lower > 0:
            return (
                f"The samples differ: D_JS >= {floored(js.lower)} nats at {self.confidence:.0%} confidence "
                f"(estimate {estimate})."
            )
        if js.p_value < 1 - self.confidence:
            return f"The samples seem to differ (p = {js.p_value:.2g}), too little to certify: D_JS = {estimate} nats."
        return f"No difference was found: D_JS = {estimate} nats, p = {js.p_value:.2g}."

    def to_json(self) -> dict[str, Any]:
        """The comparison as plain numbers, strings, lists and dictionaries."""
        js = self.jensen_shannon
        return {
            "reference": vars_of(self.reference),
            "generated": vars_of(self.generated),
            "seed": self.seed,
            "confidence": self.confidence,
            "unit": "nats",
            "verdict": self.verdict,
            "columns": list(self.columns),
            "jensen_shannon": _measured(js) | {"p_value": js.p_value, "null_floor": js.null_floor},
            "kl_forward": _measured(self.kl_forward),
            "kl_reverse": _measured(self.kl_reverse),
            "total_variation": _measured(self.total_variation),
            "auc": {"estimate": self.auc.value, "error": self.auc.error},
            "value": {"estimate": self.value, "error": 2 * js.error, "equilibrium": EQUILIBRIUM},
            "missing": {"fraction": self.missing.value, "error": self.missing.error},
            "invented": {"fraction": self.invented.value, "error": self.invented.error},
            "features": [vars_of(feature) for feature in self.features],
            "ranking": [vars_of(one) for one in self.ranking],
            "regions": [one.to_json() for one in self.regions],
            "conditions": [one.to_json() for one in self.conditions],
            "critics": [vars_of(rung) for rung in js.ladder],
            "growing": js.growing,
            "effective_size": list(js.effective),
            "metrics": [vars_of(one) for one in self.metrics],
            "column_metrics": [vars_of(one) for one in self.column_metrics],
            "power": [one.to_json() for one in self.power],
            "memorisation": self.memorisation.to_json() if self.memorisation else None,
            "notes": list(self.notes),
        }

    def summary(self) -> str:
        """A text of at most 80 columns for the terminal."""
        js = self.jensen_shannon
        lines = [
            *_wrapped(self.verdict),
            "",
            f"{'':24}{'estimate':>12}{'error':>10}{f'{self.confidence:.0%} limit':>14}",
            *(
                f"{name:24}{value:>12}{error:>10}{limit:>14}".rstrip()
                for name, value, error, limit in self._rows()
            ),
            f"{'game value V':24}{self.value:>12.5f}{2 * js.error:>10.5f}   (equilibrium {EQUILIBRIUM:.5f})",
            f"{'p-value':24}{js.p_value:>12.3g}",
        ]
        if js.null_floor is not None:
            lines.append(f"{'null floor [nats]':24}{js.null_floor:>12.5f}")
        lines += ["", f"{'critic':24}{'JS seen':>12}{'error':>10}"]
        lines += [f"{_short(rung.name):24}{rung.estimate:>12.5f}{rung.error:>10.5f}" for rung in js.ladder]
        lines += ["", f"{'feature':24}{'binned JS':>12}{'W1':>12}{'KS':>10}{'p':>12}"]
        lines += [
            f"{_short(one.name):24}{one.jensen_shannon:>12.5f}{one.wasserstein:>12.4g}{one.ks:>10.4f}{one.p_value:>12.2g}"
            for one in self.features[:10]
        ]
        lines += [*self._where(), *self._quoted(), *self._power()]
        if self.memorisation:
            lines += ["", *_wrapped(f"Memorisation: {self.memorisation}")]
        return "\n".join(lines + [line for note in self.notes for line in ["", *_wrapped("Note: " + note)]])

    def _rows(self) -> Iterator[tuple[str, str, str, str]]:
        """Name, estimate, error and limit of each number with an error."""
        for name, one in (
            ("Jensen-Shannon [nats]", self.jensen_shannon),
            ("KL(ref||gen) [nats]", self.kl_forward),
            ("KL(gen||ref) [nats]", self.kl_reverse),
            ("total variation", self.total_variation),
        ):
            yield name, f"{one.estimate:.5f}", f"{one.error:.5f}", _limit(one)
        for name, found in (
            ("AUC", self.auc),
            ("missing fraction", self.missing),
            ("invented fraction", self.invented),
        ):
            yield name, f"{found.value:.5f}", f"{found.error:.5f}", ""

    def _repr_html_(self) -> str:
        """For notebooks."""
        head = ("", "estimate", "error", f"{self.confidence:.0%} limit")
        sizes = f"{self.reference.n:,} reference and {self.generated.n:,} generated events, seed {self.seed}"
        return table(self.verdict, head, self._rows(), (sizes, *self.notes))

    def _where(self) -> list[str]:
        """The lines that say where the samples differ: columns, regions, conditions."""
        lines = []
        if self.ranking:
            shares = ", ".join(
                f"{one.name} {one.share:.0%}" for one in self.ranking[:5] if one.share >= 0.005
            )
            lines += ["", *_wrapped(f"What tells them apart: {shares}")]
        if self.regions:
            lines += ["", f"{'regions':56}{'reference':>12}{'generated':>12}"]
        for region in self.regions[:MOST_REGIONS]:
            *above, last = textwrap.wrap(region.rule, 54, subsequent_indent="  ")
            numbers = f"{region.reference.value:>12.3%}{region.generated.value:>12.3%}"
            lines += [*above, f"{last:56}{numbers}"]
        if self.conditions:
            lines += ["", f"{'condition':40}{'JS seen':>14}{'error':>12}{'p':>14}"]
        for bin in sorted(self.conditions, key=lambda one: -one.jensen_shannon.value)[:MOST_BINS]:
            js = bin.jensen_shannon
            lines.append(f"{str(bin)[:39]:40}{js.value:>14.5f}{js.error:>12.5f}{bin.p_value:>14.2g}")
        return lines

    def _quoted(self) -> list[str]:
        """The metrics of whole events, one line each."""
        head = ["", f"{'metric':24}{'value':>12}{'error':>10}{'null':>12}{'p':>12}"] if self.metrics else []
        return head + [
            f"{_short(one.name):24}{one.value:>12.5g}{one.error:>10.2g}{_or_blank(one.null)}{_or_blank(one.p_value)}"
            for one in self.metrics
        ]

    def _power(self) -> list[str]:
        """What would have been caught."""
        if not self.power:
            return []
        caught = ", ".join(str(one) for one in self.power)
        return ["", *_wrapped(f"Samples of this size would be told apart with 90 % probability by {caught}.")]


def vars_of(record: Any) -> dict[str, Any]:
    """The fields of a flat record by name; None where a number is not defined."""
    fields = {name: getattr(record, name) for name in record.__dataclass_fields__}
    return {name: None if value != value else value for name, value in fields.items()}


def _measured(one: Certificate) -> dict[str, float | None]:
    return {"estimate": one.estimate, "error": one.error, "lower": one.lower}


def _or_blank(number: float | None) -> str:
    return f"{'' if number is None else format(number, '.3g'):>12}"


def _limit(one: Certificate) -> str:
    if one.lower is None:
        return "not given"
    return f">= {floored(one.lower)}" if one.lower > 0 else "nothing"


def _short(name: str) -> str:
    """A name that fits into its column, with its beginning and its end."""
    return name if len(name) <= NAME else f"{name[: NAME - 9]}…{name[-8:]}"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 80)
