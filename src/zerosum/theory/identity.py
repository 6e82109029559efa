"""Maximum likelihood is minimum forward KL, as an identity of three measured terms.

    <ln p_g>_data = -S[p_data] - D_KL(p_data || p_g)

The left side needs p_g(x) and data; the entropy S needs data only, and does not depend on the model: so what the
likelihood gains, the divergence loses.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from zerosum.errors import InputError
from zerosum.theory.estimate import Estimate
from zerosum.theory.neighbours import METHOD, surprisals
from zerosum.theory.samples import as_sample

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LikelihoodIdentity:
    """The three terms, each with its error, in nats: log_likelihood = -entropy - kl.

    Attributes:
        log_likelihood: <ln p_g>_data, per event.
        entropy: S[p_data].
        kl: D_KL(p_data || p_g).
    """

    log_likelihood: Estimate
    entropy: Estimate
    kl: Estimate


def likelihood_identity(
    log_prob_at_data: npt.ArrayLike,
    data: Any,
    *,
    k: int | None = None,
    further: Any = None,
    log_jacobian: npt.ArrayLike = 0.0,
) -> LikelihoodIdentity:
    """The three terms of <ln p_g>_data = -S[p_data] - D_KL(p_data || p_g).

    The entropy is by nearest neighbours, so its bias grows with the dimension; the divergence is the difference, with
    its own error, as the two others vary together.

    Args:
        log_prob_at_data: Ln p_g(x_i), the model's normalised density at each event, shape (N,).
        data: The events x_i, shape (N, d) or (N,), none twice.
        k: Which neighbour; by default the 5th, and the first where there are further events, as the bias grows with it.
        further: More events of the data, shape (m, d), among which neighbours are sought. The more there are, the
            smaller the bias; what half of them would change is added to the errors.
        log_jacobian: Where data and further events are given in other coordinates y(x) than the density's, such as
            standardised ones, ln|det dy/dx| at each event.

    Examples:
        >>> import numpy as np
        >>> from scipy.stats import norm
        >>> x = np.random.default_rng(0).normal(size=4000)
        >>> found = likelihood_identity(norm(0.5, 1).logpdf(x), x)
        >>> abs(found.kl.value - 0.125) < 3 * found.kl.error
        True
    """
    x, model = as_sample(data, "data"), np.asarray(log_prob_at_data, np.float64)
    if model.shape != (len(x),) or np.isnan(model).any():
        raise InputError(
            f"log_prob_at_data has shape {model.shape} for {len(x)} events; give one number for each event."
        )
    surprise, unsure = (
        (surprisals(x, k=k or 5), 0.0) if further is None else _among(x, as_sample(further), k or 1)
    )
    surprise = surprise - np.asarray(log_jacobian, np.float64)
    with np.errstate(invalid="ignore"):
        return LikelihoodIdentity(
            log_likelihood=_mean(model, "monte carlo"),
            entropy=_mean(surprise, METHOD, unsure),
            kl=_mean(-surprise - model, METHOD, unsure),
        )


def _among(x: Array, further: Array, k: int) -> tuple[Array, float]:
    """The surprisals by neighbours among further events, and what half of these would change in the mean."""
    whole, half = (surprisals(x, k=k, among=events) for events in (further, further[::2]))
    return whole, float(abs(half.mean() - whole.mean()))


def _mean(terms: Array, method: str, unsure: float = 0.0) -> Estimate:
    """The mean and its error; ±inf without error where the model excludes an event."""
    value = float(terms.mean())
    error = float(np.hypot(terms.std(ddof=1) / np.sqrt(len(terms)), unsure)) if np.isfinite(value) else 0.0
    return Estimate(value, error, len(terms), method)
