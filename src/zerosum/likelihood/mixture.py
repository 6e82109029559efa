"""A mixture of normal distributions: expectation-maximisation first, then the gradient of the likelihood.

    p_g(x | c) = sum_k w_k(c) N(x; m_k + A_k c, L_k L_kᵀ),   w(c) = softmax(a + B c).

Its generator chooses the component by the first latent number, through the normal's cumulative distribution, and turns
the others into an event of that component.
"""

import warnings

import torch
from torch import Tensor, nn

from zerosum.errors import InputError
from zerosum.likelihood.gaussian import LN_2PI
from zerosum.likelihood.player import LikelihoodModel

MOST = 50_000  # events that expectation-maximisation looks at


class Mixture(LikelihoodModel):
    """M components with full covariances.

    Args:
        features: F, the numbers of one event.
        conditions: How many numbers are given with each event.
        components: M.
    """

    score_slopes: Tensor
    mean_slopes: Tensor

    def __init__(self, features: int, conditions: int, components: int) -> None:
        super().__init__()
        self.scores = nn.Parameter(torch.zeros(components))
        self.means = nn.Parameter(torch.randn(components, features))
        self.log_scales = nn.Parameter(torch.zeros(components, features))
        self.lower = nn.Parameter(torch.zeros(components, features, features))
        slopes = torch.zeros(components, conditions), torch.zeros(components, features, conditions)
        for name, zeros in zip(("score_slopes", "mean_slopes"), slopes, strict=True):
            if conditions:
                self.register_parameter(name, nn.Parameter(zeros))
            else:  # nothing to learn
                self.register_buffer(name, zeros)

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """From (N, 1 + F) and (N, K) to (N, F)."""
        c, uniform = self._given(c), torch.special.ndtr(z[:, :1])
        edges = self._scores(c).softmax(-1).cumsum(-1)
        k = (uniform > edges[..., :-1]).sum(-1)
        chosen = torch.arange(len(self.scores), device=z.device) == k[:, None]
        noise = (self._roots()[k] @ z[:, 1:, None]).squeeze(-1)
        mean: Tensor = (chosen[..., None] * self._means(c)).sum(1)
        return mean + noise

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """The density, ln p_g(x | c), shape (N,)."""
        c = self._given(c)
        rest = (x[:, None] - self._means(c)).permute(1, 2, 0)
        z = torch.linalg.solve_triangular(self._roots(), rest, upper=False)
        components = -0.5 * (z**2).sum(1).T - 0.5 * x.shape[1] * LN_2PI - self.log_scales.sum(1)
        return torch.logsumexp(self._scores(c).log_softmax(-1) + components, dim=1)

    @torch.no_grad()
    def initialise(self, x: Tensor, c: Tensor | None, weights: Tensor | None, seed: int) -> None:
        """Expectation-maximisation without conditions, which start with no influence."""
        del c
        from sklearn.mixture import GaussianMixture

        rows = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))[:MOST]
        if weights is not None:
            random = torch.Generator().manual_seed(seed)
            rows = torch.multinomial(weights.cpu().double(), MOST, replacement=True, generator=random)
        if (components := len(self.scores)) > len(rows):
            raise InputError(
                f"{components} components were asked for {len(rows)} events; choose fewer (width) or give more."
            )
        fit = GaussianMixture(components, reg_covar=1e-6, max_iter=100, tol=1e-3, random_state=seed % 2**32)
        with warnings.catch_warnings():  # it need not converge: the gradient goes on from where it stops
            warnings.simplefilter("ignore")
            fit.fit(x.cpu()[rows].double().numpy())
        roots = torch.linalg.cholesky(torch.from_numpy(fit.covariances_))
        self.scores.copy_(torch.from_numpy(fit.weights_).log())
        self.means.copy_(torch.from_numpy(fit.means_))
        self.log_scales.copy_(roots.diagonal(dim1=1, dim2=2).log())
        self.lower.copy_(roots.tril(-1))

    def _roots(self) -> Tensor:
        return self.lower.tril(-1) + torch.diag_embed(self.log_scales.exp())

    def _scores(self, c: Tensor) -> Tensor:
        """Scores of the components, (N, M)."""
        return self.scores + c @ self.score_slopes.T if c.shape[1] else self.scores[None]

    def _means(self, c: Tensor) -> Tensor:
        """Means of the components, (N, M, F)."""
        return (
            self.means + torch.einsum("nk,mfk->nmf", c, self.mean_slopes) if c.shape[1] else self.means[None]
        )

    def _given(self, c: Tensor | None) -> Tensor:
        """The conditions, or one row of none."""
        return self.scores.new_zeros(1, 0) if c is None else c
