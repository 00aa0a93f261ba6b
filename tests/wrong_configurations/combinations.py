"""Values that are right one by one and contradict together, and places on the disk that are not what they must be."""

from __future__ import annotations

import random

from tests.wrong_configurations.case import Case, told

_PNG = b"\x89PNG\r\n\x1a\n"


def fold_too_high(rng: random.Random) -> Case:
    folds = rng.randint(2, 9)
    fold = folds + rng.randint(0, 5)
    return Case((f"dataset.folds={folds}", f"dataset.fold={fold}"), (("dataset.fold",), (str(fold),), (str(folds),)))


def folds_alone(rng: random.Random) -> Case:
    folds = rng.choice([2, 3, 4, 6, 10])
    return Case((f"dataset.folds={folds}",), (("dataset.folds",), (str(folds),)))


def fold_and_fraction(rng: random.Random) -> Case:
    fraction = rng.choice(["0.1", "0.25", "0.5"])
    return Case(("dataset.fold=1", f"dataset.test_fraction={fraction}"), (("dataset.test_fraction",), (fraction,)))


def replicate(rng: random.Random) -> Case:
    number, other = rng.sample(range(9), 2)
    key = rng.choice(["seed", "dataset.split_seed"])
    return Case((f"replicate={number}", f"{key}={other}"), (("replicate",), (key,), (str(other),)))


def classes_seed(rng: random.Random) -> Case:
    seed = rng.randint(1, 99)
    dataset = rng.choice(["digits", "layouts"])
    return Case((f"dataset={dataset}", f"dataset.classes_seed={seed}"), (("dataset.classes_seed",), (str(seed),)))


def synchronised(rng: random.Random) -> Case:
    trainer = rng.choice(["cpu", "auto", "gpu"])
    return Case((f"trainer={trainer}", "trainer.sync_batchnorm=true"), (("trainer.sync_batchnorm",),))


def moved(rng: random.Random) -> Case:
    value = rng.choice(["torch", "normal", "x"])
    return Case((f"{rng.choice(['', '+', '++'])}recipe.head_init={value}",), (("recipe.head_init",), ("head.init",)))


def no_folder(rng: random.Random) -> Case:
    root = rng.choice(["no/such", "nope", "images/none", "./no", "no such", "nö"])
    return Case(("dataset=folder", f"dataset.root={root}"), (("dataset.root",), (*told(root), root.removeprefix("./"))))


def root_is_a_file(rng: random.Random) -> Case:
    name = rng.choice(["images", "images.zip", "photo.png", "labels.csv"])
    return Case(("dataset=folder", f"dataset.root={name}"), (("dataset",), (name,)), {name: b"no folder"})


def root_is_empty(rng: random.Random) -> Case:
    folders = {"empty": ("empty/",), "one": ("one/cat/",), "deep": ("deep/train/", "deep/test/"), "hidden": ("hidden/.x/",)}
    name = rng.choice(sorted(folders))
    return Case(("dataset=folder", f"dataset.root={name}"), (("dataset", "class"), (name,)), dict.fromkeys(folders[name], b""))


def root_of_one_class(rng: random.Random) -> Case:
    files = {f"images/cat/{number}.png": _PNG for number in range(3)}
    return Case(("dataset=folder", "dataset.root=images"), (("dataset", "class"), ("cat",)), files)


def no_list(rng: random.Random) -> Case:
    name = rng.choice(["nope.csv", "labels.txt", "lists"])
    files = {"images/cat/1.png": _PNG, "images/lists/": b"", "images/labels.txt": b""}
    return Case(("dataset=folder", "dataset.root=images", f"dataset.csv={name}"), ((name,),), files)


def no_split(rng: random.Random) -> Case:
    split, name = rng.choice(["train", "test", "val"]), rng.choice(["nope", "a/b", "Trainn"])
    files = {f"images/{part}/{label}/1.png": _PNG for part in ("train", "test") for label in ("cat", "dog")}
    return Case(
        ("dataset=folder", "dataset.root=images", f"dataset.{split}={name}"), ((f"dataset.{split}", split), (name,)), files
    )


def few_for_folds(rng: random.Random) -> Case:
    folds = rng.choice([50, 1000])
    return Case(
        (f"dataset.folds={folds}", "dataset.fold=0", "dataset=layouts", "dataset.images=60"), (("fold",), (str(folds),))
    )


def layouts(rng: random.Random) -> Case:
    key, value = rng.choice(
        [("classes", "5000"), ("images", "7"), ("classes", "1"), ("images", "-3"), ("pixels", "8"), ("seed", "-1")]
    )
    return Case(("dataset=layouts", f"dataset.{key}={value}"), ((f"dataset.{key}",), (value,)))


def output_in_a_file(rng: random.Random) -> Case:
    place = rng.choice(["notes.txt", "notes.txt/deeper", "a/notes.txt", "a/notes.txt/b/c"])
    path = place.partition(".txt")[0] + ".txt"
    return Case((f"output_dir={place}",), ((path,),), {path: b"text"})


def study_is_a_file(rng: random.Random) -> Case:
    study = rng.choice(["first", "x_1", "notes.txt"])
    return Case((f"study={study}", "output_dir=out"), ((study,),), {f"out/{study}": b"text"})


def weights(rng: random.Random) -> Case:
    value, files = rng.choice([("nope.ckpt", {}), ("a/b.pt", {}), ("folder.pt", {"folder.pt/": b""}), ("./x.safetensors", {})])
    return Case((f"backbone.weights={value}",), (("weights",), (value.removeprefix("./"),)), files)


def cache_dir(rng: random.Random) -> Case:
    return Case(("dataset.cache_dir=notes", "dataset.cache=on"), (("dataset.cache_dir",), ("notes",)), {"notes": b"text"})


def slots(rng: random.Random) -> Case:
    argument = rng.choice(["grid.gpus_per_cell=3", "grid.cells_per_gpu=4", "grid.gpus_per_cell=100"])
    return Case((argument, "trainer=cpu"), ((argument.partition("=")[0],),))


MAKERS = (
    *(fold_too_high, folds_alone, fold_and_fraction, replicate, classes_seed, synchronised, moved, no_folder, root_is_a_file),
    *(root_is_empty, root_of_one_class, no_list, no_split, few_for_folds, layouts, output_in_a_file, study_is_a_file, weights),
    *(cache_dir, slots),
)
