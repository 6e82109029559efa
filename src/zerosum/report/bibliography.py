"""BibTeX of the methods that a report uses."""

ENTRIES = {
    "game": """@inproceedings{Goodfellow2014, author={Goodfellow, Ian and others}, title={Generative Adversarial Nets},
  booktitle={NeurIPS}, year={2014}, eprint={1406.2661}}""",
    "betting": """@article{WaudbySmith2024, author={Waudby-Smith, Ian and Ramdas, Aaditya},
  title={Estimating means of bounded random variables by betting}, journal={J. R. Stat. Soc. B}, volume={86},
  year={2024}, eprint={2010.09686}}""",
    "variational": """@article{Nguyen2010, author={Nguyen, XuanLong and Wainwright, Martin J. and Jordan, Michael I.},
  title={Estimating divergence functionals and the likelihood ratio by convex risk minimization},
  journal={IEEE Trans. Inf. Theory}, volume={56}, year={2010}, eprint={0809.0853}}""",
    "limits": """@inproceedings{McAllester2020, author={McAllester, David and Stratos, Karl},
  title={Formal Limitations on the Measurement of Mutual Information}, booktitle={AISTATS}, year={2020},
  eprint={1811.04251}}""",
    "training": """@inproceedings{Huang2024, author={Huang, Yiwen and others},
  title={The {GAN} is dead; long live the {GAN}! A Modern {GAN} Baseline}, booktitle={NeurIPS}, year={2024},
  eprint={2501.05441}}""",
}


def bibtex(*, trained: bool) -> str:
    """The entries of a comparison, and of a training where there was one."""
    keys = ["game", "betting", "variational", "limits"] + (["training"] if trained else [])
    return "\n\n".join(ENTRIES[key] for key in keys)
