"""Which endings of file names stand for images that can be decoded here, and what would help with the others. No torch."""

from __future__ import annotations

import posixpath
from functools import cache

from PIL import EpsImagePlugin, Image, ImageFile, features

_NEEDS = {"WEBP": "webp", "JPEG2000": "jpg_2000", "AVIF": "avif", "JPEG": "jpg"}
"""Format -> the part of Pillow without which it is registered all the same, and cannot be decoded."""

_BY_ANOTHER = {"MPO": "JPEG"}
"""Format -> the one whose plugin opens it."""

_CONVERT = "convert them to PNG, TIFF or JPEG"
_HINTS = {
    ".heic .heif .hif": "pip install 'wisesr[heif]'",
    ".avif .avifs": "pip install 'pillow>=11.3'",
    ".webp .jp2 .j2k .jpc .jpx .jpf": "this Pillow was built without: pip install --force-reinstall pillow",
    ".jxl .jxr .wdp .jls .exr .hdr .bpg .djvu .xcf .dcm .dicom .nii .czi .nd2 .lif .svs .ndpi .mrxs .vsi": _CONVERT,
    ".svg .svgz .eps .ps .ai .wmf .emf .pdf": f"drawings or pages: {_CONVERT}",
    ".mp4 .m4v .mov .avi .mkv .webm .wmv .mpg .mpeg .mts .3gp": "videos: take pictures out of them",
    ".3fr .arw .cr2 .cr3 .crw .dcr .dng .erf .fff .iiq .kdc .mef .mos .mrw .nef .nrw .orf .pef .raf .raw .rw2 .rwl .sr2 .srf "
    ".srw .x3f": f"cameras' raw files: {_CONVERT}",
}
"""Endings of images that Pillow may lack, or lacks -> what to do about such files."""


@cache
def heif() -> bool:
    """Whether HEIF can be decoded here; from then on Pillow does (https://pypi.org/project/pillow-heif)."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


@cache
def endings() -> frozenset[str]:
    """Lower-case endings, with their dot, of the files that Pillow can decode here; `.heic` too where pillow-heif is installed.

    Those that it only knows the name of (.h5, .mpg), or only writes (.pdf), are left out.
    """
    Image.init()
    heif()
    return frozenset(ending.lower() for ending, name in Image.registered_extensions().items() if _decodes(name))


def ending_of(name: str) -> str:
    """The ending of a file's name or path, in lower case and with its dot; empty where it has none."""
    return posixpath.splitext(name)[1].lower()


def is_image(name: str) -> bool:
    """Whether a file is one that Pillow can decode here, by its name's ending."""
    return ending_of(name) in endings()


def _decodes(name: str) -> bool:
    name = _BY_ANOTHER.get(name, name)
    if name not in Image.OPEN or name == "MPEG" or (name in _NEEDS and not features.check(_NEEDS[name])):
        return False
    if name == "EPS":
        return bool(EpsImagePlugin.has_ghostscript())
    factory = Image.OPEN[name][0]
    stub = isinstance(factory, type) and issubclass(factory, ImageFile.StubImageFile)
    return not stub or getattr(factory, "_handler", None) is not None


def ending_hint(ending: str) -> str:
    """What to do about image files of an ending that cannot be decoded here; empty where they can, and where none is known.

    Args:
        ending: with its dot, in any case.
    """
    ending = ending.lower()
    if not ending or ending in endings():
        return ""
    return next((hint for names, hint in _HINTS.items() if ending in names.split()), "")
