"""The end of a run: its generator against the test split, which nothing else has touched; certificate and page."""

from dataclasses import replace

from zerosum.data.events import Events
from zerosum.evaluation.memorisation import LEAST_EVENTS, memorised
from zerosum.evaluation.observables import observed_pair
from zerosum.model import Model
from zerosum.report.compared import Compared, compare
from zerosum.report.html import write_report
from zerosum.training.config import Config
from zerosum.training.run import RunFolder

LEAST_DRAWN = 10_000  # generated events
MOST_REMEMBERED = 5_000  # events of each sample for the test of memorisation


def finish(folder: RunFolder, config: Config, train: Events, test: Events, model: Model) -> Compared:
    """Compare a run's generator with its test split; write certificate.json and report.html into its folder."""
    generated = model.sample(max(len(test), LEAST_DRAWN), seed=config.seed + 2)
    found = compare(test, generated, observables=config.observable, seed=config.seed)
    comparison = _remembered(found, train, test, generated, config.seed)
    folder.write_json("certificate.json", comparison.to_json())
    write_report(
        folder.path / "report.html",
        comparison=comparison.to_json(),
        reference=test,
        generated=generated,
        observables=observed_pair(test, generated, config.observable),
        history=folder.history.records(),
        provenance=folder.read_json("provenance.json"),
        title=f"Run {folder.path.name}",
    )
    return comparison


def _remembered(found: Compared, train: Events, test: Events, generated: Events, seed: int) -> Compared:
    """The comparison with the test of memorisation, where there are no conditions and enough events."""
    if test.conditions is not None or min(len(test), len(generated)) < LEAST_EVENTS:
        return found
    return replace(found, memorisation=memorised(train, test, generated, seed=seed, most=MOST_REMEMBERED))
