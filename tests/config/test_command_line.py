"""A command line as a user types it, held against the configuration that comes of it: of one cell, and of a sweep."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import pytest
from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from hydra_plugins.wisesr_grid.axes import combinations
from hydra_plugins.wisesr_grid.composer import Composer
from tests.support.configs import hydra_loader
from wisesr.config.command_line import Arranged, arrange, as_hydra_reads
from wisesr.config.compose import compose_cell
from wisesr.config.files import to_dict
from wisesr.errors import UserError

ODD = "ab1 =,#()'\"${}[]:\\~!&;|<>*?`^%@+-é中\t"
NAMES = st.text(st.sampled_from(ODD), min_size=1, max_size=8).filter(lambda name: name not in (".", "..", "~"))
CASES = ["k=v", "p,q", "a#b", "it's", "${x}", "~", "[a]", '"a"', "\\", "range(3)", "null", "1e3", "a (copy)", "${a,b} ,", "-a"]
PARSERS_WORDS = ("Exception", "mismatched", "expecting", "viable", "Traceback", "Error")
few = settings(max_examples=6, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def loader() -> ConfigLoader:
    with hydra_loader() as found:
        return found


@pytest.fixture(scope="module")
def composer(loader: ConfigLoader) -> Composer:
    return Composer(loader, loader.load_configuration("config", ["study=master"], run_mode=RunMode.MULTIRUN))


def alone(loader: ConfigLoader, overrides: list[str]) -> dict[str, Any]:
    """The cell of a command without `-m`."""
    whole = loader.load_configuration("config", overrides, run_mode=RunMode.RUN)
    HydraConfig.instance().set_config(whole)
    return to_dict(whole)


def swept(composer: Composer, overrides: list[str]) -> list[dict[str, Any]]:
    """The cells that `-m` makes of overrides."""
    return [to_dict(composer.compose(cell)) for cell in combinations(OverridesParser.create().parse_overrides(overrides))]


@pytest.mark.parametrize("relative", [False, True])
@few
@given(name=NAMES)
def test_a_folder_is_taken_as_it_is(
    relative: bool, name: str, composer: Composer, loader: ConfigLoader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path)
    words = ["dataset=folder", f"dataset.root={name if relative else folder}"]
    expected = str(folder.resolve())
    arranged = arrange(words).arguments
    assert alone(loader, arranged)["dataset"]["root"] == expected
    ((_, *overrides), _) = arrange([*words, "-m"])
    assert [cell["dataset"]["root"] for cell in swept(composer, overrides)] == [expected]


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_a_folder_is_taken_as_it_is_by_other_commands(
    name: str, relative: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    root = name if relative else str(tmp_path / name)
    expected = str(Path(root).expanduser().resolve())
    config = compose_cell(
        ["dataset=folder", f"dataset.root={root}", f"output_dir={root}", f"backbone.weights={tmp_path / name}"]
    )
    assert config["dataset"]["root"] == expected
    assert Path(config["output_dir"]).resolve() == Path(expected)
    assert config["backbone"]["weights"] in (str(tmp_path / name), str(tmp_path / name).removesuffix("/"))
    assert "${" in name or config["dataset"]["name"] == Path(expected).name


TEXT = st.text(st.sampled_from((ODD + "/.").replace("\t", "")), min_size=1, max_size=10)


@pytest.mark.parametrize("key", ["dataset.name", "dataset.csv", "backbone.model"])
@few
@given(text=TEXT)
@example(text="[a#")
@example(text="a,b")
@example(text="${x}")
@example(text="${x y}")
@example(text='"a')
@example(text="=a")
@example(text='1,"')
@example(text="[1],#")
@example(text="a,")
@example(text=", ")
@example(text="\\,)")
@example(text="a,,#")
@example(text="~nobody,#")
def test_an_error_ends_with_what_to_paste(key: str, text: str) -> None:
    """Whatever is no path and cannot be read."""
    assume(not Path(text).exists() and text != "???")
    words = ["dataset=folder", "dataset.root=/nowhere", "backbone=timm", "backbone.model=resnet18"]
    group, _, name = key.partition(".")
    try:
        compose_cell([*words, f"{key}={text}"])
        told = ""
    except UserError as error:
        told = str(error)
    assert not any(word in told for word in PARSERS_WORDS)
    if told and "there is no home folder" not in told:
        (pasted,) = shlex.split(told.splitlines()[-1])
        assert compose_cell([*words, pasted])[group][name] == text


@few
@given(
    words=st.lists(st.text(st.sampled_from(ODD + "/.mhed"), max_size=12) | st.sampled_from(["head", "-m", "--seed", "seed=1"]))
)
def test_whatever_is_typed_is_read_or_answered(words: list[str]) -> None:
    try:
        arranged, told = arrange(words).arguments, ""
    except UserError as error:
        arranged, told = [], str(error)
    assert not any(word in told for word in PARSERS_WORDS)
    assert len(told) < 1500
    OverridesParser.create().parse_overrides([word for word in arranged if not word.startswith("-")])


@few
@given(name=NAMES)
def test_what_is_read_once_is_read_so_again(name: str, tmp_path: Path) -> None:
    """A worker of somebody else's launcher, or a hand that copies what `--info` shows."""
    (tmp_path / name).mkdir(exist_ok=True)
    once = as_hydra_reads([f"dataset.root={tmp_path / name}", "resolution=112"])
    assert as_hydra_reads(once) == once


def test_one_folder_with_a_comma_is_no_sweep(composer: Composer, tmp_path: Path) -> None:
    for name in ("p,q", "r", "s t"):
        (tmp_path / name).mkdir()
    one, two, three = (str(tmp_path / name) for name in ("p,q", "r", "s t"))
    assert arrange(["-m", f"dataset.root={one}"]) == Arranged(
        ["-m", f'dataset.root="{one}"'], [f"dataset.root: taken as one path, {one}, not as several values"]
    )
    for typed in (f"{one},{two},{three}", f"{one}, {two}, {three}"):
        (_, *overrides), notes = arrange(["-m", "dataset=folder", f"dataset.root={typed}"])
        assert [cell["dataset"]["root"] for cell in swept(composer, overrides)] == [one, two, three]
        assert notes == []
    with pytest.raises(UserError, match="several values are a sweep, which needs -m") as error:
        arrange([f"dataset.root={one},{two}"])
    assert shlex.split(str(error.value).splitlines()[0].partition("train.py ")[2]) == ["-m", f"dataset.root={one},{two}"]


def test_a_new_folder_beside_others_may_have_a_comma(tmp_path: Path) -> None:
    assert arrange(["-m", f"output_dir={tmp_path}/new,er"]).arguments == ["-m", f'output_dir="{tmp_path}/new,er"']
    assert arrange(["-m", "output_dir=/nowhere/a,/nowhere/b"]).arguments == ["-m", "output_dir=/nowhere/a,/nowhere/b"]


def test_a_name_is_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a,b", "gap,wise", "0,1"):
        (tmp_path / name).mkdir()
    words = ["study=a,b", "head=gap,wise", "seed=0,1", "backbone.model=a,b"]
    assert arrange(["-m", *words]) == Arranged(["-m", *words], [])
    assert arrange(["-m", "dataset.root=a,b"]).arguments == ["-m", 'dataset.root="a,b"']


def test_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "my images").mkdir()
    (tmp_path / "other").mkdir()
    assert arrange(["dataset.root=~/my images"]).arguments == [f"dataset.root={tmp_path}/my images"]
    assert arrange(["output_dir=~/new"]).arguments == [f"output_dir={tmp_path}/new"]
    assert arrange(["-m", "dataset.root=~/my images,~/other"]).arguments == [
        "-m",
        f"dataset.root={tmp_path}/my images,{tmp_path}/other",
    ]
    assert arrange(["--config-dir", "~/conf"]).arguments == [f"--config-dir={tmp_path}/conf"]
    with pytest.raises(UserError, match="there is no home folder of '~nobody-of-this-name'"):
        arrange(["dataset.root=~nobody-of-this-name/x"])


def test_what_the_shell_divided_at_a_blank(tmp_path: Path) -> None:
    (tmp_path / "my own images").mkdir()
    words = f"dataset.root={tmp_path}/my own images".split()
    assert as_hydra_reads([*words, "seed=1"]) == [f"dataset.root={tmp_path}/my own images", "seed=1"]
    with pytest.raises(UserError, match="'own' is no override") as error:
        as_hydra_reads(words[:2])
    assert shlex.split(str(error.value).splitlines()[-1]) == [f'dataset.root="{tmp_path}/my own"']


def test_a_list_below_the_root(tmp_path: Path) -> None:
    (tmp_path / "all,clean.csv").touch()
    words = ["-m", f"dataset.root={tmp_path}", "dataset.csv=all,clean.csv"]
    assert arrange(words).arguments[-1] == 'dataset.csv="all,clean.csv"'


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(UserError, match="bytes that are no UTF-8"):
        arrange([os.fsdecode(b"dataset.root=/a\xff")])
