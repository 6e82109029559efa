# %% [markdown]
# # 3. Covering, seeking, filling in
#
# A model that is too simple for the data has to choose its sins. Which ones it commits depends on the divergence
# that is minimised:
#
# - **forward**, $D_{KL}(p_{data}\|p_g)$: every place with data and without model costs much. The model covers all
#   modes, and puts events *between* them, where there are no data: it **fills in**.
# - **reverse**, $D_{KL}(p_g\|p_{data})$: every place with model and without data costs much. The model **seeks** one
#   mode and forgets the others.
# - **Jensen-Shannon** feels both.
#
# Two Gaussian peaks, one Gaussian as the model, each divergence by quadrature, the minimum to numerical precision.

# %%
import matplotlib.pyplot as plt
import numpy as np

from zerosum.theory.fdivergences import JENSEN_SHANNON, KL, REVERSE_KL
from zerosum.theory.modes import bimodal, fit_gaussian, fit_mixture

distance, weight = 6.0, 0.5  # of the peaks; the weight of the left one: change them
target = bimodal(distance, weight)
fits = {row.name: fit_gaussian(target, row) for row in (KL, REVERSE_KL, JENSEN_SHANNON)}
print(f"{'minimised':16} {'centre':>8} {'width':>8} {'value':>8} {'between':>8} {'target':>8} {'missed':>8}")
for name, fit in fits.items():
    centre, width = fit.fit.mean[0], fit.fit.covariance[0, 0] ** 0.5
    print(
        f"{name:16} {centre:8.3f} {width:8.3f} {fit.value:8.4f} {fit.between:8.4f} {fit.target_between:8.4f} "
        f"{fit.missed:8.4f}"
    )

# %% [markdown]
# *between*: the model's mass in the gap between the peaks, and beside it the target's own. *missed*: the part of the
# target in peaks around which the model has almost nothing.
#
# The forward fit has a closed form: the mean and the variance of the target, whatever its shape. Its width here is
# $\sqrt{1 + (d/2)^2}$. The reverse fit is one of the two peaks, and the divergence it cannot get rid of is close to
# $\ln 2 = -\ln\tfrac12$, minus the logarithm of the share of the data that it kept.

# %%
forward, reverse = fits["kl"], fits["reverse_kl"]
if weight == 0.5:
    print(
        f"forward: width {forward.fit.covariance[0, 0] ** 0.5:.4f} = {np.sqrt(1 + (distance / 2) ** 2):.4f}"
    )
    print(f"reverse: value {reverse.value:.4f}, ln 2 = {np.log(2):.4f}")
    assert abs(forward.fit.covariance[0, 0] - 1 - (distance / 2) ** 2) < 1e-3
assert forward.between > 10 * forward.target_between
assert reverse.missed > 0.3

# %%
x = np.linspace(-9, 9, 721)
figure, axes = plt.subplots(1, 3, figsize=(10, 2.8), sharey=True)
for panel, (name, fit) in zip(axes, fits.items(), strict=True):
    panel.fill_between(x, np.exp(target.log_prob(x[:, None])), color="lightgrey", label="data")
    panel.plot(x, np.exp(fit.fit.log_prob(x[:, None])), label="model")
    panel.set(title=name, xlabel="x")
axes[0].set(ylabel="density")
axes[0].legend(frameon=False)
figure.tight_layout()
plt.show()

# %% [markdown]
# ## When does it start?
#
# Pull the peaks apart. Near each other, one Gaussian in the middle serves all three; then, at some distance, the
# reverse fit leaves the middle for one of the peaks. It is a phase transition, with the distance as its temperature
# and the place of the fit as its order parameter. The Jensen-Shannon fit of two equal peaks stays in the middle, like
# the forward one.

# %%
distances = np.arange(0.5, 8.01, 0.5)
between = {row.name: [] for row in (KL, REVERSE_KL, JENSEN_SHANNON)}
order = {name: [] for name in between}
for d in distances:
    for row in (KL, REVERSE_KL, JENSEN_SHANNON):
        fit = fit_gaussian(bimodal(d), row)
        between[row.name].append(fit.between - fit.target_between)
        order[row.name].append(abs(fit.fit.mean[0]) / (d / 2))
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
for name in between:
    left.plot(distances, between[name], marker=".", label=name)
    right.plot(distances, order[name], marker=".", label=name)
left.set(xlabel="distance / sigma", ylabel="excess mass in the gap", title="filling in")
right.set(xlabel="distance / sigma", ylabel="centre of the fit", yticks=(0, 1), title="seeking")
right.set_yticklabels(["middle", "peak"])
left.legend(frameon=False)
figure.tight_layout()
plt.show()
for name in order:
    first = next((d for d, m in zip(distances, order[name], strict=True) if m > 0.5), None)
    print(
        f"{name:16} " + ("stays in the middle" if first is None else f"leaves the middle at distance {first}")
    )

# %% [markdown]
# ## The cure is capacity
#
# With two components all three divergences find both peaks, and all three are zero. The choice of divergence matters
# exactly as far as the model is wrong, and a network of finite size on real data always is.

# %%
for row in (KL, REVERSE_KL, JENSEN_SHANNON):
    fit = fit_mixture(target, row)
    print(f"{row.name:16} {fit.value:.2e} nats, missed {fit.missed}")
    assert fit.value < 1e-4

# %% [markdown]
# **Try:** `weight = 0.9`. Does the reverse fit still take either peak? Which one costs less, and how much?
