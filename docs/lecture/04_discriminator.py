# %% [markdown]
# # 4. Why there is a discriminator
#
# The forward divergence can be minimised from data: up to the entropy, which does not move, it is
# $-\langle \ln p_g \rangle_{data}$, and the model's density is ours. The reverse one is
#
# $$
# D_{KL}(p_g\|p_{data}) = \langle \ln p_g(x) - \ln p_{data}(x) \rangle_{x \sim p_g}
# $$
#
# and asks for $\ln p_{data}$ at *generated* points. With data instead of a density there is no such number. And a
# generator $x = G(z)$ that is a mere network does not even know its own $\ln p_g$. What both need is only the *ratio*
# $p_{data}/p_g$, and a ratio can be learnt: by someone who tells the two apart.
#
# ## Where the density is known, no discriminator is needed
#
# On a lattice, or for a posterior, $p$ is known up to its norm. There one can minimise the reverse divergence (or any
# other) straight away. A flow is fitted to two separated modes:

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

import zerosum
from zerosum.data.events import Events
from zerosum.evaluation.critics import Polynomial, fit_panel
from zerosum.likelihood.known import fit_known
from zerosum.theory.densities import Gaussian

torch.set_num_threads(1)
centres = torch.tensor([[-3.0, 0.0], [3.0, 0.0]])
two = MixtureSameFamily(Categorical(torch.ones(2)), Independent(Normal(centres, 0.4), 1))
samples = {}
torch.manual_seed(0)
for name in ("forward_kl", "reverse_kl"):
    found = fit_known(two, name, steps=300, seed=0)  # change the seed: which mode does reverse KL take?
    samples[name] = found.flow(torch.randn(2000, 2, generator=torch.Generator().manual_seed(0))).numpy()
    left = (samples[name][:, 0] < 0).mean()
    print(
        f"{name:11} loss {np.mean(found.losses[-20:]):6.3f} nats, left of 0: {left:.3f}, "
        f"effective sample size {found.effective:.2f}"
    )

# %%
figure, axes = plt.subplots(1, 2, figsize=(8, 3), sharex=True, sharey=True)
for panel, (name, points) in zip(axes, samples.items(), strict=True):
    panel.plot(*two.sample((2000,)).T.numpy(), ".", ms=1, color="silver", label="p")
    panel.plot(*points.T, ".", ms=1, label="flow")
    panel.set(title=name, xlim=(-5, 5), ylim=(-2.5, 2.5))
axes[0].legend(frameon=False, markerscale=8)
figure.tight_layout()
plt.show()

# %% [markdown]
# The reverse fit has lost a mode, and its loss stops at $\ln 2$: it kept half of the data. Yet by its own
# events it is nearly perfect: the weights $p/p_g$ of its events are almost equal, the effective sample size is almost
# 1. (Where $p$ is known only up to its norm, the $\ln 2$ is not seen either.) Only somebody who has seen the *other*
# mode can object. That is the discriminator's job.
#
# ## A classifier is a ratio
#
# Show a classifier as many events of $p$ as of $q$. The best it can say is
#
# $$
# D^*(x) = \frac{p(x)}{p(x) + q(x)}, \qquad \text{whose logit is}\quad c^*(x) = \ln\frac{p(x)}{q(x)} .
# $$
#
# It has learnt the ratio without ever seeing a density. For two Gaussians $c^*$ is a polynomial of second degree, so
# that logistic regression on $x$ and $x^2$ must find it.

# %%
p, q = Gaussian(0.0, 1.0), Gaussian(1.0, 1.5**2)
rng = np.random.default_rng(2)
n = 4000  # events of each for fitting: change it
draw = {name: Events.table(density.sample(2 * n, rng)) for name, density in (("p", p), ("q", q))}
fit, tune = ((draw["p"].take(part), draw["q"].take(part)) for part in (slice(n), slice(n, None)))
panel = fit_panel((Polynomial("linear", 1), Polynomial("quadratic", 2)), fit, tune, seed=0)
x = np.linspace(-3, 5, 201)
logits = dict(zip(panel.names, panel.logits(Events.table(x[:, None])), strict=True))
truth = p.log_prob(x[:, None]) - q.log_prob(x[:, None])
figure, axes = plt.subplots(figsize=(5, 3.2))
axes.plot(x, truth, color="black", label="ln p/q")
for name in ("linear", "quadratic"):
    axes.plot(x, logits[name], label=f"{name} critic")
axes.set(xlabel="x", ylabel="logit", ylim=(-8, 4))
axes.legend(frameon=False)
figure.tight_layout()
plt.show()
inside = np.abs(x) < 2
print(
    f"largest error of the quadratic critic for |x| < 2: {np.abs(logits['quadratic'] - truth)[inside].max():.3f} nats"
)
assert np.abs(logits["quadratic"] - truth)[inside].max() < 0.4

# %% [markdown]
# ## Both directions from the same critic
#
# On fresh events, $\langle c \rangle_p$ estimates one direction and $-\langle c \rangle_q$ the other. A wrong critic
# can make these too large, so they are no bounds. Their safe form (Nguyen, Wainwright and Jordan) is, for **any** $c$,
#
# $$
# D_{KL}(p\|q) \ge 1 + \langle c \rangle_p - \langle e^{c} \rangle_q, \qquad
# D_{KL}(q\|p) \ge 1 - \langle c \rangle_q - \langle e^{-c} \rangle_p .
# $$

# %%
fresh_p, fresh_q = p.sample(20_000, rng), q.sample(20_000, rng)
on_p, on_q = (dict(zip(panel.names, panel.logits(Events.table(x)), strict=True)) for x in (fresh_p, fresh_q))
exact = {"D_KL(p||q)": zerosum.kl(p, q).value, "D_KL(q||p)": zerosum.reverse_kl(p, q).value}
print(f"exactly: D_KL(p||q) = {exact['D_KL(p||q)']:.4f}, D_KL(q||p) = {exact['D_KL(q||p)']:.4f}")
for name in ("linear", "quadratic"):
    c_p, c_q = on_p[name], on_q[name]
    forward = 1 + c_p.mean() - np.exp(c_q).mean()
    reverse = 1 - c_q.mean() - np.exp(-c_p).mean()
    print(f"{name:10} naive {c_p.mean():.4f} {-c_q.mean():.4f}   safe {forward:.4f} {reverse:.4f}")
    assert forward < exact["D_KL(p||q)"] + 0.03

# %% [markdown]
# So the reverse divergence, which could not be computed from data, can be bounded from data by the best of many
# critics; a generator that lowers that bound plays against the critic. That is the game of the next chapter.
#
# **Try:** shrink `n` to 50. What happens to the naive numbers, and what to the safe ones?
