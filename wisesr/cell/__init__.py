"""One cell: a directory with a `config.yaml`, run by `python -m wisesr.cell DIR`."""
