"""Divergences between known densities, exactly; and between samples, estimated.

fdivergences.py   the one table: f, f', conjugate, activation, integrand; derived.py: Renyi, Bhattacharyya
densities.py      known densities; tails.py, ising.py; adapters.py: those of torch.distributions
exact.py          D(p || q) of densities: closed_forms.py, quadrature.py, known.py (Monte Carlo)
neighbours.py     D_KL and entropies from samples, on nearest.py; binned.py: D_JS of histograms
relabelling.py    the bias of such an estimate, measured with a smooth model of p/q (ratio.py)
sources.py        known densities as sources of events
identity.py       likelihood = -entropy - divergence; modes.py: mode covering and seeking
betting.py        the capital of gamblers against a mean, of which limits are made
intervals.py      limits for bounded means that hold at every n
"""
