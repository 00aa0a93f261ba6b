"""What may be chosen of `wisesr clean`, for its parser, which must not import more than words."""

from __future__ import annotations

KEEP = ("head", "row", "all", "none")
"""Whose best.ckpt stays."""
KINDS = ("best", "last", "loggers", "partial", "code")
"""What is removed."""
