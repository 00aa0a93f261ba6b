"""The measurements of `benchmarks/gpu.py`, one subject a file."""
