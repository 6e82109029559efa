# %% [markdown]
# # 6. The first game
#
# Now both players are networks. The generator maps a latent $z \sim N(0, 1)$ to an event, $x = G(z; \theta_G)$; the
# discriminator maps an event to one number, $D(x; \theta_D)$; each moves in turn, down its own cost. This is the whole
# algorithm, in the loop of `zerosum`, too. First by hand, on a table of two columns; then with the library, whose
# generator for images is *de-convolutional*: it grows a picture from a few numbers by transposed convolutions.

# %%
import math
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch

from zerosum.data.simulators import source
from zerosum.data.simulators.mixtures import ring_centres
from zerosum.game.networks import TableDiscriminator, TableGenerator
from zerosum.game.objectives import OBJECTIVES, value
from zerosum.game.penalties import R1R2, Scored, with_gradient
from zerosum.workflow import Run

torch.set_num_threads(1)

# %% [markdown]
# ## By hand
#
# Eight peaks on a circle. The cost functions are those of the relativistic game, whose discriminator asks whether a
# real event looks more real than a generated one, and the penalty keeps the discriminator's slope small: chapter 7
# shows what happens without it.

# %%
sigma, steps, batch = 0.05, 1500, 256  # change them
rng = np.random.default_rng(0)
events = ring_centres()[rng.integers(8, size=20_000)] + sigma * rng.normal(size=(20_000, 2))
real_events = torch.tensor(events, dtype=torch.float32)
random = torch.Generator().manual_seed(0)
torch.manual_seed(0)
generator = TableGenerator(latent=4, conditions=0, shape=(2,), width=64, depth=3)
discriminator = TableDiscriminator(shape=(2,), conditions=0, width=64, depth=3)
objective, penalty = OBJECTIVES["relativistic"], R1R2()
adam = {
    player: torch.optim.Adam(player.parameters(), lr=2e-3, betas=(0.0, 0.99))
    for player in (generator, discriminator)
}


def latent(n: int) -> torch.Tensor:
    """Draws from the prior."""
    return torch.randn(n, 4, generator=random)


snapshots, values = {}, []
for step in range(steps + 1):
    if step in (0, steps // 10, steps // 3, steps):
        with torch.no_grad():
            snapshots[step] = generator(latent(2000)).numpy()
    real = real_events[torch.randint(len(real_events), (batch,), generator=random)]
    # The discriminator moves.
    both = torch.cat([real, generator(latent(batch)).detach()])
    logits, gradient = with_gradient(discriminator, both, None)
    cost = objective.discriminator(*logits.chunk(2)).mean()
    cost = cost + 0.05 * penalty(Scored(discriminator, both, None, gradient, random))
    adam[discriminator].zero_grad()
    cost.backward()
    adam[discriminator].step()
    # The generator moves.
    fake = discriminator(generator(latent(batch)))
    cost = objective.generator(discriminator(real).detach(), fake).mean()
    adam[generator].zero_grad()
    cost.backward()
    adam[generator].step()
    values.append(float(value(logits.chunk(2)[0], logits.chunk(2)[1]).detach()))
print(
    f"V: first {values[0]:.3f}, mean of the last 200 {np.mean(values[-200:]):.3f}, equilibrium {-math.log(4):.3f}"
)

# %%
figure, axes = plt.subplots(1, 4, figsize=(10, 2.7), sharex=True, sharey=True)
for panel, (step, points) in zip(axes, snapshots.items(), strict=True):
    panel.plot(*events[:2000].T, ".", ms=1, color="silver")
    panel.plot(*points.T, ".", ms=1)
    panel.set(title=f"step {step}", xlim=(-1.7, 1.7), ylim=(-1.7, 1.7), aspect="equal")
figure.tight_layout()
plt.show()
distance = np.linalg.norm(snapshots[steps][:, None] - ring_centres(), axis=2)
good = distance.min(1) < 4 * sigma
found = np.unique(distance.argmin(1)[good])
print(f"{len(found)} of 8 peaks; {good.mean():.1%} of the events within 4 sigma of one")
assert len(found) == 8

# %% [markdown]
# ## Images, by de-convolution
#
# A source of photon showers in a crystal, seen from the side: 16 x 16 pixels, the incident energy given. The library
# looks at the data and chooses transforms (some pixels are empty; energies span decades), networks, batch and penalty;
# only the number of steps and the width are cut down here, so that the chapter ends within a minute or two. A real
# training takes the defaults and the time that they need.

# %%
showers = next(source("shower-images").stream(4000, seed=1))
print(f"{len(showers)} showers, {showers.values.shape[1:]}, given {showers.condition_names}")
with tempfile.TemporaryDirectory() as folder:
    choices = {
        "steps": 400,
        "width": 8,
        "batch": 32,
        "judgements": 2,
        "log_every": 50,
        "checkpoint_every": 400,
    }
    run = Run.start(showers, Path(folder) / "run", choices)
    records = list(run.play())
    generated = run.model.sample(1000, seed=2)
for record in records:
    if "js_estimate" in record:
        print(
            f"step {record['step']}: V = {record['value']:.3f}, D_JS seen by critics = {record['js_estimate']:.3f} "
            f"± {record['js_error']:.3f}"
        )

# %%
figure, axes = plt.subplots(2, 6, figsize=(9, 3.2))
for row, (label, sample) in enumerate((("simulated", showers), ("generated", generated))):
    for column in range(6):
        axes[row, column].imshow(np.log1p(sample.values[column, 0]), cmap="viridis")
        axes[row, column].set(xticks=[], yticks=[])
    axes[row, 0].set(ylabel=label)
figure.tight_layout()
plt.show()
total = {name: s.values.sum((1, 2, 3)) for name, s in (("simulated", showers), ("generated", generated))}
for name, energy in total.items():
    print(
        f"{name}: median energy {np.median(energy):.0f} MeV, empty pixels {np.mean(sample.values == 0):.1%}"
        if name == "generated"
        else f"{name}: median energy {np.median(energy):.0f} MeV, empty pixels {np.mean(showers.values == 0):.1%}"
    )

# %% [markdown]
# After so few steps the critics tell nearly every shower apart, and say so with a number. Write more showers into a
# file, `zerosum simulate shower-images -n 20000 -o showers.h5`, let it play for 15,000 steps,
# `zerosum train showers.h5`, and look at the number again.
#
# **Try:** latents of one dimension. What do the eight peaks look like, and why are there threads between them? (A
# continuous $G$ maps a connected prior onto a connected set: *filling in* is topology, too.)
