"""The three datasets as they are downloaded, and where each file goes so that `wisesr.data` reads it. No torch."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import NamedTuple

from wisesr.data import intel, mit_indoor, sub_imagenet
from wisesr.data.listing import Listing, Row, read_rows
from wisesr.data.manifest import Manifest
from wisesr.data.mit_indoor import IMAGES, official
from wisesr.data.prepare.copy_plan import Plan, contents, is_image, one_root
from wisesr.data.prepare.entries import Entry
from wisesr.data.published_facts import INTEL, MIT_INDOOR, SUB_IMAGENET, Published
from wisesr.errors import UserError
from wisesr.wording import some_of


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
    """Entries of a source that are not hidden, and its label -> what goes where. Raises UserError where it is not found."""
    unlisted: str
    """What images of the download are that do not belong to the dataset."""


def plan_intel(entries: Sequence[Entry], label: str) -> Plan:
    """`seg_train/seg_train/<class>/*` and `seg_test/seg_test/<class>/*` below any folder."""
    roots, copies, rows = set(), {}, []
    for entry in entries:
        for split, folder in intel.FOLDERS.items():
            above, found, below = f"/{entry.name}".rpartition(f"/{folder}/")
            if found and "/" in below and is_image(below):
                roots.add(above[1:])
                rows.append(Row(f"{folder}/{below}", below.split("/")[0], split))
                copies[rows[-1].path] = entry
    looked_for = " and ".join(f"{folder}/<class>/<image>" for folder in intel.FOLDERS.values())
    return Plan(one_root(label, roots, looked_for, entries), copies, {}, rows)


def plan_mit_indoor(entries: Sequence[Entry], label: str) -> Plan:
    """The listed images of `Images/<class>/*` below any folder, or of `<class>/*` at the top; the lists are the package's."""
    listed = {name: split for split in mit_indoor.LISTS for name in official(split)}
    splits = {name: split for split, name in mit_indoor.LISTS.items()}
    found: dict[str, Entry] = {}
    roots = set()
    for entry in entries:
        parts = entry.name.split("/")
        name, above = "/".join(parts[-2:]), parts[:-2]
        if name in listed and above[-1:] in (["Images"], []):
            found[name] = entry
            roots.add("/".join(above))
        elif parts[-1] in splits:
            _check_list(entry, splits[parts[-1]], label)
    root = one_root(label, roots, "Images/<class>/<image> of the official lists", entries)
    rows = {name: Row(f"{IMAGES[0]}/{name}", name.split("/")[0], split) for name, split in listed.items()}
    return Plan(
        root,
        copies={rows[name].path: entry for name, entry in found.items()},
        texts={name: "\n".join(official(split)).encode() for split, name in mit_indoor.LISTS.items()},
        rows=[rows[name] for name in found],
        missing=sorted(row.path for name, row in rows.items() if name not in found),
    )


def _check_list(entry: Entry, split: str, label: str) -> None:
    lines = entry.content.decode(errors="replace").splitlines()
    if sorted(line.strip() for line in lines if line.strip()) != sorted(official(split)):
        raise UserError(
            f"{label}: {entry.name} is not the official list of the {split} split ({len(official(split)):,} names). A split of "
            "your own: unpack it, and use dataset=folder with dataset.csv"
        )


def plan_sub_imagenet(entries: Sequence[Entry], label: str) -> Plan:
    """`train.csv` and `test.csv` in one folder, and wherever their files are: that is found by the files' names."""
    lists_of: dict[str, dict[str, Entry]] = {}
    for entry in entries:
        folder, _, name = entry.name.rpartition("/")
        if name in sub_imagenet.LISTS.values():
            lists_of.setdefault(folder, {})[name] = entry
    both = [folder for folder, lists in lists_of.items() if len(lists) == len(sub_imagenet.LISTS)]
    root = one_root(label, both, f"{' and '.join(sub_imagenet.LISTS.values())} side by side", entries)
    plan = Plan(root, {}, {name: entry.content for name, entry in lists_of[root].items()}, [])
    missing: list[str] = []
    for split, name in sub_imagenet.LISTS.items():
        lines = io.TextIOWrapper(io.BytesIO(plan.texts[name]), encoding="utf-8-sig", newline="")
        listed = [row._replace(split=split) for row in read_rows(lines, f"{label}: {name}", split)]
        found = _find_listed([row.path for row in listed], entries, label, name)
        for path, entry in found.items():
            if plan.copies.setdefault(path, entry) is not entry:
                raise UserError(
                    f"{label}: {path} is in both lists, and means {plan.copies[path].name} in one, {entry.name} in the other"
                )
        plan.rows.extend(row for row in listed if row.path in found)
        missing.extend(row.path for row in listed if row.path not in found)
    return plan._replace(missing=sorted(missing))


def _find_listed(listed: Sequence[str], entries: Sequence[Entry], label: str, name: str) -> dict[str, Entry]:
    """The entries that a list's filenames mean: those below the one folder that they are relative to."""
    wanted = set(listed)
    lengths = sorted({path.count("/") + 1 for path in wanted})
    found: dict[str, dict[str, Entry]] = {}
    for entry in entries:
        parts = entry.name.split("/")
        for length in lengths:
            path = "/".join(parts[-length:])
            if length <= len(parts) and path in wanted:
                found.setdefault("/".join(parts[:-length]), {})[path] = entry
    if len(found) == 1:
        return next(iter(found.values()))
    files = f"{listed[0]}, and {len(listed) - 1:,} others,"
    if not found:
        raise UserError(f"{label}: no file is what {name} lists. Looked for: {files} below any folder. {contents(entries)}")
    places = [f"{folder or 'its top'} ({len(files):,})" for folder, files in sorted(found.items())]
    raise UserError(
        f"{label}: the files that {name} lists, {files} are found in {len(found)} places: {some_of(places, 4, '; ')}. "
        "Which of them is meant cannot be known: unpack it, and leave one"
    )


_UNLISTED = "images that neither list names"
_MIT_LISTS, _SUB_LISTS = frozenset(mit_indoor.LISTS.values()), frozenset(sub_imagenet.LISTS.values())
_ALL = (
    Dataset(INTEL, intel.intel, intel.listed, frozenset(), plan_intel, "images of neither split, as in seg_pred"),
    Dataset(MIT_INDOOR, mit_indoor.mit_indoor, mit_indoor.listed, _MIT_LISTS, plan_mit_indoor, _UNLISTED),
    Dataset(SUB_IMAGENET, sub_imagenet.sub_imagenet, sub_imagenet.listed, _SUB_LISTS, plan_sub_imagenet, _UNLISTED),
)
DATASETS = {dataset.facts.name: dataset for dataset in _ALL}
