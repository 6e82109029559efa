"""BibTeX of the methods that a report uses."""

from collections.abc import Mapping, Sequence
from typing import Any

ENTRIES = {
    "game": """@inproceedings{Goodfellow2014,
  author = {Goodfellow, Ian and Pouget-Abadie, Jean and Mirza, Mehdi and Xu, Bing and Warde-Farley, David
            and Ozair, Sherjil and Courville, Aaron and Bengio, Yoshua},
  title = {Generative Adversarial Nets}, booktitle = {NeurIPS}, year = {2014}, eprint = {1406.2661}}""",
    "betting": """@article{WaudbySmith2024,
  author = {Waudby-Smith, Ian and Ramdas, Aaditya},
  title = {Estimating means of bounded random variables by betting},
  journal = {J. R. Stat. Soc. B}, volume = {86}, year = {2024}, eprint = {2010.09686}}""",
    "variational": """@article{Nguyen2010,
  author = {Nguyen, XuanLong and Wainwright, Martin J. and Jordan, Michael I.},
  title = {Estimating divergence functionals and the likelihood ratio by convex risk minimization},
  journal = {IEEE Trans. Inf. Theory}, volume = {56}, year = {2010}, eprint = {0809.0853}}""",
    "limits": """@inproceedings{McAllester2020,
  author = {McAllester, David and Stratos, Karl},
  title = {Formal Limitations on the Measurement of Mutual Information},
  booktitle = {AISTATS}, year = {2020}, eprint = {1811.04251}}""",
    "training": """@inproceedings{Huang2024,
  author = {Huang, Yiwen and Gokaslan, Aaron and Kuleshov, Volodymyr and Tompkin, James},
  title = {The {GAN} is dead; long live the {GAN}! {A} Modern {GAN} Baseline},
  booktitle = {NeurIPS}, year = {2024}, eprint = {2501.05441}}""",
}


def bibtex(comparison: Mapping[str, Any], history: Sequence[Mapping[str, Any]] | None) -> str:
    """The entries of what a comparison measured, and of a game where one was played."""
    js, forward = (comparison.get(key) or {} for key in ("jensen_shannon", "kl_forward"))
    used = {
        "game": True,
        "betting": js.get("lower") is not None,
        "variational": forward.get("estimate") is not None,
        "limits": forward.get("lower") is not None,
        "training": any("loss_discriminator" in record for record in history or ()),
    }
    return "\n\n".join(entry for key, entry in ENTRIES.items() if used[key])
