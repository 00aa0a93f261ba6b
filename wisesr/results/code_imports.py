"""What a Python file imports, read from its text: nothing is run. Imports in functions count, those for type checkers do not.

To parse a package of 600 files takes seconds. Nearly all imports stand on lines of their own, which a search finds thirty
times faster; a file in which the word stands anywhere else is parsed.
"""

from __future__ import annotations

import ast
import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple


class Import(NamedTuple):
    """`import MODULE`, or `from MODULE import NAMES`; a relative one has its dots before the module's name."""

    module: str
    names: tuple[str, ...] = ()


class Imports(NamedTuple):
    """What a file imports, and where it takes in code that its text does not name."""

    imports: tuple[Import, ...]
    unfollowed: tuple[tuple[int, str], ...] = ()
    """(line, what is called there): `import_module`, `exec`, ..."""


_STATEMENT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<module>\.*[\w.]*)[ \t]+import[ \t]+(?P<names>\([^()'\"#]*\)|\*|[\w, \t]+?)"
    r"|import[ \t]+(?P<modules>[\w., \t]+?))[ \t]*(?:#[^\n'\"]*)?$",
    re.MULTILINE,
)
_GUARD = re.compile(r"^([ \t]*)if (?:typing\.)?TYPE_CHECKING:[ \t]*$(?:\n(?:\1[ \t]+[^\n]*|[ \t]*$))*", re.MULTILINE)
_WORDS = (re.compile(r"import\b"), re.compile(r"TYPE_CHECKING\b"))
_CALLS = (
    "import_module",
    "__import__",
    "exec",
    "run_path",
    "run_module",
    "CDLL",
    "load_library",
    "load_inline",
    "cpp_extension",
)
"""What takes in code by a name that may be made up anywhere, or that is no Python."""


def imports_of(source: bytes, *, calls: bool = True) -> Imports:
    """What a file with this content imports; nothing where it is no Python, as whoever imports it will be told.

    Args:
        source: of the file.
        calls: whether to look for calls that take in code, too: `import_module("a.b")`.
    """
    found = _on_lines_of_their_own(source, calls=calls)
    if found is not None:
        return Imports(found)
    try:
        nodes = list(_run_nodes(ast.parse(source)))
    except (SyntaxError, ValueError):
        return Imports(())
    called = [node for node in nodes if isinstance(node, ast.Call) and _called(node) in _CALLS] if calls else []
    named = [Import(name) for call in called if (name := _literal_module(call))]
    dynamic = tuple((call.lineno, _called(call)) for call in called if not _literal_module(call))
    return Imports((*_imports(nodes), *named), dynamic)


def _on_lines_of_their_own(source: bytes, *, calls: bool) -> tuple[Import, ...] | None:
    """The imports of a file that has no doubtful one; None where it must be parsed to know."""
    try:
        text = source.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None
    if "'''" in text or (calls and any(word in text for word in _CALLS)):
        return None
    statements, strings = list(_STATEMENT.finditer(text)), _long_strings(text)
    if any(_is_within(statement.start(), strings) for statement in statements):
        return None
    guarded = [match.span() for match in _GUARD.finditer(text)] if "TYPE_CHECKING" in text else []
    known = (strings, guarded, [statement.span() for statement in statements])
    words = (match.start() for word in _WORDS for match in word.finditer(text))
    if not all(any(_is_within(place, spans) for spans in known) or _is_other(text, place) for place in words):
        return None
    return tuple(each for match in statements if not _is_within(match.start(), guarded) for each in _read(match))


def _long_strings(text: str) -> list[tuple[int, int]]:
    """From where to where triple quotes hold a string; a file that also has them elsewhere ends in doubt."""
    ends = [match.start() for match in re.finditer('"""', text)]
    return list(zip(ends[::2], ends[1::2] + [len(text)] * (len(ends) % 2), strict=True))


def _is_within(place: int, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether it lies in one of these spans, which are sorted and apart."""
    before = bisect_right(spans, (place, sys.maxsize)) - 1
    return before >= 0 and spans[before][0] <= place < spans[before][1]


def _is_other(text: str, place: int) -> bool:
    """Whether it is the end of another word, or stands on a line of comment."""
    if place and (text[place - 1].isalnum() or text[place - 1] == "_"):
        return True
    return text[text.rfind("\n", 0, place) + 1 : place].lstrip().startswith("#")


def _read(statement: re.Match[str]) -> Iterator[Import]:
    if statement["module"] is not None:
        names = statement["names"].strip("()").split(",")
        yield Import(statement["module"], tuple(name.split()[0] for name in names if name.strip()))
    else:
        yield from (Import(module.split()[0]) for module in statement["modules"].split(",") if module.strip())


def _run_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only type checkers look at."""
    for child in ast.iter_child_nodes(tree):
        branch = _run_branch(child) if isinstance(child, ast.If) else None
        if branch is None:
            yield child
            yield from _run_nodes(child)
        else:
            yield from branch
            for statement in branch:
                yield from _run_nodes(statement)


def _run_branch(node: ast.If) -> list[ast.stmt] | None:
    """The branch that runs of `if TYPE_CHECKING`, with or without `not`; None of any other condition."""
    negated = isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not)
    test = node.test.operand if isinstance(node.test, ast.UnaryOp) else node.test
    if getattr(test, "id", getattr(test, "attr", "")) != "TYPE_CHECKING":
        return None
    return node.body if negated else node.orelse


def _imports(nodes: Iterable[ast.AST]) -> Iterator[Import]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield Import("." * node.level + (node.module or ""), tuple(alias.name for alias in node.names))


def _called(node: ast.Call) -> str:
    """`import_module` of `importlib.import_module(...)`; `cpp_extension` of what compiles and loads."""
    owner = getattr(node.func, "value", None)
    if "cpp_extension" in (getattr(owner, "id", ""), getattr(owner, "attr", "")):
        return "cpp_extension"
    return str(getattr(node.func, "id", getattr(node.func, "attr", "")))


def _literal_module(node: ast.Call) -> str | None:
    """The module that `import_module("a.b")` names, where it is written out."""
    if _called(node) not in ("import_module", "__import__") or len(node.args) != 1:
        return None
    value = getattr(node.args[0], "value", None)
    return value if isinstance(value, str) and not value.startswith(".") else None
