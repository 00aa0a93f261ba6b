"""Questions about folders that look like splits and are used as none, with the overrides that say what they are. No torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from wisesr.data.folder_tree import Tree, is_below
from wisesr.data.manifest import SPLITS, TEST, TRAIN, VAL
from wisesr.data.overrides import leave_out, override, overrides
from wisesr.data.root_problems import archives
from wisesr.data.split_shape import image_folders, label_of, labels_in, listed, unwrapped
from wisesr.data.split_words import Likeness, alike, is_split_word, meant, speaks_of_split
from wisesr.errors import UserError

_ALL_CLASSES = f"{override('dataset.train', None)} takes all folders for classes"
_SHOWN = 5


def ask_for_train(tree: Tree, used: Mapping[str, str]) -> None:
    """Stop where there is no training split and some folders look like splits."""
    others = [name for name in tree.folders[""].folders if not _is_used(name, used)]
    if used:
        ways = "; or ".join([*_ways_to_train(tree, used, others), _ALL_CLASSES])
        raise UserError(f"{tree.base} holds {listed(list(used))} but no train: {ways}")
    if found := _doubtful(tree, others):
        looks = "look like splits and not like classes" if len(found) > 1 else "looks like a split and not like a class"
        ways = _as_splits(tree, found, others) if any(labels_in(tree, name) for name in found) else _flat(tree, found, others)
        raise UserError(f"{tree.base}: {listed(list(found))} {looks}{ways}; or {_ALL_CLASSES}")


def _ways_to_train(tree: Tree, used: Mapping[str, str], others: Sequence[str]) -> list[str]:
    """Overrides that name a training split beside another one."""
    labels = set[str]().union(*(labels_in(tree, folder) for folder in used))
    with_images = _with_images(tree, others)
    if len(labels & set(map(label_of, with_images))) > 1:
        return [f"{override('dataset.train', '.')} takes {listed(with_images)} for the classes of the training split"]
    if likely := [name for name in with_images if meant(name) == TRAIN]:
        return [choice(tree, TRAIN, likely[0], likely[1:])]
    structured = [name for name in with_images if len(labels_in(tree, name)) > 1 and not speaks_of_split(name)]
    if len(structured) == 1:
        return [override("dataset.train", structured[0])]
    if with_images or not any(labels_in(tree, folder) for folder in used):
        return []
    only, split = next((folder, split) for folder, split in used.items() if labels_in(tree, folder))
    return [f"{overrides({'dataset.train': only, f'dataset.{split}': None})} trains on {only}"]


def _doubtful(tree: Tree, names: Sequence[str]) -> dict[str, Likeness]:
    """Folders that look like splits: by their names alone, or as they also hold folders that others hold, or are called by."""
    labels = {name: labels_in(tree, unwrapped(tree, name)) for name in _with_images(tree, names)}
    spoken = {name: split for name in labels if labels[name] and (split := meant(name))}
    found = {name: Likeness(split, False) for name, split in spoken.items()} if len(set(spoken.values())) > 1 else {}
    found |= alike(list(labels))
    count = Counter([*(label for inner in labels.values() for label in inner), *map(label_of, names)])
    shared = {name for name in found if any(count[label] > 1 for label in labels[name])}
    several = {name for name in found if labels[name] and all(map(is_split_word, labels[name]))}  # each has splits of its own
    return {name: likeness for name, likeness in found.items() if likeness.sure or (name in shared and name not in several)}


def _with_images(tree: Tree, names: Collection[str]) -> list[str]:
    return [name for name in image_folders(tree, "") if name in names]


def _flat(tree: Tree, found: Collection[str], others: Sequence[str]) -> str:
    """What to do with folders of images that nothing tells the classes of."""
    what = f", and {'hold' if len(found) > 1 else 'holds'} no folders of classes, so nothing says what the images show"
    rest = [name for name in _with_images(tree, others) if name not in found]
    without = f"; {leave_out(tree.left_out, list(found))} does without" if len(rest) > 1 else ""
    return f"{what}: a CSV file can (dataset.csv){without}"


def _as_splits(tree: Tree, found: Mapping[str, Likeness], others: Sequence[str]) -> str:
    """Overrides that take folders for splits, by what their names speak of or in their order."""
    by_split: dict[str, str] = {}
    for name, likeness in found.items():
        if likeness.split:
            by_split.setdefault(likeness.split, name)
    for name in found:  # parts of a whole: any may be trained on, and any other tested
        free = [split for split in (TRAIN, TEST) if split not in by_split]
        if free and found[name].split is None:
            by_split[free[0]] = name
    if TRAIN not in by_split:
        rest = [name for name in others if name not in found]
        nested = [name for name in rest if labels_in(tree, name)]
        if not rest or (by_split.keys() == {VAL} and not nested):
            return f": {leave_out(tree.left_out, list(found))} does without"
        by_split[TRAIN] = nested[0] if len(nested) == 1 and len(rest) == 1 else "."
    chosen = {f"dataset.{split}": by_split[split] for split in SPLITS if split in by_split}
    more = [name for name in found if name not in by_split.values()]
    return ": " + " ".join([overrides(chosen), *([leave_out(tree.left_out, more)] if more else [])])


def ask_about_others(tree: Tree, used: Mapping[str, str], declined: Collection[str]) -> None:
    """Stop where a folder beside the training split looks like another one."""
    free = [split for split in (VAL, TEST) if split not in used.values() and split not in declined]
    train = next(folder for folder, split in used.items() if split == TRAIN)
    labels = set(map(label_of, image_folders(tree, unwrapped(tree, train) if train else "")))
    found: dict[str, str] = {}
    for name in image_folders(tree, ""):
        same = len(labels_in(tree, unwrapped(tree, name)) & labels) > 1
        if _is_used(name, used) or (train == "" and not same and not is_split_word(name)):
            continue
        split = meant(name)
        if split is None and same and (train == "" or TEST in free):
            split = TEST  # its name says nothing, but it holds the very classes
        if split is not None and (split not in declined or train == ""):
            found[name] = split
    if found:
        raise UserError(_say_what_they_are(tree, used, found, free))
    packed = [name for name in archives(tree.folders[""].files) if meant(name.partition(".")[0]) in free]
    packed = packed if TEST in free else []  # without a val split, images are held out of the training split: no harm
    if packed:
        without = leave_out(tree.left_out, packed)
        raise UserError(f"{tree.base / packed[0]} would be left out: unpack it; or {without} does without")


def _say_what_they_are(tree: Tree, used: Collection[str], found: Mapping[str, str], free: Sequence[str]) -> str:
    names = list(found)
    likely = {name: split for name, split in found.items() if split in free}
    if len(names) == 1:
        own = found[names[0]]
        ways = [override(f"dataset.{split}", names[0]) for split in sorted(free, key=lambda split: split != own)]
    elif likely and len(set(likely.values())) == len(likely):
        rest = [name for name in names if name not in likely]
        chosen = overrides({f"dataset.{split}": name for name, split in likely.items()})
        ways = [" ".join([chosen, *([leave_out(tree.left_out, rest)] if rest else [])])]
    else:
        ways = [choice(tree, split, name, [other for other in names if other != name]) for name, split in likely.items()]
    without = f"{leave_out(tree.left_out, names)} does without {'it' if len(names) == 1 else 'them'}"
    say = f"say what {'it is' if len(names) == 1 else 'they are'}, with {', or '.join(ways)}" if ways else ""
    more_to_train_on = all(split == TRAIN for split in found.values())  # never to be tested on by the first override at hand
    if "" in used and more_to_train_on:
        as_class = "it for a class" if len(names) == 1 else "all for classes"
        say += f"{', or ' if say else ''}{override('dataset.train', './')} takes {as_class}"
    ways = [way for way in ((without, say) if more_to_train_on else (say, without)) if way]
    where = " and ".join(str(tree.base / name) for name in names[:_SHOWN]) + (" and others" if len(names) > _SHOWN else "")
    return f"{where} would be {'no split' if '' in used else 'left out'}: {', or '.join(ways)}"


def _is_used(name: str, used: Collection[str]) -> bool:
    return any(folder and is_below(folder, name) for folder in used)


def choice(tree: Tree, split: str, name: str, others: Sequence[str]) -> str:
    """A folder as a split, without others that might be it as well."""
    return " ".join([override(f"dataset.{split}", name), *([leave_out(tree.left_out, others)] if others else [])])
