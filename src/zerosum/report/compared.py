"""A comparison with both samples at hand: it draws itself and writes its report.

found = zerosum.compare(reference, generated, observables=["m=mass(1,2)"])
found.plot()                        the certificate on [0, ln 2]
found.plot("m", style="CMS")        a feature, a condition or an observable, with the ratio below
found.plot("pairs")                 or another name of FIGURES
found.report("report.html")
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.figure import Figure

from zerosum.data.events import Events, Feature, FloatArray, absent
from zerosum.errors import InputError
from zerosum.evaluation import compare as without_samples
from zerosum.evaluation.comparison import Comparison
from zerosum.evaluation.critics import Critic
from zerosum.evaluation.folds import BUDGET
from zerosum.evaluation.observables import observed_pair
from zerosum.report import plots
from zerosum.report.html import write_report
from zerosum.report.showers import calorimeter_of
from zerosum.report.style import Style, using

Draw = Callable[["Compared"], Figure]

FIGURES: dict[
    str, tuple[tuple[str, ...], Draw]
] = {  # name: kinds of events that have it, and how it is drawn
    "certificate": (("table", "grid", "cloud"), lambda c: plots.certificate_figure(c.to_json())),
    "correlations": (("table",), lambda c: plots.correlation_figure(*c.shared)),
    "pairs": (("table",), lambda c: plots.pairs_figure(*c.shared)),
    "images": (("grid",), lambda c: plots.images_figure(*c.samples)),
    "events": (("grid",), lambda c: plots.gallery_figure(*c.samples)),
    "showers": (("calorimeter",), lambda c: plots.showers_figure(*c.samples)),
    "single showers": (("calorimeter",), lambda c: plots.single_showers_figure(*c.samples)),
}


@dataclass(frozen=True, kw_only=True)
class Compared(Comparison):
    """All that `compare` found, with the events it was found in.

    Attributes:
        samples: The reference and the generated events.
        observables: What the critics saw beside the observables of the data's kind.
    """

    samples: tuple[Events, Events] = field(repr=False, compare=False)
    observables: tuple[str, ...]

    @classmethod
    def of(
        cls, found: Comparison, reference: Events, generated: Events, observables: Sequence[str] = ()
    ) -> "Compared":
        """A comparison with its samples."""
        numbers = {one.name: getattr(found, one.name) for one in fields(Comparison)}
        return cls(**numbers, samples=(reference, generated), observables=tuple(observables))

    @property
    def shared(self) -> tuple[Events, Events]:
        """Both samples with the features that both have, in one order."""
        first, second = self.samples
        names = [name for name in first.names if name in second.names]
        return first.select(names), second.select(names)

    @property
    def kinds(self) -> set[str]:
        """The kind of the events; "calorimeter" too, where they are showers in cells that are known."""
        known = calorimeter_of(*self.samples) is not None
        return {self.samples[0].kind} | ({"calorimeter"} if known else set())

    def plot(
        self, what: str = "certificate", *, style: Style = "plain", below: Literal["ratio", "pull"] = "ratio"
    ) -> Figure:
        """A figure of the comparison.

        Args:
            what: A name of FIGURES, or a feature, a condition or an observable.
            style: "plain", "ATLAS", "CMS" or "LHCb".
            below: Of a feature: "ratio" with its statistical band, or "pull".

        Raises:
            InputError: There is no such figure; the sentence lists those that there are.
        """
        with using(style):
            kinds, draw = FIGURES.get(what, ((), None))
            if draw is not None and self.kinds & set(kinds):
                return draw(self)
            feature, values = self._feature(what)
            weights = (self.samples[0].weights, self.samples[1].weights)
            return plots.feature_figure(plots.overlay(feature, *values, weights=weights), below=below)

    def report(self, path: str | Path, *, title: str = "Comparison", style: Style = "plain") -> None:
        """Write the page with all figures and numbers; arguments as for `plot`."""
        first, second = self.samples
        write_report(
            path,
            comparison=self.to_json(),
            reference=first,
            generated=second,
            observables=observed_pair(first, second, self.observables),
            title=title,
            style=style,
        )

    def _feature(self, name: str) -> tuple[Feature, list[FloatArray]]:
        """Name, unit and both samples' values of one quantity."""
        first, second = self.samples
        for feature in (*(first.features if first.kind == "table" else ()), *first.condition_features):
            known = second.condition_names + (second.names if second.kind == "table" else [])
            if feature.name == name and name in known:
                return feature, [events.column(name) for events in self.samples]
        features, *values = observed_pair(first, second, self.observables) or ((), np.empty(0), np.empty(0))
        for i, feature in enumerate(features):
            if feature.name == name:
                return feature, [sample[:, i] for sample in values]
        figures = [key for key, (kinds, _) in FIGURES.items() if self.kinds & set(kinds)]
        columns = first.condition_names + (first.names if first.kind == "table" else [])
        raise InputError(absent([name], [*figures, *columns, *(feature.name for feature in features)]))


def compare(
    reference: Events,
    generated: Events,
    *,
    columns: Sequence[str] | None = None,
    observables: Sequence[str] = (),
    confidence: float = 0.95,
    seed: int = 0,
    critics: Sequence[Critic] | None = None,
    budget: int = BUDGET,
    metrics: bool = False,
) -> Compared:
    """How far the generated events are from the reference, with limits that hold, and where.

    The arguments are those of `zerosum.evaluation.compare.compare`; what comes back also draws itself.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> real = Events.table(rng.normal(size=(800, 2)), names=["x", "y"])
        >>> found = compare(real, Events.table(rng.normal([0, 1.5], 1, size=(800, 2)), names=["x", "y"]))
        >>> found.jensen_shannon.lower > 0, found.features[0].name
        (True, 'y')
        >>> found.plot("y").axes[1].get_xlabel()
        'y'
    """
    found = without_samples.compare(
        reference, generated, columns=columns, observables=observables, confidence=confidence, seed=seed,
        critics=critics, budget=budget, metrics=metrics,
    )  # fmt: skip
    return Compared.of(found, reference, generated, observables)
