"""Images of a Hugging Face dataset: on the hub, or what its library `datasets` wrote to this disk. No torch.

Images are taken as the bytes that are stored and made RGB by wisesr's own rules. The bytes are hashed, in every command: what a
revision on the hub holds is thereby in the data's fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from PIL import Image

from wisesr.data.contents import Contents, examine
from wisesr.data.huggingface_files import library, load
from wisesr.data.huggingface_folders import below
from wisesr.data.huggingface_splits import splits_by_name
from wisesr.data.images import PixelRules
from wisesr.data.manifest import SPLITS, TEST, TRAIN, VAL, Manifest, digest_of
from wisesr.data.notes import Notes
from wisesr.data.parts import Part, class_name, doubtful_names, join, read_image
from wisesr.data.progress import show
from wisesr.errors import UserError, unknown
from wisesr.wording import count_of, natural_key, some_of

_SHOWN = 8


def huggingface(
    *,
    source: str,
    root: str,
    config_name: str | None = None,
    revision: str | None = None,
    image_column: str | None = None,
    label_column: str | None = None,
    train: str | None = None,
    val: str | None = None,
    test: str | None = None,
    range: Literal["auto", 8, 12, 16, "float"] = "auto",
) -> Manifest:
    """Images that the library `datasets` can load.

    Args:
        source: below `root` a folder (of images, of parquet files, of `save_to_disk`), a parquet file, or several,
            `data/*.parquet`; where no such thing is there, a name on the hub, `owner/name`.
        root: the folder that paths are below.
        config_name: of a dataset that has several configurations.
        revision: branch, tag or commit on the hub; None for the newest.
        image_column: None for the only one that holds images.
        label_column: None for the only one that holds classes, or else is called label.
        train: what its training split is called. Where this, `val` or `test` is given, other splits are left out, and said;
            where none is, they go by their usual names, and a single one is for training.
        val: what its validation split is called.
        test: what its test split is called.
        range: which value is white in grey images deeper than 8 bits: of 8, 12 or 16 bits, "float" 1.0, "auto" by their
            type.

    Raises:
        UserError: the library is not installed, the dataset is not there, cannot be read, or does not tell image and label.
    """
    loaded = load(source, Path(root), config_name, revision)
    columns = _columns(source, next(iter(loaded.values())).features, image_column, label_column)
    name, base = Path(source).name or source, Path(root, source)
    parts: list[Part] = []
    words: list[str] = []
    class_names: list[str] = []
    found = {own: _labels(f"{source}, split {own}", dataset, columns.label) for own, dataset in loaded.items()}
    given = {TRAIN: train, VAL: val, TEST: test}
    splits = splits_by_name(source, {own: labels is not None for own, labels in found.items()}, given)
    for own, dataset in sorted(loaded.items(), key=lambda item: splits.get(item[0]) != TRAIN):  # its order of the classes
        split, labels = splits.get(own), found[own]
        if split is None or labels is None:
            why = (
                "has no labels"
                if labels is None
                else "is not taken"
                if any((train, val, test))
                else "is none of train, val, test"
            )
            words.append(f"{own} of {source} {why} and is left out: {count_of(len(dataset), 'image')}")
            continue
        images = _Column.of(dataset, columns.image, f"{name}/{own}", PixelRules(range=range))
        parts.append(Part(images, _ids(images, base), labels, [split] * len(labels)))
        named = _distinct(source, getattr(dataset.features[columns.label], "names", ()))
        class_names += [name for name in named if name not in class_names]
    if not any(TRAIN in part.splits for part in parts):
        raise UserError(f"dataset.source={source}: {unknown('split', TRAIN, loaded)}, with labels for each image")
    if class_names:  # texts in a split beside one with a list of names
        others = {label for part in parts for label in part.labels}.difference(class_names)
        class_names += sorted(others, key=natural_key)
    words += doubtful_names(f"dataset.source={source}", parts)
    parts.sort(key=lambda part: SPLITS.index(part.splits[0]))
    return join(source, parts, class_names, rules=PixelRules(range=range), notes=Notes(hints=words))


def _distinct(source: str, names: Sequence[str]) -> list[str]:
    """Names of classes in Unicode's normal form, in which two must not become one."""
    same = [class_name(name) for name in names]
    if len(set(same)) < len(same):
        twice = some_of(sorted({name for name in same if same.count(name) > 1}), _SHOWN)
        raise UserError(f"dataset.source={source} has two classes of a name that looks the same: {twice}")
    return same


class _Columns(NamedTuple):
    image: str
    label: str


def _columns(source: str, features: Mapping[str, Any], image: str | None, label: str | None) -> _Columns:
    made, start = library(), f"dataset.source={source}"
    for setting, name in (("image_column", image), ("label_column", label)):
        if name is not None and name not in features:
            raise UserError(f"dataset.{setting}: {unknown('column', name, features)}")
    images = [name for name, kind in features.items() if isinstance(kind, made.Image)]
    images = images or [name for name, kind in features.items() if _is_content(kind)]
    image = image or _only(start, "image", images, features)
    labels = [name for name, kind in features.items() if isinstance(kind, made.ClassLabel)]
    labels = labels or [name for name in ("label", "labels") if name in features]
    return _Columns(image, label or _only(start, "label", labels, features))


def _is_content(kind: Any) -> bool:
    """Whether a column holds the bytes of files, without saying that they are images."""
    return (isinstance(kind, dict) and "bytes" in kind) or "binary" in str(getattr(kind, "dtype", ""))


def _only(start: str, what: str, found: Sequence[str], features: Mapping[str, Any]) -> str:
    if len(found) == 1:
        return found[0]
    say = f"say which with dataset.{what}_column=..."
    if found:
        raise UserError(f"{start} has several columns for the {what}, {', '.join(found)}: {say}")
    raise UserError(f"{start} does not tell which column is the {what}, of {', '.join(features)}: {say}")


def _labels(where: str, dataset: Any, column: str) -> list[str] | None:
    """Names of classes; None where no image has one."""
    kind = dataset.features[column]
    values = dataset.select_columns([column])[:][column]
    names = getattr(kind, "names", None)
    lacking = [index for index, value in enumerate(values) if value is None or (names and value < 0)]
    if len(lacking) == len(values):
        return None
    if lacking:
        raise UserError(
            f"{where}: no {column} in {count_of(len(lacking), 'row')}, {some_of([str(at) for at in lacking], _SHOWN)}"
        )
    if names:
        return [class_name(names[value]) for value in values]
    if not isinstance(values[0], (str, int)):
        raise UserError(f"{where}: {column} is {kind}, and must be one class an image, a text or a whole number")
    return [class_name(value) for value in values]


@dataclass(frozen=True)
class _Column:
    """The images of a split."""

    dataset: Any
    """Its one column not decoded."""
    column: str
    name: str
    rules: PixelRules

    @classmethod
    def of(cls, dataset: Any, column: str, name: str, rules: PixelRules) -> _Column:
        """The column of a dataset, whatever holds it: the files' bytes, or where they lie."""
        return cls(dataset.select_columns([column]).cast_column(column, library().Image(decode=False)), column, name, rules)

    def __len__(self) -> int:
        return len(self.dataset)

    def load(self, index: int) -> Image.Image:
        """The RGB image at an index; raises UserError if it cannot be read."""
        where, row = f"{self.name}, row {index}", self.dataset[index][self.column]
        return read_image(_stored(where, row), row["path"] if row["bytes"] is None else where, self.rules)

    def contents(self) -> Contents:
        """What lies in the stored bytes."""
        return Contents.of_rows(examine(content) for content in show(self._bytes(), len(self), "reading images once"))

    def digests(self) -> Iterator[bytes]:
        """Of the stored bytes."""
        return map(digest_of, self._bytes())

    def content(self, index: int) -> bytes:
        """The stored bytes of one of them; raises UserError if they cannot be read."""
        return self._read(index, self.dataset[index])

    def _bytes(self) -> Iterator[bytes]:
        return (self._read(index, row) for index, row in enumerate(self.dataset))

    def _read(self, index: int, row: Mapping[str, Any]) -> bytes:
        stored = _stored(f"{self.name}, row {index}", row[self.column])
        return stored if isinstance(stored, bytes) else _read(stored)


def _ids(images: _Column, base: Path) -> list[str]:
    """The path below a folder, of files in it; else the split and the row."""
    plain = [f"{images.name}/{index:06d}" for index in range(len(images))]
    if not base.is_dir() or not len(images) or images.dataset[0][images.column]["bytes"] is not None:
        return plain
    return [below(base, row[images.column]["path"]) for row in images.dataset]


def _stored(where: str, row: Any) -> Path | bytes:
    if row is None or (row["bytes"] is None and row["path"] is None):
        raise UserError(f"{where} has no image")
    return Path(row["path"]) if row["bytes"] is None else bytes(row["bytes"])


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error
