"""The paper's datasets in their real layouts: whole copies, partial ones, and what is no copy at all."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.support.copies import intel_names, make_intel, make_mit, make_sub_imagenet, mit_names, of_classes, sub_imagenet_names
from wisesr.data.intel import intel
from wisesr.data.manifest import TEST, TRAIN, Manifest
from wisesr.data.mit_indoor import mit_indoor, official
from wisesr.data.published_facts import MIT_INDOOR, PUBLISHED, published_of
from wisesr.data.sub_imagenet import sub_imagenet
from wisesr.errors import UserError


def per_class(manifest: Manifest, split: str) -> Counter[str]:
    return Counter(manifest.class_names[manifest.labels[index]] for index in manifest.indices(split))


def test_intel_is_read_as_published(tmp_path: Path) -> None:
    manifest = intel(root=str(make_intel(tmp_path)))
    assert manifest.class_names == ["buildings", "forest", "glacier", "mountain", "sea", "street"]
    assert [per_class(manifest, TRAIN)[name] for name in manifest.class_names] == [2191, 2271, 2404, 2512, 2274, 2382]
    assert [per_class(manifest, TEST)[name] for name in manifest.class_names] == [437, 474, 553, 525, 510, 501]
    assert manifest.load(0).size == (40, 32)


def test_mit_has_its_official_split(tmp_path: Path) -> None:
    manifest = mit_indoor(root=str(make_mit(tmp_path)))
    assert (len(manifest.class_names), len(manifest.indices(TRAIN)), len(manifest.indices(TEST))) == (67, 5360, 1340)
    assert set(per_class(manifest, TRAIN).values()) == set(range(77, 84))
    assert set(per_class(manifest, TEST).values()) == set(range(17, 24))
    names = [Path(name).name for name in manifest.ids]
    assert sum(count > 1 for count in Counter(names).values()) == 38  # the same base name in several classes
    assert sum(name.endswith("_gif.jpg") for name in names) == 18
    assert "indoorCVPR_09/Images/nursery/baby's_room.jpg.jpg" in manifest.ids


def test_sub_imagenet_is_what_its_lists_say(tmp_path: Path) -> None:
    manifest = sub_imagenet(root=str(make_sub_imagenet(tmp_path)))
    assert (len(manifest.class_names), len(manifest.indices(TRAIN)), len(manifest.indices(TEST))) == (70, 31_500, 3_500)
    assert manifest.ids[0] == "n00000000/train_0.JPEG"


@pytest.mark.parametrize("below", ["indoorCVPR_09/Images", "Images", "indoorCVPR_09/indoorCVPR_09/Images"])
def test_mit_lies_where_the_archives_put_it(tmp_path: Path, below: str) -> None:
    few = of_classes(mit_names(), "bathroom", "mall")
    manifest = mit_indoor(root=str(make_mit(tmp_path, few, below)), partial=True)
    assert len(manifest) == 200
    assert manifest.class_names == ["bathroom", "mall"]


def test_a_partial_copy_is_refused_and_says_what_it_lacks(tmp_path: Path) -> None:
    root = str(make_intel(tmp_path, intel_names(0.01)))
    with pytest.raises(UserError, match=r"train has 141 images, not 14,034.*dataset.partial=true.*intel-partial"):
        intel(root=root)
    assert len(intel(root=root, partial=True)) == 141 + 30


def test_listed_files_that_are_missing_are_named_or_left_out(tmp_path: Path) -> None:
    names = mit_names()
    lost = names[TRAIN].pop()
    root = str(make_mit(tmp_path, names))
    with pytest.raises(UserError, match=rf"train has 5,359 images, not 5,360.*Missing: indoorCVPR_09/Images/{lost}"):
        mit_indoor(root=root)
    assert len(mit_indoor(root=root, partial=True)) == 6699


def test_a_whole_copy_is_not_called_a_part(tmp_path: Path) -> None:
    root = str(make_mit(tmp_path))
    with pytest.raises(
        UserError, match=r"this copy is whole, and would be called mit_indoor-partial: leave out dataset.partial"
    ):
        mit_indoor(root=root, partial=True)


def test_a_copy_with_unreadable_images_does_not_keep_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = of_classes(mit_names(), "bathroom", "mall")
    facts = MIT_INDOOR._replace(classes=2, train=len(few[TRAIN]), test=len(few[TEST]))
    monkeypatch.setattr("wisesr.data.mit_indoor.MIT_INDOOR", facts)
    monkeypatch.setattr("wisesr.data.mit_indoor.official", few.__getitem__)
    root = make_mit(tmp_path, few)
    assert len(mit_indoor(root=str(root), on_bad_image="skip")) == 200
    for name in few[TRAIN][:2]:
        path = root / "indoorCVPR_09/Images" / name
        path.unlink()
        path.write_text("no image")
    with pytest.raises(
        UserError, match=rf"2 images that cannot be read, such as .*{few[TRAIN][0]}.*not mit_indoor as published"
    ):
        mit_indoor(root=str(root), on_bad_image="skip")
    left = mit_indoor(root=str(root), partial=True, on_bad_image="skip")
    assert len(left) == 198 and len(left.left_out) == 2


def test_sub_imagenet_without_some_of_its_files(tmp_path: Path) -> None:
    few = {
        split: [name for name in names if name.startswith("n0000000")][::20] for split, names in sub_imagenet_names().items()
    }
    root = make_sub_imagenet(tmp_path, few)
    (root / few[TEST][0]).unlink()
    manifest = sub_imagenet(root=str(root), partial=True)
    assert len(manifest) == len(few[TRAIN]) + len(few[TEST]) - 1


@pytest.mark.parametrize("beside", [".", "indoorCVPR_09"])
def test_other_lists_of_mit_are_refused_and_not_ignored(tmp_path: Path, beside: str) -> None:
    root = make_mit(tmp_path, of_classes(mit_names(), "bathroom", "mall"))
    listing = root / beside / "TrainImages.txt"
    listing.write_text("\n".join(reversed(official(TRAIN))))
    assert mit_indoor(root=str(root), partial=True)
    listing.write_text("\n".join(official(TRAIN)[:-1]))
    with pytest.raises(UserError, match=rf"{listing} is not the official list.*dataset=folder"):
        mit_indoor(root=str(root), partial=True)
    listing.write_bytes(b"caf\xe9/1.jpg\n")
    with pytest.raises(UserError, match=rf"{listing} cannot be read as a list in UTF-8"):
        mit_indoor(root=str(root), partial=True)


@pytest.mark.parametrize(
    ("read", "lacks"), [(intel, "seg_train/seg_train"), (mit_indoor, "Images"), (sub_imagenet, "train.csv")]
)
def test_another_layout_is_no_copy(tmp_path: Path, read: type, lacks: str) -> None:
    with pytest.raises(UserError, match=f"is no copy of {read.__name__}: it has no .*{lacks}"):
        read(root=str(tmp_path))
    with pytest.raises(UserError, match=f"there is no folder .*wisesr data prepare {read.__name__}"):
        read(root=str(tmp_path / "none"))


def test_what_is_published_is_not_said_of_a_users_own_dataset() -> None:
    assert published_of("wisesr.data.mit_indoor.mit_indoor") == MIT_INDOOR
    assert published_of("mine.intel") is None and published_of("wisesr.data.folder.folder") is None


def test_the_lists_are_the_official_ones() -> None:
    """Counts of the dataset's page; no name in both."""
    assert len(set(official(TRAIN))) == PUBLISHED["mit_indoor"].train
    assert len(set(official(TEST))) == PUBLISHED["mit_indoor"].test
    assert not set(official(TRAIN)) & set(official(TEST))
    counts = PUBLISHED["intel"].per_class.values()
    assert (sum(train for train, _ in counts), sum(test for _, test in counts)) == (14_034, 3_000)
