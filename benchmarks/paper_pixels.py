"""Images/s of augment=paper on one core beside torchvision.transforms.v2, Keras-Preprocessing 1.1.2 and its own single steps.

    python benchmarks/paper_pixels.py --images path/to/images      # 6 minutes; a folder for each class
    python benchmarks/paper_pixels.py                              # on pictures that it draws
    python benchmarks/paper_pixels.py --quick                      # a rehearsal

Each way turns the same photographs into rows of a batch, normalised. All take turns within one run, on one thread, and the
medians of its time on the processor count, which is the clock's where nothing else runs. "Decoded" begins with the resized
picture, in bytes, in memory. "From files" begins with the file: there it is the decoder's time that all ways share, the more
the larger the photographs. "From kept pictures" begins with resized pictures that a machine keeps (dataset.cache).

v2 does the same operations on bytes: a random affine (one zoom for both sides), two flips, a channel shift, autocontrast,
brightness, and the normalisation. Keras-Preprocessing is installed by pip in a folder that goes afterwards; where it cannot be
had, its rows are left out.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # in place of this folder: what lies in it are no names to import

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torchvision  # noqa: E402
from PIL import Image  # noqa: E402
from torch import Tensor  # noqa: E402
from torchvision.transforms import v2  # noqa: E402

from benchmarks.measured import Row, keep_nothing, medians, write_rows  # noqa: E402
from wisesr.build.parts import build_augmentation  # noqa: E402
from wisesr.config.options import load_option  # noqa: E402
from wisesr.data.batches import Images  # noqa: E402
from wisesr.data.decoded import Pictures, keep_pictures  # noqa: E402
from wisesr.data.describe import describe  # noqa: E402
from wisesr.data.folder import folder  # noqa: E402
from wisesr.data.keras_pipeline import KerasPipeline  # noqa: E402
from wisesr.data.manifest import Manifest  # noqa: E402

SIZES = (224, 512)
BOUNDS = {"v2": {224: 2.0, 512: 4.0}, "keras": {224: 3.5, 512: 8.0}, "kept": {224: 10.0, 512: 10.0}}
KERAS = "Keras-Preprocessing 1.1.2"
PACKAGES = ("keras-preprocessing==1.1.2", "six")
CAFFE = (103.939, 116.779, 123.68)

Way = Callable[[int, Tensor], object]
"""Writes the image of a number into its row."""


def draw_pictures(root: Path, count: int) -> None:
    """JPEGs of 400 x 400 pixels with soft areas, edges and some noise, in two classes."""
    rng = np.random.default_rng(0)
    for index in range(count):
        coarse = Image.fromarray(rng.integers(20, 236, (6, 6, 3), dtype=np.uint8))
        pixels = np.asarray(coarse.resize((400, 400), Image.Resampling.BICUBIC)) + rng.normal(0, 4, (400, 400, 3))
        pixels[100 + index : 220, 60:300] *= 0.6
        place = root / str(index % 2) / f"{index}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(place, quality=90)


def chosen(images: Path, into: Path, count: int) -> None:
    """Links to `count` of the files, evenly out of all."""
    files = sorted(path for path in images.rglob("*.jp*g") if path.is_file())
    for number, path in enumerate(files[:: max(1, len(files) // count)][:count]):
        place = into / str(number % 2) / f"{number}{path.suffix}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(path)


def megapixels_of(root: Path) -> float:
    """On average."""
    sizes = [Image.open(path).size for path in root.rglob("*.jp*g")]
    return sum(width * height for width, height in sizes) / len(sizes) / 1e6


def ours(augment: KerasPipeline, manifest: Manifest, views: Sequence[Tensor]) -> dict[str, Way]:
    """Ours from resized pictures and from files, each also step by step."""

    def in_steps(pixels: Tensor, row: Tensor) -> None:
        row.copy_(augment._normalise(augment.applied(pixels.contiguous().float(), augment.draw())))

    return {
        "decoded": lambda index, row: augment.write_view(views[index], lambda shape, dtype: row, training=True),
        "decoded, step by step": lambda index, row: in_steps(views[index], row),
        "decoding alone": lambda index, row: manifest.load(index),
        "from files, step by step": lambda index, row: in_steps(augment.resized_pixels(manifest.load(index)), row),
    }


def batches(augment: KerasPipeline, manifest: Manifest, kept: Path) -> dict[str, Callable[[], object]]:
    """What a cell's loader does for a batch of all images, seeding included: from files, and from pictures that are kept."""
    positions = np.arange(len(manifest))
    view = augment.view(training=True)
    assert view is not None
    pictures = keep_pictures(manifest, positions, view, kept, asked=True, about={})
    keys = [(0, int(position)) for position in positions]

    def batch_of(pictures: Pictures | None) -> Callable[[], object]:
        images = Images(manifest, positions, augment, training=True, seed=0, kept=pictures)
        return lambda: images.__getitems__(keys)

    return {"from files": batch_of(None), "from kept pictures": batch_of(pictures)}


def of_v2(views: Sequence[Tensor]) -> Way:
    """torchvision's, from bytes to the row."""

    def shifted(pixels: Tensor) -> Tensor:
        low, high = pixels.aminmax()
        return (pixels.short() + int(torch.randint(-50, 51, ()))).clamp_(low, high).to(torch.uint8)

    steps = v2.Compose(
        [
            v2.RandomAffine(360, translate=(0.1, 0.1), scale=(0.8, 1.2), interpolation=v2.InterpolationMode.BILINEAR),
            v2.RandomHorizontalFlip(),
            v2.RandomVerticalFlip(),
            v2.Lambda(shifted),
            v2.RandomAutocontrast(1.0),
            v2.ColorJitter(brightness=(0.0, 1.2)),
            v2.Lambda(lambda pixels: pixels[[2, 1, 0]]),
            v2.ToDtype(torch.float32),
            v2.Normalize(CAFFE, (1.0, 1.0, 1.0)),
        ]
    )
    return lambda index, row: row.copy_(steps(views[index]))


def of_keras(scratch: Path, size: int, files: Sequence[str]) -> Way | None:
    """Keras-Preprocessing from a file to its row of a batch, (height, width, 3) as it has it; None where it cannot be had."""
    try:
        if str(scratch) not in sys.path:
            install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(scratch), *PACKAGES]
            subprocess.run(install, check=True)
            sys.path.append(str(scratch))
        import scipy.ndimage

        if not hasattr(scipy.ndimage, "interpolation"):  # the name that 1.1.2 has for it
            scipy.ndimage.interpolation = sys.modules["scipy.ndimage.interpolation"] = scipy.ndimage
        from keras_preprocessing.image import ImageDataGenerator, img_to_array, load_img
    except (subprocess.CalledProcessError, ImportError) as error:
        print(f"{KERAS} is left out: {error}")
        return None

    def caffe(pixels: Any) -> Any:  # preprocess_input of keras.applications, channels last
        pixels = pixels[..., ::-1]
        for channel, mean in enumerate(CAFFE):
            pixels[..., channel] -= mean
        return pixels

    generator = ImageDataGenerator(
        rotation_range=360,
        width_shift_range=0.1,
        height_shift_range=0.1,
        zoom_range=0.2,
        channel_shift_range=50,
        horizontal_flip=True,
        vertical_flip=True,
        brightness_range=[0, 1.2],
        fill_mode="nearest",
        preprocessing_function=caffe,
    )
    place = np.empty((size, size, 3), dtype=np.float32)

    def way(index: int, row: Tensor) -> None:
        pixels = img_to_array(load_img(files[index], target_size=(size, size)))
        place[:] = generator.standardize(generator.apply_transform(pixels, generator.get_random_transform(pixels.shape)))

    return way


def measured(root: Path, size: int, rounds: int, scratch: Path) -> tuple[dict[str, float], bool]:
    """images/s of each way, and whether Keras-Preprocessing is among them."""
    manifest = describe(folder(root=str(root)))
    augment = build_augmentation(load_option("augment", "paper"), size, (0.5,) * 3, (0.5,) * 3)
    assert isinstance(augment, KerasPipeline)
    views = [augment.resized_pixels(manifest.load(index)) for index in range(len(manifest))]
    ways = ours(augment, manifest, views) | {"decoded, v2": of_v2(views)}
    files = [str(path) for path in sorted(root.rglob("*.jp*g"))]
    if keras := of_keras(scratch / "keras", size, files):
        ways["from files, Keras-Preprocessing"] = keras
    batch = torch.empty(len(views), 3, size, size)

    def whole(way: Way) -> Callable[[], None]:
        def call() -> None:
            for index, row in enumerate(batch.unbind()):
                way(index, row)

        return call

    calls = {name: whole(way) for name, way in ways.items()} | batches(augment, manifest, scratch / "kept")
    seconds = medians(calls, rounds, clock=time.process_time)
    return {name: len(views) / taken for name, taken in seconds.items()}, keras is not None


def rows_of(size: int, speeds: Mapping[str, float], megapixels: float, *, keras: bool) -> list[Row]:
    """A row for each target."""
    pairs = [("decoded", "decoded, v2", "v2", "decoded pictures", "torchvision.transforms.v2")]
    if keras:
        peer = "from files, Keras-Preprocessing"
        pairs += [("from files", peer, "keras", "decoding included", KERAS)]
        pairs += [("from kept pictures", peer, "kept", "from kept pictures", f"{KERAS}, which decodes")]
    rows = []
    for way, beside, kind, words, peer in pairs:
        ratio, bound = speeds[way] / speeds[beside], BOUNDS[kind][size]
        target = f"augment=paper at {size} px, {words}, images/s over {peer}"
        note = f"one thread; {speeds[way]:.0f} and {speeds[beside]:.0f} images/s; files of {megapixels:.2f} megapixels"
        if kind == "keras":
            note += f", of which decoding alone would make {speeds['decoding alone']:.0f} images/s"
        library = f"torchvision {torchvision.__version__.partition('+')[0]}" if kind == "v2" else KERAS
        rows.append(Row(target, f">= {bound} x", f"{ratio:.1f} x", ratio >= bound, library, note))
    return rows


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, help="folder of JPEGs, in folders; without it pictures are drawn")
    parser.add_argument("--to", type=Path, help="JSON file for docs/benchmarks.md")
    parser.add_argument("--quick", action="store_true", help="few images, few turns")
    given = parser.parse_args()
    keep_nothing()
    torch.set_num_threads(1)
    count, rounds = (4, 3) if given.quick else (24, 15)
    rows, table = [], ["| images/s | " + " | ".join(f"{size} px" for size in SIZES) + " |", "| --- | ---: | ---: |"]
    found = {}
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        root = scratch / "images"
        draw_pictures(root, count) if given.images is None else chosen(given.images.resolve(), root, count)
        for size in SIZES:
            found[size], keras = measured(root, size, rounds, scratch)
            rows += rows_of(size, found[size], megapixels_of(root), keras=keras)
    for name in found[SIZES[0]]:
        table.append(f"| {name} | " + " | ".join(f"{found[size][name]:.0f}" for size in SIZES) + " |")
    write_rows(given.to, rows, table="\n".join(table), arguments=["--images", "photographs"] if given.images else [])


if __name__ == "__main__":
    main()
