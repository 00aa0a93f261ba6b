"""Why an evaluation may differ from its record: code that has changed since is named by its files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from wisesr.build.code import CodeNow
from wisesr.inference.evaluation.agreement import _reasons
from wisesr.inference.evaluation.own_data import own_pictures
from wisesr.inference.load import load
from wisesr.results.code import read_code_of, write_code
from wisesr.results.provenance import package_hash

FIT = "wisesr/training/fit.py"


@pytest.mark.parametrize("files", [True, False])
def test_code_that_has_changed(finished: Path, files: bool) -> None:
    """Of an earlier record that is known of all of wisesr."""
    run = load(finished)
    source = own_pictures(run, "test").source
    made = run.record.provenance
    here = {"device": made.hardware["device"], "threads": made.threads, "unread": 0}
    assert _reasons(run, source, **here) == []
    code = read_code_of(finished)
    assert code == CodeNow().of(run.config)
    then = code._replace(files={**code.files, FIT: "0" * 64})
    write_code(finished, then)
    older = {"source": then.source} if files else {"source": "0" * 64, "code": {}}
    changed = replace(run, record=replace(run.record, provenance=replace(made, **older)))
    expected = f"the code has changed since: {FIT}" if files else "the code of wisesr has changed since"
    assert _reasons(changed, source, **here) == [expected]
    if not files:
        same = replace(made, source=package_hash(), code={})
        assert _reasons(replace(run, record=replace(run.record, provenance=same)), source, **here) == []
