"""The page as text: what stands in it, what it asks for, what it lets run."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import statistics
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.support.pages import REASON, render, unpack, write_study
from tests.support.studies import cell_config, write_cell, write_failed, write_waiting
from wisesr.report.figures import all_figures
from wisesr.report.page.cell_table import cell_table
from wisesr.report.page.document import render_page
from wisesr.report.page.formatting import typographic_signed
from wisesr.report.page.header import describe_study
from wisesr.report.page.parts import interval_scale
from wisesr.report.read import read_study
from wisesr.report.tables.sentences import IMAGES
from wisesr.report.tables.table_content import table_content
from wisesr.report.tables.verdict import verdict
from wisesr.report.whole_study import Study


@pytest.fixture(scope="module")
def study_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def html(study_root: Path) -> str:
    return render(study_root)


@pytest.fixture(scope="module")
def study(study_root: Path) -> Study:
    return read_study([study_root])


class _Parsed(HTMLParser):
    """Tags with attributes, texts of elements by id, and the scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.texts: list[str] = []
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = attributes, text + data
        elif self._inside != "style":
            self.texts.append(data)


def test_nothing_is_asked_of_anybody(html: str) -> None:
    page = _Parsed(html)
    asking = {"src", "href", "action", "data", "poster", "srcset"}
    addresses = [value or "" for _, attributes in page.tags for name, value in attributes.items() if name in asking]
    assert addresses and all(address.startswith("#") for address in addresses)
    assert not {tag for tag, _ in page.tags} & {"link", "iframe", "object", "embed", "base", "form", "audio", "video"}
    assert not re.search(r"@import|url\(", html)


def test_only_files_that_are_there_are_linked(study_root: Path, study: Study) -> None:
    (table,) = study.tables
    figures = [figure.key for figure in all_figures(study)][:2]
    files = {"cells.csv": "", f"tables/{table.key}.tex": "\\begin{table}</script>", f"figures/{figures[0]}.svg": ""}
    page = _Parsed(render(study_root, files=files))
    links = {str(attributes["href"]) for tag, attributes in page.tags if tag == "a"}
    assert {link for link in links if not link.startswith("#")} == set(files)
    copied = [unpack(text) for attributes, text in page.scripts if str(attributes.get("id")).startswith("latex-")]
    assert copied == ["\\begin{table}</script>"]
    assert " ".join(page.texts).count("Beside this page") == 3


def test_only_the_pages_own_scripts_may_run(html: str) -> None:
    page = _Parsed(html)
    policy = next(attributes["content"] or "" for tag, attributes in page.tags if attributes.get("http-equiv"))
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    (allowed,) = re.findall(r"script-src ([^;]*)", policy)
    running = [text for attributes, text in page.scripts if "type" not in attributes]
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in running]
    assert len(running) == 3
    assert allowed.split() == [f"'sha256-{digest}'" for digest in digests]
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]


def test_texts_of_logs_and_reasons_are_no_markup(html: str) -> None:
    page = _Parsed(html)
    assert "alert(1)" not in html  # it is packed
    assert REASON in "".join(page.texts)  # escaped, so that the parser reads it as text
    details = [unpack(text) for attributes, text in page.scripts if str(attributes.get("id")).startswith("details-")]
    assert sum("<script>alert(1)</script>" in detail["log"] for detail in details) == 18
    assert sum(detail["reason"] == REASON for detail in details) == 1


def test_every_address_in_the_page_leads_somewhere(html: str) -> None:
    page = _Parsed(html)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [str(attributes["href"])[1:] for tag, attributes in page.tags if tag == "a"]
    cells = {f"cell-{number}" for number in range(len([name for name in ids if str(name).startswith("details-")]))}
    assert set(links) - cells <= set(ids)
    assert cells <= set(links)


def test_the_matrix_has_the_means_of_the_records(html: str, study_root: Path) -> None:
    top1: dict[tuple[str, str], list[float]] = {}
    for path in study_root.rglob("result.json"):
        record = json.loads(path.read_text())
        if record["schema"] == 1:
            config = record["config"]
            place = config["backbone"]["name"], config["head"]["name"]
            top1.setdefault(place, []).append(100 * record["metrics"]["best"]["test/top1"])
    text = re.sub(r"<[^>]*>", "", html)
    assert len(top1) == 6
    for values in top1.values():
        spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
        assert f"{statistics.mean(values):.2f}{spread} ({len(values)})" in text


def test_what_is_wrong_is_told(html: str) -> None:
    text = " ".join(" ".join(_Parsed(html).texts).split())
    assert "Warnings" in text
    assert "2.13.0" in text
    assert "record schema 0" in text
    assert "1 failed" in text
    assert "1 waiting" in text
    assert IMAGES in text
    assert "30 held-out images" in text


def test_specs_and_pictures_come_as_they_were(html: str, study: Study) -> None:
    page = _Parsed(html)
    specs = [unpack(str(attributes["data-spec"])) for _, attributes in page.tags if "data-spec" in attributes]
    drawn = [figure for figure in all_figures(study) if not figure.key.endswith("forest")]  # which the page has as text
    assert specs == [json.loads(json.dumps(figure.spec)) for figure in drawn]
    (jpegs,) = [json.loads(text) for attributes, text in page.scripts if attributes.get("id") == "pictures"]
    used = {int(str(attributes["data-picture"])) for _, attributes in page.tags if "data-picture" in attributes}
    assert used == set(range(len(jpegs)))
    assert all(base64.b64decode(jpeg).startswith(b"jpeg of test/class") for jpeg in jpegs)


def test_a_head_without_a_finished_cell_is_shown(tmp_path: Path) -> None:
    write_cell(cell_config(tmp_path, head="gap"))
    write_failed(cell_config(tmp_path, head="flatten"), REASON)
    assert "flatten" in " ".join(_Parsed(render(tmp_path)).texts)


def test_a_table_without_a_finished_cell_is_shown(tmp_path: Path) -> None:
    write_cell(cell_config(tmp_path, head="gap"))
    write_waiting(cell_config(tmp_path, head="gap", size=128))
    assert "No cell of this table is finished" in render(tmp_path)


@pytest.mark.parametrize("name", ["metrics.csv", "log.txt", "predictions.npz", "kernels.npz"])
@pytest.mark.parametrize("damage", [b"", b"epoch,val/top1\n1,2,3,4\nno,number\n", b"\xff\x00\xfe", None])
def test_a_cell_with_a_damaged_file_is_in_the_page(tmp_path: Path, name: str, damage: bytes | None) -> None:
    directory = write_cell(cell_config(tmp_path, head="wise"), top1=0.8)
    write_cell(cell_config(tmp_path, head="gap"), top1=0.6)
    (directory / name).unlink()
    if damage is None:
        (directory / name).mkdir()
    else:
        (directory / name).write_bytes(damage)
    assert "80.00 (1)" in re.sub(r"<[^>]*>", "", render(tmp_path))


@pytest.mark.parametrize("protocol", ["holdout", "paper"])
def test_published_figures_are_told_with_their_protocol(tmp_path: Path, protocol: str) -> None:
    for head in ("gap", "wise"):
        write_cell(cell_config(tmp_path, head=head, changes={"protocol": protocol}), top1=0.8)
    published = tmp_path / "published.csv"
    published.write_text("dataset,resolution,backbone,head,top1\ntoy,64,resnet18,wise,81.5\n")
    study = read_study([tmp_path], published=published)
    text = " ".join(_Parsed(render_page(study, (), made="", command="", script="")).texts)
    assert "81.50" in text
    assert "\N{MINUS SIGN}1.50" in text
    assert ("another protocol" in text) == (protocol == "holdout")


@pytest.mark.parametrize("protocol", ["holdout", "paper"])
def test_where_the_test_images_chose_the_epoch_the_last_one_is_told(tmp_path: Path, protocol: str) -> None:
    for seed, last in enumerate((0.5, 0.6)):
        config = cell_config(tmp_path, seed=seed, changes={"protocol": protocol})
        write_cell(config, top1=0.8, curve=[0.7, 0.8, last])
    directory = write_cell(cell_config(tmp_path, head="wise", changes={"protocol": protocol}), top1=0.8)
    record = json.loads((directory / "result.json").read_text())
    del record["metrics"]["last"]["val/top1"]  # which no other part of the report needs
    (directory / "result.json").write_text(json.dumps(record))
    page = _Parsed(render(tmp_path))
    text = " ".join(page.texts)
    assert ("last 3 epochs 68.33 ± 2.36" in text) == (protocol == "paper")
    assert ("test top-1, last epoch" in text) == (protocol == "paper")
    details = [unpack(text) for attributes, text in page.scripts if str(attributes.get("id")).startswith("details-")]
    assert {detail["split"] for detail in details} == {"test" if protocol == "paper" else "validation"}
    assert ["last.val/top1", "60.00 %"] in [row for detail in details for row in detail["result"]]


def test_the_verdict_counts_what_is_significant(study: Study) -> None:
    (table,) = study.tables
    marked = [entry for entry in table.entries if entry.difference and entry.difference.significant]
    tested = [entry for entry in table.entries if entry.difference and entry.difference.p_holm is not None]
    text = verdict(table)
    assert len(tested) == 2
    for entry in marked:
        assert entry.difference is not None
        assert f"{entry.label} {typographic_signed(entry.difference.mean)}" in text
    few = [
        entry._replace(difference=entry.difference._replace(seeds=(0, 1, 2), p_holm=0.2)) if entry in tested else entry
        for entry in table.entries
        if entry.difference is not None
    ]
    assert "no proof of equality" in verdict(table._replace(entries=tuple(few)))
    nothing = table._replace(entries=tuple(entry._replace(difference=None) for entry in table.entries))
    assert verdict(nothing) == ""
    single = [entry for entry in table.entries if entry.difference and entry.difference.kind == "images"]
    assert "No head shares three seeds with gap" in verdict(table._replace(entries=tuple(single)))


def test_a_verdict_of_many_differences_counts_them_by_head(study: Study) -> None:
    """Seven rows of a head, and one of another: the ends of what is significant, as its own table has them."""
    (table,) = study.tables
    entry = next(entry for entry in table.entries if entry.difference and entry.difference.p_holm is not None)
    assert entry.difference is not None
    own = entry.difference._replace(p_holm=0.001)
    rows = [entry._replace(head="a", difference=own._replace(mean=1.0 + at)) for at in range(7)]
    rows += [
        entry._replace(head="a", difference=own._replace(p_holm=0.9)),
        entry._replace(head="b", difference=own._replace(mean=-2.0)),
    ]
    text = verdict(table._replace(entries=tuple(rows)))
    assert ": a 7 of 8 (+1.00 to +7.00 points), b 1 of 1 (\N{MINUS SIGN}2.00)." in text


def test_cells_stand_in_the_order_that_heads_have(tmp_path: Path) -> None:
    for head in ("wise", "depthwise", "gap"):
        write_cell(cell_config(tmp_path, head=head), top1=0.8)
    rows = cell_table(read_study([tmp_path]).cells, ["gap", "wise"]).rows
    assert [row.cell.place.head for row in rows] == ["gap", "wise", "depthwise"]


def test_bars_lie_where_their_intervals_do(study: Study) -> None:
    (table,) = study.tables
    comparisons = table_content(table).comparisons
    scale = interval_scale(comparisons)
    ends = [(scale.place(0.0), 0.0)]
    for comparison in comparisons:
        difference = comparison.entry.difference
        assert difference is not None
        assert difference.low is not None
        assert difference.high is not None
        values = (difference.low, difference.mean, difference.high)
        low, mean, high = map(scale.place, values)
        assert 0 < low <= mean <= high < 100
        ends += zip((low, mean, high), values, strict=True)
    places, values = zip(*ends, strict=True)
    line = statistics.linear_regression(places, values)  # one straight scale for all
    assert all(abs(line.slope * place + line.intercept - value) < 0.02 for place, value in ends)


@pytest.mark.parametrize(("threads", "text"), [(1, "a processor, 1 thread"), (2, "a processor, 2 threads")])
def test_the_hardware_is_told(tmp_path: Path, threads: int, text: str) -> None:
    write_cell(cell_config(tmp_path), provenance={"threads": threads})
    assert dict(describe_study(read_study([tmp_path]), made="now", command="").facts)["hardware"] == text
