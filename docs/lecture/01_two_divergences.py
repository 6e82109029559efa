# %% [markdown]
# # 1. Two distances that are not distances
#
# A generator is good when the distribution $p_g$ of what it makes is close to the distribution $p_{data}$ of what
# was measured. *Close* needs a number. This chapter has three of them, and every one is computed twice.
#
# The Kullback-Leibler divergence is the mean of a log-ratio, and it depends on who takes the mean:
#
# $$
# D_{KL}(p\|q) = \int p(x) \ln\frac{p(x)}{q(x)}\,dx, \qquad D_{KL}(q\|p) = \int q(x) \ln\frac{q(x)}{p(x)}\,dx .
# $$
#
# It is never negative, because $\ln u \le u - 1$ gives $-D_{KL}(p\|q) = \langle \ln(q/p) \rangle_p \le \int q - 1 = 0$,
# and it is zero only where $p = q$. All numbers are in nats: logarithms are natural.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np
from torch.distributions import Normal, Uniform

import zerosum
from zerosum.theory.adapters import as_density
from zerosum.theory.fdivergences import KL
from zerosum.theory.neighbours import knn_kl
from zerosum.theory.quadrature import quadrature

x_p, sigma_p = 0.0, 1.0  # change these
x_q, sigma_q = 1.5, 0.6
p, q = Normal(x_p, sigma_p), Normal(x_q, sigma_q)
print("D_KL(p||q) =", zerosum.kl(p, q))
print("D_KL(q||p) =", zerosum.reverse_kl(p, q))
print("D_JS(p,q)  =", zerosum.jensen_shannon(p, q))

# %% [markdown]
# ## The Gaussian formula, and its integral
#
# Two Gaussians in one dimension are the one pair that everybody should know by heart:
#
# $$
# D_{KL}(p\|q) = \ln\frac{\sigma_q}{\sigma_p} + \frac{(x_q - x_p)^2 + \sigma_p^2 - \sigma_q^2}{2\sigma_q^2} .
# $$
#
# Read it: the shift is measured in units of *the other one's* width. A narrow $q$ far away is terrible for $p$, whose
# events fall where $q$ has nothing.


# %%
def formula(x_p: float, sigma_p: float, x_q: float, sigma_q: float) -> float:
    """D_KL(p||q) of two Gaussians in one dimension, in nats."""
    return math.log(sigma_q / sigma_p) + ((x_q - x_p) ** 2 + sigma_p**2 - sigma_q**2) / (2 * sigma_q**2)


print(f"{'shift':>6} {'sigma_q':>8} {'formula':>12} {'quadrature':>12} {'other way':>12}")
for shift in (0.0, 0.5, 1.0, 3.0):
    for width in (0.5, 1.0, 2.0):
        other = Normal(shift, width)
        by_formula = formula(0.0, 1.0, shift, width)
        by_integral = quadrature(KL, as_density(Normal(0.0, 1.0)), as_density(other)).value
        assert abs(by_formula - by_integral) < 1e-9
        back = formula(shift, width, 0.0, 1.0)
        print(f"{shift:6.1f} {width:8.1f} {by_formula:12.6f} {by_integral:12.6f} {back:12.6f}")

# %% [markdown]
# ## What is integrated
#
# The two integrands live in different places: the forward one where $p$ lives, the reverse one where $q$ does.

# %%
x = np.linspace(-4, 4, 801)
log_p, log_q = (as_density(density).log_prob(x[:, None]) for density in (p, q))
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3), sharex=True)
left.plot(x, np.exp(log_p), label="p")
left.plot(x, np.exp(log_q), label="q")
left.set(xlabel="x", ylabel="density")
right.plot(x, np.exp(log_p) * (log_p - log_q), label="p ln p/q")
right.plot(x, np.exp(log_q) * (log_q - log_p), label="q ln q/p")
right.axhline(0, color="grey", lw=0.5)
right.set(xlabel="x", ylabel="integrand [nats]")
for axes in (left, right):
    axes.legend(frameon=False)
figure.tight_layout()
plt.show()

# %% [markdown]
# ## Where one of them is infinite
#
# Where $q = 0$ and $p > 0$ the forward divergence is infinite, however little of $p$ is there. The other direction may
# be perfectly finite. A generator whose events have hard edges inside the data's range has $D_{KL}(p_{data}\|p_g) =
# \infty$.

# %%
wide, narrow = Uniform(0.0, 2.0), Uniform(0.5, 1.5)
print("D_KL(wide||narrow) =", zerosum.kl(wide, narrow))
print("D_KL(narrow||wide) =", zerosum.kl(narrow, wide), " = ln 2:", math.log(2))
print("D_JS(wide,narrow)  =", zerosum.jensen_shannon(wide, narrow))

# %% [markdown]
# ## The Jensen-Shannon divergence
#
# Compare both with their mixture $m = (p + q)/2$, which is zero nowhere where one of them is not:
#
# $$
# D_{JS}(p, q) = \tfrac12 D_{KL}(p\|m) + \tfrac12 D_{KL}(q\|m), \qquad 0 \le D_{JS} \le \ln 2 .
# $$
#
# It is symmetric, always finite, and it saturates: once $p$ and $q$ do not overlap it says $\ln 2$ and no more. (That
# is the seed of a difficulty of chapter 7: where it is flat, its gradient says nothing.)

# %%
shifts = np.linspace(0, 8, 33)
curves = {
    "D_KL(p||q), both ways": [zerosum.kl(Normal(0.0, 1.0), Normal(s, 1.0)).value for s in shifts],
    "D_JS(p,q)": [zerosum.jensen_shannon(Normal(0.0, 1.0), Normal(s, 1.0)).value for s in shifts],
}
figure, axes = plt.subplots(figsize=(5, 3))
for label, curve in curves.items():
    axes.plot(shifts, curve, label=label)
axes.axhline(math.log(2), color="grey", ls=":", label="ln 2")
axes.set(xlabel="shift / sigma", ylabel="nats", ylim=(0, 2))
axes.legend(frameon=False)
figure.tight_layout()
plt.show()
print(
    f"at 8 sigma: D_KL = {curves['D_KL(p||q), both ways'][-1]:.1f}, D_JS = {curves['D_JS(p,q)'][-1]:.6f}, "
    f"ln 2 = {math.log(2):.6f}"
)

# %% [markdown]
# Its root is a metric: it obeys the triangle inequality, which neither Kullback-Leibler divergence does. Three
# Gaussians, one in the middle:

# %%
a, b, c = Normal(0.0, 1.0), Normal(1.0, 1.0), Normal(2.0, 1.0)
distance = zerosum.jensen_shannon_distance
print(
    f"root of D_JS: a-c {distance(a, c).value:.4f} <= a-b-c {distance(a, b).value + distance(b, c).value:.4f}"
)
print(
    f"D_KL:         a-c {zerosum.kl(a, c).value:.4f} >  a-b-c {zerosum.kl(a, b).value + zerosum.kl(b, c).value:.4f}"
)
assert distance(a, c).value <= distance(a, b).value + distance(b, c).value
assert zerosum.kl(a, c).value > zerosum.kl(a, b).value + zerosum.kl(b, c).value

# %% [markdown]
# ## From samples
#
# With events instead of densities each number gets an error. Nearest neighbours estimate the Kullback-Leibler
# divergence; critics, which chapter 5 explains, give a lower limit of the Jensen-Shannon divergence that holds.

# %%
rng = np.random.default_rng(0)
events_p, events_q = rng.normal(x_p, sigma_p, 5000), rng.normal(x_q, sigma_q, 5000)
print("D_KL(p||q):", zerosum.kl.estimate(events_p, events_q), "; exactly", f"{zerosum.kl(p, q).value:.4f}")
print("by distances alone:", knn_kl(events_p, events_q, corrected=False))
print(
    "D_JS(p,q): ",
    zerosum.jensen_shannon.bound(events_p, events_q),
    "; exactly",
    f"{zerosum.jensen_shannon(p, q).value:.4f}",
)

# %% [markdown]
# By distances alone the estimate is far below the truth, by many times its scatter. Most of $D_{KL}(p\|q)$ comes from
# events of $p$ where $q$ has no event at all: no sample of this size can know how small $q$ is there. The first line
# continues a smooth model of $\ln p/q$ into that region, a parabola, which for two Gaussians happens to be right; its
# error says how much rests on it. A limit may not: a *certified* lower limit for a Kullback-Leibler divergence from
# $n$ events can never exceed $\ln n$, for anybody. The Jensen-Shannon divergence, which is bounded, has no such
# trouble, and this is why everything from chapter 5 on is built on it.
#
# **Try:** set `sigma_q` to 0.2 and watch the forward divergence explode while $D_{JS}$ hardly moves. Exchange `wide`
# and `narrow`. Add a second Gaussian to `q` with `zerosum.theory.densities.Mixture`: the closed form is gone, the
# quadrature stays.
