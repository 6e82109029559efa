"""Divergences between known densities, exactly; and between samples, estimated."""
