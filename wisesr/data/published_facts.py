"""What is published of the paper's three datasets, and copies held against it. No torch.

Intel's counts a class and all totals are those of the datasets' pages; MIT's split is its official lists, which ship with this
package. Of Sub-ImageNet-70 only the totals are known: its classes are what its CSV files say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from wisesr.data.listing import Listing, Row, to_manifest
from wisesr.data.manifest import TEST, TRAIN, Manifest
from wisesr.errors import UserError
from wisesr.wording import count_of, some_of

_SHOWN = 5


class Published(NamedTuple):
    """The published facts of a dataset."""

    name: str
    classes: int
    train: int
    """Images."""
    test: int
    kaggle: str
    """Owner and name there."""
    per_class: Mapping[str, tuple[int, int]] = {}
    """Class -> images of train and test; empty where that is not known."""


INTEL = Published(
    "intel",
    classes=6,
    train=14_034,
    test=3_000,
    kaggle="puneet6060/intel-image-classification",
    per_class={
        "buildings": (2191, 437),
        "forest": (2271, 474),
        "glacier": (2404, 553),
        "mountain": (2512, 525),
        "sea": (2274, 510),
        "street": (2382, 501),
    },
)
MIT_INDOOR = Published("mit_indoor", classes=67, train=5_360, test=1_340, kaggle="itsahmad/indoor-scenes-cvpr-2019")
SUB_IMAGENET = Published("sub_imagenet", classes=70, train=31_500, test=3_500, kaggle="mohammadrahimzadeh/imagenet-70classes")
PUBLISHED = {facts.name: facts for facts in (INTEL, MIT_INDOOR, SUB_IMAGENET)}


def published_of(target: str) -> Published | None:
    """What is published of the dataset that a `_target_` names; None of a user's own, whatever it is called."""
    return next((facts for name, facts in PUBLISHED.items() if target == f"wisesr.data.{name}.{name}"), None)


def require_folder(facts: Published, root: str) -> Path:
    """The folder of a copy; raises UserError if there is none."""
    base = Path(root)
    if not base.is_dir():
        raise UserError(f"dataset.root: there is no folder {base}. To make it: wisesr data prepare {facts.name} --help")
    return base


class Count(NamedTuple):
    """Images of a class in a split, or of all classes."""

    split: str
    label: str
    """Empty for all classes."""
    here: int
    published: int


def counts(facts: Published, rows: Sequence[Row], missing: Sequence[Row] = ()) -> list[Count]:
    """A copy's counts beside the published ones: of each split, then of its classes where those are known.

    Where listed images are missing, the lists tell the counts a class that are not among the facts.
    """
    here = Counter((row.split, row.label) for row in rows)
    wanted = {(split, label): both[split == TEST] for label, both in facts.per_class.items() for split in (TRAIN, TEST)}
    if missing and not facts.per_class:
        wanted = here + Counter((row.split, row.label) for row in missing)
    found = []
    for split, total in ((TRAIN, facts.train), (TEST, facts.test)):
        found.append(Count(split, "", sum(count for (row_split, _), count in here.items() if row_split == split), total))
        labels = sorted({label for row_split, label in [*here, *wanted] if row_split == split}) if wanted else []
        found += [Count(split, label, here[split, label], wanted.get((split, label), 0)) for label in labels]
    return found


def differences(facts: Published, rows: Sequence[Row]) -> list[str]:
    """How a copy's counts differ from the published ones, a phrase each; empty where they do not."""
    found = []
    for split, label, here, published in counts(facts, rows):
        if here != published:
            found.append(
                f"{split}/{label} {here:,}, not {published:,}" if label else f"{split} has {here:,} images, not {published:,}"
            )
    if (classes := len({row.label for row in rows})) != facts.classes:
        found.append(f"{classes} classes, not {facts.classes}")
    return found


def read_copy(facts: Published, listing: Listing, *, partial: bool, on_bad_image: Literal["error", "skip"]) -> Manifest:
    """The manifest of a copy that is what it is called: the published dataset, or `partial`, a part of it.

    Args:
        facts: of the dataset.
        listing: files of the copy.
        partial: whether it is a part of the dataset, called so: other counts than the published ones, or images left out as
            unreadable. Needed for such a copy, refused for a whole one.
        on_bad_image: as in `wisesr.data.folder.folder`.

    Raises:
        UserError: it is another than the published one, and `partial` is false; it is the published one, and `partial` is
            true; there are no images at all.
    """
    name = facts.name
    if not listing.rows:
        raise UserError(f"{listing.base} holds no image of {name}. The layout of a copy: data/README.md")
    found = shortfall(facts, listing.rows, [row.path for row in listing.missing])
    if found and not partial:
        raise UserError(
            f"{listing.base} is not {name} as published: {found} Complete it (wisesr data prepare {name}, wisesr data check "
            f"{name}), or take what is there with dataset.partial=true, which calls it {name}-partial"
        )
    manifest = to_manifest(listing, on_bad_image)
    bad = manifest.left_out
    if bad and not partial:
        raise UserError(
            f"{listing.base} has {count_of(len(bad), 'image')} that cannot be read, such as {bad[0]}: with "
            f"{'them' if len(bad) > 1 else 'it'} left out, this is not {name} as published. Replace what cannot be read "
            f"(wisesr data check {name} names it), or add dataset.partial=true, which calls the rest {name}-partial"
        )
    if partial and not found and not bad:
        raise UserError(f"{listing.base}: {whole_not_partial(facts)}")
    return manifest


def whole_not_partial(facts: Published) -> str:
    """What is to be said where `partial` is true of a copy that is whole."""
    return f"this copy is whole, and would be called {facts.name}-partial: leave out dataset.partial=true"


def shortfall(facts: Published, rows: Sequence[Row], missing: Sequence[str] = ()) -> str:
    """In what a copy differs from the published dataset, as sentences; empty where it does not."""
    both = (("", differences(facts, rows)), ("Missing: ", missing))
    return " ".join(f"{start}{some_of(names, _SHOWN, '; ')}." for start, names in both if names)
