"""What hands write otherwise than Hydra reads it: taken where it can mean one thing only, else answered with the form."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.support.command import train_here
from wisesr.config.command_line import arrange, as_hydra_reads
from wisesr.config.compose import compose_cell
from wisesr.config.flags import FLAGS, divide
from wisesr.config.typed_values import settled
from wisesr.errors import UserError, message

LONG = "\N{EM DASH}"
OPEN, CLOSE = "\N{LEFT DOUBLE QUOTATION MARK}", "\N{RIGHT DOUBLE QUOTATION MARK}"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("--seed=1", "seed=1"),
        ("--seed 1 --head gap", "seed=1 head=gap"),
        ("--head.dropout -0.5", "head.dropout=-0.5"),
        ("--experiment=size", "experiment=size"),
        ("--grid.plan seed=1", "grid.plan=true seed=1"),
        ("--dataset.root /nowhere/k=v", 'dataset.root="/nowhere/k=v"'),
        ("head=gap --cfg job seed=1", "--cfg=job head=gap seed=1"),
        ("head=gap -c job --resolve seed=1", "--cfg=job --resolve head=gap seed=1"),
        ("head=gap --info seed=1", "--info=all head=gap seed=1"),
        ("seed=1 -cd conf -m seed=1,2", "--config-dir=conf -m seed=1 seed=1,2"),
        ("head=gap,wise --multirun", "--multirun head=gap,wise"),
        ("--multi head=gap,wise", "--multirun head=gap,wise"),
        (f"{LONG}m head=gap,wise", "-m head=gap,wise"),
        (f"{LONG}multirun head=gap,wise", "--multirun head=gap,wise"),
        (f"{LONG}seed=1", "seed=1"),
        ("-- head=gap", "head=gap"),
        ("~logger ++seed=1 +a.b=c ~head=gap", "~logger ++seed=1 +a.b=c ~head=gap"),
        ("-m resolution=112,224", "-m resolution='112','224'"),
        ("-m seed=range(0,3) head=glob(w*)", "-m seed=range(0,3) head=glob(w*)"),
        ("experiment=size head=gap,wise", "experiment=size head=gap,wise"),
        ("hydra.mode=MULTIRUN head=gap,wise", "hydra.mode=MULTIRUN head=gap,wise"),
        ("hydra/launcher=joblib hydra.launcher.n_jobs=2", "hydra/launcher=joblib hydra.launcher.n_jobs=2"),
        ("hydra.launcher.slurm_setup=null", "hydra.launcher.slurm_setup=null"),
        ("grid.zip=[[resolution,seed]] logger=[csv,wandb]", "grid.zip=[[resolution,seed]] logger=[csv,wandb]"),
        ("recipe.patience=None", "recipe.patience=null"),
        ("backbone.weights=null dataset.csv=null", "backbone.weights=null dataset.csv=null"),
        ("trainer.max_time=00:01:30:00", "trainer.max_time=00:01:30:00"),
        ("study=1_000", 'study="1_000"'),
        ("study=a#b", 'study="a#b"'),
    ],
)
def test_what_can_mean_one_thing_is_taken(typed: str, read: str) -> None:
    assert arrange(typed.split()).arguments == read.split()


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("head = gap", "head=gap"),
        ("'dataset.root = my pics=a,b'", "'dataset.root=my pics=a,b'"),
        ("head= gap", "head=gap"),
        ("head =gap", "head=gap"),
        ("head: gap", "head=gap"),
        ("head:gap", "head=gap"),
        ("head gap", "head=gap"),
        ("recipe.epochs: 3", "recipe.epochs=3"),
        ("seed=1 gap", "head=gap"),
        ("' head=gap'", "head=gap"),
        ("head==gap", "head=gap"),
        ("head=gap,wise,", "head=gap,wise"),
        ("head=gap, wise", "head=gap,wise"),
        ("-m head=gap,,wise", "head=gap,wise"),
        ("head=", "head=attention"),
        ("-m=head=gap,wise", "-m head=gap,wise"),
        ("-mhead=gap,wise", "-m head=gap,wise"),
        ("-multirun head=gap,wise", "--multirun"),
        ("-M head=gap,wise", "-m"),
        ("-seed=1", "seed=1"),
        ("--seed", "seed=VALUE"),
        ("--cfg jb", "--cfg job"),
        ("--config-dir", "--config-dir VALUE"),
        ("'head=[gap,wise]'", "-m head=gap,wise"),
        ("'seed=[0, 1]'", "-m seed=0,1"),
        ("'head=[gap]'", "head=gap"),
        ("head=gap,wise", "-m head=gap,wise"),
        ("resolution=112,224", "-m resolution=112,224"),
        ("'seed=range(0,3)'", "-m 'seed=range(0,3)'"),
        ("'seed=range(a,b)'", "range(FROM,TO)"),
        ("'dataset.leave_out=[a,b#c]'", "'dataset.leave_out=[a,\"b#c\"]'"),
        (f"{OPEN}head=gap{CLOSE}", "head=gap"),
        (f"dataset.root={OPEN}/my images{CLOSE}", "'dataset.root=/my images'"),
        ("""'{"head": "gap", "seed": 1}'""", "head=gap seed=1"),
        ("dataset=/my/images", "dataset=folder dataset.root=/my/images"),
        ("/", "dataset=folder dataset.root=/"),
        ("'my head=gap'", "Did you mean head"),
        ("--resume", "no flag is called '--resume'. Did you mean --resolve"),
        ("=gap", "the name of a key or group"),
        ("dataset.root=", "'dataset.root=\"\"'"),
    ],
)
def test_what_cannot_is_answered_with_the_form(typed: str, form: str) -> None:
    with pytest.raises(UserError) as error:
        arrange(shlex.split(typed) if OPEN not in typed else typed.split())
    assert form in str(error.value)
    assert len(str(error.value).splitlines()) <= 4
    assert len(str(error.value)) < 600


def test_all_flags_of_hydra_are_known(tmp_path: Path) -> None:
    told = train_here("--hydra-help", cwd=tmp_path).stdout
    listed = {tuple(found.split(",")) for found in re.findall(r"(?m)^(--[\w-]+(?:,-\w+)?) : ", told)}
    assert {tuple(flag.names) for flag in FLAGS if flag.names != ("--version",)} <= listed
    assert {name for names in listed for name in names} <= {name for flag in FLAGS for name in flag.names}


def test_settings_that_are_switches_need_no_value() -> None:
    assert divide(["--grid.force"]).words == ["grid.force=true"]
    with pytest.raises(UserError, match=r"--trainer\.devices has no value.*trainer\.devices=VALUE"):
        divide(["--trainer.devices"])


def test_a_text_that_is_left_open_is_asked_about() -> None:
    for text in ("[a", '"a', "{a", "a${b", "'a'b"):
        with pytest.raises(UserError) as error:
            settled("dataset.name", text)
        assert "As a text, just as it stands:" in str(error.value)
        with pytest.raises(UserError) as error:
            settled("seed", text)
        assert "As a text" not in str(error.value), "a number is no text"


@pytest.mark.parametrize(
    "value", ["${nothing}", "${x y}", "${nothing:1}", "${oc.env:NO_SUCH}", "${dataset.root}", "a/${seed.x}"]
)
def test_an_interpolation_that_stands_for_nothing(value: str) -> None:
    with pytest.raises(UserError, match="stands for another value") as error:
        compose_cell(["dataset=folder", f"dataset.root={value}"])
    (pasted,) = shlex.split(str(error.value).splitlines()[-1])
    assert compose_cell(["dataset=folder", pasted])["dataset"]["root"] == str(Path(value).absolute())


def test_interpolations_are_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGES", "/some/images")
    assert compose_cell(["dataset=folder", "dataset.root=${oc.env:IMAGES}/a"])["dataset"]["root"] == "/some/images/a"
    assert compose_cell(["seed=4", "study=s-${seed}"])["study"] == "s-4"


def test_a_line_to_copy_is_not_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    line = "    'dataset.root=\"/a folder with a long name/and one more in it\"'"
    shown = message(f"a sentence that is longer than the terminal is wide\n{line}").splitlines()
    assert len(shown) == 3 and shown[-1] == line


def test_no_word_is_left_over_in_lists_of_overrides() -> None:
    assert as_hydra_reads([]) == []
    assert as_hydra_reads(["seed=1", "head=gap"]) == ["seed=1", "head=gap"]
