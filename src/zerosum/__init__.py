"""zerosum: train generators on physics data by the adversarial game, and certify how far they are from it.

    import zerosum

    events = zerosum.load("data.csv", columns=["pt1", "eta1", "phi1", "pt2", "eta2", "phi2"])
    run = zerosum.train(events, out="run")
    generated = run.model.sample(100_000, seed=1)
    print(zerosum.compare(run.test, generated).summary())

The map, in the order in which data flow (a stage imports only from stages above it):

    data/         events, file formats, invertible transforms, simulators with known truth
    theory/       f-divergences of known densities, exactly; of samples, estimated; limits for bounded means
    game/         networks, objectives, penalties, dynamics, players   <- players.py is read first
    likelihood/   models trained by maximum likelihood
    training/     configuration, engine, checkpoints, history, loop    <- loop.py is read second
    drawer.py     events in blocks, from a seed
    model.py      the saved artefact: load, save, density
    evaluation/   critics, the certificate, comparisons
    divergence.py one object for each divergence: exact, estimate, bound
    report/       plots and the page
    export/       a generator as an ONNX file or C source, with a closure test
    workers.py    sampling by several processes
    ensemble.py   trainings from several seeds, ranked
    workflow/     the whole line from a file to a report
    duel/         all models on identical splits, and what the theory predicts of them
    cli/          the command line; manual.py has its help
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zerosum.data.events import Events, Feature
    from zerosum.data.formats import load, save
    from zerosum.data.inspect import inspect
    from zerosum.divergence import (
        Divergence,
        alpha,
        bhattacharyya,
        hellinger,
        jeffreys,
        jensen_shannon,
        jensen_shannon_distance,
        kl,
        neyman,
        pearson,
        renyi,
        reverse_kl,
        total_variation,
    )
    from zerosum.errors import InputError, RunError
    from zerosum.evaluation.certificate import Certificate, certify
    from zerosum.evaluation.comparison import Comparison
    from zerosum.model import Model
    from zerosum.report.compared import compare
    from zerosum.theory.estimate import Estimate
    from zerosum.workflow import Run, load_run, simulate, train

_HOMES = {
    "Events": "data.events",
    "Feature": "data.events",
    "load": "data.formats",
    "save": "data.formats",
    "inspect": "data.inspect",
    "Divergence": "divergence",
    "alpha": "divergence",
    "bhattacharyya": "divergence",
    "hellinger": "divergence",
    "jeffreys": "divergence",
    "jensen_shannon": "divergence",
    "jensen_shannon_distance": "divergence",
    "kl": "divergence",
    "neyman": "divergence",
    "pearson": "divergence",
    "renyi": "divergence",
    "reverse_kl": "divergence",
    "total_variation": "divergence",
    "InputError": "errors",
    "RunError": "errors",
    "Estimate": "theory.estimate",
    "Model": "model",
    "Certificate": "evaluation.certificate",
    "certify": "evaluation.certificate",
    "Comparison": "evaluation.comparison",
    "compare": "report.compared",
    "Run": "workflow",
    "load_run": "workflow",
    "simulate": "workflow",
    "train": "workflow",
}

__all__ = [
    "Certificate",
    "Comparison",
    "Divergence",
    "Estimate",
    "Events",
    "Feature",
    "InputError",
    "Model",
    "Run",
    "RunError",
    "alpha",
    "bhattacharyya",
    "certify",
    "compare",
    "hellinger",
    "inspect",
    "jeffreys",
    "jensen_shannon",
    "jensen_shannon_distance",
    "kl",
    "load",
    "load_run",
    "neyman",
    "pearson",
    "renyi",
    "reverse_kl",
    "save",
    "simulate",
    "total_variation",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its stage when it is first used: `import zerosum` itself stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'zerosum' has no attribute {name!r}")
    return getattr(import_module(f"zerosum.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The public names."""
    return __all__
