"""Claims as files declare them, and what is said where something is wrong with one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from wisesr.errors import UserError
from wisesr.report.claims.declared import PAPER, read_claims

GOOD = "{name: a, claim: '{head} beats {baseline}', head: wise, baseline: gap, measure: top1, expected: higher}"


def test_the_papers_claims_can_be_read() -> None:
    claims = read_claims(PAPER)
    assert {claim.name for claim in claims} >= {"gain", "convergence", "parameters", "size", "classes", "dropout"}
    assert not any("{" in claim.text for claim in claims)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1, 2", ("is no YAML",)),
        ("[]", ("must be a list of claims",)),
        ("a: 1", ("must be a list of claims",)),
        ("[3]", ("must be a list of claims",)),
        (GOOD.replace("expected: higher", "expects: higher"), ("claim 1", "expects", "expected")),
        (GOOD.replace("measure: top1", "measure: top2"), ("claim 1 (a)", "measure", "top2", "top1")),
        (GOOD.replace("expected: higher", "expected: more"), ("claim 1 (a)", "expected", "more", "higher")),
        (GOOD.replace("head: wise, ", ""), ("claim 1", "has no head")),
        (GOOD.replace("head: wise", "head: 3"), ("claim 1", "head must be a text", "3")),
        (GOOD.replace("baseline: gap", "baseline: wise"), ("claim 1 (a)", "head and baseline must differ", "wise")),
        (GOOD.replace("{head}", "{heads}"), ("claim 1 (a)", "{heads}", "{head} and {baseline}")),
        (GOOD.replace("{head}", "{head"), ("claim 1 (a)", "claim:")),
        (GOOD.replace("{head}", "{head:{baseline}}"), ("claim 1 (a)", "{head:{baseline}}", "{head} and {baseline}")),
        (GOOD.replace("{head}", "{head:q}"), ("claim 1 (a)", "{head:q}", "{head} and {baseline}")),
        (GOOD.replace("{head}", "{head!r}"), ("claim 1 (a)", "{head!r}", "{head} and {baseline}")),
        (GOOD.replace("}'", "}'").replace("name: a", "name: a, slope: seeds"), ("claim 1 (a)", "slope", "seeds", "classes")),
        (GOOD.replace("name: a", "name: a, sizes: 224"), ("claim 1 (a)", "sizes must be", "224")),
        (GOOD.replace("name: a", "name: a, sizes: [true]"), ("claim 1 (a)", "sizes must be", "True")),
        (GOOD.replace("name: a", "name: a, sizes: each, slope: size"), ("claim 1 (a)", "sizes: each")),
        (GOOD.replace("name: a", "name: a, family: mine"), ("claim 1 (a)", "family", "mine", "controls")),
        (GOOD.replace("name: a", "name: a, margin: 0"), ("claim 1 (a)", "margin must be a number above 0", "0")),
        (GOOD.replace("name: a", "name: a, margin: yes"), ("claim 1 (a)", "margin", "True")),
    ],
)
def test_what_is_wrong_with_a_claim_is_said_in_a_sentence(tmp_path: Path, text: str, said: Sequence[str]) -> None:
    """The file, which claim, its key, the value and the way out."""
    file = tmp_path / "claims.yaml"
    file.write_text(f"- {text}" if text.startswith("{") else text)
    with pytest.raises(UserError) as error:
        read_claims(file)
    assert all(part in str(error.value) for part in ("--claims", str(file), *said)), str(error.value)
    assert "\n" not in str(error.value)


def test_names_of_claims_are_unique(tmp_path: Path) -> None:
    file = tmp_path / "claims.yaml"
    file.write_text(f"- {GOOD}\n- {GOOD}\n")
    with pytest.raises(UserError, match="claim 2: the name 'a' is another claim's"):
        read_claims(file)


def test_a_claim_is_one_line_wherever_it_stands(tmp_path: Path) -> None:
    """A line's end in it would break rows of Markdown and of the terminal."""
    file = tmp_path / "claims.yaml"
    file.write_text("- " + GOOD.replace("'{head} beats", '"{head}\\n  {{never}} beats').replace("}'", '}"'))
    (claim,) = read_claims(file)
    assert claim.text == "wise {never} beats gap"


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_claims(tmp_path / "none.yaml")


def test_the_example_of_the_docs_is_a_file_of_claims(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "reports.md").read_text()
    (tmp_path / "questions.yaml").write_text(text.partition("```yaml\n")[2].partition("```")[0])
    assert [(claim.name, claim.expected) for claim in read_claims(tmp_path / "questions.yaml")] == [
        ("accuracy", "no_lower"),
        ("size", "higher"),
    ]
