"""What torchvision.datasets has for classification, the arguments of each one's splits, and what it has besides. No torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from wisesr.data import torchvision_places as places
from wisesr.data.manifest import TEST, TRAIN, VAL
from wisesr.data.torchvision_places import Found

BOTH = ("root", "download")


class Part(NamedTuple):
    """What one call of a class gives."""

    split: str
    arguments: Mapping[str, Any]
    name: str
    """Of the part, unlike that of any other."""


class Source(NamedTuple):
    """A class of torchvision.datasets."""

    variants: Mapping[str, tuple[Part, ...]]
    """Of `dataset.variant`; the first is taken where none is given. A source that has none has the one that is called ""."""
    find: Callable[[Any], Found]
    """What an object of the class holds."""
    must_choose: bool = False
    """Whether a variant must be given."""
    takes: tuple[str, ...] = BOTH
    """Which of these arguments the class has."""
    by_hand: str = ""
    """What is missing where it is missing, as torchvision cannot download it."""


def _splits(*names: str, **more: Any) -> tuple[Part, ...]:
    """Parts of a class with the argument `split`; a val split is the test split where there is no test split with labels."""
    meant = {"train": TRAIN, "trainval": TRAIN, "val": VAL, "valid": VAL, "test": TEST}
    if "test" not in names:
        meant["val"] = TEST
    return tuple(Part(meant[name], {"split": name, **more}, name) for name in names)


def _train(**more: Any) -> tuple[Part, ...]:
    """Parts of a class with the argument `train`."""
    return Part(TRAIN, {"train": True, **more}, TRAIN), Part(TEST, {"train": False, **more}, TEST)


def _whole(**more: Any) -> tuple[Part, ...]:
    """The one part of a class that has no splits."""
    return (Part(TRAIN, more, "all"),)


def _plain(parts: tuple[Part, ...], find: Callable[[Any], Found], takes: tuple[str, ...] = BOTH, by_hand: str = "") -> Source:
    return Source({"": parts}, find, takes=takes, by_hand=by_hand)


_DIGITS = places.pixels("targets")

SOURCES: Mapping[str, Source] = {
    "CIFAR10": _plain(_train(), _DIGITS),
    "CIFAR100": _plain(_train(), _DIGITS),
    "CLEVRClassification": _plain(_splits("train", "val"), places.listed()),
    "Caltech101": _plain(_whole(), places.caltech(lambda _, at: f"image_{at:04d}.jpg", "101_ObjectCategories")),
    "Caltech256": _plain(_whole(), places.caltech(lambda y, at: f"{y + 1:03d}_{at:04d}.jpg", "256_ObjectCategories")),
    "Country211": _plain(_splits("train", "valid", "test"), places.paired("samples")),
    "DTD": Source({str(number): _splits("train", "val", "test", partition=number) for number in range(1, 11)}, places.listed()),
    "EMNIST": Source(
        {name: _train(split=name) for name in ("balanced", "byclass", "bymerge", "digits", "letters", "mnist")},
        places.emnist,
        must_choose=True,
    ),
    "EuroSAT": _plain(_whole(), places.paired("samples")),
    "FER2013": _plain(
        _splits("train", "test"),
        places.faces,
        ("root",),
        "fer2013.csv of https://www.kaggle.com/c/challenges-in-representation-learning-facial-expression-recognition-challenge "
        "belongs in fer2013",
    ),
    "FGVCAircraft": Source(
        {name: _splits("train", "val", "test", annotation_level=name) for name in ("variant", "family", "manufacturer")},
        places.listed(),
    ),
    "FakeData": _plain(_whole(size=1000, image_size=(3, 64, 64), num_classes=10), places.noise, ()),
    "FashionMNIST": _plain(_train(), _DIGITS),
    "Flowers102": _plain(_splits("train", "val", "test"), places.listed()),
    "Food101": _plain(_splits("train", "test"), places.listed()),
    "GTSRB": _plain(_splits("train", "test"), places.paired("_samples")),
    "INaturalist": Source(
        {
            "2021": (Part(TRAIN, {"version": "2021_train"}, TRAIN), Part(TEST, {"version": "2021_valid"}, TEST)),
            "2021_mini": (Part(TRAIN, {"version": "2021_train_mini"}, TRAIN), Part(TEST, {"version": "2021_valid"}, TEST)),
            **{year: _whole(version=year) for year in ("2017", "2018", "2019")},
        },
        places.inaturalist,
    ),
    "ImageNet": _plain(
        _splits("train", "val"),
        places.paired("samples"),
        ("root",),
        "ILSVRC2012_devkit_t12.tar.gz, ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar of https://image-net.org belong "
        "there, or what torchvision made of them",
    ),
    "Imagenette": Source(
        {size: _splits("train", "val", size=size) for size in ("full", "320px", "160px")}, places.paired("_samples")
    ),
    "KMNIST": _plain(_train(), _DIGITS),
    "MNIST": _plain(_train(), _DIGITS),
    "Omniglot": Source({"background": _whole(background=True), "evaluation": _whole(background=False)}, places.omniglot),
    "OxfordIIITPet": Source(
        {name: _splits("trainval", "test", target_types=name) for name in ("category", "binary-category")}, places.pets
    ),
    "PCAM": _plain(_splits("train", "val", "test"), places.pcam),
    "Places365": Source(
        {
            f"{name}{end}": (
                Part(TRAIN, {"split": f"train-{name}", "small": small}, TRAIN),
                Part(TEST, {"split": "val", "small": small}, TEST),
            )
            for name in ("standard", "challenge")
            for end, small in (("", False), ("-small", True))
        },
        places.places,
    ),
    "QMNIST": _plain(_train(), _DIGITS),
    "RenderedSST2": _plain(_splits("train", "val", "test"), places.paired("_samples")),
    "SEMEION": _plain(_whole(), places.pixels("labels")),
    "STL10": _plain(_splits("train", "test"), places.pixels("labels")),
    "SUN397": _plain(_whole(), places.sun),
    "SVHN": Source(
        {
            "standard": _splits("train", "test"),
            "extra": (*_splits("train", "test"), Part(TRAIN, {"split": "extra"}, "extra")),
        },
        places.pixels("labels"),
    ),
    "StanfordCars": _plain(
        _splits("train", "test"),
        places.paired("_samples"),
        ("root",),
        "its site is gone; a copy belongs in stanford_cars, as https://github.com/pytorch/vision/issues/7545 describes",
    ),
    "USPS": _plain(_train(), _DIGITS),
}
"""Those that have one class an image, and can be trained on: by the name that torchvision gives them."""

_DETECTION = "it has boxes around objects, and no class an image"
_SEGMENTATION = "it has a class a pixel, and none an image"
_CAPTIONS = "it has sentences, and no classes"
_VIDEO = "it is of video"
_FLOW = "it is of motion between two images"
_STEREO = "it is of depth from two images"

REFUSED: Mapping[str, str] = {
    "VisionDataset": "it is what others are made of, and has no images",
    "ImageFolder": "for folders of your own there is dataset=folder dataset.root=FOLDER",
    "DatasetFolder": "for folders of your own there is dataset=folder dataset.root=FOLDER",
    "CelebA": "it has 40 attributes an image, and no class; its people are others in each split",
    "LFWPeople": "most of its people have one photograph, and its splits have different people: nothing to train and test on",
    "LFWPairs": "it is of pairs of images",
    "PhotoTour": "it is of pairs of images",
    "LSUN": "its images lie in LMDB databases, which are not read: write them to files, and take dataset=folder",
    "LSUNClass": "it has no labels",
    **dict.fromkeys(("CocoDetection", "Kitti", "VOCDetection", "WIDERFace"), _DETECTION),
    **dict.fromkeys(("Cityscapes", "SBDataset", "VOCSegmentation"), _SEGMENTATION),
    **dict.fromkeys(("CocoCaptions", "Flickr30k", "Flickr8k", "SBU"), _CAPTIONS),
    **dict.fromkeys(("HMDB51", "Kinetics", "MovingMNIST", "UCF101"), _VIDEO),
    **dict.fromkeys(("FlyingChairs", "FlyingThings3D", "HD1K", "KittiFlow", "Sintel"), _FLOW),
    **dict.fromkeys(("CREStereo", "CarlaStereo", "ETH3DStereo", "FallingThingsStereo", "InStereo2k"), _STEREO),
    **dict.fromkeys(("Kitti2012Stereo", "Kitti2015Stereo", "Middlebury2014Stereo"), _STEREO),
    **dict.fromkeys(("SceneFlowStereo", "SintelStereo"), _STEREO),
}
"""All others, and why they are not taken."""
