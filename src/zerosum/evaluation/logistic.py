"""Logistic regression, the root of every critic: labels, weights, loss, and Newton's method.

With both samples of equal total weight the minimum of the logistic loss -E_p ln D - E_q ln(1 - D) is at
logit D = ln p/q (Goodfellow et al. 2014, proposition 1), whatever the numbers of events.
"""

import numpy as np

from zerosum.data.events import Events, FloatArray


def balanced(reference: Events, generated: Events) -> tuple[FloatArray, FloatArray]:
    """Labels (1 = reference), and weights of mean 1 that give both samples the same total."""
    parts = [
        np.ones(len(events)) if events.weights is None else events.weights
        for events in (reference, generated)
    ]
    half = (len(reference) + len(generated)) / 2
    label = np.repeat([1.0, 0.0], [len(reference), len(generated)])
    return label, np.concatenate([part * (half / part.sum()) for part in parts]).astype(np.float64)


def logistic(
    matrix: FloatArray,
    label: FloatArray,
    weight: FloatArray,
    *,
    ridge: float,
    level: float = 1e-6,
    prior: float | FloatArray = 0.0,
    start: FloatArray | None = None,
) -> FloatArray:
    """Weighted logistic regression by Newton steps; returns (1 + K,) coefficients, the intercept first.

    Minimises sum_i w_i [ln(1 + e^{t_i}) - y_i t_i] + ridge/2 |c - prior|^2 + level/2 c_0^2 with t = c_0 + X c.

    Args:
        matrix: X, shape (N, K).
        label: y, 1 for reference and 0 for generated, shape (N,).
        weight: w, shape (N,).
        ridge: Pulls the K coefficients towards `prior`.
        level: Pulls the intercept towards 0; practically free by default.
        prior: Where the coefficients are without data.
        start: Where to begin, shape (1 + K,).
    """
    design = np.concatenate([np.ones((len(matrix), 1)), matrix], axis=1)
    penalty = np.r_[level, np.full(matrix.shape[1], ridge)]
    centre = np.r_[0.0, np.broadcast_to(prior, matrix.shape[1])]
    c = centre if start is None else start

    def cost(c: FloatArray) -> float:
        t = design @ c
        return float(weight @ (np.logaddexp(0, t) - label * t) + penalty @ (c - centre) ** 2 / 2)

    now = cost(c)
    for _ in range(30):
        d = 0.5 + 0.5 * np.tanh(design @ c / 2)
        slope = design.T @ (weight * (d - label)) + penalty * (c - centre)
        curvature = (design * np.abs(weight * d * (1 - d))[:, None]).T @ design + np.diag(penalty + 1e-9)
        step = np.linalg.solve(curvature, slope)
        size = next((s for s in (1, 0.5, 0.25, 0.1, 0.01) if cost(c - s * step) < now), 0.0)
        c, before, now = c - size * step, now, cost(c - size * step)
        if before - now < 1e-7 * abs(before):
            break
    return c


def log_loss(logit: FloatArray, label: FloatArray, weight: FloatArray) -> float:
    """The weighted logistic loss."""
    return float(weight @ (np.logaddexp(0, logit) - label * logit) / weight.sum())
