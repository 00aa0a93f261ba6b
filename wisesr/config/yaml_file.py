"""A YAML file as a user leaves it: its text, its nodes with their lines, and what keeps it from being read. No torch.

Hydra's errors name no file (wrong bytes), or are tracebacks of a parser (tabs). Here each is a sentence that begins with
`conf/experiment/mine.yaml:4:` and holds the line as it should be.
"""

from __future__ import annotations

import codecs
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from wisesr.config.yaml_syntax import quoted, syntax_problem
from wisesr.errors import UserError

# libyaml, where PyYAML was built with it: a fiftieth of the time.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_BLANKS = "\u00a0\u1680\u2000-\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff\u0085"
"""Characters that look like a blank or like nothing, and come with text that is copied from a page, a chat or a PDF."""
_OPENING, _CLOSING = "\u201c\u201e\u201f\u2018\u201a\u201b\u00ab\u2039", "\u201d\u201c\u2019\u2018\u00bb\u203a"


@dataclass(frozen=True)
class YamlFile:
    """A file that is YAML.

    Args:
        path: where it lies.
        lines: of its text.
        root: its node; None of a file without content.
        config: what it says, shared by all who read the same bytes: a copy is for changing.
    """

    path: Path
    lines: tuple[str, ...]
    root: yaml.MappingNode | None
    config: DictConfig

    def at(self, where: yaml.Node | int) -> str:
        """`conf/experiment/mine.yaml:4`, of a node or of a line that is counted from 0."""
        line = where if isinstance(where, int) else where.start_mark.line
        return f"{shown(self.path)}:{line + 1}"

    def wrong(self, where: yaml.Node | int, sentence: str) -> UserError:
        """What is wrong with a line, which is shown."""
        line = where if isinstance(where, int) else where.start_mark.line
        return UserError(f"{self.at(line)}: `{_visible(self.lines[line])}`: {sentence}")


def shown(path: Path) -> str:
    """A path as a user would type it: from the working folder where it lies below that."""
    path = path.absolute()
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _visible(line: str) -> str:
    """A line with its tabs and control characters written out."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda found: repr(found[0])[1:-1], line.strip(" "))


def read_yaml(path: Path) -> YamlFile:
    """A file of keys with values, or an empty one.

    Raises:
        UserError: it cannot be read, is no YAML, or holds something else than keys with values.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{shown(path)} cannot be read: {error.strerror}") from None
    return _parsed(path, data)


@lru_cache(maxsize=256)
def _parsed(path: Path, data: bytes) -> YamlFile:
    text = _decoded(path, data)
    lines = tuple(text.splitlines())
    try:
        root = yaml.compose(text, Loader=_LOADER)
        file = YamlFile(path, lines, None, OmegaConf.create())
        if root is None:
            return file
        if not isinstance(root, yaml.MappingNode):
            raise _no_keys(file, root)
        for node in _mappings(root):
            _check_mapping(file, node)
        config = OmegaConf.create(text)
        assert isinstance(config, DictConfig)
    except yaml.YAMLError as error:
        line, sentence = syntax_problem(error, lines)
        at = f"{shown(path)}:{line + 1}: `{_visible(lines[line])}`" if lines else shown(path)
        raise UserError(f"{at}: {sentence}") from None
    except (OmegaConfBaseException, RecursionError, TypeError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{shown(path)} cannot be read: {str(error).splitlines()[0]}") from None
    return YamlFile(path, lines, root, config)


def copied(file: YamlFile) -> DictConfig:
    """What a file says, to be changed."""
    return copy.deepcopy(file.config)


def _decoded(path: Path, data: bytes) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            data, name = data[len(mark) :], encoding
            break
    else:
        name = "utf-8"
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n")
        written = data.split(b"\n")[line].decode("cp1252", errors="replace").strip()
        raise UserError(
            f"{shown(path)}:{line + 1}: `{written}`: is not in UTF-8, and seems to be in Windows-1252 or Latin-1: save the "
            f"file as UTF-8, or iconv -f CP1252 -t UTF-8 {path.name} > new.yaml"
        ) from None


def _no_keys(file: YamlFile, root: yaml.Node) -> UserError:
    line = file.lines[root.start_mark.line].strip()
    if isinstance(root, yaml.SequenceNode):
        rule = "a file holds keys with values, and this begins a list: write `defaults:` above it, where it chooses options"
    elif found := re.match(r"([\w./-]+)\s*[:=]\s*(\S.*)", line):
        rule = f"a colon and a blank stand between a key and its value: write `{found[1]}: {found[2]}`"
    else:
        rule = "a file holds keys with values, `key: value`"
    return file.wrong(root, rule)


def _mappings(node: yaml.Node, seen: frozenset[int] = frozenset()) -> Iterator[yaml.MappingNode]:
    """The mappings of a tree, the outer ones first."""
    if id(node) in seen:
        return  # a node that holds itself, by an alias
    below = seen | {id(node)}
    if isinstance(node, yaml.MappingNode):
        yield node
        for key, value in node.value:
            yield from _mappings(key, below)
            yield from _mappings(value, below)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _mappings(item, below)


def _check_mapping(file: YamlFile, node: yaml.MappingNode) -> None:
    """Hold the keys and values of a mapping against what YAML allows, and nobody means.

    Raises:
        UserError: a key stands twice, is no word, or has a blank that is none; a value is in quotes that are none.
    """
    lines: dict[tuple[str, str], yaml.Node] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise file.wrong(node, "a key must be a word; a value with braces must be in quotes")
        name = (key.tag, key.value)
        if name in lines:
            first = lines[name].start_mark.line + 1
            way = "put what is below both under one" if isinstance(value, yaml.CollectionNode) else "leave one of them"
            raise file.wrong(key, f"{key.value} stands in line {first} already: {way}")
        lines[name] = key
        for part in (key, value, *(value.value if isinstance(value, yaml.SequenceNode) else ())):
            if isinstance(part, yaml.ScalarNode) and not part.style:
                _check_letters(file, part)


def _check_letters(file: YamlFile, scalar: yaml.ScalarNode) -> None:
    text = scalar.value
    if re.search(rf"^[{_BLANKS}]|[{_BLANKS}]$|:[{_BLANKS}]", text):
        number = next(index for index in range(scalar.start_mark.line, len(file.lines)) if _odd(file.lines[index]))
        written = re.sub(f"[{_BLANKS}]", " ", file.lines[number]).rstrip()
        raise file.wrong(number, f"holds a blank that only looks like one, as text from a web page does: write `{written}`")
    if len(text) > 1 and text[0] in _OPENING and text[-1] in _CLOSING:
        raise file.wrong(scalar, f"these quotes are letters to YAML: write {quoted(text[1:-1])}")


def _odd(line: str) -> bool:
    return re.search(f"[{_BLANKS}]", line) is not None
