"""What docstrings say of settings, read from the source: the word on a key whose YAML has no comment."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[2]
_ARGUMENT = re.compile(r"^ {8}(\w[\w, ]*): (.*(?:\n {10,}.*)*)", re.MULTILINE)


@cache
def argument_words(target: str) -> dict[str, str]:
    """What `Args` of a function or class says of each name, of its base classes' where it refers to them.

    Args:
        target: `wisesr.models.heads.wise.WiseHead`.
    """
    module, _, name = target.rpartition(".")
    path = _PACKAGE.joinpath(*module.split(".")).with_suffix(".py")
    if not module.startswith("wisesr.") or not path.is_file():
        return {}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = [node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name]
    words: dict[str, str] = {}
    for node in nodes:
        for base in node.bases if isinstance(node, ast.ClassDef) else []:
            words |= argument_words(_imported(tree, ast.unparse(base)) or f"{module}.{ast.unparse(base)}")
        words |= _own(ast.get_docstring(node, clean=False) or "")
    return words


def _own(text: str) -> dict[str, str]:
    section = re.search(r"^ *Args:\n((?: {8,}.*\n|\n)*)", text + "\n", re.MULTILINE)
    found: dict[str, str] = {}
    for names, words in _ARGUMENT.findall(section[1]) if section else ():
        if not words.startswith("as of"):
            found |= {name.strip(): re.sub(r"\s+", " ", words).rstrip(".") for name in names.split(",")}
    return found


def _imported(tree: ast.Module, name: str) -> str | None:
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and any(alias.name == name for alias in node.names):
            return f"{node.module}.{name}"
    return None
