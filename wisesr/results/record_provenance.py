"""Where the numbers of a record come from: code, versions, machine, settings of libraries, data. Part of `record.Record`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from wisesr.results.checks import is_count, is_counts, is_group, is_lists, is_size, is_string, is_text, is_texts, or_none
from wisesr.results.fields import Key

_Count = Annotated[int, is_count]
_Group = Annotated[Mapping[str, Any], is_group]
_Text = Annotated[str, is_text]
_Texts = Annotated[tuple[str, ...], is_texts, tuple]


@dataclass(frozen=True)
class DataProvenance:
    """The images that a cell saw."""

    fingerprint: _Text
    """Of paths, labels and splits."""
    images: Annotated[Mapping[str, int], is_counts]
    """Counts by split: train, val, test."""
    left_out: _Texts
    """Unreadable images."""
    rules: Annotated[str | None, is_string] = None
    """By which files became RGB (`wisesr.data.images.PixelRules.text`); None in records of before 2026-11-28."""
    absent: Annotated[Mapping[str, Sequence[str]], is_lists, Key("notes.absent")] = field(default_factory=dict)
    """Split -> classes of which it has no image, and which its macro F1 leaves out."""
    shared: Annotated[Mapping[str, int], is_counts, Key("notes.shared")] = field(default_factory=dict)
    """`test in train`: images of the one split whose bytes the other has; empty where nobody looked, as before 2026-11-28."""


@dataclass(frozen=True)
class Provenance:
    """Where the numbers come from. What has a default is absent from records of before 2026-11-29."""

    commit: Annotated[str | None, or_none(is_text)]
    source: _Text
    """Hash of the files of the cell's code (`code.json`) at the last attempt; of the whole package's in records of before
    2026-11-30."""
    sources: _Texts
    """Hashes of all attempts, without repetition."""
    versions: Annotated[Mapping[str, str | None], is_group]
    """Of Python and of packages."""
    hardware: Annotated[Mapping[str, str], is_group]
    """host, device (the GPU's name, or cpu), cpu, system."""
    threads: _Count
    """CPU threads of the cell's process."""
    attempts: _Count
    weights: _Group
    """What the backbone started from: source, sha256 of its file, hash of its tensors."""
    inputs: _Group
    """What images were normalised with: mean, std, and order where channels are swapped."""
    data: DataProvenance
    finished: _Text
    """Time, UTC, ISO 8601."""
    devices: Annotated[int | None, is_size] = None
    """That training ran on, of all nodes; None in records of before 2026-11-28."""
    by_part: Annotated[tuple[str, ...] | None, is_texts, tuple] = None
    """What in training saw several images of one device's part of a batch, and no other part: `BatchNorm`, `mixing`, code that
    nobody here knows. With nothing the number of devices changes last bits; None in records of before 2026-11-28."""
    started: Annotated[str | None, is_text] = None
    """Time of the first attempt, UTC, ISO 8601."""
    software: Annotated[Mapping[str, str | None], is_group] = field(default_factory=dict)
    """What no number of training depends on by itself: scikit_learn, scipy; and of a GPU's cell cuda, cudnn, driver."""
    packages_sha256: Annotated[str | None, is_text] = None
    """Over the sorted lines `name==version` of all packages that were installed (`results.installation.packages_hash`)."""
    flags: Annotated[Mapping[str, Any], is_group] = field(default_factory=dict)
    """Settings of torch by which numbers differ: TF32, cudnn_benchmark, deterministic_algorithms, ..."""
    environment: Annotated[Mapping[str, str], is_group] = field(default_factory=dict)
    """Variables of the cell's process, of a list of names that never holds a key or token."""
    command: Annotated[tuple[str, ...], is_texts, tuple] = ()
    """Arguments of the command that started the cell, the script among them; values of keys and tokens as ***."""
    uncommitted: Annotated[Mapping[str, Any], is_group] = field(default_factory=dict)
    """Of `uncommitted.diff`, where tracked files of the checkout had changed: its sha256 and bytes."""
    archive: Annotated[Mapping[str, Any], is_group] = field(default_factory=dict)
    """What `wisesr data prepare` made the dataset's folder from: name, kind, bytes, sha256."""
    start: Annotated[str | None, is_text] = None
    """How the cell's process began: fork, from one that had imported everything, whose memory is not all counted as its own, or
    spawn, as a Python of its own; None in records of before 2026-11-28."""
    reads: Annotated[Mapping[str, Any], is_group] = field(default_factory=dict)
    """What an epoch began with, `training`: files, images that were `decoded` already, or the `maps` of a frozen backbone; and
    under `maps` their type, and by how much they differ from those of another batch. As the last attempt began: if rows could
    not be read any more, it went on without, to the same numbers. Empty in records of before 2026-11-29."""
    code: Annotated[Mapping[str, Any], is_group] = field(default_factory=dict)
    """What `source` is of: number of files, those that were `edited` between attempts, where it could not be `unfollowed`, and
    the hash of the whole `package`. Empty in records of before 2026-11-30, which know of no files."""
    run: Annotated[str | None, is_text] = None
    """Address of its run on W&B's server; None of what is kept offline, whose address `wisesr sync` notes in wandb.json."""

    @property
    def device_parts(self) -> int | None:
        """Parts of a batch that training saw apart as they lay on several devices; None where nobody noted how many."""
        return 1 if self.by_part == () else self.devices
