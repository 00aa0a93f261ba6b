"""Vega, Vega-Lite and vega-embed as one script, out of the vl-convert wheel: no network, no node.

Bundling takes 3 to 6 s, always of the same files, and vl-convert holds the interpreter's lock meanwhile, so that no thread can
hide it. The script is therefore kept in the user's cache.
"""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path

import vl_convert

from wisesr.results.atomic_files import write_text

VEGA_LITE = "6.4"
"""The version in the script."""


def vega_script() -> str:
    """A script that makes `vegaEmbed` a name of the window. A cache that cannot be written costs each report its bundling."""
    kept = _cache() / f"vega-lite-{VEGA_LITE}-{version('vl-convert-python')}.js"
    try:
        return kept.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        made = vl_convert.javascript_bundle("window.vegaEmbed=vegaEmbed;", vl_version=VEGA_LITE)
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_text(kept, made)
    except OSError:
        pass
    return made


def _cache() -> Path:
    """The user's folder for what can be made again: https://specifications.freedesktop.org/basedir-spec/latest/"""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path("~/.cache").expanduser()) / "wisesr"
