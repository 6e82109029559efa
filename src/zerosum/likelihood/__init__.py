"""Models trained by maximum likelihood: the other road."""
