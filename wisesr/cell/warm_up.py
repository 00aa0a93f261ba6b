"""What every cell needs before it computes: libraries imported, and what is the same for all cells of a machine found out.

A process that forks cells does it once for all of them. Nothing here starts a thread, touches a GPU or draws a random number.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import suppress

from wisesr.cell.code import hold_code
from wisesr.config.options import GROUPS, load_option, options
from wisesr.config.signatures import target_settings
from wisesr.models.timm_import import import_timm
from wisesr.results.installation import packages_hash
from wisesr.results.provenance import package_hash


def import_libraries() -> None:
    """Import torch, timm and Lightning, and wandb only where something asks for it.

    A million objects come into being that live as long as the process. Python would look through all of them for garbage
    again and again, and a forked child would copy their pages by that, so it is told to leave them alone
    (https://docs.python.org/3/library/gc.html#gc.freeze). Where torch was imported before, nothing is done about that.
    """
    if "torch" in sys.modules:
        import_timm()
        return
    collects = gc.isenabled()
    gc.disable()
    try:
        import torch  # noqa: F401

        import_timm()
        import wisesr.data.datamodule
        import wisesr.training.compute_time
        import wisesr.training.fit  # noqa: F401
    finally:
        gc.freeze()
        if collects:
            gc.enable()


def warm_up() -> None:
    """Import the libraries, and keep in this process what a cell would find out anew, for those that are forked from it.

    Without torch: the files of the package's code, first of all, so that they are what is imported afterwards; the hash of
    the installed packages; the options of conf/ (a file that is edited is read again) and the signatures of their targets. With
    torch: its modules, Lightning's and timm's. What may change between two cells is not kept: commit and
    uncommitted changes of the checkout, images, weights, environment.
    """
    package_hash()
    targets = list(_targets())
    hold_code(tuple(targets))
    import_libraries()
    packages_hash()
    for target in targets:
        with suppress(Exception):  # of a file that somebody is editing: who uses it is told
            target_settings(target)


def _targets() -> Iterator[str]:
    """What the options of conf/ name."""
    for group in GROUPS:
        for name in options(group):
            with suppress(Exception):
                yield str(load_option(group, name).get("_target_"))
