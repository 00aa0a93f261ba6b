"""Backbones, heads and the classifier that joins them."""
