r"""From each statement of the lecture to the function that implements it and the test that checks it.

    python docs/tools/traceability.py          writes docs/explanation/traceability.md

`ROWS` is the table; tests/docs/test_traceability.py looks up every function and every test that it names, and compares
the page in the repository with what this script writes.
"""

import ast
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "explanation" / "traceability.md"


@dataclass(frozen=True)
class Row:
    """One statement: in words, as an equation, who implements it, who checks it, which chapter teaches it."""

    statement: str
    equation: str
    functions: tuple[str, ...]
    tests: tuple[str, ...]
    chapter: str


ROWS = (
    Row(
        "The Kullback-Leibler divergence has two directions, and they are two different numbers",
        r"D_{KL}(p\|q) = \int p \ln\frac{p}{q} \;\ne\; D_{KL}(q\|p)",
        ("zerosum.divergence.kl", "zerosum.divergence.reverse_kl", "zerosum.theory.neighbours.knn_kl"),
        (
            "tests/theory/test_exact.py::test_reference_value",
            "tests/theory/test_fdivergences.py::test_rows_that_claim_no_symmetry_have_none",
            "tests/theory/test_neighbours.py::test_knn_kl_tells_the_directions_apart",
        ),
        "01_two_divergences",
    ),
    Row(
        "The Jensen-Shannon divergence is symmetric and bounded, and its root is a metric",
        r"D_{JS}(p,q) = \tfrac12 D_{KL}(p\|m) + \tfrac12 D_{KL}(q\|m) \le \ln 2, \quad m = \tfrac12(p+q)",
        ("zerosum.divergence.jensen_shannon", "zerosum.divergence.jensen_shannon_distance"),
        (
            "tests/theory/test_exact.py::test_reference_value",
            "tests/theory/test_fdivergences.py::test_divergence_is_positive_bounded_symmetric_and_the_mean_of_f",
            "tests/theory/test_fdivergences.py::test_root_of_jensen_shannon_obeys_the_triangle_inequality",
        ),
        "01_two_divergences",
    ),
    Row(
        "A divergence is never negative, and zero only for equal distributions",
        r"D_{KL}(p\|q) \ge 0, \quad = 0 \Leftrightarrow p = q",
        ("zerosum.theory.fdivergences.FDivergence", "zerosum.theory.exact.exact"),
        (
            "tests/theory/test_fdivergences.py::test_f_vanishes_at_one_and_is_convex_with_its_derivative",
            "tests/theory/test_fdivergences.py::test_divergence_is_positive_bounded_symmetric_and_the_mean_of_f",
        ),
        "01_two_divergences",
    ),
    Row(
        "Two Gaussians in one dimension have a closed form",
        r"D_{KL}(p\|q) = \ln\frac{\sigma_q}{\sigma_p} + \frac{(x_q-x_p)^2 + \sigma_p^2 - \sigma_q^2}{2\sigma_q^2}",
        ("zerosum.theory.closed_forms._kl_gaussian", "zerosum.theory.quadrature.quadrature"),
        (
            "tests/theory/test_exact.py::test_gaussian_closed_forms_agree_with_their_integrals",
            "tests/theory/test_exact.py::test_quadrature_agrees_with_closed_form",
        ),
        "01_two_divergences",
    ),
    Row(
        "Maximum likelihood is minimum forward Kullback-Leibler divergence",
        r"\langle \ln p_g \rangle_{data} = -S[p_{data}] - D_{KL}(p_{data}\|p_g)",
        (
            "zerosum.theory.identity.likelihood_identity",
            "zerosum.theory.neighbours.entropy",
            "zerosum.likelihood.player.LikelihoodModel",
        ),
        (
            "tests/theory/test_neighbours.py::test_likelihood_is_minus_entropy_minus_divergence",
            "tests/likelihood/test_games.py::test_the_likelihood_is_minus_entropy_minus_divergence",
        ),
        "02_likelihood",
    ),
    Row(
        "Forward KL covers all modes and fills in between; reverse KL seeks one; JS feels both",
        r"\mathrm{arg\,min}_q D_{KL}(p\|q) \;\text{covers}, \quad \mathrm{arg\,min}_q D_{KL}(q\|p) \;\text{seeks}",
        (
            "zerosum.theory.modes.fit_gaussian",
            "zerosum.evaluation.support.missing",
            "zerosum.evaluation.support.invented",
        ),
        (
            "tests/theory/test_modes.py::test_forward_kl_matches_moments_and_fills_the_gap",
            "tests/theory/test_modes.py::test_reverse_kl_seeks_one_peak_and_misses_the_other",
            "tests/evaluation/test_compare.py::test_the_directions_of_kl_tell_missing_from_invented",
        ),
        "03_modes",
    ),
    Row(
        "Reverse KL needs the density of the data, which is not known: hence a discriminator",
        r"D_{KL}(p_g\|p_{data}) = \langle \ln p_g - \ln p_{data} \rangle_{p_g}, \quad \ln\frac{D^*}{1-D^*} = "
        r"\ln\frac{p_{data}}{p_g}",
        ("zerosum.likelihood.known.fit_known", "zerosum.evaluation.critics.fit_panel"),
        (
            "tests/likelihood/test_known.py::test_reverse_kl_takes_one_mode_and_loses_the_log_of_its_share",
            "tests/evaluation/test_critics.py::test_linear_critic_recovers_the_log_ratio_with_unequal_samples",
        ),
        "04_discriminator",
    ),
    Row(
        "The generator turns a latent prior into events, for images by de-convolution",
        r"x = G(z; \theta_G), \quad z \sim N(0, 1)",
        ("zerosum.game.networks.TableGenerator", "zerosum.game.networks.GridGenerator"),
        (
            "tests/game/test_networks.py::test_shapes",
            "tests/game/test_networks.py::test_an_event_does_not_depend_on_the_others_in_the_batch",
        ),
        "06_first_game",
    ),
    Row(
        "The discriminator is the probability that an event came from the data",
        r"D(x; \theta_D) \in (0, 1)",
        ("zerosum.game.networks.TableDiscriminator", "zerosum.game.networks.GridDiscriminator"),
        (
            "tests/game/test_networks.py::test_shapes",
            "tests/game/test_objectives.py::test_larger_logit_is_more_real_for_every_objective",
        ),
        "05_value",
    ),
    Row(
        "The value of the game",
        r"V(D,G) = \langle \ln D(x) \rangle_{data} + \langle \ln(1 - D(G(z))) \rangle_{prior}",
        ("zerosum.game.objectives.value", "zerosum.game.objectives.calibrated_value"),
        (
            "tests/game/test_objectives.py::test_equilibrium_is_the_value_of_a_blind_discriminator",
            "tests/game/test_objectives.py::test_calibrated_value_undoes_any_scale",
        ),
        "05_value",
    ),
    Row(
        "Two players with opposite costs: a zero-sum game",
        r"C_G = -C_D = \tfrac12 V, \quad \min_G \max_D V(D,G)",
        ("zerosum.game.objectives.ZeroSum", "zerosum.game.players.adversarial_game"),
        ("tests/game/test_objectives.py::test_zero_sum_is_zero_sum",),
        "05_value",
    ),
    Row(
        "The optimal discriminator, and what the generator then minimises",
        r"D^*(x) = \frac{p_{data}}{p_{data} + p_g}, \quad C(G) = \max_D V = -\ln 4 + 2 D_{JS}(p_{data}, p_g)",
        (
            "zerosum.game.objectives.value",
            "zerosum.evaluation.certificate.certify",
            "zerosum.evaluation.variational.Variational",
        ),
        (
            "tests/theory/test_fdivergences.py::test_optimal_discriminator_gives_the_divergence_and_no_other_more",
            "tests/game/test_objectives.py::test_value_at_the_optimal_discriminator_is_the_divergence",
            "tests/evaluation/test_certificate.py::test_the_limit_holds",
        ),
        "05_value",
    ),
    Row(
        "The other framework: a variational autoencoder raises a lower bound of the likelihood",
        r"\ln p_g(x) \ge \langle \ln p(x|z) \rangle_{q(z|x)} - D_{KL}(q(z|x)\|p(z))",
        ("zerosum.likelihood.vae.VAE",),
        (
            "tests/likelihood/test_vae.py::test_elbo_is_below_the_importance_bound_is_below_the_likelihood",
            "tests/likelihood/test_vae.py::"
            "test_the_elbo_falls_short_by_the_divergence_of_the_encoder_from_the_posterior",
        ),
        "08_duel",
    ),
)

HEAD = """# From the lecture to the code

<!-- Written by docs/tools/traceability.py; change it there. -->

Thirteen statements carry the whole subject. Each has a function that implements it, a test that checks it, and a
chapter that teaches it.

The printed lecture has $-\\ln D(x)$ in the first term of $V$. With that sign statement 12 does not follow: the
discriminator would *lower* $D$ on the data. Everywhere here the sign is that of
[Goodfellow et al. 2014](https://arxiv.org/abs/1406.2661), equation 1. The review of the two directions of the
Kullback-Leibler divergence follows [Mehta et al.](https://arxiv.org/abs/1803.08823), section XVII.
"""


def page() -> str:
    """The page as Markdown."""
    return HEAD + "".join(section(number, row) for number, row in enumerate(ROWS, start=1))


def section(number: int, row: Row) -> str:
    """One statement of the page."""
    functions = ", ".join(map(linked, row.functions))
    tests = "".join(f"\n    - `{test}`" for test in row.tests)
    return (
        f"\n## {number}. {row.statement}\n\n$$\n{row.equation}\n$$\n\n"
        f"- Implemented by {functions}\n- Checked by{tests}\n"
        f"- Taught in [chapter {row.chapter[:2].lstrip('0')}](../lecture/{row.chapter}.md)\n"
    )


def linked(function: str) -> str:
    """A function's short name, linked to its place in the reference; one that is not public has none."""
    stage, name = function.split(".")[1], function.rsplit(".", 1)[1]
    if name.startswith("_"):
        return f"`{function.removeprefix('zerosum.')}`"
    return f"[`{function.removeprefix('zerosum.')}`](../reference/{stage}.md#{function})"


def resolve(function: str) -> object:
    """The object of that dotted name."""
    module, _, name = function.rpartition(".")
    return getattr(import_module(module), name)


def has_test(test: str) -> bool:
    """Whether a file has a test function of that name."""
    path, _, name = test.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in ast.walk(tree))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
