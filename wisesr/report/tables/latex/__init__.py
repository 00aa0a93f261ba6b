r"""Tables to `\input` into a paper, one a file; they need booktabs and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from wisesr.report.tables.latex.claims import KEY, claims
from wisesr.report.tables.latex.differences import differences, published
from wisesr.report.tables.latex.escape import escape
from wisesr.report.tables.latex.matrix import latex
from wisesr.report.tables.latex.tabular import Made
from wisesr.report.tables.latex.tries import tries
from wisesr.report.whole_study import Study

__all__ = ["Made", "escape", "latex", "latex_files"]


def latex_files(study: Study, made: Made) -> Iterator[tuple[str, str]]:
    """Names of files, without `.tex`, and their texts: a table's own first, then what else there is of it."""
    for table in study.tables:
        yield table.key, latex(table, made)
        others = {"differences": differences, "published": published, "tries": tries}
        for name, text in ((name, write(table, made)) for name, write in others.items()):
            if text is not None:
                yield f"{table.key}-{name}", text
    if (text := claims(study.claims, made)) is not None:
        yield KEY, text
