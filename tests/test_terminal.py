"""Sentences and tables on terminals of any width: no word is broken, nothing is lost, what fits is not folded."""

from __future__ import annotations

import argparse
import io
import random
from pathlib import Path

import pytest
from rich.console import Console

from tests.support.words import broken_words
from wisesr.cli.help import HelpFormatter
from wisesr.terminal import Column, state_markup, tables, tell, tell_place
from wisesr.wording import folded, percent


@pytest.mark.parametrize("seed", range(5))
def test_folding_keeps_words_and_indents(seed: int) -> None:
    draw = random.Random(seed)
    words = ["".join(draw.choices("abc-_/=.0", k=draw.randint(1, 30))) for _ in range(60)]
    for start in ("", "  ", "  - ", "    | "):
        text = start + " ".join(words)
        for width in (20, 40, 80):
            lines = folded(text, width).split("\n")
            assert " ".join(lines).split() == text.split()
            assert all(len(line) <= width or len(line.split()) <= 1 + ("-" in start or "|" in start) for line in lines)
            assert all(line.startswith(" " * len(start)) for line in lines[1:])


def test_what_fits_stays_as_it_is() -> None:
    text = "two  blanks\n  | a line of a log\n\nand  more"
    assert folded(text, 80) == text
    assert folded("a b c", 1) == "\n".join(["a", "b", "c"]) or folded("a b c", 1).split() == ["a", "b", "c"]


def terminal(width: int, *, colours: bool = False) -> Console:
    return Console(
        width=width,
        height=40,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor" if colours else None,
        highlight=False,
    )


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


COLUMNS = [
    *(Column(name, name=True) for name in ("dataset", "backbone", "head", "settings")),
    *map(Column, ("seed", "val top-1 %", "test top-1 %", "head parameters")),
    Column("state", tail=True),
]
ROWS = [
    [
        "digits-512",
        "inception_resnet_v2",
        head,
        "head.dropout=0.5 recipe.optimizer.lr=0.0003",
        str(seed),
        "97.90",
        "98.05",
        "7,690",
        state,
    ]
    for seed, (head, state) in enumerate(
        [("wise", "done"), ("depthwise_nonneg", "done, 3 of 9 epochs (patience)"), ("gap", "failed")]
    )
]


def drawn(width: int, columns: list[Column], rows: list[list[str]]) -> str:
    console = terminal(width)
    for table in tables(columns, rows, width, title="digits-512 of a study"):
        console.print(table, crop=False)
    return printed(console)


@pytest.mark.parametrize("width", [50, 60, 80, 100, 120])
def test_tables_go_on_below_and_break_no_word(width: int) -> None:
    text, wide = drawn(width, COLUMNS, ROWS), drawn(400, COLUMNS, ROWS)
    assert max(map(len, text.splitlines())) <= width
    names = {word for row in ROWS for name in row[:4] for word in name.split()} | {column.title for column in COLUMNS[:4]}
    repeated = {*names, "digits-512", "of", "a", "study,", "study", "continued"}
    assert [word for word in broken_words(text, wide) if word not in repeated] == []
    for word in ("7,690", "(patience)", "98.05"):
        assert text.split().count(word) == wide.split().count(word), "each figure stands once"


def test_a_name_longer_than_the_terminal_is_whole() -> None:
    name = "a" * 50
    assert name in drawn(30, [Column("head", name=True), Column("top-1")], [[name, "1.0"]])


def test_one_table_where_all_fits() -> None:
    assert len(tables(COLUMNS, ROWS, 200)) == 1
    assert "head.dropout=0.5 recipe.optimizer.lr=0.0003" in drawn(200, COLUMNS, ROWS)


def test_a_place_is_a_link_on_a_terminal_alone(tmp_path: Path) -> None:
    page = tmp_path / "a folder" / ("long" * 30) / "index.html"
    console = terminal(80, colours=True)
    tell_place(console, page)
    uri = page.absolute().as_uri()
    assert f";{uri}\x1b\\{page}\x1b]8;;\x1b\\" in printed(console), "one link, around all of the path"
    plain = Console(width=80, file=io.StringIO())
    tell_place(plain, page)
    assert printed(plain) == f"{page}\n"


def test_a_command_in_backquotes_stays_whole_as_a_path_does() -> None:
    text = "is damaged: half of it is gone. Way out: `rm -r a/long/path/of/a/cell`; then train it again"
    lines = folded(text, 40).splitlines()
    assert [line for line in lines if "`rm -r a/long/path/of/a/cell`;" in line]
    assert " ".join(lines) == text


def test_only_a_terminal_is_folded_for() -> None:
    text = "word " * 40
    plain, narrow = Console(width=80, file=io.StringIO()), terminal(80)
    tell(plain, text)
    tell(narrow, f"[bold]{text}")
    assert printed(plain) == f"{text}\n"
    assert max(map(len, printed(narrow).splitlines())) <= 80 and "[bold]" in printed(narrow)


@pytest.mark.parametrize(
    ("text", "colour"), [("3 done", "green"), ("epoch 1/3", "yellow"), ("redo: failed", "red"), ("interrupted 2/3", "yellow")]
)
def test_states_have_colours(text: str, colour: str) -> None:
    assert state_markup(text) == f"[{colour}]{text}[/]"


def test_a_state_without_a_colour_is_text() -> None:
    assert state_markup("by [hand]") == r"by \[hand]"


def test_percent() -> None:
    assert [percent(0.979), percent(1.0), percent(0.0), percent(0.123456, 1)] == ["97.90", "100.00", "0.00", "12.3"]


@pytest.mark.parametrize("width", [60, 80])
def test_help_breaks_no_word(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    description = """\
A paragraph that is written for terminals of about eighty characters, or so; on
another one it is laid out anew.

  --data FOLDER    images of the same classes, laid out as for dataset=folder: a
                   folder for each class, or a list (dataset.csv=labels.csv)
  index.html       everything

examples:
  wisesr report mystudy --claims questions.yaml --metric macro_f1
"""
    texts = []
    for columns in (width, 300):
        monkeypatch.setenv("COLUMNS", str(columns))
        parser = argparse.ArgumentParser(prog="wisesr", description=description, formatter_class=HelpFormatter)
        parser.add_argument(
            "--no-pictures", action="store_true", help="leave test images out of the page, and non-negative weights"
        )
        texts.append(parser.format_help())
    assert broken_words(*texts) == []
    assert max(map(len, texts[0].splitlines())) <= width
    if width == 80:
        assert texts[0].count(description.rstrip()) == 1, "what fits stays as it was written"
