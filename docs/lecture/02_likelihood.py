# %% [markdown]
# # 2. Likelihood is a divergence in disguise
#
# Fit a model $p_g$ to data by maximum likelihood. What is minimised?
#
# $$
# \langle \ln p_g \rangle_{data} = -S[p_{data}] - D_{KL}(p_{data}\|p_g), \qquad S[p] = -\langle \ln p \rangle_p .
# $$
#
# The entropy $S$ of the data does not know the model. So whoever raises the likelihood lowers the *forward*
# Kullback-Leibler divergence, nat by nat, and the likelihood can never exceed $-S$.

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import zerosum
from zerosum.data.simulators import source
from zerosum.theory.densities import Gaussian, Mixture
from zerosum.theory.identity import likelihood_identity

data_density = Mixture([Gaussian(-1.5, 0.5**2), Gaussian(1.0, 0.8**2)], [0.4, 0.6])  # change it
data = data_density.sample(5000, np.random.default_rng(1))

# %% [markdown]
# ## Three measured terms
#
# Take a Gaussian of any width as the model. The likelihood needs its density at the data, the entropy is estimated
# from the data alone, by the distances to their nearest neighbours. The difference must be the divergence, which here
# we know by quadrature.

# %%
model = Gaussian(0.0, 1.5**2)
terms = likelihood_identity(model.log_prob(data), data)
print("<ln p_g>_data  =", terms.log_likelihood)
print("S[p_data]      =", terms.entropy)
print("D_KL, from both =", terms.kl)
print("D_KL, exactly   =", zerosum.kl(data_density, model))
assert abs(terms.kl.value - zerosum.kl(data_density, model).value) < 5 * terms.kl.error

# %% [markdown]
# ## One curve, upside down
#
# Scan the width of the model. The likelihood and minus the divergence are the same curve, shifted by the entropy.

# %%
widths = np.linspace(0.8, 3.0, 23)
likelihood = np.array([Gaussian(0.0, w**2).log_prob(data).mean() for w in widths])
divergence = np.array([zerosum.kl(data_density, Gaussian(0.0, w**2)).value for w in widths])
figure, axes = plt.subplots(figsize=(5, 3.2))
axes.plot(widths, likelihood, label="<ln p_g>_data")
axes.plot(widths, -divergence, label="-D_KL(p_data || p_g)")
axes.axhline(-terms.entropy.value, color="grey", ls=":", label="-S[p_data], the limit of all models")
axes.set(xlabel="width of the model", ylabel="nats per event")
axes.legend(frameon=False)
figure.tight_layout()
plt.show()
print(
    f"best width by likelihood {widths[likelihood.argmax()]:.2f}, by divergence {widths[divergence.argmin()]:.2f}"
)
shift = -likelihood - divergence
print(
    f"their difference: {shift.mean():.3f} nats, the same to {np.ptp(shift):.3f} at every width; "
    f"S = {terms.entropy.value:.3f}"
)
assert np.ptp(shift) < 0.1

# %% [markdown]
# The difference is not exactly constant because the data are a sample. It would be with infinitely many events.
#
# ## On collision data
#
# The same identity on real events, where nobody knows $p_{data}$: the invariant mass of muon pairs from the CMS open
# data (where the file is not at hand, pairs from the built-in source). The model is one Gaussian. The divergence
# from the Gaussian is what the likelihood leaves on the table; no knowledge of the true density was needed.

# %%
COLUMNS = ["pt1", "eta1", "phi1", "pt2", "eta2", "phi2"]
FILE = Path(os.environ.get("ZMUMU", "Zmumu_Run2011A.csv"))
if FILE.is_file():
    events = zerosum.load(FILE, columns=COLUMNS)
else:
    events = next(source("dimuon").stream(10_000, seed=0))
pt1, eta1, phi1, pt2, eta2, phi2 = events.values.astype(np.float64).T
mass = np.unique(np.sqrt(2 * pt1 * pt2 * (np.cosh(eta1 - eta2) - np.cos(phi1 - phi2))))
mass = np.random.default_rng(0).permutation(mass)  # no mass twice: a density has no repeated values
print(f"{len(mass)} masses from {events.source or 'the built-in source'}")

gaussian = Gaussian(mass.mean(), mass.var())
of_gaussian = likelihood_identity(gaussian.log_prob(mass[:, None]), mass)
print("a Gaussian: <ln p_g> =", of_gaussian.log_likelihood)
print("            D_KL     =", of_gaussian.kl)

# %%
peak = Mixture([gaussian, Gaussian(91.0, 2.5**2)], [0.4, 0.6])
of_peak = likelihood_identity(peak.log_prob(mass[:, None]), mass)
print("with a peak at 91 GeV: <ln p_g> =", of_peak.log_likelihood)
print("                       D_KL     =", of_peak.kl)
gain = of_peak.log_likelihood.value - of_gaussian.log_likelihood.value
loss = of_gaussian.kl.value - of_peak.kl.value
print(f"gained in likelihood {gain:.6f} = lost in divergence {loss:.6f} nats per event")
assert abs(gain - loss) < 1e-9

# %% [markdown]
# ## What a number of nats means
#
# A likelihood ratio of $e^{n D}$ after $n$ events: with $D_{KL} = 0.1$ nats, a hundred events are enough to prefer the
# truth over the model by a factor of $e^{10}$. A likelihood by itself, without the entropy, says nothing about how
# good a model is: it changes with the units of $x$. The divergence does not.

# %%
in_mev = likelihood_identity(gaussian.log_prob(mass[:, None]) - np.log(1000), 1000 * mass)
print(f"in GeV: <ln p_g> = {of_gaussian.log_likelihood.value:8.3f}, D_KL = {of_gaussian.kl.value:.4f}")
print(f"in MeV: <ln p_g> = {in_mev.log_likelihood.value:8.3f}, D_KL = {in_mev.kl.value:.4f}")
assert abs(of_gaussian.kl.value - in_mev.kl.value) < 1e-6

# %% [markdown]
# **Try:** give the model a hard edge inside the data (a density that is zero somewhere): one event there makes the
# likelihood $-\infty$ and the divergence infinite. That is what "forward KL punishes missing modes" means.
