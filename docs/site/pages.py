"""Which file of the repository is which page of the site, and how its links and formulas become those of the site.

The same Markdown is read on a code host, in its own folder, and on the site, where the READMEs lie beside docs/. It is
rewritten into a folder of its own, not by a plugin of the site's generator, so that another generator finds plain pages there.
"""

from __future__ import annotations

import posixpath
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from latex2mathml.converter import convert

from docs.site.option_pages import option_pages
from docs.site.reference import with_reference

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = {
    "README.md": "index.md",
    "data/README.md": "your_images.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Pages that lie beside docs/, with their names on the site."""
_FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s#]+)(#[^)\s]*)?\)")
_FORMULA = re.compile(r"^\$\$\n(.*?)\n\$\$$", re.MULTILINE | re.DOTALL)


def write_pages(target: Path) -> None:
    """Every page, picture and linked file of the site, below `target`.

    Raises:
        FileNotFoundError: a page links to a file that is not there.
    """
    pages = {path: (ROOT / path).read_text(encoding="utf-8") for path in hand_written()}
    linked = {path for page, text in pages.items() for path in links_of(text, page)}
    for page, text in pages.items():
        _write(target / place_of(page), page_of(page, text))
    for name, text in option_pages().items():
        _write(target / "options" / name, text)
    for path in sorted(
        {*linked, *_files("pictures/**/*.svg"), *_files("pictures/*.png"), *_files("site/*.css"), *_files("site/*.js")}
    ):
        if _is_copied(path):
            _copy(ROOT / path, target / place_of(path))


def hand_written() -> list[str]:
    """The pages that people write, as paths of the repository."""
    return [*OUTSIDE, *_files("*.md"), *_files("extending/*.md")]


def page_of(page: str, text: str) -> str:
    """A page of the repository as one of the site."""
    whole = with_reference(text) if page == "docs/api.md" else text
    return _outside_fences(whole, lambda part: _relinked(_with_mathml(part), page))


def place_of(path: str) -> str:
    """Where on the site a file or folder of the repository lies; all but pages, pictures and options below `files/`."""
    if path in OUTSIDE:
        return OUTSIDE[path]
    if path == "conf/config.yaml":
        return "options/command.md"
    if found := re.fullmatch(r"conf/(\w+)(?:/(\w+)\.yaml)?", path):
        return f"options/{found[1]}.md" + (f"#{found[2]}" if found[2] else "")
    return path.removeprefix("docs/") if path.startswith("docs/") else f"files/{path}"


def links_of(text: str, page: str) -> Iterator[str]:
    """What a page links to within the repository, as its paths."""
    for part in _FENCE.split(text)[::2]:
        for target, _ in _LINK.findall(part):
            if "://" not in target:
                yield _path_of(target, page)


def _relinked(text: str, page: str) -> str:
    here = posixpath.dirname(place_of(page))

    def moved(link: re.Match[str]) -> str:
        if "://" in link[1]:
            return link[0]
        return f"]({posixpath.relpath(place_of(_path_of(link[1], page)), here or '.')}{link[2] or ''})"

    return _LINK.sub(moved, text)


def _path_of(target: str, page: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), target))


def _with_mathml(text: str) -> str:
    """Formulas between lines of $$, which code hosts draw by themselves, as MathML, which browsers do."""
    return _FORMULA.sub(lambda found: f'<div class="formula">{convert(found[1], display="block")}</div>', text)


def _outside_fences(text: str, change: Callable[[str], str]) -> str:
    return "".join(part if index % 2 else change(part) for index, part in enumerate(_FENCE.split(text)))


def _files(pattern: str) -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob(pattern))


def _is_copied(path: str) -> bool:
    return not (path.endswith(".md") or place_of(path).startswith("options/"))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
