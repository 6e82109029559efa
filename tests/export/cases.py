"""Models for the tests of export: every transform, every network family, every model of maximum likelihood."""

import math

import numpy as np
import torch

from zerosum.data.chain import Chain
from zerosum.data.discrete import Integers, Levels, Snap, Sparse, Spike
from zerosum.data.events import Feature
from zerosum.data.steps import Affine, Angle, Log, Logit, Probit, Step, Warp
from zerosum.data.transforms import Preprocessor
from zerosum.game.blueprint import Blueprint
from zerosum.likelihood.games import MODELS, generator_of
from zerosum.likelihood.gaussian import Gaussian
from zerosum.likelihood.mixture import Mixture
from zerosum.model import Model

TRANSFORMS: dict[str, tuple[Step, ...]] = {
    "affine": (Affine(3.0, 2.0),),
    "angle": (Angle(), Affine(0.1, 1.7)),
    "log": (Log(20.0), Affine(2.0, 1.0)),
    "log from above": (Log(1.0, 0.01, -1), Affine(1.0, 1.0)),
    "probit": (Probit(-2.5, 2.5), Affine(0.0, 1.0)),
    "logit": (Logit(0.0, 1.0), Affine(0.0, 1.5)),
    "warp": (Warp((0.0, 1.0, 4.0, 50.0), (-2.0, 0.0, 1.0, 3.0)), Affine(0.0, 1.0)),
    "integers": (Integers(), Log(-0.5), Affine(1.0, 0.8)),
    "levels": (Levels((-1.0, 2.0, 7.0)), Probit(0.0, 3.0), Affine(0.0, 1.0)),
    "snap": (Snap((0.0, 0.5, 1.0)), Affine(0.5, 0.5)),
    "spike": (Spike(0.0, 0.3), Affine(1.0, 1.5)),
    "sparse": (Sparse(0.1, 0.5), Affine(0.2, 1.0)),
}
CONDITIONS = (Chain((Log(), Affine(3.0, 1.0))), Chain((Affine(0.0, 1.5),)))
NAMES = (Feature("energy", "GeV"), Feature("eta", ""))


def made(
    chains: dict[str, tuple[Step, ...]],
    *,
    model: str = "gan",
    kind: str = "table",
    sides: tuple[int, ...] = (),
    conditions: int = 2,
    periods: tuple[tuple[int, float], ...] = (),
    low: tuple[float | None, ...] = (),
    high: tuple[float | None, ...] = (),
) -> Model:
    """A model with random weights."""
    torch.manual_seed(0)
    shape = (len(chains), *sides)
    latent = 6 if model == "gan" else MODELS[model].latent(math.prod(shape), 6)
    edges = (None,) * len(chains)
    blueprint = Blueprint(
        kind=kind,
        shape=shape,
        conditions=conditions,
        latent=latent,
        width=8,
        depth=3,
        periods=periods,
        low=low or edges,
        high=high or edges,
        model=model,
        signs=4 if model == "gan" and kind == "table" else 0,
    )
    features = tuple(Feature(name, "") for name in chains)
    given = NAMES[:conditions]
    preprocessor = Preprocessor(
        kind, features, tuple(Chain(steps) for steps in chains.values()), given, CONDITIONS[:conditions]
    )
    rng = np.random.default_rng(0)
    known = np.stack([rng.uniform(10, 100, 500), rng.normal(size=500)], axis=1)[:, :conditions]
    generator = generator_of(blueprint)
    _spread(generator)
    return Model(
        blueprint, preprocessor, generator, kind, features, given, known if conditions else None, {"seed": 3}
    )


def _spread(generator: torch.nn.Module) -> None:
    """Weights as after a training: outputs with a spread of about 1, so that every branch of the transforms is met."""
    random = torch.Generator().manual_seed(1)
    for module in generator.modules():
        if isinstance(module, torch.nn.Linear):
            module.weight.data.normal_(0, 1.2 / math.sqrt(module.in_features), generator=random)
        if isinstance(module, Gaussian):
            module.root.copy_(torch.tril(torch.randn(module.root.shape, generator=random)))
        if isinstance(module, Mixture):
            module.scores.data.normal_(0, 1, generator=random)


GRID = {"deposit": TRANSFORMS["sparse"]}
FAMILIES: dict[str, Model] = {}
EVERY = list(TRANSFORMS)


def family(name: str) -> Model:
    """A model by the name of its family."""
    small = {key: TRANSFORMS[key] for key in ("affine", "angle", "log")}
    makers = {
        "table": lambda: made(TRANSFORMS),
        "table on circles": lambda: made(small, periods=((1, 2 * math.pi / 1.7),)),
        "table without conditions": lambda: made(small, conditions=0),
        "grid in 2-D": lambda: made(GRID, kind="grid", sides=(8, 9), low=(-0.7,), high=(3.0,)),
        "grid in 3-D": lambda: made(GRID, kind="grid", sides=(8, 8, 10), conditions=1, low=(-0.7,), high=(3.0,)),
        "gaussian": lambda: made(small, model="gaussian"),
        "mixture": lambda: made(small, model="mixture"),
        "mixture without conditions": lambda: made(small, model="mixture", conditions=0),
        "vae": lambda: made(small, model="vae"),
        "vae of spins": lambda: made(
            {"spin": (Snap((-1.0, 1.0)), Affine(0.0, 1.0))},
            model="vae", kind="grid", sides=(8, 8), conditions=1, low=(-1.0,), high=(1.0,),
        ),
        "flow": lambda: made(small, model="flow"),
        "gaussian of a grid": lambda: made(
            GRID, model="gaussian", kind="grid", sides=(8, 9), low=(-0.7,), high=(3.0,)
        ),
        "vae of a grid": lambda: made(GRID, model="vae", kind="grid", sides=(8, 9), low=(-0.7,), high=(3.0,)),
    }  # fmt: skip
    return makers[name]()


QUICK = ("table", "table on circles", "mixture")
SLOW = (
    "table without conditions", "grid in 2-D", "grid in 3-D", "gaussian", "mixture without conditions", "vae",
    "vae of spins", "flow", "gaussian of a grid", "vae of a grid",
)  # fmt: skip
