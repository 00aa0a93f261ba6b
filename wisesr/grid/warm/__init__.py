"""Cells forked from a process that has imported everything: what a Python of its own takes seconds for is paid once a slot.

A slot's warm parent (`__main__`) imports what cells and plans import, has one thread and no CUDA, and forks a process for each
cell (`child`). What that does is what `python -m wisesr.cell DIR` does; the numbers are the same to the bit. The grid
(`slots`, `job`) speaks with it through a `channel`. A parent never forks code that is not what lies on the disk (`loaded`).
"""
