"""Other libraries that train GANs, for training.py: each as a function that trains so many steps, or says how many.

Their games differ from each other, so each plays the one nearest to a penalised game: Wasserstein with a gradient
penalty (WGAN-GP), one update of each player in a step, its own defaults otherwise. torchgan trains the very networks,
on batches that lie ready (its data loader would come on top); pidgan trains MLPs of the same width and depth, given one
constant condition, which it needs; CTGAN's generator has the same width and depth but batch normalisation and
residuals, and its table is encoded, as it always does.
"""

import copy
import os
import sys
import tempfile
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zerosum.training.setup import Setup

Steps = Callable[[int], int | None]


def torchgan(setup: Setup) -> Steps:
    """torchgan's trainer with its three Wasserstein losses."""
    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError):  # it saves pictures with it, which nobody asks for here
        sys.modules["torchvision"] = types.ModuleType("torchvision")
    os.environ["TENSORBOARD_LOGGING"] = "0"
    from torchgan.losses import (
        WassersteinDiscriminatorLoss,
        WassersteinGeneratorLoss,
        WassersteinGradientPenalty,
    )
    from torchgan.models import Discriminator, Generator
    from torchgan.trainer import Trainer

    of_discriminator, of_generator = (copy.deepcopy(player.module) for player in setup.training.game)
    latent = setup.blueprint.latent

    class G(Generator):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(latent)
            self.network = of_generator

        def forward(self, z: Tensor) -> Tensor:
            return self.network(z)  # type: ignore[no-any-return]

    class D(Discriminator):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(1)
            self.network = of_discriminator

        def forward(self, x: Tensor, **_: Any) -> Tensor:
            return self.network(x)  # type: ignore[no-any-return]

    adam = {"name": torch.optim.Adam, "args": {"lr": 1e-4, "betas": (0.0, 0.9)}}
    folder = tempfile.mkdtemp()
    trainer = Trainer(
        {
            "generator": {"name": G, "args": {}, "optimizer": adam},
            "discriminator": {"name": D, "args": {}, "optimizer": adam},
        },
        [WassersteinGeneratorLoss(), WassersteinDiscriminatorLoss(), WassersteinGradientPenalty()],
        device=torch.device("cpu"),
        sample_size=8,
        epochs=1,
        checkpoints=str(Path(folder) / "model"),
        recon=str(Path(folder) / "images"),
    )
    trainer.batch_size = batch = setup.training.sampler.batch
    trainer._store_loss_maps()
    x = setup.training.sampler.seen

    def steps(n: int) -> None:
        for _ in range(n):
            trainer.real_inputs = x[torch.randint(len(x), (batch,))]
            trainer.train_iter()

    return steps


def pidgan(setup: Setup) -> Steps:
    """pidgan's WGAN-GP by Keras on TensorFlow, on one thread."""
    for key, value in (
        ("CPP_MIN_LOG_LEVEL", "3"),
        ("NUM_INTRAOP_THREADS", "1"),
        ("NUM_INTEROP_THREADS", "1"),
    ):
        os.environ[f"TF_{key}"] = value
    import keras
    import tensorflow
    from pidgan.algorithms import WGAN_GP
    from pidgan.players.discriminators import Discriminator
    from pidgan.players.generators import Generator

    width, depth = setup.config.width, setup.config.depth
    x = setup.training.sampler.seen.numpy()
    gan = WGAN_GP(
        Generator(x.shape[1], setup.blueprint.latent, depth, width),
        Discriminator(1, depth, width, output_activation=None),
    )
    adam = {"learning_rate": 1e-4, "beta_1": 0.0, "beta_2": 0.9}
    gan.compile(
        generator_optimizer=keras.optimizers.Adam(**adam),
        discriminator_optimizer=keras.optimizers.Adam(**adam),
    )
    given = np.zeros((len(x), 1), np.float32)
    data = tensorflow.data.Dataset.from_tensor_slices((given, x))
    data = data.shuffle(len(x)).repeat().batch(setup.training.sampler.batch)

    def steps(n: int) -> None:
        gan.fit(data, epochs=1, steps_per_epoch=n, verbose=0)

    return steps


def ctgan(setup: Setup) -> Steps:
    """CTGAN without packing; the encoding of the table is fitted once, before."""
    import pandas
    from ctgan import CTGAN
    from ctgan.synthesizers import ctgan as module

    x, batch = setup.training.sampler.seen.numpy(), setup.training.sampler.batch
    layers = (setup.config.width,) * (setup.config.depth or 1)
    table = pandas.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])])
    fitted: list[Any] = []

    class Once(module.DataTransformer):  # type: ignore[misc, name-defined]
        """Fitted at the first call only."""

        def fit(self, *arguments: Any) -> None:
            if not fitted:
                super().fit(*arguments)
                fitted.append(self.__dict__)
            self.__dict__.update(fitted[0])

    module.DataTransformer = Once

    def steps(n: int) -> int:
        each = max(len(table) // batch, 1)  # steps of an epoch
        epochs = max(1, round(n / each))
        model = CTGAN(
            embedding_dim=setup.blueprint.latent,
            generator_dim=layers,
            discriminator_dim=layers,
            batch_size=batch,
            pac=1,
            epochs=epochs,
            enable_gpu=False,
        )
        model.fit(table)
        return epochs * each

    return steps


PEERS: dict[str, Callable[[Setup], Steps]] = {"torchgan": torchgan, "pidgan": pidgan, "ctgan": ctgan}
TABLES_ONLY = ("pidgan", "ctgan")
