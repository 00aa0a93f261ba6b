"""The pages that people read: links lead somewhere, files that are named are there, the walk in architecture.md is short."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "data" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_named_files_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.findall(r"@[A-Z]+@", text), "nothing is left to be filled in"
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in links if link and not (page.parent / link).exists()] == []
    named = re.findall(r"`((?:wisesr|hydra_plugins|conf|tests|benchmarks|notebooks)/[\w/.-]*\w\.\w+)`", text)
    assert [name for name in named if not (ROOT / name).exists()] == []
    run = [word for line in re.findall(r"`pytest ([^`]*)`", text, re.DOTALL) for word in line.split() if word.endswith(".py")]
    assert [name for name in run if not (ROOT / name).exists()] == []


def test_messages_of_troubleshooting_are_those_of_the_code() -> None:
    """Each piece between the `...` of a message stands in the source, whose strings are joined over lines first."""
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    sources = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "wisesr").rglob("*.py"))]
    code = re.sub(r'"\s*f?"', "", "\n".join(sources))
    messages = [row for row in re.findall(r"^\| `(.*?)` ?(\(PyTorch's\))?", page, re.MULTILINE) if not row[1]]
    assert len(messages) > 20
    pieces = [piece.strip() for message, _ in messages for piece in message.split("...")]
    assert [piece for piece in pieces if piece and piece not in code] == []


def test_the_walk_is_short_and_in_the_order_of_its_numbers() -> None:
    rows = re.findall(
        r"^\| (\d+) \| `([\w/.]+)`", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [int(number) for number, _ in rows] == list(range(1, len(rows) + 1))
    assert len(rows) <= 16
    assert (rows[0][1], rows[-1][1]) == ("wisesr/train.py", "wisesr/results/record_file.py")
    assert all((ROOT / name).is_file() for _, name in rows)


def test_the_drawn_order_of_imports_is_the_one_that_is_held() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawn = [re.findall(r"\w+", line) for line in re.findall(r"^    ([\w|, ]+)$", text, re.MULTILINE)]
    layers = re.search(r"layers = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.DOTALL)
    assert layers
    held = [re.findall(r"(?:wisesr\.)?(\w+)", line) for line in re.findall(r'"(.*?)"', layers[1])]
    assert drawn == held
