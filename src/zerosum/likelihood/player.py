"""Maximum likelihood as a game with one player.

The player has a density p_g it can evaluate, and lowers -<ln p_g>_data. Since

    <ln p_g>_data = -S[p_data] - D_KL(p_data || p_g),

the best it can do is the forward Kullback-Leibler divergence's minimum, and the loss is never below the entropy S of
the data (in nats per event, in standardised units).
"""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from zerosum.game.players import Batch, Game, Losses, Player


class LikelihoodModel(nn.Module, ABC):
    """A generator whose density is known, or bounded from below.

    A subclass gives `forward` (the generator) and `log_prob`; both live in the space of standardised events.

    Attributes:
        counts: Whether `log_prob` is the logarithm of a probability (discrete events), not of a density.
        bound: Whether `log_prob` is a lower bound of the logarithm.
    """

    counts: bool = False
    bound: bool = False

    @abstractmethod
    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """From latents (N, L) and conditions (N, K) to standardised events (N, *shape)."""

    @abstractmethod
    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """The density, ln p_g(x | c) in nats per event, shape (N,)."""

    def quick_log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """What is quick enough to watch while training: `log_prob` itself, or a weaker bound."""
        return self.log_prob(x, c)

    def initialise(self, x: Tensor, c: Tensor | None, weights: Tensor | None, seed: int) -> None:
        """Look at the training events before the first update; most models have no need to.

        Args:
            x: Standardised events, shape (N, *shape).
            c: Their standardised conditions, shape (N, K), or None.
            weights: Their weights, shape (N,), or None.
            seed: The seed of what is random.
        """

    def losses(self, batch: Batch) -> Losses:
        """What the player minimises: -<ln p_g> of the batch, in nats per event."""
        return {"loss": -self.log_prob(batch.seen, batch.conditions).mean()}


def likelihood_game(model: LikelihoodModel) -> Game:
    """The game whose only player is the model."""
    return (Player("likelihood", model, model.losses),)
