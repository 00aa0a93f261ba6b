"""Datasets as manifests, their splits, and the loaders that feed training."""
