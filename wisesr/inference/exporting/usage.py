"""A program, for a model card, that reads a picture as in training and asks the file; only what it imports is needed."""

from __future__ import annotations

from wisesr.inference.exporting.formats import Format
from wisesr.inference.exporting.plain_resize import is_plain, plain_source, sampling_of
from wisesr.inference.run import Run

PICTURES = "PICTURES"
"""What the program calls the list of files that it is asked about."""

_OPEN = {
    "onnx": """\
session = onnxruntime.InferenceSession("{file}")
about = session.get_modelmeta().custom_metadata_map
names, size = json.loads(about["class_names"]), int(about["image_size"])""",
    "torch": """\
extra = {{"wisesr.json": ""}}
model = torch.export.load("{file}", extra_files=extra).module()
about = json.loads(extra["wisesr.json"])
names, size = about["class_names"], about["image_size"]""",
}
_ASK = {
    "onnx": '(probabilities,) = session.run(["probabilities"], {"images": images})',
    "torch": "probabilities = model(torch.from_numpy(images)).softmax(dim=1).numpy()",
}
_NORMALIZE = {
    "onnx": 'mean, std = (np.array(json.loads(about[key]), dtype=np.float32) for key in ("mean", "std"))',
    "torch": 'mean, std = (np.array(about[key], dtype=np.float32) for key in ("mean", "std"))',
}


def usage(run: Run, file: str, format: Format, *, inside: bool) -> str | None:
    """The program's text; None where nobody says how pictures were resized in training."""
    resizing = run.augmentation.resizing
    if resizing is None or not is_plain(resizing):
        return None
    package = {"onnx": "onnxruntime", "torch": "torch"}[format.name]
    from_pillow = "Image, ImageOps" if run.rules.upright else "Image"
    opened = "ImageOps.exif_transpose(Image.open(path))" if run.rules.upright else "Image.open(path)"
    square = f"{resizing.way}(picture, size, Image.Resampling.{sampling_of(resizing).name})"
    start = [
        f"import json\n\nimport numpy as np\nimport {package}\nfrom PIL import {from_pillow}",
        f'{PICTURES} = ["photo.jpg"]',
        _OPEN[format.name].format(file=file) + ("" if inside else f"\n{_NORMALIZE[format.name]}"),
    ]
    end = (
        f"images = np.stack([read(path) for path in {PICTURES}])\n{_ASK[format.name]}\n"
        f"for path, row in zip({PICTURES}, probabilities):\n    print(path, names[row.argmax()], row.max())"
    )
    return "\n\n\n".join(["\n\n".join(start), plain_source(resizing), _reading(opened, square, run, inside=inside), end])


def _reading(opened: str, square: str, run: Run, *, inside: bool) -> str:
    lines = ["def read(path):", f'    picture = {opened}.convert("RGB")']
    if inside:
        return "\n".join([*lines, f"    return np.asarray({square}).transpose(2, 0, 1)"])
    swapped = "[::-1]  # BGR" if run.augmentation.inputs.get("order") == "BGR" else ""
    lines += [
        f"    pixels = np.asarray({square}) / np.float32(255)",
        f"    return ((pixels - mean) / std).transpose(2, 0, 1){swapped}",
    ]
    return "\n".join(lines)
