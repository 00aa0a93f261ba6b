"""A class of torchvision.datasets by its name, opened where its files are, and what is said where they are not. No torch.

torchvision itself, and torch with it, is imported where it is opened.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.error import URLError

from wisesr.data.torchvision_table import REFUSED, SOURCES, Part, Source
from wisesr.errors import UserError, unknown

_ADVICE = (
    *("Dataset not found or corrupted", "Dataset not found"),
    *("You can use download=True to download it", "You can set download=True to download it"),
)
"""What torchvision says where files are missing, which is said here in other words."""


def known_source(name: str) -> Source:
    """What is known of a dataset; raises UserError for a name that is none, or none of classification, with the reason."""
    if name in SOURCES:
        return SOURCES[name]
    if name in REFUSED:
        raise UserError(f"dataset.source={name} cannot be taken: {REFUSED[name]}")
    alike = {known.lower(): known for known in (*REFUSED, *SOURCES)}.get(name.lower())
    if alike:
        raise UserError(f"dataset.source={name}: torchvision calls it {alike}: dataset.source={alike}")
    raise UserError(unknown("classification dataset of torchvision", name, SOURCES))


def parts_of(name: str, source: Source, variant: str | int | None) -> tuple[Part, ...]:
    """The parts of a dataset's variant; raises UserError for one that it has not."""
    choices = list(source.variants)
    if variant is None and not source.must_choose:
        return source.variants[choices[0]]
    if choices == [""]:
        raise UserError(f"dataset.variant: {name} has no variants: leave it out, not {variant!r}")
    if str(variant) not in source.variants:
        given = "must be given" if variant is None else f"must be one of these, not {variant!r}"
        raise UserError(f"dataset.variant of {name} {given}: {', '.join(choices)}")
    return source.variants[str(variant)]


def open_part(name: str, source: Source, part: Part, root: Path, *, download: bool) -> Any:
    """A part as an object of torchvision's class.

    Args:
        name: of the class.
        source: what is known of it.
        part: which of its parts.
        root: where torchvision looks for it.
        download: whether it is downloaded where it is not there.

    Raises:
        UserError: its files are not there, or cannot be read or downloaded; a package that it needs is missing.
    """
    given = {"root": str(root), "download": False}
    arguments = {**{key: given[key] for key in source.takes}, **part.arguments}
    made = getattr(import_module("torchvision.datasets"), name, None)
    if made is None:
        raise UserError(
            f"dataset.source={name}: the torchvision that is installed has no such dataset: pip install -U torchvision"
        )
    try:
        return made(**arguments)
    except ImportError as error:
        raise _needs(name, error) from error
    except (RuntimeError, OSError) as error:
        if isinstance(error.__context__, ImportError):
            raise _needs(name, error.__context__) from error
        if not download or "download" not in source.takes:
            raise UserError(_absent(name, source, root, error)) from error
    except Exception as error:  # whatever a damaged file makes of it
        raise UserError(f"dataset.source={name}: its files below {root} cannot be read ({_told(error)})") from error
    try:
        root.mkdir(parents=True, exist_ok=True)
        return made(**{**arguments, "download": True})
    except Exception as error:  # of a network, an archive, a disk
        if isinstance(error.__context__, ImportError):
            raise _needs(name, error.__context__) from error
        raise UserError(
            f"dataset.source={name}: torchvision could not download it to {root} ({_told(error)}). Without a network, put its "
            "files there as torchvision lays them out on another machine"
        ) from error


def _needs(name: str, error: ImportError) -> UserError:
    return UserError(f"dataset.source={name} needs the package {error.name}: pip install {error.name}")


def _absent(name: str, source: Source, root: Path, error: Exception) -> str:
    reason = f" ({told})" if (told := _told(error)) else ""
    start = f"dataset.source={name}: its files are not, or not whole, below {root}{reason}"
    if "download" not in source.takes:
        return f"{start}. torchvision cannot download it: {source.by_hand}"
    return f"{start}: add dataset.download=true, or dataset.root=FOLDER if they lie elsewhere"


def _told(error: Exception) -> str:
    """What torchvision says, without what is said otherwise here."""
    if isinstance(error, URLError):
        return f"no connection: {getattr(error.reason, 'strerror', None) or error.reason}"
    text = str(error)
    for advice in _ADVICE:
        text = text.replace(advice, "")
    return " ".join(text.split()).strip(" .") or ("" if isinstance(error, RuntimeError) else type(error).__name__)
