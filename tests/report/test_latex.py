"""LaTeX files, held against a TeX where one is installed: any name compiles, and what is printed fits and has the figures."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.studies import cell_config, write_cell, write_failed
from wisesr.report.read import read_study
from wisesr.report.tables.latex import Made, escape, latex, latex_files
from wisesr.report.tables.latex.claims import claims
from wisesr.report.tables.latex.escape import breakable
from wisesr.report.whole_study import Study

PDFLATEX = shutil.which("pdflatex")
needs_tex = pytest.mark.skipif(
    not PDFLATEX or not shutil.which("kpsewhich"), reason="no TeX: apt-get install texlive-latex-base texlive-latex-recommended"
)
MADE = Made("wisesr report 'a b' --metric top1", "1.2")
ODD = ('a_b 50%&#~^\\{x}$ "q" `t` <z>|', "[x] ±\N{MINUS SIGN}→ö", "*猫_头 Привет αβ 🐱\u200b", "a" * 40)
BACKBONES = ("resnet18", "über_ßé 100% of_a_very_long_name/and-more", "[猫] & *")


def named(root: Path, head: str, backbone: str, seed: int = 0, dataset: str = "toy") -> dict[str, Any]:
    """A cell of gap on resnet18 that bears other names: composing a configuration for each would take seconds."""
    config = cell_config(root, seed=seed, dataset=dataset)
    return config | {part: config[part] | {"name": name} for part, name in (("head", head), ("backbone", backbone))}


class Printed(NamedTuple):
    """What TeX made of files."""

    log: str
    pdf: Path

    @property
    def overfull(self) -> list[float]:
        """Pt beyond the margin."""
        return [float(found) for found in re.findall(r"Overfull \\hbox \(([\d.]+)pt", self.log)]


def compiled(folder: Path, texts: Mapping[str, str], options: str = "a4paper") -> Printed:
    (folder / "tables").mkdir()
    for name, text in texts.items():
        (folder / "tables" / f"{name}.tex").write_text(text, encoding="utf-8")
    inputs = "\\clearpage\n".join(rf"\input{{tables/{name}}}" for name in texts)
    head = rf"\documentclass[{options}]{{article}}\usepackage{{booktabs}}\begin{{document}}"
    (folder / "paper.tex").write_text(f"{head}\\listoftables\n{inputs}\n\\end{{document}}\n", encoding="utf-8")
    assert PDFLATEX is not None
    for _ in range(2):  # the list of tables is of the run before
        command = [PDFLATEX, "-halt-on-error", "-interaction=nonstopmode", "paper.tex"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
        assert done.returncode == 0, done.stdout[-2000:]
    return Printed((folder / "paper.log").read_text(encoding="utf-8", errors="replace"), folder / "paper.pdf")


def text_of(pdf: Path) -> str:
    pdftotext = shutil.which("pdftotext")
    if not pdftotext:
        pytest.skip("no pdftotext: apt-get install poppler-utils")
    done = subprocess.run([pdftotext, "-layout", str(pdf), "-"], capture_output=True, check=True)
    return done.stdout.decode()


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Three backbones and six heads, three seeds; wise is better, gap_dropout is worse."""
    root = tmp_path_factory.mktemp("usual")
    heads = {"gap": 0, "wise": 30, "depthwise": 6, "depthwise_nonneg": 6, "gap_dropout": -6, "wise_dropout": 8}
    for backbone in ("resnet18", "efficientnet_lite0", "densenet121"):
        for head, points in heads.items():
            for seed in range(3):
                top1 = 0.60 + points / 100 + 0.02 * (seed == 1) + 0.01 * (head != "gap") * (seed == 2)
                write_cell(named(root, head, backbone, seed), top1=top1, draw=10 + points, images=100)
    return read_study([root])


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Names that LaTeX reads as commands, or that pdflatex has no letters for; fewer seeds, a failed cell."""
    root = tmp_path_factory.mktemp("odd")
    for backbone in BACKBONES:
        for seed in range(3):
            write_cell(named(root, "gap", backbone, seed, "a_b&ü"), top1=0.7)
        for index, name in enumerate(ODD):
            write_cell(named(root, name, backbone, dataset="a_b&ü"), top1=0.6 + index / 20)
    write_failed(named(root, ODD[0], BACKBONES[0], 7, "a_b&ü"), "50 % of _this_ & {that} #1 $x$ ~^\\ 猫")
    published = root / "published.csv"
    published.write_text(f'dataset,resolution,backbone,head,top1\na_b&ü,64,resnet18,"{ODD[1]}",93.5\n', encoding="utf-8")
    return read_study([root], published=published)


@needs_tex
def test_the_usual_study_compiles_and_fits(usual: Study, tmp_path: Path) -> None:
    texts = dict(latex_files(usual, MADE))
    assert list(texts) == ["toy-64", "toy-64-differences", "claims"]
    printed = compiled(tmp_path, texts)
    assert printed.overfull == []
    assert "LaTeX Warning: Reference" not in printed.log and "multiply defined" not in printed.log
    text = text_of(printed.pdf)
    table = usual.tables[0]
    for entry in table.entries:
        assert f"{entry.mean:.2f} ± {entry.std:.2f}" in text, entry.label
        if entry.difference is not None and entry.difference.low is not None:
            low = f"{entry.difference.low:+.2f}".replace("-", "\N{MINUS SIGN}")
            assert f"{low} to " in text, entry.label
    assert "\N{MINUS SIGN}5.67" in text and "-5.67" not in text
    assert "Test top-1 (%) on toy, 64 px" in text[: text.index("Claims")], "the list of tables has the short caption"


@needs_tex
def test_any_name_compiles(odd: Study, tmp_path: Path) -> None:
    texts = dict(latex_files(odd, MADE))
    (key,) = (table.key for table in odd.tables)
    assert {key, f"{key}-differences", f"{key}-published"} <= set(texts)
    printed = compiled(tmp_path, texts)
    assert max(printed.overfull, default=0.0) < 3
    text = text_of(printed.pdf)
    for part in ("50%&#", "<z>|", "[x] ±\N{MINUS SIGN}→", "[U+732B]", "[U+1F431]", "93.5"):
        assert part in text, part


@needs_tex
def test_every_character_compiles(tmp_path: Path) -> None:
    """Of the blocks that names come from, all; of the others, some."""
    points = [
        *range(1, 0x600),
        *range(0x2000, 0x2300),
        *range(0x2500, 0x10000, 151),
        *range(0x1F300, 0x1F700, 7),
        0xDC80,
    ]
    lines = [f"{point:x}: {escape(chr(point))} {breakable(f'a{chr(point)}b')}\\par" for point in points]
    assert compiled(tmp_path, {"all": "\n".join(lines)}).pdf.is_file()


def test_what_is_written_is_ascii_but_for_letters_of_other_engines() -> None:
    assert escape("Übergröße ñ é ç Å œ") == r"\"{U}bergr\"{o}\ss{}e \~{n} \'{e} \c{c} \r{A} \oe{}"
    assert escape("猫 x") == r"{\ifdefined\Umathcode 猫\else [U+732B]\fi} x"
    assert escape("\x07\udc80") == "{[U+0007]}{[U+DC80]}"


def test_negative_numbers_have_a_minus_and_names_keep_their_hyphens() -> None:
    assert escape("-0.31 to +2.40") == "$-$0.31 to +2.40"
    assert escape("lr=-0.1, (-3), \N{MINUS SIGN}1") == "lr=$-$0.1, ($-$3), $-$1"
    assert escape("top-1 1e-05 a-2 2026-11-28") == "top-1 1e-05 a-2 2026-11-28"
    assert escape("--baseline a---b") == "-{}-baseline a-{}-{}-b"


def test_no_figure_has_a_hyphen(usual: Study) -> None:
    for name, text in latex_files(usual, MADE):
        shown = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
        assert not re.search(r"(?<![\w$.])-\d", shown), name


def test_captions_are_short_and_sentences_are_not_lost(usual: Study) -> None:
    texts = dict(latex_files(usual, MADE))
    for text in texts.values():
        short, caption = re.findall(r"^\\caption\[\{(.*?)\}\]\{(.*)\}$", text, re.M)[0]
        assert len(short) < 60 and len(caption) < 190
    assert "% *: both tests reject" in texts["toy-64"]
    assert "Neither is corrected" in texts["toy-64"]
    printed = texts["toy-64-differences"].split(r"\end{table}")[0]
    assert "not corrected" in printed and "paired t-test" not in printed  # whose interval the table has no column for
    assert r"$^\ast$: differs from gap" in texts["toy-64"] and r"\textbf{91.00}" in texts["toy-64"]


def test_a_file_says_how_it_is_used_and_what_made_it(usual: Study) -> None:
    texts = dict(latex_files(usual, MADE))
    for name, text in texts.items():
        comment = "\n".join(line for line in text.splitlines()[:5] if line.startswith("%"))
        for part in (rf"\input{{tables/{name}}}", r"\usepackage{booktabs}", "table*", f"wisesr 1.2: {MADE.command}"):
            assert part in comment
        assert rf"\label{{tab:{name}}}" in text
    assert dict(latex_files(usual, MADE)) == texts


def test_heads_stand_in_rows_where_columns_do_not_fit(usual: Study, tmp_path: Path) -> None:
    text = latex(usual.tables[0])
    assert text.count(r"\begin{tabular}") == 1
    assert re.search(r"^head & .*densenet121.*resnet18", text, re.M)
    assert r"efficientnet\_lite0}" in text  # whole, as there is room
    for head in ("gap", "wise"):
        write_cell(named(tmp_path, head, "resnet18"))
    assert re.search(r"^backbone & .*gap.*wise", latex(read_study([tmp_path]).tables[0]), re.M)


def test_claims_stay_apart_and_have_their_units(usual: Study) -> None:
    """Counted claims alone have percent signs at all figures; where points are among them, a sentence says so."""
    text = dict(latex_files(usual, MADE))["claims"]
    rows = text.split(r"\midrule")[1].split(r"\bottomrule")[0]
    assert rows.count(r"\addlinespace") == rows.count(r"\tabularnewline") - 1 == 1
    assert "without a percent sign" not in text
    (block,) = usual.claims
    (one, *_) = (answer for answer in block.answers if answer.found is not None)
    points = one._replace(claim=one.claim._replace(measure=one.claim.measure._replace(unit="points", relative=False)))
    assert "without a percent sign: points." in (claims([block._replace(answers=(points,))]) or "")


def test_many_heads_are_divided(tmp_path: Path) -> None:
    for backbone in ("resnet18", "resnet50", "densenet121", "xception", "nasnet_large", "vgg16", "vgg19"):
        for index in range(9):
            write_cell(named(tmp_path, "gap" if index == 0 else f"head{index}", backbone))
    text = latex(read_study([tmp_path]).tables[0])
    headers = re.findall(r"\\toprule\n(backbone .*) \\\\", text)
    heads = [name for header in headers for name in re.findall(r"\{c\}\{(\w+)\}", header)]
    assert heads == ["gap", *(f"head{index}" for index in range(1, 9))]
    assert len(headers) > 1
