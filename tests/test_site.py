"""The docs site: built as `make site` does it, complete, every link of its HTML leading somewhere, nothing from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

from docs.pictures.gradients import relative_gradient
from docs.pictures.heads import COSTS, gradients_of, with_costs
from docs.site.docstrings import argument_words
from docs.site.markdown import header_text
from docs.site.option_pages import PAGES, command_page, group_page
from docs.site.pages import page_of, place_of, write_pages
from tests.support.paths import ROOT
from wisesr.config.options import GROUPS, conf_dir, options


def test_every_group_has_a_page_with_every_option() -> None:
    assert set(PAGES) == {*GROUPS, "experiment"}
    for group in PAGES:
        text = group_page(group)
        headings = re.findall(r"^##+ .*? ?\{#(\w+)\}$", text, re.MULTILINE)
        assert [name for name in options(group) if headings.count(name) != 1] == []


@pytest.mark.parametrize("group", [group for group in PAGES if group != "experiment"])
def test_a_page_has_every_key_with_its_value(group: str) -> None:
    """Keys as a plain reading of the lines finds them: whatever stands before a colon and has something behind it."""
    text = group_page(group)
    for path in (conf_dir() / group).glob("*.yaml"):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
        pairs = [re.fullmatch(r" *(\w+): *([^#]*?) *(?:#.*)?", line) for line in lines]
        for pair in filter(None, pairs):
            key, value = pair.groups()
            if key in ("name", "defaults") or value in ("", "???"):
                continue
            value = re.escape(value)
            shown = f"`{value}`" if key == "_target_" else rf"`[\w.]*\b{key}` \| `{value}`|`[\w.]*\b{key}: {value}`"
            assert re.search(shown, text), f"{path}: {key}"


def test_comments_are_there_and_the_groupless_keys() -> None:
    assert "clamped at 0 after every optimizer step" in group_page("head")
    assert "share of the features that is dropped before the classifier in training" in group_page("head")
    said = argument_words("wisesr.models.heads.wise.WiseHead")["dropout"]
    assert said.startswith("share of the features that is dropped in training"), "of Head, for keys without a comment"
    assert "**Cost:** 21 cells" in group_page("experiment")
    page = command_page()
    keys = ("study", "seed", "protocol", "output_dir", "grid.slots", "hydra.launcher.mem_gb")
    assert [key for key in keys if f"| `{key}` |" not in page] == []


def test_every_head_has_formula_picture_and_cost() -> None:
    text = (ROOT / "docs" / "heads.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    for name in options("head"):
        assert re.search(r"^\$\$\n.+\n\$\$$", sections[name], re.MULTILINE), name
        assert f"](pictures/heads/{name}.svg)" in sections[name]
        assert (ROOT / "docs" / "pictures" / "heads" / f"{name}.svg").is_file()
    pictures = {path.stem for path in (ROOT / "docs" / "pictures" / "heads").glob("*.svg")}
    assert pictures == set(options("head"))


def test_the_costs_are_those_of_the_code() -> None:
    text = (ROOT / "docs" / "heads.md").read_text(encoding="utf-8")
    assert with_costs(text) == text, "python -m docs.pictures.heads writes them anew"
    table = COSTS.search(text)
    assert table
    # Of the paper and of arithmetic, not of the code: 2048 * 70 + 70; one weight a position and an offset, on 3x3 and 7x7.
    for name, count in (("gap", 143_430), ("wise", 143_430 + 2048 * 10), ("depthwise", 143_430 + 2048 * 50)):
        assert f"| [`{name}`](#{name}) | {count:,} |" in table[2]


def test_gradients_of_linear_heads_are_those_of_arithmetic() -> None:
    """Of gap's, on 49 positions of which wise sees 36 in 9 windows: the root of 49 sum k^2, k being the kernel on the map."""
    found = {
        name: float(value) for name, value in gradients_of((ROOT / "docs" / "heads.md").read_text(encoding="utf-8")).items()
    }
    assert found.keys() == set(options("head"))
    one_in_hundred, windows = 49 * 0.01**2, 36 / 4**2
    expected = {
        **dict.fromkeys(("gap", "gap_scale", "gwap"), 1),
        "gap_valid": 49 / 36,
        "flatten": 49 * windows,  # a weight for each class: the classifier's own, and no kernel
        **dict.fromkeys(("depthwise", "depthwise_nonneg"), 49 * one_in_hundred),
        **dict.fromkeys(("wise", "wise_unconstrained", "wise_shuffled", "wise_shuffled_images"), windows * one_in_hundred),
        "wise_frozen": windows * one_in_hundred / 2,  # the negative half of the weights is gone
        "depthwise_average": 1 + 0.1**2,
        "wise_average": 49 / 36 * (1 + 0.1**2),
    }
    assert {name: found[name] for name in expected} == {
        name: pytest.approx(square**0.5, rel=0.02) for name, square in expected.items()
    }
    dropped = {name: found[f"{name}_dropout"] / found[name] for name in ("gap", "wise")}
    assert dropped == {name: pytest.approx(2**0.5, rel=0.1) for name in dropped}


@pytest.mark.slow
@pytest.mark.parametrize("name", options("head"))
def test_gradients_are_those_of_the_code(name: str) -> None:
    stands = gradients_of((ROOT / "docs" / "heads.md").read_text(encoding="utf-8"))[name]
    assert float(stands) == pytest.approx(relative_gradient(name), rel=0.02)


def test_commands_of_an_experiment_are_lines() -> None:
    header = ["Cost: 3", "  Cells.", "Command: python train.py a=1", "  Your own: b=...", "  c=2", "Does not answer: d."]
    assert header_text(header, items=True).split("\n\n") == [
        "**Cost:** 3 Cells.",
        "**Command:** `python train.py a=1`<br>Your own: `b=... c=2`",
        "**Does not answer:** d.",
        "",
    ]


def test_links_lead_from_the_repository_to_the_site() -> None:
    assert page_of("docs/extending/head.md", "[a](../../conf/head) [b](../heads.md#gap) [c](https://x.org/y)") == (
        "[a](../options/head.md) [b](../heads.md#gap) [c](https://x.org/y)"
    )
    assert page_of("data/README.md", "[a](../docs/options.md)\n```\n[b](../docs/options.md)\n```\n") == (
        "[a](options.md)\n```\n[b](../docs/options.md)\n```\n"
    )
    assert page_of("README.md", "[a](docs/pictures/idea.svg)") == "[a](pictures/idea.svg)"
    assert place_of("conf/experiment/lr_by_head.yaml") == "options/experiment.md#lr_by_head"
    assert "<math" in page_of("docs/heads.md", "$$\n\\frac{1}{2}\n$$\n")


class _Page(HTMLParser):
    """The ids of a page, what it links to and what it loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids |= {value for key in ("id", "name") if (value := values.get(key))}
        address = values.get("href") if tag in ("a", "link") else values.get("src")
        if address is not None:
            self.links.append(address)
            self.loaded += [address] * (tag != "a" and values.get("rel") != "canonical")


def test_the_site_builds_strictly_and_needs_no_network(tmp_path: Path) -> None:
    """The HTML is read again: what a generator's own check passes over (images, files, docstrings) counts here, too."""
    write_pages(tmp_path / "docs")
    config = tmp_path / "mkdocs.yml"
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    text = text.replace("build/docs", "docs").replace("build/site", "site").replace("paths: [.]", f"paths: [{ROOT}]")
    config.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--config-file", str(config)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    pages = {path: _Page(path) for path in (tmp_path / "site").rglob("*.html") if path.name != "404.html"}
    assert len(pages) > 35
    for path, page in pages.items():
        assert [address for address in page.loaded if "://" in address] == [], f"{path.name} loads from elsewhere"
        for link in page.links:
            address, anchor = urldefrag(unquote(link))
            if "://" in address:
                continue
            target = (path.parent / address).resolve() if address else path
            assert target.exists(), f"{path.name}: {link}"
            assert not anchor or target not in pages or anchor in pages[target].ids, f"{path.name}: {link}"
