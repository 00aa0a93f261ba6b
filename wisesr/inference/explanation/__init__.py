"""What `wisesr.inference.explain` is made of: a kind of map a module."""
