"""What a record says of where its numbers come from: right by other means, nothing secret, and older records are read."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.support.cells import make
from tests.support.records import record_of
from wisesr.cell import provenance as cell_provenance
from wisesr.cell.run import DONE, run
from wisesr.config.files import load_cell
from wisesr.config.identity import fingerprint
from wisesr.data.prepare.origin import archive_of
from wisesr.grid.cell_dirs import write_config
from wisesr.results import provenance, uncommitted
from wisesr.results.installation import kept_variables, packages_hash, read_command, write_command
from wisesr.results.record import ComputeTime
from wisesr.results.record_file import parse_record, read_record
from wisesr.results.uncommitted import DIFF, describe_uncommitted, write_uncommitted
from wisesr.training import flags

SECRETS = {
    "WANDB_API_KEY": "planted-wandb",
    "HF_TOKEN": "planted-hugging",
    "AWS_SECRET_ACCESS_KEY": "planted-cloud",
    "SLURM_JWT": "planted-cluster",
    "NCCL_SECRET_TOKEN": "planted-nccl",
}


@pytest.fixture
def finished(config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cell made by a command with a key in it, in an environment with secrets."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    monkeypatch.setenv("NCCL_DEBUG", "WARN")
    monkeypatch.setattr(sys, "argv", ["train.py", "head=wise", "+logger.mine.api_key=planted-argument"])
    config["recipe"]["epochs"] = 1
    cell = tmp_path / "cell"
    write_config(cell, config)
    assert run(cell) == DONE
    return cell


def test_a_record_tells_where_it_comes_from_and_no_secret(finished: Path) -> None:
    record = read_record(finished)
    assert record is not None
    said = record.provenance
    assert said.command == ("train.py", "head=wise", "+logger.mine.api_key=***")
    assert said.environment["SLURM_JOB_ID"] == "4711" and said.environment["NCCL_DEBUG"] == "WARN"
    assert said.environment["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8", "which the trainer sets"
    assert said.software == {"scikit_learn": version("scikit-learn"), "scipy": version("scipy")}
    assert said.flags["deterministic_algorithms"] is True
    assert said.flags["matmul_precision"] == torch.get_float32_matmul_precision()
    assert said.packages_sha256 == packages_hash()
    times = [datetime.strptime(text or "", "%Y-%m-%dT%H:%M:%SZ") for text in (said.started, said.finished)]
    assert times[0] <= times[1] <= datetime.now(timezone.utc).replace(tzinfo=None)
    assert record.best.train_top1 == record.best.row["train/top1"]
    assert record.last.train_top1 == record.last.row["train/top1"]
    assert None not in (record.cost.compute.train_ms, record.cost.compute.inference_ms, record.cost.compute.batch)
    assert record.fingerprint == fingerprint(load_cell(finished))
    for path in finished.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert b"planted" not in content, path
        assert not any(name.encode() in content for name in SECRETS), path


def test_the_first_attempt_is_the_start(finished: Path) -> None:
    record = read_record(finished)
    assert record is not None
    first = record.provenance.started
    (finished / "result.json").unlink()
    started = json.loads((finished / "started.json").read_text())
    assert started["begun"] == first
    (finished / "started.json").write_text(json.dumps(started | {"begun": "2026-01-01T00:00:00Z"}))
    assert run(finished) == DONE
    again = read_record(finished)
    assert again is not None and again.provenance.started == "2026-01-01T00:00:00Z"
    del started["begun"]  # as an earlier version left it
    (finished / "started.json").write_text(json.dumps(started))
    (finished / "result.json").unlink()
    assert run(finished) == DONE
    older = read_record(finished)
    assert older is not None and older.provenance.started is None


def test_records_of_before_are_read(config: dict[str, Any]) -> None:
    record = parse_record(record_of(config))
    said = record.provenance
    assert (record.best.train_top1, record.last.train_top1) == (None, None)
    assert record.cost.compute == ComputeTime(None, None, None)
    assert (said.started, said.packages_sha256, said.command) == (None, None, ())
    assert said.software == said.flags == said.environment == said.uncommitted == said.archive == {}


def test_the_packages_are_those_of_pip_freeze(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for folder, name, number in (("a", "Zope.Interface", "1.0"), ("b", "hydra_core", "1.3.2"), ("c", "hydra-core", "1.3.2")):
        (tmp_path / f"{folder}.dist-info").mkdir()
        (tmp_path / f"{folder}.dist-info" / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n")
    (tmp_path / "left.dist-info").mkdir()  # of a package that was not removed whole
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    assert packages_hash() == hashlib.sha256(b"hydra-core==1.3.2\nzope-interface==1.0\n").hexdigest()


def test_no_variable_is_kept_that_may_be_a_key() -> None:
    kept = kept_variables(SECRETS | {"PATH": "/bin", "HOME": "/h", "OMP_NUM_THREADS": "2", "NCCL_P2P_DISABLE": "1"})
    assert kept == {"NCCL_P2P_DISABLE": "1", "OMP_NUM_THREADS": "2"}


@pytest.mark.parametrize("dashes", ["--", "\u2014"])
def test_no_secret_behind_a_flag_is_kept(tmp_path: Path, dashes: str) -> None:
    """`arrange` takes KEY VALUE in two words as KEY=VALUE; the command is kept as it was typed."""
    write_command(tmp_path, ["train.py", "--head", "gap", f"{dashes}logger.mine.api_key", "planted", "seed=1"])
    assert read_command(tmp_path) == ["train.py", "--head", "gap", f"{dashes}logger.mine.api_key", "***", "seed=1"]


def test_a_command_without_a_file_is_unknown(tmp_path: Path) -> None:
    assert read_command(tmp_path) == []
    write_command(tmp_path, ["train.py", "model.Password=a=b", "study=tokens"])
    assert read_command(tmp_path) == ["train.py", "model.Password=***", "study=tokens"]


@pytest.mark.parametrize(
    "argument",
    [
        "logger.wandb.api_key=planted",
        "+logger={wandb: {api_key: planted, project: mine}}",
        "++logger={mine:{_target_:mine.L,auth:'pla nted',b:1}}",
        "logger.mine.settings={'token':\"planted\"}",
        "backbone.weights=https://me:planted@host/model.pth",
        "dataset.url=https://host/x?a=1&token=planted&b=2",
        "logger.mine.uri=postgres://planted@host:5432/runs",
    ],
)
def test_no_secret_of_a_command_line_is_kept(tmp_path: Path, argument: str) -> None:
    """In a name, in a dictionary, in a URL; the rest of the argument stays."""
    write_command(tmp_path, ["train.py", argument])
    (_, kept) = read_command(tmp_path)
    assert "***" in kept and "planted" not in kept and "nted" not in kept and kept.startswith(argument[:9])
    for usual in (
        "head=wise,gap",
        "recipe.optimizer.lr=0.1",
        "dataset.root=/data/a b",
        "+a={b: 1, c: [2]}",
        "url=https://host/a@b",
    ):
        write_command(tmp_path, [usual])
        assert read_command(tmp_path) == [usual]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose package is one file, clean."""
    package = tmp_path / "checkout" / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("A = 1\n")
    (package.parent / "conf.yaml").write_text("lr: 1\n")
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "first"]):
        subprocess.run(["git", "-C", str(package.parent), *command], check=True)
    monkeypatch.setattr(provenance, "_PACKAGE", package)
    return package.parent


def test_what_was_not_committed_can_be_applied_again(checkout: Path, tmp_path: Path) -> None:
    cell = tmp_path / "cell"
    cell.mkdir()
    write_uncommitted(cell)
    assert describe_uncommitted(cell) == {} and not (cell / DIFF).exists()
    (checkout / "package/__init__.py").write_text("A = 2\n")
    (checkout / "conf.yaml").write_text("lr: 0.5\n")
    (checkout / "untracked").write_text("mine\n")
    write_uncommitted(cell)
    content = (cell / DIFF).read_bytes()
    assert describe_uncommitted(cell) == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    assert b"mine" not in content
    subprocess.run(["git", "-C", str(checkout), "stash", "-q"], check=True)
    subprocess.run(["git", "-C", str(checkout), "apply", str(cell / DIFF)], check=True)
    assert (checkout / "package/__init__.py").read_text() == "A = 2\n"
    assert (checkout / "conf.yaml").read_text() == "lr: 0.5\n"
    subprocess.run(["git", "-C", str(checkout), "checkout", "-q", "."], check=True)
    write_uncommitted(cell)
    assert not (cell / DIFF).exists(), "of an earlier attempt"


def test_a_long_diff_is_cut(checkout: Path, tmp_path: Path) -> None:
    (checkout / "conf.yaml").write_text("a line of the file\n" * 20_000)
    write_uncommitted(tmp_path)
    content = (tmp_path / DIFF).read_bytes()
    assert len(content) < uncommitted.LARGEST + 100
    assert re.search(rb"\n\[wisesr: [34]\d\d,\d{3} bytes in all; the rest is not kept\]\n\Z", content)


def test_outside_a_checkout_there_is_no_diff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "_PACKAGE", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    write_uncommitted(tmp_path)
    assert not (tmp_path / DIFF).exists()


@pytest.mark.parametrize(
    "words", ["NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5\nGCC version: 12.2.0"]
)
def test_the_driver_is_the_kernels(words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "version").write_text(words)
    monkeypatch.setattr(cell_provenance, "_DRIVER", tmp_path / "version")
    assert cell_provenance.nvidia_driver() == "550.54.15"
    monkeypatch.setattr(cell_provenance, "_DRIVER", tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cell_provenance.nvidia_driver() is None


def test_the_archive_of_a_prepared_folder(tmp_path: Path) -> None:
    source = {"name": "archive.zip", "kind": "zip", "bytes": 12, "sha256": "e" * 64}
    assert archive_of(tmp_path) == {}
    (tmp_path / ".wisesr.json").write_text(json.dumps({"schema": 1, "source": source, "root": "a"}))
    assert archive_of(tmp_path) == source
    for odd in ({"source": source | {"sha256": None}}, {"source": 1}, [], "{"):
        (tmp_path / ".wisesr.json").write_text(odd if isinstance(odd, str) else json.dumps(odd))
        assert archive_of(tmp_path) == {}


def test_fields_that_hold_what_they_cannot_are_left_out(config: dict[str, Any]) -> None:
    content = record_of(config)
    content["provenance"] |= {"command": "train.py", "flags": [], "started": 3}
    content["cost"]["compute"] = {"train_ms": -1, "inference_ms": 2.5, "batch": 8}
    record = parse_record(content)
    assert record.cost.compute == ComputeTime(None, 2.5, 8)
    assert record.provenance == replace(parse_record(record_of(config)).provenance)


def test_a_cell_that_is_made_by_hand_has_no_command(config: dict[str, Any], tmp_path: Path) -> None:
    assert read_command(make(config, tmp_path / "cell")) == []


def test_a_flag_that_torch_refuses_to_tell_ends_no_cell() -> None:
    def refuse() -> None:
        raise RuntimeError("PyTorch is checking whether allow_tf32 is enabled, but ...")

    assert flags._told(refuse) is None
    assert flags._told(lambda: True) is True
    assert None not in flags.torch_flags().values()
