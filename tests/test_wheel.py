"""The package without its checkout: the wheel is built, installed, and trains from a folder that holds nothing of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import TOY, train_here
from tests.support.paths import ROOT
from wisesr.results.find import find_cells
from wisesr.results.record_file import load_record


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed wheel; what it depends on comes from this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run([*pip, *build], check=True, capture_output=True, timeout=120)
    (wheel,) = folder.glob("*.whl")
    install = ["install", "--no-deps", "--no-index", "--no-compile", "--target", str(folder / "site"), str(wheel)]
    subprocess.run([*pip, *install], check=True, capture_output=True, timeout=120)
    return folder / "site"


def wisesr(site: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The installed command, as a shell starts it."""
    return subprocess.run(
        [str(site / "bin" / "wisesr"), *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(site), "COLUMNS": "160"},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_it_composes_what_the_checkout_composes(site: Path, tmp_path: Path) -> None:
    told = wisesr(site, tmp_path, "train", *TOY, "head=gap", "--cfg", "job")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == train_here(*TOY, "head=gap", "--cfg", "job", cwd=tmp_path).stdout


def test_what_the_help_names_is_there(site: Path, tmp_path: Path) -> None:
    told = wisesr(site, tmp_path, "train", "--help").stdout
    assert "  wisesr train -m head=wise,gap backbone=resnet50,densenet201" in told and "train.py" not in told
    assert f"_target_: {'wisesr.models.heads'}" in told


def test_a_config_dir_of_ones_own_stands_beside_the_packaged_conf(site: Path, tmp_path: Path) -> None:
    (tmp_path / "mine" / "head").mkdir(parents=True)
    (tmp_path / "mine" / "head" / "soft.yaml").write_text("defaults: [wise]\nnon_negative: softplus\n")
    (tmp_path / "conf").mkdir()  # of another project, which is none of ours
    told = wisesr(site, tmp_path, "train", "--config-dir", "mine", "head=soft", "--cfg", "job", "-p", "head")
    assert "non_negative: softplus" in told.stdout, told.stderr


@pytest.mark.slow
def test_it_trains_a_grid_and_reports_it(site: Path, tmp_path: Path) -> None:
    command = ("train", "-m", "head=wise,gap", *TOY, "study=first")
    told = wisesr(site, tmp_path, *command)
    assert told.returncode == 0, told.stdout + told.stderr
    records = [load_record(cell) for cell in find_cells(tmp_path / "outputs")]
    assert [record.config["head"]["name"] for record in records if record] == ["gap", "wise"]
    assert "2 done already" in wisesr(site, tmp_path, *command).stdout
    assert "first" in wisesr(site, tmp_path, "status").stdout
    assert wisesr(site, tmp_path, "report", "first").returncode == 0
    assert (tmp_path / "outputs" / "first" / "report").is_dir()
