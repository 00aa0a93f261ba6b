"""Hydra's way of finding the grid: plugins are looked for in packages below `hydra_plugins`."""
