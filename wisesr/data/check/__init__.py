"""A copy of a dataset looked at, image by image: what would stop a training, falsify it, or surprise. No torch."""
