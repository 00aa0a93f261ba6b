"""What a cell's epochs began with, out of `provenance.reads` of its record: files, decoded images, or maps of its backbone.

An epoch that reads the maps of a frozen backbone does not compute it: its seconds, its images a second and its peak memory are
of less work than those of an epoch that begins with images, and say nothing of the head. What is learned is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FILES, DECODED, MAPS = "files", "decoded", "maps"
WORDS = {FILES: "image files", DECODED: "images that were decoded before", MAPS: "kept maps of the frozen backbone"}
"""The same in words."""


def reading(reads: Mapping[str, Any]) -> str:
    """`maps`, `decoded` or `files`; the last of records of before 2026-11-29, when there was nothing else."""
    return str(reads.get("training", FILES))


def reading_words(reads: Mapping[str, Any]) -> str:
    """`kept maps of the frozen backbone, float32`: the same for a reader."""
    what, kept = reading(reads), maps_of(reads).get("dtype")
    return f"{WORDS.get(what, what)}{f', {kept}' if kept else ''}"


def maps_of(reads: Mapping[str, Any]) -> Mapping[str, Any]:
    """How maps were come by: dtype, differs, rounding; empty where none were read."""
    found = reads.get("maps")
    return found if isinstance(found, Mapping) else {}


def depends_on_batch(reads: Mapping[str, Any]) -> float:
    """By how much maps differ, at most, with what else is in a batch: 0 where they are the same to the bit, or not kept."""
    differs = maps_of(reads).get("differs")
    return float(differs) if isinstance(differs, (int, float)) else 0.0
