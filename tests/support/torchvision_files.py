"""The files of torchvision's datasets as their publishers lay them out, a few pictures each, without torchvision's help.

The brightness of a picture says what it is: 30 a class, 8 a split (train, val, test), and a few more. Its upper left is dark.
"""

from __future__ import annotations

import bz2
import csv
import json
import pickle
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.io
import torch
from numpy.typing import NDArray
from PIL import Image

COUNTS = {"train": 4, "val": 2, "test": 3}
"""Pictures of a class in a split."""
SPLITS = ("train", "val", "test")


class Written(NamedTuple):
    """What the files mean."""

    names: tuple[str, ...]
    """Of the classes, as the publisher numbers them."""
    splits: tuple[str, ...] = ("train", "val", "test")
    """What each written split is to wisesr."""
    variant: str | None = None


def brightness(label: int, split: str) -> int:
    return 30 * label + 8 * SPLITS.index(split) + 4


def pixels(label: int, split: str, index: int, size: int = 32) -> NDArray[np.uint8]:
    """(size, size), and another for each index."""
    made = np.full((size, size), brightness(label, split) + index % 2, np.uint8)
    made[: size // 8, : size // 4] = 0
    return made


def save(path: Path, label: int, split: str, index: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    grey = pixels(label, split, index)
    Image.fromarray(grey if path.suffix == ".pgm" else np.stack([grey] * 3, axis=2)).save(path)


def rows(split: str, classes: int = 3) -> Iterator[tuple[int, int]]:
    """(label, index), index counting on over all classes."""
    for index, label in enumerate(np.repeat(range(classes), COUNTS[split]).tolist()):
        yield label, index


def stack(split: str, size: int, classes: int = 3) -> tuple[NDArray[np.uint8], list[int]]:
    found = list(rows(split, classes))
    return np.stack([pixels(label, split, index, size) for label, index in found]), [label for label, _ in found]


def colour(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(n, 3, h, w)"""
    return np.stack([grey] * 3, axis=1)


def text(path: Path, lines: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(lines if isinstance(lines, str) else "".join(f"{line}\n" for line in lines), encoding="utf-8")


def cifar(root: Path, folder: str, batches: dict[str, str], labels: str, meta: str, key: str) -> Written:
    names = ("airplane", "automobile", "bird")
    (root / folder).mkdir()
    for name, split in batches.items():
        data, numbers = stack(split, 32)
        entry = {"data": colour(data).reshape(len(data), -1), labels: numbers}
        (root / folder / name).write_bytes(pickle.dumps(entry))
    (root / folder / meta).write_bytes(pickle.dumps({key: list(names)}))
    return Written(names, ("train", "", "test"))


def cifar10(root: Path) -> Written:
    batches = {f"data_batch_{number}": "train" for number in range(1, 6)} | {"test_batch": "test"}
    return cifar(root, "cifar-10-batches-py", batches, "labels", "batches.meta", "label_names")


def cifar100(root: Path) -> Written:
    return cifar(root, "cifar-100-python", {"train": "train", "test": "test"}, "fine_labels", "meta", "fine_label_names")


def idx(path: Path, array: NDArray[Any]) -> None:
    kind = {"uint8": 0x08, "int32": 0x0C}[str(array.dtype)]
    path.parent.mkdir(parents=True, exist_ok=True)
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape)
    path.write_bytes(head + array.astype(array.dtype.newbyteorder(">")).tobytes())


def mnist(folder: str, *names: str) -> Callable[[Path], Written]:
    def write(root: Path) -> Written:
        for prefix, split in (("train", "train"), ("t10k", "test")):
            data, labels = stack(split, 28)
            idx(root / folder / "raw" / f"{prefix}-images-idx3-ubyte", data)
            idx(root / folder / "raw" / f"{prefix}-labels-idx1-ubyte", np.array(labels, np.uint8))
        return Written(names, ("train", "", "test"))

    return write


def emnist(root: Path) -> Written:
    for split in ("train", "test"):
        data, labels = stack(split, 28)
        idx(root / "EMNIST" / "raw" / f"emnist-letters-{split}-images-idx3-ubyte", data)
        idx(root / "EMNIST" / "raw" / f"emnist-letters-{split}-labels-idx1-ubyte", np.array(labels, np.uint8) + 1)
    return Written(("a", "b", "c"), ("train", "", "test"), "letters")


def qmnist(root: Path) -> Written:
    for split in ("train", "test"):
        data, labels = stack(split, 28)
        columns = np.zeros((len(labels), 8), np.int32)
        columns[:, 0], columns[:, 1] = labels, 7
        idx(root / "QMNIST" / "raw" / f"qmnist-{split}-images-idx3-ubyte", data)
        idx(root / "QMNIST" / "raw" / f"qmnist-{split}-labels-idx2-int", columns)
    return Written(("0 - zero", "1 - one", "2 - two"), ("train", "", "test"))


def flowers(root: Path) -> Written:
    base, labels, ids = root / "flowers-102", [], {split: [] for split in SPLITS}
    for split in SPLITS:
        for label, index in rows(split):
            labels.append(label + 1)
            ids[split].append(len(labels))
            save(base / "jpg" / f"image_{len(labels):05d}.jpg", label, split, index)
    scipy.io.savemat(base / "imagelabels.mat", {"labels": labels})
    scipy.io.savemat(base / "setid.mat", {"trnid": ids["train"], "valid": ids["val"], "tstid": ids["test"]})
    return Written(("pink primrose", "hard-leaved pocket orchid", "canterbury bells"))


def dtd(root: Path) -> Written:
    base, names = root / "dtd" / "dtd", ("banded", "blotchy", "braided")
    for split in SPLITS:
        files = [f"{names[label]}/{split}_{index}.jpg" for label, index in rows(split)]
        for name, (label, index) in zip(files, rows(split), strict=True):
            save(base / "images" / name, label, split, index)
        text(base / "labels" / f"{split}7.txt", files)
    return Written(names, variant="7")


def food(root: Path) -> Written:
    base, names = root / "food-101", ("apple_pie", "baklava", "waffles")
    for split in ("train", "test"):
        listed: dict[str, list[str]] = {}
        for label, index in reversed(list(rows(split))):
            listed.setdefault(names[label], []).append(f"{names[label]}/{split}{index}")
            save(base / "images" / names[label] / f"{split}{index}.jpg", label, split, index)
        text(base / "meta" / f"{split}.json", json.dumps(listed))
    return Written(names, ("train", "", "test"))


def folders(
    place: str, ending: str, *names: str, splits: dict[str, str] | None = None, **more: Any
) -> Callable[[Path], Written]:
    """A folder a class, in a folder a split: split -> its name."""

    def write(root: Path) -> Written:
        for split, folder in (splits or {"train": ""}).items():
            for label, index in rows(split, len(names)):
                save(root / place / folder / names[label] / f"{split}_{index}{ending}", label, split, index)
        return Written(more.get("told", names), more.get("means", SPLITS), more.get("variant"))

    return write


def pets(variant: str) -> Callable[[Path], Written]:
    def write(root: Path) -> Written:
        base = root / "oxford-iiit-pet"
        binary = variant == "binary-category"
        breeds = ("Abyssinian", "american_bulldog", "Egyptian_Mau")
        for split, name in (("train", "trainval"), ("test", "test")):
            lines = []
            for label, index in rows(split):
                animal = 1 if breeds[label] == "american_bulldog" else 0
                save(base / "images" / f"{breeds[label]}_{split}{index}.jpg", animal if binary else label, split, index)
                lines.append(f"{breeds[label]}_{split}{index} {label + 1} {animal + 1} 1")
            text(base / "annotations" / f"{name}.txt", lines)
        names = ("Cat", "Dog") if binary else ("Abyssinian", "American Bulldog", "Egyptian Mau")
        return Written(names, ("train", "", "test"), variant)

    return write


def aircraft(root: Path) -> Written:
    base, names = root / "fgvc-aircraft-2013b" / "data", ("A 320", "Boeing 707", "F/A-18")
    text(base / "families.txt", names)
    number = 1000
    for split in SPLITS:
        lines = []
        for label, index in rows(split):
            number += 1
            save(base / "images" / f"{number}.jpg", label, split, index)
            lines.append(f"{number} {names[label]}")
        text(base / f"images_family_{split}.txt", lines)
    return Written(names, variant="family")


def gtsrb(root: Path) -> Written:
    base = root / "gtsrb"
    for label, index in rows("train"):
        save(base / "GTSRB" / "Training" / f"{label:05d}" / f"{index:05d}.ppm", label, "train", index)
    lines = ["Filename;Width;Height;ClassId"]
    for label, index in rows("test"):
        save(base / "GTSRB" / "Final_Test" / "Images" / f"{index:05d}.ppm", label, "test", index)
        lines.append(f"{index:05d}.ppm;32;32;{label}")
    text(base / "GT-final_test.csv", lines)
    return Written(("0", "1", "2"), ("train", "", "test"))


def svhn(root: Path) -> Written:
    for split, name in (("train", "train"), ("test", "test"), ("val", "extra")):
        data, labels = stack(split, 32)
        numbers = [[label or 10] for label in labels]
        scipy.io.savemat(root / f"{name}_32x32.mat", {"X": colour(data).transpose(2, 3, 1, 0), "y": numbers})
    return Written(("0", "1", "2"), ("train", "train", "test"), "extra")


def stl(root: Path) -> Written:
    base = root / "stl10_binary"
    base.mkdir()
    for split in ("train", "test"):
        data, labels = stack(split, 96)
        (base / f"{split}_X.bin").write_bytes(colour(data).transpose(0, 1, 3, 2).tobytes())
        (base / f"{split}_y.bin").write_bytes((np.array(labels, np.uint8) + 1).tobytes())
    (base / "unlabeled_X.bin").write_bytes(b"")
    text(base / "class_names.txt", ("airplane", "bird", "car"))
    return Written(("airplane", "bird", "car"), ("train", "", "test"))


def caltech101(root: Path) -> Written:
    base, names = root / "caltech101" / "101_ObjectCategories", ("Faces", "accordion", "ant")
    for label, index in rows("train"):
        save(base / names[label] / f"image_{index - 4 * label + 1:04d}.jpg", label, "train", index)
    save(base / "BACKGROUND_Google" / "image_0001.jpg", 5, "train", 0)
    return Written(names)


def caltech256(root: Path) -> Written:
    base, names = root / "caltech256" / "256_ObjectCategories", ("001.ak47", "002.american-flag", "003.backpack")
    for label, index in rows("train"):
        save(base / names[label] / f"{label + 1:03d}_{index - 4 * label + 1:04d}.jpg", label, "train", index)
    return Written(names)


def cars(root: Path) -> Written:
    base, names = root / "stanford_cars", ("AM General Hummer SUV 2000", "Acura RL Sedan 2012", "Acura TL Sedan 2012")
    (base / "devkit").mkdir(parents=True)
    scipy.io.savemat(base / "devkit" / "cars_meta.mat", {"class_names": np.array(names, dtype=object)})
    for split, file in (("train", "devkit/cars_train_annos.mat"), ("test", "cars_test_annos_withlabels.mat")):
        listed = []
        for label, index in rows(split):
            save(base / f"cars_{split}" / f"{index:05d}.jpg", label, split, index)
            listed.append((label + 1, f"{index:05d}.jpg"))
        fields = np.array(listed, dtype=[("class", object), ("fname", object)])
        scipy.io.savemat(base / file, {"annotations": fields})
    return Written(names, ("train", "", "test"))


def sun(root: Path) -> Written:
    base, names = root / "SUN397", ("abbey", "apartment_building/outdoor", "zoo")
    for label, index in reversed(list(rows("train"))):
        save(base / names[label][0] / names[label] / f"sun_{index}.jpg", label, "train", index)
    text(base / "ClassName.txt", [f"/{name[0]}/{name}" for name in names])
    return Written(names)


def usps(root: Path) -> Written:
    for split, name in (("train", "usps.bz2"), ("test", "usps.t.bz2")):
        data, labels = stack(split, 16)
        lines = [
            " ".join([str(label + 1), *(f"{at}:{value / 127.5 - 1:.6f}" for at, value in enumerate(image.ravel(), 1))])
            for image, label in zip(data, labels, strict=True)
        ]
        (root / name).write_bytes(bz2.compress("\n".join(lines).encode()))
    return Written(("0", "1", "2"), ("train", "", "test"))


def semeion(root: Path) -> Written:
    data, labels = stack("train", 16)
    np.savetxt(root / "semeion.data", np.hstack([data.reshape(len(data), -1) / 255 + 1e-6, np.eye(10)[labels]]), fmt="%.6f")
    return Written(("0", "1", "2"))


def omniglot(root: Path) -> Written:
    base, names = root / "omniglot-py", ("Greek/character01", "Greek/character02", "Latin/character01")
    for label, index in reversed(list(rows("train"))):
        save(base / "images_evaluation" / names[label] / f"{index}.png", label, "train", index)
    (base / "images_evaluation.zip").write_bytes(b"")
    return Written(names, variant="evaluation")


def faces(root: Path) -> Written:
    (root / "fer2013").mkdir()
    with (root / "fer2013" / "fer2013.csv").open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["emotion", "pixels", "Usage"])
        for split, usage in (("train", "Training"), ("test", "PublicTest")):
            for label, index in rows(split):
                lines.writerow([label, " ".join(map(str, pixels(label, split, index, 48).ravel().tolist())), usage])
    return Written(("0", "1", "2"), ("train", "", "test"))


def clevr(root: Path) -> Written:
    base = root / "clevr" / "CLEVR_v1.0"
    for split in ("train", "val"):
        scenes = []
        for label, index in rows(split):
            name = f"CLEVR_{split}_{index:06d}.png"
            save(base / "images" / split / name, label, split, index)
            scenes.append({"image_filename": name, "objects": [{}] * (label + 9)})
        text(base / "scenes" / f"CLEVR_{split}_scenes.json", json.dumps({"scenes": scenes}))
    return Written(("9", "10", "11"), ("train", "test", ""))


def places(root: Path) -> Written:
    names = ("/a/airfield", "/a/airplane_cabin", "/b/bar")
    text(root / "categories_places365.txt", [f"{name} {label}" for label, name in enumerate(names)])
    listed: dict[str, list[str]] = {"train": [], "val": []}
    for label, index in rows("train"):
        save(root / "data_256_standard" / names[label][1:] / f"{index:08d}.jpg", label, "train", index)
        listed["train"].append(f"{names[label]}/{index:08d}.jpg {label}")
    for label, index in rows("val"):
        save(root / "val_256" / f"Places365_val_{index:08d}.jpg", label, "val", index)
        listed["val"].append(f"Places365_val_{index:08d}.jpg {label}")
    text(root / "places365_train_standard.txt", listed["train"])
    text(root / "places365_val.txt", listed["val"])
    return Written(names, ("train", "test", ""), "standard-small")


def inaturalist_2021(root: Path) -> Written:
    names = tuple(f"{label:05d}_Animalia_Annelida_Clitellata_Haplotaxida_Lumbricidae_Lumbricus_{label}" for label in range(3))
    for split, version in (("train", "2021_train_mini"), ("val", "2021_valid")):
        for label, index in reversed(list(rows(split))):
            save(root / version / names[label] / f"{split}-{index}.jpg", label, split, index)
    return Written(names, ("train", "test", ""), "2021_mini")


def inaturalist_2018(root: Path) -> Written:
    names = ("Birds/0", "Fungi/1", "Birds/2")
    for label, index in rows("train"):
        save(root / "2018" / names[label] / f"{index}.jpg", label, "train", index)
    return Written(names, variant="2018")


def imagenet(root: Path) -> Written:
    words = {"n01440764": ("tench", "Tinca tinca"), "n02012849": ("crane",), "n03126707": ("crane",)}
    torch.save((words, []), root / "meta.bin")
    for split in ("train", "val"):
        for label, index in rows(split):
            save(root / split / list(words)[label] / f"{split}_{index}.JPEG", label, split, index)
    return Written(("tench, Tinca tinca", "crane (n02012849)", "crane (n03126707)"), ("train", "test", ""))


def pcam(root: Path) -> Written:
    import h5py  # type: ignore[import-not-found]

    (root / "pcam").mkdir()
    for split, name in (("train", "train"), ("val", "valid"), ("test", "test")):
        data, labels = stack(split, 96, 2)
        for key, array in (("x", colour(data).transpose(0, 2, 3, 1)), ("y", np.array(labels).reshape(-1, 1, 1, 1))):
            with h5py.File(root / "pcam" / f"camelyonpatch_level_2_split_{name}_{key}.h5", "w") as file:
                file[key] = array
    return Written(("0", "1"))


_SPLIT = {"train": "train", "val": "valid", "test": "test"}
_NETTE = {"train": "train", "val": "val"}
_NETTE_WORDS = ("tench, Tinca tinca", "English springer, English springer spaniel", "cassette player")

WRITERS: dict[str, Callable[[Path], Written]] = {
    "CIFAR10": cifar10,
    "CIFAR100": cifar100,
    "CLEVRClassification": clevr,
    "Caltech101": caltech101,
    "Caltech256": caltech256,
    "Country211": folders("country211", ".jpg", "AD", "AE", "ZW", splits=_SPLIT),
    "DTD": dtd,
    "EMNIST": emnist,
    "EuroSAT": folders("eurosat/2750", ".jpg", "AnnualCrop", "Forest", "SeaLake"),
    "FER2013": faces,
    "FGVCAircraft": aircraft,
    "FashionMNIST": mnist("FashionMNIST", "T-shirt/top", "Trouser", "Pullover"),
    "Flowers102": flowers,
    "Food101": food,
    "GTSRB": gtsrb,
    "INaturalist": inaturalist_2021,
    "INaturalist 2018": inaturalist_2018,
    "ImageNet": imagenet,
    "Imagenette": folders(
        *("imagenette2-160", ".jpeg", "n01440764", "n02102040", "n02979186"),
        splits=_NETTE,
        told=_NETTE_WORDS,
        means=("train", "test", ""),
        variant="160px",
    ),
    "KMNIST": mnist("KMNIST", "o", "ki", "su"),
    "MNIST": mnist("MNIST", "0 - zero", "1 - one", "2 - two"),
    "Omniglot": omniglot,
    "OxfordIIITPet": pets("category"),
    "OxfordIIITPet binary": pets("binary-category"),
    "PCAM": pcam,
    "Places365": places,
    "QMNIST": qmnist,
    "RenderedSST2": folders("rendered-sst2", ".png", "negative", "positive", splits=_SPLIT),
    "SEMEION": semeion,
    "STL10": stl,
    "SUN397": sun,
    "SVHN": svhn,
    "StanfordCars": cars,
    "USPS": usps,
}
"""By the name of the class, and a word for another variant."""
