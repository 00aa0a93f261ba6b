"""torchvision's datasets: each one's files written here as their publishers lay them out, and read through its own class."""

from __future__ import annotations

import inspect
import pickle
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torchvision.datasets as datasets
from torchvision.datasets import utils

from tests.support.configs import composed
from tests.support.torchvision_files import COUNTS, SPLITS, WRITERS
from wisesr.build.data import build_listing, build_manifest
from wisesr.config.check import check
from wisesr.config.options import conf_dir
from wisesr.data import torchvision_source
from wisesr.data.manifest import Manifest
from wisesr.data.torchvision_source import torchvision
from wisesr.data.torchvision_table import REFUSED, SOURCES
from wisesr.errors import UserError

IN_FILES = sorted(
    set(SOURCES)
    - {"CIFAR10", "CIFAR100", "EMNIST", "FER2013", "FakeData", "FashionMNIST", "KMNIST", "MNIST", "PCAM", "QMNIST", "SEMEION"}
    - {"STL10", "SVHN", "USPS"}
)


@pytest.fixture(autouse=True)
def _any_checksum(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few pictures are not the published archive."""
    monkeypatch.setattr(utils, "check_md5", lambda *_, **__: True)


def written(key: str, root: Path) -> tuple[Manifest, Any]:
    if key == "PCAM":
        pytest.importorskip("h5py")
    meant = WRITERS[key](root)
    return torchvision(source=key.split()[0], root=str(root), variant=meant.variant), meant


def test_every_dataset_is_written() -> None:
    assert {key.split()[0] for key in WRITERS} | {"FakeData"} == set(SOURCES)


@pytest.mark.parametrize("key", WRITERS)
def test_images_labels_and_splits(key: str, tmp_path: Path) -> None:
    manifest, meant = written(key, tmp_path)
    assert list(manifest.class_names) == list(meant.names)
    seen: Counter[tuple[str, str]] = Counter()
    for index in range(len(manifest)):
        image = np.asarray(manifest.load(index))
        height, width, channels = image.shape
        assert channels == 3
        assert image[: height // 16, : width // 8].max() < 20, "the dark corner is above and left"
        label, split = divmod(round(float(image[height // 2 :].mean())) - 4, 30)
        assert manifest.class_names[manifest.labels[index]] == meant.names[label]
        assert manifest.splits[index] == meant.splits[split // 8]
        seen[SPLITS[split // 8], meant.names[label]] += 1
    per_split = {split: count for split, count in COUNTS.items() if any(at == split for at, _ in seen)}
    batches = 5 if key == "CIFAR10" else 1
    breeds = {"Cat": 2, "Dog": 1} if key.endswith("binary") else dict.fromkeys(meant.names, 1)
    assert seen == {
        (split, name): count * breeds[name] * (batches if split == "train" else 1)
        for split, count in per_split.items()
        for name in meant.names
    }


@pytest.mark.parametrize("key", WRITERS)
def test_the_pixels_are_those_of_torchvision(key: str, tmp_path: Path) -> None:
    manifest, meant = written(key, tmp_path)
    name = key.split()[0]
    known = SOURCES[name]
    parts = known.variants[meant.variant or next(iter(known.variants))]
    made = [getattr(datasets, name)(root=str(tmp_path), **part.arguments) for part in parts]
    theirs = Counter(dataset[index][0].convert("RGB").tobytes() for dataset in made for index in range(len(dataset)))
    assert Counter(manifest.load(index).tobytes() for index in range(len(manifest))) == theirs


@pytest.mark.parametrize("key", [key for key in WRITERS if key.split()[0] in IN_FILES])
def test_files_are_named_below_the_root_and_are_checked(key: str, tmp_path: Path) -> None:
    manifest, meant = written(key, tmp_path)
    assert all((tmp_path / name).is_file() for name in manifest.ids)
    dataset = {"_target_": "wisesr.data.torchvision_source.torchvision", "name": "x", "source": key.split()[0]}
    dataset |= {"root": str(tmp_path), "variant": meant.variant, "test_fraction": 0.3, "val_fraction": 0.2, "split_seed": 0}
    listing = build_listing({"dataset": dataset, "protocol": "paper"})
    assert sorted(row.path for row in listing.rows) == sorted(manifest.ids)
    labels = {name: manifest.class_names[label] for name, label in zip(manifest.ids, manifest.labels, strict=True)}
    assert {row.path: row.label for row in listing.rows} == labels
    assert not listing.refused


@pytest.mark.parametrize("key", ["SVHN", "QMNIST", "USPS"])
def test_of_arrays_there_is_nothing_to_check(key: str, tmp_path: Path) -> None:
    _, meant = written(key, tmp_path)
    with pytest.raises(UserError, match=f"the images of {key} are no files: there is nothing to check"):
        torchvision_source.listed(source=key, root=str(tmp_path), variant=meant.variant)


def test_the_disks_order_is_no_property_of_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Omniglot numbers its classes by it, SUN397 and iNaturalist their images."""
    import os

    manifests = []
    for key, turn in [(key, turn) for key in ("Omniglot", "SUN397", "INaturalist") for turn in (False, True)]:
        root = tmp_path / f"{key}{turn}"
        root.mkdir()
        with monkeypatch.context() as patch:
            own = os.listdir
            patch.setattr(os, "listdir", lambda *a, own=own, turn=turn: sorted(own(*a), reverse=turn))
            scan = Path.rglob
            patch.setattr(Path, "rglob", lambda *a, scan=scan, turn=turn: iter(sorted(scan(*a), reverse=turn)))
            manifests.append(written(key, root)[0])
    for one, other in zip(manifests[::2], manifests[1::2], strict=True):
        assert (list(one.ids), list(one.labels), one.class_names) == (list(other.ids), list(other.labels), other.class_names)


def test_pixels_are_hashed_and_files_are_left_to_the_cache(tmp_path: Path) -> None:
    manifest, _ = written("KMNIST", tmp_path)
    assert manifest.hashed
    assert len({bytes(row) for row in np.asarray(manifest.digests)}) == 2 * 3 * 2, "two pictures of each class and split"
    assert manifest.fingerprint() != written("FashionMNIST", tmp_path)[0].fingerprint()
    assert not written("GTSRB", tmp_path)[0].hashed


def test_workers_get_it(tmp_path: Path) -> None:
    for key in ("STL10", "Food101"):
        manifest, _ = written(key, tmp_path)
        assert pickle.loads(pickle.dumps(manifest.load))(5).tobytes() == manifest.load(5).tobytes()


def test_noise_to_try_things_with() -> None:
    manifest = torchvision(source="FakeData", root="nowhere")
    theirs = datasets.FakeData(1000, (3, 64, 64), 10)
    for index in (0, 999):
        image, label = theirs[index]
        assert (manifest.load(index).tobytes(), manifest.class_names[manifest.labels[index]]) == (image.tobytes(), str(label))


def test_classes_without_images_are_left_out_and_said(tmp_path: Path) -> None:
    manifest, _ = written("Flowers102", tmp_path)
    (said,) = manifest.notes.hints
    assert said.startswith("Flowers102 has no image of 99 of its 102 classes: sweet pea, english marigold,")


def test_arguments_are_those_of_the_classes() -> None:
    """What an upgrade renames shows here; a class that takes anything hands it to one that it is made from."""
    for name, source in SOURCES.items():
        made = getattr(datasets, name)
        accepted: set[str] = set()
        for base in made.__mro__:
            if "__init__" in vars(base):
                parameters = inspect.signature(base.__init__).parameters
                accepted |= set(parameters)
                if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
                    break
        for variant, parts in source.variants.items():
            assert len({part.name for part in parts}) == len(parts), (name, variant)
            for part in parts:
                assert {*part.arguments, *source.takes} <= accepted, (name, variant)
        assert ("download" in source.takes) is not bool(source.by_hand) or name == "FakeData"


def test_every_dataset_of_torchvision_is_taken_or_refused() -> None:
    assert not set(SOURCES) & set(REFUSED)
    assert set(SOURCES) | set(REFUSED) == {name for name in datasets.__all__ if inspect.isclass(getattr(datasets, name))}


def test_the_yaml_names_them_all() -> None:
    text = (conf_dir() / "dataset" / "torchvision.yaml").read_text()
    words = set(text.replace(",", " ").replace(";", " ").split())
    assert set(SOURCES) <= words
    assert {variant for name, source in SOURCES.items() if name != "DTD" for variant in source.variants if variant} <= words


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"source": "Flowers103"}, "no classification dataset of torchvision is called 'Flowers103'. Did you mean Flowers102"),
        ({"source": "fashionmnist"}, "torchvision calls it FashionMNIST: dataset.source=FashionMNIST$"),
        ({"source": "imagefolder"}, "torchvision calls it ImageFolder"),
        ({"source": "ImageFolder"}, "dataset=folder dataset.root=FOLDER"),
        ({"source": "CocoDetection"}, "cannot be taken: it has boxes"),
        ({"source": "Cityscapes"}, "a class a pixel"),
        ({"source": "Kinetics"}, "of video"),
        ({"source": "Sintel"}, "of motion"),
        ({"source": "EMNIST"}, "dataset.variant of EMNIST must be given: balanced, byclass"),
        ({"source": "EMNIST", "variant": "lettres"}, "must be one of these, not 'lettres': balanced"),
        ({"source": "DTD", "variant": 0}, "dataset.variant of DTD must be one of these, not 0: 1, 2,"),
        ({"source": "GTSRB", "variant": "x"}, "GTSRB has no variants: leave it out"),
        ({"source": "Country211"}, "not whole, below .*nowhere: add dataset.download=true, or dataset.root=FOLDER"),
        ({"source": "USPS"}, "No such file.*usps.bz2'.: add dataset.download=true"),
        ({"source": "Places365"}, "categories_places365.txt does not exist or is corrupted.: add dataset.download=true"),
        ({"source": "StanfordCars"}, "torchvision cannot download it: its site is gone"),
        ({"source": "StanfordCars", "download": True}, "torchvision cannot download it: its site is gone"),
        ({"source": "ImageNet"}, "ILSVRC2012_img_train.tar"),
        ({"source": "FER2013"}, "belongs in fer2013"),
    ],
)
def test_what_is_wrong_is_told(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        torchvision(root=str(tmp_path / "nowhere"), **settings)


def test_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(UserError, match="dataset.source=PCAM needs the package h5py: pip install h5py$"):
        torchvision(source="PCAM", root=str(tmp_path))


def test_damaged_and_missing_files(tmp_path: Path) -> None:
    manifest, _ = written("RenderedSST2", tmp_path)
    (tmp_path / manifest.ids[3]).write_text("no image")
    with pytest.raises(UserError, match="not an image that can be read"):
        manifest.load(3)
    skipped = torchvision(source="RenderedSST2", root=str(tmp_path), on_bad_image="skip")
    assert list(skipped.left_out) == [manifest.ids[3]]
    assert list(skipped.ids) == [name for name in manifest.ids if name != manifest.ids[3]]
    _, meant = written("DTD", tmp_path)
    (tmp_path / "dtd" / "dtd" / "images" / "braided" / "test_8.jpg").unlink()
    with pytest.raises(UserError, match=r"dataset.source=DTD lists what is not there: .*braided/test_8.jpg$"):
        torchvision(source="DTD", root=str(tmp_path), variant=meant.variant)
    written("CIFAR100", tmp_path)
    (tmp_path / "cifar-100-python" / "test").write_bytes(b"\x80\x04damaged")
    with pytest.raises(UserError, match="dataset.source=CIFAR100: its files below .* cannot be read"):
        torchvision(source="CIFAR100", root=str(tmp_path))


def test_labels_that_no_file_has(tmp_path: Path) -> None:
    (tmp_path / "fer2013").mkdir()
    pixels = " ".join(["7"] * 48 * 48)
    (tmp_path / "fer2013" / "train.csv").write_text(f"emotion,pixels\n0,{pixels}\n1,{pixels}\n")
    (tmp_path / "fer2013" / "test.csv").write_text(f"pixels\n{pixels}\n")
    with pytest.raises(UserError, match="test.csv has no labels: put fer2013.csv beside it"):
        torchvision(source="FER2013", root=str(tmp_path))


def test_it_downloads_only_what_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fetch(url: str, download_root: str, **_: Any) -> None:
        asked.append(url)
        WRITERS["EuroSAT"](Path(download_root).parent)

    monkeypatch.setattr(datasets.eurosat, "download_and_extract_archive", fetch)
    root = tmp_path / "new" / "root"
    for _ in range(2):
        assert len(torchvision(source="EuroSAT", root=str(root), download=True)) == 12
    assert len(asked) == 1
    shutil.rmtree(root)
    with pytest.raises(UserError, match="dataset.download=true"):
        torchvision(source="EuroSAT", root=str(root))


def test_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from urllib.error import URLError

    def refuse(*_: Any, **__: Any) -> None:
        raise URLError(OSError(-2, "Name or service not known"))

    monkeypatch.setattr(datasets.eurosat, "download_and_extract_archive", refuse)
    with pytest.raises(UserError, match=r"could not download it to .* \(no connection: Name or service not known\)"):
        torchvision(source="EuroSAT", root=str(tmp_path), download=True)


def test_from_the_command_line(tmp_path: Path) -> None:
    WRITERS["DTD"](tmp_path)
    config = composed("dataset=torchvision", "dataset.source=DTD", "dataset.variant=7", f"dataset.root={tmp_path}")
    assert check(config) == []
    made, kept = build_manifest(config), build_manifest(config)
    assert list(kept.class_names) == ["banded", "blotchy", "braided"]
    assert kept.hashed
    assert (kept.fingerprint(), list(kept.labels)) == (made.fingerprint(), list(made.labels))
    assert config["dataset"]["name"] == "DTD"
