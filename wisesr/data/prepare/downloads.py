"""The three datasets as they are downloaded, and where each file goes so that `wisesr.data` reads it. No torch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from wisesr.data import intel, mit_indoor, sub_imagenet
from wisesr.data.image_formats import is_image
from wisesr.data.image_list import read_rows
from wisesr.data.listing import Listing, Row
from wisesr.data.manifest import Manifest
from wisesr.data.mit_indoor import IMAGES, official
from wisesr.data.prepare.copy_plan import Plan, ambiguous, contents, one_root
from wisesr.data.prepare.source import Entry, Source
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
    plan: Callable[[Source], Plan]
    """What goes where. Raises UserError where the dataset is not found."""
    unlisted: str
    """What images of the download are that do not belong to the dataset."""


def plan_intel(source: Source) -> Plan:
    """`seg_train/seg_train/<class>/*` and `seg_test/seg_test/<class>/*` below any folder."""
    roots, copies, rows = set(), {}, []
    for entry in source.entries:
        for split, folder in intel.FOLDERS.items():
            above, found, below = f"/{entry.name}".rpartition(f"/{folder}/")
            if found and "/" in below and is_image(below):
                roots.add(above[1:])
                rows.append(Row(f"{folder}/{below}", below.split("/")[0], split))
                copies[rows[-1].path] = entry
    looked_for = " and ".join(f"{folder}/<class>/<image>" for folder in intel.FOLDERS.values())
    return Plan(one_root(source, roots, looked_for), copies, {}, rows)


def plan_mit_indoor(source: Source) -> Plan:
    """The listed images of `Images/<class>/*` below any folder, or of `<class>/*` at the top; the lists are the package's."""
    listed = {name: split for split in mit_indoor.LISTS for name in official(split)}
    splits = {name: split for split, name in mit_indoor.LISTS.items()}
    found: dict[str, Entry] = {}
    roots = set()
    for entry in source.entries:
        parts = entry.name.split("/")
        name, above = "/".join(parts[-2:]), parts[:-2]
        if name in listed and above[-1:] in (["Images"], []):
            found[name] = entry
            roots.add("/".join(above))
        elif parts[-1] in splits:
            _check_list(source, entry, splits[parts[-1]])
    root = one_root(source, roots, "Images/<class>/<image> of the official lists")
    rows = {name: Row(f"{IMAGES[0]}/{name}", name.split("/")[0], split) for name, split in listed.items()}
    return Plan(
        root,
        copies={rows[name].path: entry for name, entry in found.items()},
        texts={name: "\n".join(official(split)).encode() for split, name in mit_indoor.LISTS.items()},
        rows=[rows[name] for name in found],
        missing=sorted(row.path for name, row in rows.items() if name not in found),
    )


def _check_list(source: Source, entry: Entry, split: str) -> None:
    lines = source.read_list(entry).decode(errors="replace").splitlines()
    if sorted(line.strip() for line in lines if line.strip()) != sorted(official(split)):
        raise UserError(
            f"{source.label}: {entry.name} is not the official list of the {split} split ({len(official(split)):,} names). A "
            "split of your own: unpack it, and use dataset=folder with dataset.csv"
        )


def plan_sub_imagenet(source: Source) -> Plan:
    """`train.csv` and `test.csv` in one folder, and wherever their files are: that is found by the files' names."""
    lists_of: dict[str, dict[str, Entry]] = defaultdict(dict)
    for entry in source.entries:
        folder, _, name = entry.name.rpartition("/")
        if name in sub_imagenet.LISTS.values():
            lists_of[folder][name] = entry
    both = [folder for folder, lists in lists_of.items() if len(lists) == len(sub_imagenet.LISTS)]
    root = one_root(source, both, f"{' and '.join(sub_imagenet.LISTS.values())} side by side")
    plan = Plan(root, {}, {name: source.read_list(entry) for name, entry in lists_of[root].items()}, [])
    missing: list[str] = []
    for split, name in sub_imagenet.LISTS.items():
        listed = [row._replace(split=split) for row in read_rows(plan.texts[name], f"{source.label}: {name}", split)]
        found = _find_listed([row.path for row in listed], source, name)
        for path, entry in found.items():
            if plan.copies.setdefault(path, entry) is not entry:
                raise ambiguous(f"{source.label}: {path} is in both lists, {plan.copies[path].name} and {entry.name}")
        plan.rows.extend(row for row in listed if row.path in found)
        missing.extend(row.path for row in listed if row.path not in found)
    return plan._replace(missing=sorted(missing))


def _find_listed(listed: Sequence[str], source: Source, name: str) -> dict[str, Entry]:
    """The entries that a list's filenames mean: those below the one folder that they are relative to."""
    wanted = set(listed)
    lengths = {path.count("/") + 1 for path in wanted}
    found: dict[str, dict[str, Entry]] = defaultdict(dict)
    for entry in source.entries:
        parts = entry.name.split("/")
        for length in lengths:
            path = "/".join(parts[-length:])
            if length <= len(parts) and path in wanted:
                found["/".join(parts[:-length])][path] = entry
    files = some_of(listed, 1)
    if not found:
        raise UserError(
            f"{source.label}: no file is what {name} lists. Looked for, below any folder: {files}. {contents(source)}"
        )
    if len(found) > 1:
        places = [f"{folder or 'its top'} ({len(entries):,})" for folder, entries in sorted(found.items())]
        where = f"are found in {len(found)} places: {some_of(places, 4, '; ')}"
        raise ambiguous(f"{source.label}: the files that {name} lists, {files}, {where}")
    return found.popitem()[1]


_UNLISTED = "images that neither list names"
_ALL = (
    Dataset(INTEL, intel.intel, intel.listed, plan_intel, "images of neither split, as in seg_pred"),
    Dataset(MIT_INDOOR, mit_indoor.mit_indoor, mit_indoor.listed, plan_mit_indoor, _UNLISTED),
    Dataset(SUB_IMAGENET, sub_imagenet.sub_imagenet, sub_imagenet.listed, plan_sub_imagenet, _UNLISTED),
)
DATASETS = {dataset.facts.name: dataset for dataset in _ALL}
