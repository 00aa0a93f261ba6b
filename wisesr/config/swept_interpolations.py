"""`${...}` in what a file sweeps: the name of a folder, or a value that is settled before any cell is there. No torch."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from wisesr.config.grammar import quoted
from wisesr.config.options import GROUPS
from wisesr.config.typed_paths import existing_parts
from wisesr.config.typed_values import holds_path
from wisesr.config.written import nested
from wisesr.config.yaml_file import YamlFile

_MARKED = "$\u2060{"
"""`${` of a folder's name until a sweep is made, as Hydra settles interpolations before: with a joiner, which nobody sees."""
_OF_A_CELL = re.compile(rf"\$\{{({'|'.join(GROUPS)})(\.name)?\}}")


def folders(key: str, text: str) -> str:
    """Paths that are there, as Hydra is to get them, where a name has `${` in it; empty of anything else."""
    parts = existing_parts(text, [""]) if "${" in text and holds_path(key, text) else []
    return ",".join(map(quoted, parts)).replace("${", _MARKED)


def unmarked(text: str) -> str:
    """What is swept, with the `${` of folders' names as they were written."""
    return text.replace(_MARKED, "${")


def refuse_values_of_cells(file: YamlFile, key: str, node: yaml.Node) -> None:
    """Raise where what is swept names an option of the cells, `${head}`: there is no cell yet when a sweep is made.

    Args:
        file: whose line is shown.
        key: that is swept, with dots.
        node: its values.

    Raises:
        UserError: one does; of a folder that has such a name it is the name.
    """
    for item in _scalars(node):
        text = str(item.value)
        if not (found := _OF_A_CELL.search(text)) or folders(key, text):
            continue
        said = f"{found[0]} belongs to a cell, and there is none yet when its sweep is made"
        if isinstance(node, yaml.SequenceNode) or "," in text or key in GROUPS:
            raise file.wrong(item, f"{said}: write the values themselves")
        line = nested(key, _OF_A_CELL.sub(r"${\1.name}", text))
        raise file.wrong(
            item, f"{said}. This is one value of each cell: delete this line, and write at the left margin\n{line}"
        )


def _scalars(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    for item in node.value if isinstance(node, yaml.SequenceNode) else ():
        yield from _scalars(item)
