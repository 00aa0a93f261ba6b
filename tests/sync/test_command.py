"""`wisesr sync` as far as no server is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.studies import cell_config, write_cell, write_failed
from tests.support.synced import pretend_offline
from wisesr.cli import main
from wisesr.sync.uploads import Sent, note_success


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """outputs/study with cells to be sent, sent, without files, and failed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    root = Path("outputs")
    for seed in (0, 1):
        folder = pretend_offline(cell := write_cell(cell_config(root, seed=seed)))
    note_success(cell, Sent("00000001", "me", "wisesr", folder.name))
    write_cell(cell_config(root, seed=2))
    write_failed(cell_config(root, seed=3), "out of memory")
    return root / "study"


def run_sync(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code, and all that was printed."""
    code = main(["sync", *arguments])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


@pytest.mark.parametrize("name", ["study", "outputs/study", "outputs"])
def test_what_would_be_sent(study: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, text = run_sync(capsys, name, "--dry-run")
    assert code == 0
    assert "4 cells: 1 to be sent, 1 there already, 1 without W&B files, 1 not finished" in text
    assert [line.split("/")[-1].split("-")[1] for line in text.splitlines() if "would send" in line] == ["0"]
    assert "(failed out of memory)" in text


def test_a_study_with_the_name_of_another_directory(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("study").mkdir()  # as `tests` and `notebooks` are in a checkout
    code, text = run_sync(capsys, "study", "--dry-run")
    assert code == 0
    assert "4 cells" in text


def test_again(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = run_sync(capsys, "study", "--dry-run", "--again")
    assert code == 0
    assert text.count("would send") == 2


def test_a_dry_run_tells_where_things_would_go(
    study: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org")
    lines = run_sync(capsys, "study", "--dry-run")[1].splitlines()
    runs, workspace, key = lines[-3:]
    assert runs.startswith("1 run ") and "project wisesr" in runs and "the account's own" in runs
    assert workspace == "The workspace and the report of study in project wisesr would be written."
    assert "no key for https://wandb.example.org" in key and "WANDB_API_KEY" in key
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    given = ("--project", "heads", "--entity", "myteam", "--no-workspace", "--no-report")
    lines = run_sync(capsys, "study", "--dry-run", *given)[1].splitlines()
    runs, key = lines[-2:]
    assert runs.startswith("2 runs ") and "project heads" in runs and "entity myteam" in runs
    assert "https://wandb.example.org is known" in key
    text = run_sync(capsys, "study", "--dry-run", "--workspace-only")[1]
    assert "would go" not in text
    assert "The workspace and the report of study in project wisesr" in text
    for option, written in (("--no-report", "The workspace of study"), ("--no-workspace", "The report of study")):
        assert written in run_sync(capsys, "study", "--dry-run", option)[1]


def test_a_dry_run_of_nothing_needs_no_key(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for cell in study.glob("*/*/seed-[01]-*"):
        for file in cell.glob("wandb/*/*"):
            file.unlink()
    text = run_sync(capsys, "study", "--dry-run")[1]
    assert "would" not in text
    assert "key" not in text


def test_no_server_may_be_asked(study: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    code, text = run_sync(capsys, "study")
    assert code == 1
    assert "WANDB_MODE=offline" in text
    monkeypatch.delenv("WANDB_MODE")
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org")
    code, text = run_sync(capsys, "study")
    assert code == 1
    assert "no key for https://wandb.example.org" in text and "WANDB_API_KEY" in text


def test_nothing_to_do_asks_nobody(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for cell in study.glob("*/*/seed-[01]-*"):
        for file in cell.glob("wandb/*/*"):
            file.unlink()
    assert run_sync(capsys, "study")[0] == 0


@pytest.mark.parametrize(
    ("name", "parts"),
    [("stady", ["'stady'", "Did you mean study?", "outputs, study"]), ("empty", ["no cells below empty"])],
)
def test_no_such_study(study: Path, capsys: pytest.CaptureFixture[str], name: str, parts: list[str]) -> None:
    Path("empty").mkdir()
    code, text = run_sync(capsys, name)
    assert code == 1
    assert all(part in text for part in parts)


@pytest.mark.parametrize("timeout", ["0", "-1", "nan", "1e9", "soon"])
def test_a_timeout_is_a_number_of_seconds(capsys: pytest.CaptureFixture[str], timeout: str) -> None:
    with pytest.raises(SystemExit):
        main(["sync", "study", "--timeout", timeout])
    assert "--timeout" in capsys.readouterr().err
