"""The three datasets as they are downloaded, and where each file goes so that `wisesr.data` reads it. No torch."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from wisesr.data import intel, mit_indoor, sub_imagenet
from wisesr.data.intel import FOLDERS
from wisesr.data.listing import Listing, Row, read_rows
from wisesr.data.manifest import Manifest
from wisesr.data.mit_indoor import IMAGES, official
from wisesr.data.mit_indoor import LISTS as MIT_LISTS
from wisesr.data.prepare.plan import Plan, content_of, contents, is_hidden, is_image, one_root
from wisesr.data.prepare.sources import Entry
from wisesr.data.published import INTEL, MIT_INDOOR, SUB_IMAGENET, Published
from wisesr.data.sub_imagenet import LISTS as SUB_LISTS
from wisesr.errors import UserError

_HIDDEN = "hidden files"
_OTHER = "other files"


class Dataset(NamedTuple):
    """A dataset that can be prepared."""

    facts: Published
    read: Callable[..., Manifest]
    """What reads it: root, partial."""
    listed: Callable[..., Listing]
    """What finds its files, whatever is missing: root."""
    lists: frozenset[str]
    """Names of the files whose content the plan needs."""
    plan: Callable[[Sequence[Entry], str], Plan]
    """Entries of a source and its label -> what goes where. Raises UserError where the dataset is not found."""


def plan_intel(entries: Sequence[Entry], label: str) -> Plan:
    """`seg_train/seg_train/<class>/*` and `seg_test/seg_test/<class>/*` below any folder."""
    found = {}
    for entry in entries:
        parts = entry.name.split("/")
        for split, below in FOLDERS.items():
            for at in _places(parts, below.split("/"), 2):
                if is_image(entry.name) and not is_hidden(entry.name):
                    found[entry.name] = ("/".join(parts[:at]), Row("/".join(parts[at:]), parts[at + 2], split), entry)
    looked_for = "seg_train/seg_train/<class>/<image> and seg_test/seg_test/<class>/<image>"
    root = one_root(label, (its for its, _, _ in found.values()), looked_for, entries)
    left_out = Counter(_intel_kind(entry.name) for entry in entries if entry.name not in found)
    copies = {row.path: entry for _, row, entry in found.values()}
    return Plan(root, copies, {}, [row for _, row, _ in found.values()], [], left_out)


def _intel_kind(name: str) -> str:
    if is_hidden(name):
        return _HIDDEN
    return "images of seg_pred, which have no labels" if "seg_pred" in name.split("/") and is_image(name) else _OTHER


def _places(parts: Sequence[str], wanted: Sequence[str], more: int) -> Iterator[int]:
    """Where `wanted` stands among the parts of a path, with so many `more` behind it."""
    for at in range(len(parts) - len(wanted) - more + 1):
        if parts[at : at + len(wanted)] == wanted:
            yield at


def plan_mit_indoor(entries: Sequence[Entry], label: str) -> Plan:
    """The listed images of `Images/<class>/*` below any folder, or of `<class>/*` at the top; the lists are the package's."""
    listed = {name: split for split in MIT_LISTS for name in official(split)}
    found: dict[str, tuple[str, str, Entry]] = {}
    for entry in entries:
        parts = entry.name.split("/")
        name, above = "/".join(parts[-2:]), parts[:-2]
        if name in listed and above[-1:] in (["Images"], []) and not is_hidden(entry.name):
            found[entry.name] = ("/".join(above), name, entry)
        elif (split := _LIST_SPLITS.get(parts[-1])) and not is_hidden(entry.name):
            _check_list(entry, split, label)
    root = one_root(label, (its for its, _, _ in found.values()), "Images/<class>/<image> of the official lists", entries)
    copies = {f"{IMAGES[0]}/{name}": entry for _, name, entry in found.values()}
    rows = [Row(f"{IMAGES[0]}/{name}", name.split("/")[0], listed[name]) for _, name, _ in found.values()]
    texts = {name: "\n".join(official(split)).encode() for split, name in MIT_LISTS.items()}
    left_out = Counter(_mit_kind(entry.name) for entry in entries if entry.name not in found)
    missing = sorted(f"{IMAGES[0]}/{name}" for name in listed if f"{IMAGES[0]}/{name}" not in copies)
    return Plan(root, copies, texts, rows, missing, left_out)


_LIST_SPLITS = {name: split for split, name in MIT_LISTS.items()}


def _mit_kind(name: str) -> str:
    if is_hidden(name):
        return _HIDDEN
    if name.rpartition("/")[2] in _LIST_SPLITS:
        return "lists, the same as the package's"
    return "images that neither official list names" if is_image(name) else _OTHER


def _check_list(entry: Entry, split: str, label: str) -> None:
    lines = content_of(entry, label).decode(errors="replace").splitlines()
    if sorted(line.strip() for line in lines if line.strip()) != sorted(official(split)):
        raise UserError(
            f"{label}: {entry.name} is not the official list of the {split} split ({len(official(split)):,} names). A split of "
            "your own: unpack it, and use dataset=folder with dataset.csv"
        )


def plan_sub_imagenet(entries: Sequence[Entry], label: str) -> Plan:
    """`train.csv` and `test.csv` in one folder, and wherever their files are: that is found by the files' names."""
    by_folder: dict[str, dict[str, Entry]] = {}
    for entry in entries:
        folder, _, name = entry.name.rpartition("/")
        if name in SUB_LISTS.values() and not is_hidden(entry.name):
            by_folder.setdefault(folder, {})[name] = entry
    both = [folder for folder, its in by_folder.items() if len(its) == len(SUB_LISTS)]
    root = one_root(label, both, f"{' and '.join(SUB_LISTS.values())} side by side", entries)
    copies: dict[str, Entry] = {}
    rows: list[Row] = []
    missing: list[str] = []
    texts = {}
    for split, name in SUB_LISTS.items():
        texts[name] = content_of(by_folder[root][name], label)
        lines = io.TextIOWrapper(io.BytesIO(texts[name]), encoding="utf-8-sig", newline="")
        listed = [row._replace(split=split) for row in read_rows(lines, f"{label}: {name}", split)]
        its = _find_listed([row.path for row in listed], entries, label, name)
        for path, entry in its.items():
            if copies.setdefault(path, entry) != entry:
                raise UserError(
                    f"{label}: {path} is in both lists, and means {copies[path].name} in one, {entry.name} in the other"
                )
        rows += [row for row in listed if row.path in its]
        missing += [row.path for row in listed if row.path not in its]
    taken = {entry.name for entry in copies.values()} | {by_folder[root][name].name for name in texts}
    left_out = Counter(
        _HIDDEN if is_hidden(entry.name) else "images that neither list names" if is_image(entry.name) else _OTHER
        for entry in entries
        if entry.name not in taken
    )
    return Plan(root, copies, texts, rows, sorted(missing), left_out)


def _find_listed(listed: Sequence[str], entries: Sequence[Entry], label: str, name: str) -> dict[str, Entry]:
    """The entries that a list's filenames mean: those below the one folder that they are relative to."""
    wanted = set(listed)
    lengths = sorted({path.count("/") + 1 for path in wanted})
    below: dict[str, dict[str, Entry]] = {}
    for entry in entries:
        parts = entry.name.split("/")
        for length in lengths:
            path = "/".join(parts[-length:])
            if length <= len(parts) and path in wanted and not is_hidden(entry.name):
                below.setdefault("/".join(parts[:-length]), {})[path] = entry
    if len(below) == 1:
        return next(iter(below.values()))
    first = listed[0]
    if not below:
        raise UserError(
            f"{label}: no file is what {name} lists. Looked for: {first}, and {len(listed) - 1:,} others, below any folder. "
            f"{contents(entries)}"
        )
    some = "; ".join(f"{folder or 'its top'} ({len(its):,})" for folder, its in sorted(below.items())[:4])
    raise UserError(
        f"{label}: the {len(listed):,} files that {name} lists, {first} and others, are found in {len(below)} places: {some}. "
        "Which of them is meant cannot be known: unpack it, and leave one"
    )


DATASETS = {
    dataset.facts.name: dataset
    for dataset in (
        Dataset(INTEL, intel.intel, intel.listed, frozenset(), plan_intel),
        Dataset(MIT_INDOOR, mit_indoor.mit_indoor, mit_indoor.listed, frozenset(MIT_LISTS.values()), plan_mit_indoor),
        Dataset(SUB_IMAGENET, sub_imagenet.sub_imagenet, sub_imagenet.listed, frozenset(SUB_LISTS.values()), plan_sub_imagenet),
    )
}
