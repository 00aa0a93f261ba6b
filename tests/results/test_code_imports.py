"""What is read from a file's text is what Python's own parser finds in it, and what Python imports when it runs it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import wisesr
from wisesr.results.code_imports import Import, Imports, _on_lines_of_their_own, imports_of

PACKAGE = Path(wisesr.__file__).parent


def by_parser(source: bytes) -> set[Import]:
    """Imports of a file by Python's parser alone; type checkers' branches are cut out of its tree beforehand."""

    class Cut(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
            self.generic_visit(node)
            if ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
                return node.orelse
            return node.body if ast.unparse(node.test) == "not TYPE_CHECKING" else node

    found = set()
    for node in ast.walk(Cut().visit(ast.parse(source))):
        if isinstance(node, ast.Import):
            found |= {Import(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(Import("." * node.level + (node.module or ""), tuple(alias.name for alias in node.names)))
    return found


def test_every_file_of_the_package_as_the_parser_has_it() -> None:
    parsed = 0
    for path in sorted(PACKAGE.rglob("*.py"))[::5]:
        source = path.read_bytes()
        assert set(imports_of(source, calls=False).imports) == by_parser(source), path
        parsed += _on_lines_of_their_own(source, calls=False) is None
    assert parsed < 10, "nearly all are found without the parser, or a command would take seconds"


@pytest.mark.parametrize(
    "source",
    [
        "import a\nimport a.b as c, d\n",
        "from a.b import (\n    c,\n    d as e,\n)\nfrom . import f\nfrom ..g import h\nfrom .i import *\n",
        "from a import (  # why (this)\n    b,\n)\n",
        "def f():\n    import a\n    if 1: import b\n    x = 1; import c\n",
        "try: from d import e\nexcept ImportError: import g\n",
        "from a import b, \\\n    c\n",
        "if TYPE_CHECKING:\n    import a\n\n    from b import c\nelse:\n    import d\nimport e\n",
        "import typing\nif typing.TYPE_CHECKING:\n    import a\nif not TYPE_CHECKING:\n    import b\nelse:\n    import c\n",
        "class A:\n    if TYPE_CHECKING:\n        import a\n    import b\n",
        '"""Use it:\n\n    import a\n    from b import c\n"""\nimport d\n',
        "x = '''\nimport a\n'''\nimport b\n",
        'x = \'"""\'\nimport a\ny = \'"""\'\n',
        "# import a\nimport b  # import c\nlazy = 'import d'\n",
        "import\ta\r\nfrom b\timport c\r\n",
        "# -*- coding: latin-1 -*-\nimport a\nx = '\xe9'\n",
    ],
)
def test_ways_to_write_an_import(source: str) -> None:
    encoded = source.encode("latin-1")
    assert set(imports_of(encoded).imports) == by_parser(encoded)


def test_calls_that_take_in_code() -> None:
    source = (
        "from importlib import import_module\nimport importlib, ctypes\n"
        "import_module('a.b')\nimportlib.import_module(name)\n__import__('c')\nexec(text)\n"
        "ctypes.CDLL('x.so')\ncpp_extension.load(name='y')\nmodel.load('z')\n"
    )
    found = imports_of(source.encode())
    assert {Import("a.b"), Import("c")} < set(found.imports)
    assert found.unfollowed == ((4, "import_module"), (6, "exec"), (7, "CDLL"), (8, "cpp_extension"))
    assert imports_of(source.encode(), calls=False).unfollowed == ()


def test_what_is_no_python_imports_nothing() -> None:
    assert imports_of(b"import a\nimport (\n") == imports_of(b"\0'''") == Imports(())
