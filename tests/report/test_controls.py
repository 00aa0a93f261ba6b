"""Controls: asked where their heads are, of the arms that have their settings, and corrected among themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.support.compared import table_of_study, write
from wisesr.config.options import load_option, options
from wisesr.report.claims.declared import CONTROLS, CONTROLS_FILE, PAPER, package_claims, read_claims
from wisesr.report.claims.judge import Answer, Verdict
from wisesr.report.figures.convergence_figures import convergence_figures
from wisesr.report.figures.style import color, head_order
from wisesr.report.page.choice import page_choice
from wisesr.report.page.parts import page_part
from wisesr.report.read import read_study
from wisesr.report.tables.claim_block_sentences import by_family, family, unanswered
from wisesr.report.tables.claim_sentences import claim_text
from wisesr.report.write import missing_parts

STARTS = {"head.init": "normal"}, {"head.init": "average"}


def study(root: Path, heads: dict[str, float], seeds: int = 3) -> None:
    """Top-1 of each head, with a spread of its own over seeds."""
    for number, (head, top1) in enumerate(heads.items()):
        for seed in range(seeds):
            write(root, head, seed, top1 + 0.02 * ((seed * (number + 2)) % 3), images=100, draw=number)


def answers(root: Path) -> dict[str, Answer]:
    return {answer.claim.name: answer for block in read_study([root]).claims for answer in block.answers}


def test_controls_are_of_heads_that_there_are_and_say_what_they_are_about() -> None:
    claims = read_claims(CONTROLS_FILE)
    assert {claim.family for claim in claims} == {CONTROLS} and package_claims() == (*read_claims(PAPER), *claims)
    assert {name for claim in claims for name in (claim.head, claim.baseline)} <= set(options("head"))
    pairs = {frozenset((claim.head, claim.baseline)) for claim in claims}
    assert len(pairs) == len(claims) and len({claim.name for claim in package_claims()}) == len(package_claims())
    assert pairs >= {frozenset(("wise_average", other)) for other in ("gap_scale", "gap_valid", "wise")}
    assert pairs >= {frozenset(("wise", f"wise_{other}")) for other in ("shuffled_images", "unconstrained", "frozen")}
    assert frozenset(("depthwise_average", "depthwise")) in pairs


def test_each_control_changes_one_thing() -> None:
    """Two options of one head that a control compares differ in one setting."""
    for claim in read_claims(CONTROLS_FILE):
        one, other = load_option("head", claim.head), load_option("head", claim.baseline)
        if one["_target_"] == other["_target_"]:
            assert len([key for key in one if one[key] != other[key]]) == 1, claim.name


def test_a_study_without_controls_hears_nothing_of_them(tmp_path: Path) -> None:
    study(tmp_path, {"gap": 0.6, "wise": 0.7})
    (block,) = read_study([tmp_path]).claims
    assert {answer.claim.family for answer in block.answers} == {""} and block.controls == 0
    assert "control" not in family(block) and list(by_family(block)) == ["Claims"]


def test_controls_leave_the_papers_verdicts_as_they_are(tmp_path: Path) -> None:
    """A head more changes no p of the paper's claims: Holm is over each family."""
    study(tmp_path / "few", {"gap": 0.6, "wise": 0.7})
    study(tmp_path / "many", {"gap": 0.6, "wise": 0.7, "wise_average": 0.71, "gap_scale": 0.65, "wise_frozen": 0.6})
    few, many = answers(tmp_path / "few"), answers(tmp_path / "many")
    for name, answer in few.items():
        assert (answer.p, answer.p_equivalent, answer.verdict) == (many[name].p, many[name].p_equivalent, many[name].verdict)
    (block,) = read_study([tmp_path / "many"]).claims
    assert block.controls == 4 and "the 4 controls are a family of their own" in family(block)
    alone = {name: answer for name, answer in many.items() if answer.claim.family}
    assert set(alone) == {"gain from one start", "place beyond scale", "start", "learning"}
    raw = {name: answer.pooled.estimate.p for name, answer in alone.items() if answer.pooled is not None}
    first = min(raw, key=lambda name: raw[name])
    assert alone[first].p == pytest.approx(min(1.0, 4 * raw[first]))


def test_one_that_is_not_finished_yet_is_told(tmp_path: Path) -> None:
    study(tmp_path, {"gap": 0.6, "wise": 0.7})
    study(tmp_path, {"wise_frozen": 0.6}, seeds=1)
    (block,) = read_study([tmp_path]).claims
    assert "learning" in {answer.claim.name for answer in unanswered(block)}


def test_two_starts_of_one_head_are_two_arms_and_answer_the_controls(tmp_path: Path) -> None:
    """As `head=wise head.init=normal,average` leaves them: never averaged, with the colours of the named arms."""
    study(tmp_path, {"gap": 0.6, "gap_scale": 0.62})
    for changes, top1 in zip(STARTS, (0.66, 0.76), strict=True):
        for seed in range(3):
            write(tmp_path, "wise", seed, top1 + 0.02 * seed, images=100, changes=changes)
    read = read_study([tmp_path])
    (table,) = read.tables
    means = {entry.head: (entry.mean, len(entry.cells)) for entry in table.entries}
    assert means["wise init=normal"] == (pytest.approx(68.0), 3) and means["wise init=average"] == (pytest.approx(78.0), 3)
    found = answers(tmp_path)
    assert claim_text(found["gain"]).startswith("wise init=normal has a higher test top-1 than gap")
    assert (found["start"].claim.head, found["start"].claim.baseline) == ("wise init=normal", "wise init=average")
    assert found["start"].verdict is Verdict.CONTRADICTED and found["start"].found is not None
    assert found["start"].found.mean == pytest.approx(-10.0)
    assert found["place beyond scale"].claim.head == "wise init=average"
    order = head_order(read)
    assert color("wise init=average", order) == color("wise_average", ("wise_average",))
    part = page_part(table, list(convergence_figures(table, order)), [])
    chosen = {choice.name: choice.default for choice in page_choice([part], order, {"gap"})}
    assert chosen.get("head", "wise init=normal") == "wise init=normal"


def test_a_pooling_setting_makes_two_arms(tmp_path: Path) -> None:
    study(tmp_path, {"gap": 0.6})
    for gamma in (None, 2.0):
        for seed in range(2):
            write(tmp_path, "simpool", seed, 0.7, images=100, changes={"head.gamma": gamma})
    assert {entry.head for entry in table_of_study(tmp_path).entries} == {"gap", "simpool gamma=null", "simpool gamma=2"}


def test_cells_of_before_the_start_was_a_heads_setting_share_the_row_of_new_ones(tmp_path: Path) -> None:
    """Their recipe says head_init: normal, and their head says nothing."""
    study(tmp_path, {"gap": 0.6, "wise": 0.7}, seeds=4)
    for path in [*tmp_path.rglob("seed-0-*"), *tmp_path.rglob("seed-1-*")]:
        config = yaml.safe_load((path / "config.yaml").read_text())
        for key in ("init", "learnable", "pre_pool_mode"):
            config["head"].pop(key, None)
        config["recipe"]["head_init"] = "normal"
        (path / "config.yaml").write_text(yaml.safe_dump(config))
        record = json.loads((path / "result.json").read_text()) | {"config": config}
        (path / "result.json").write_text(json.dumps(record))
    table = table_of_study(tmp_path)
    assert [(entry.head, entry.settings, len(entry.cells)) for entry in table.entries] == [("gap", "", 4), ("wise", "", 4)]
    assert not table.left_out


def test_a_head_without_a_kernel_of_its_own_lacks_none(tmp_path: Path) -> None:
    study(tmp_path, {"gap": 0.6, "wise_shuffled_images": 0.7, "wise_shuffled": 0.7}, seeds=1)
    assert missing_parts(read_study([tmp_path]), []) == []


@pytest.mark.slow
def test_curves_of_many_heads_are_several_plots_with_the_baseline_in_each(tmp_path: Path) -> None:
    study(tmp_path, dict.fromkeys(options("head"), 0.6), seeds=1)
    read = read_study([tmp_path])
    (table,) = read.tables
    figures = list(convergence_figures(table, head_order(read)))
    drawn = [[values["head"] for values in figure.spec["data"]["values"]] for figure in figures]
    assert len(drawn) == 3 and all(heads[0] == "gap" and len(heads) <= 10 for heads in drawn)
    assert sorted(head for heads in drawn for head in heads[1:]) == sorted(set(options("head")) - {"gap"})
    domains = [figure.spec["layer"][-1]["encoding"]["y"]["scale"]["domain"] for figure in figures]
    assert domains[0] == domains[1] == domains[2] and len({figure.key for figure in figures}) == 3
    assert page_part(table, figures, []).content.matrix.is_tall
