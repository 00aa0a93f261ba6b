"""Where a key of the configuration was written, `conf/experiment/mine.yaml:4`: of the files composed last. No torch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml
from omegaconf import OmegaConf

from wisesr.config.yaml_file import YamlFile
from wisesr.errors import unknown
from wisesr.wording import shown_value

_READ: dict[Path, tuple[YamlFile, str]] = {}
"""Files, each with the dotted name of the node that it is about; empty: the whole configuration."""


def forget() -> None:
    """A composition begins."""
    _READ.clear()


def remember(file: YamlFile, node: str) -> None:
    """A file was read, whose values stand at a node."""
    _READ.pop(file.path, None)
    _READ[file.path] = (file, node)


def written_at(key: str, value: object) -> str | None:
    """The line that gives a key this value; None if no file does, as the command line may have given it."""
    for file, node in reversed(_READ.values()):
        inside = key.removeprefix(f"{node}.") if node and key.startswith(f"{node}.") else key
        if (node and inside == key) or file.root is None:
            continue
        found = _find(file.root, inside.split("."))
        if found is not None and _says(file, inside, value):
            return file.at(found)
    return None


def in_file(key: str, value: object) -> str:
    """` (conf/experiment/mine.yaml:4)`, to be added to a sentence on a key and its value; empty if no file says it."""
    line = written_at(key, value)
    return f" ({line})" if line else ""


def unknown_key(where: str, key: str, value: object, choices: Iterable[str], whole: Mapping[str, object]) -> str:
    """The sentence on a key that a node has not: where it was written, and which key was meant.

    Args:
        where: the node's name; empty for the whole configuration.
        key: the unknown one.
        value: what it was given.
        choices: the keys of the node.
        whole: the configuration, or what is known of it: a key of this name may stand somewhere else in it.
    """
    said = unknown(f"key of {where}" if where else "key or group", key, choices)
    line = swept_at(key) or written_at(f"{where}.{key}" if where else key, value)
    at = f" ({line})" if line else ""
    found = elsewhere(whole, where, key)
    if not found or isinstance(value, Mapping):
        return said + at
    said = f"no {f'key of {where}' if where else 'key or group'} is called {shown_value(key)}{at}: it is "
    if line:
        return f"{said}{' or '.join(found[:3])}: write\n{nested(found[0], as_yaml(value))}"
    return said + " or ".join(f"{name}={as_typed(value)}" for name in found[:3])


def elsewhere(config: Mapping[str, object], where: str, key: str) -> list[str]:
    """Dotted names of the keys of this name, below a node or else anywhere: `recipe.optimizer.lr` of `lr`."""
    node: object = config
    for name in where.split(".") if where else ():
        node = node.get(name) if isinstance(node, Mapping) else None
    below = [f"{where}.{name}" if where else name for name in deeper(node, key)] if isinstance(node, Mapping) else []
    return below or [name for name in deeper(config, key) if name != f"{where}.{key}"]


def as_yaml(value: object) -> str:
    """A value in one line, as a file or a command line has it."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6)
    return text.removesuffix("...\n").strip()


def as_typed(value: object) -> str:
    """A value as it was typed on the command line, where it was."""
    return value if isinstance(value, str) else as_yaml(value)


def swept_at(key: str) -> str | None:
    """The line of a file that sweeps a key."""
    for file, _ in reversed(_READ.values()):
        if file.root and (found := _find(file.root, ["hydra", "sweeper", "params", *key.split(".")])):
            return file.at(found)
    return None


def swept_texts() -> list[tuple[str, str, str]]:
    """What files sweep: line, key and text of each; a list has a text for each of its values."""
    found = []
    for file, _ in reversed(_READ.values()):
        params = _find(file.root, ["hydra", "sweeper", "params"], values=True) if file.root else None
        for key, value in params.value if isinstance(params, yaml.MappingNode) else ():
            items = value.value if isinstance(value, yaml.SequenceNode) else [value]
            found += [(file.at(each), str(key.value), str(each.value)) for each in items if isinstance(each, yaml.ScalarNode)]
    return found


def chosen_at(group: str, name: str) -> str | None:
    """The line of a `defaults` that chooses an option of a group; None if the command line does."""
    for file, _ in reversed(_READ.values()):
        defaults = _find(file.root, ["defaults"], values=True) if file.root else None
        items = defaults.value if isinstance(defaults, yaml.SequenceNode) else [defaults]
        for item in items:
            for key, value in item.value if isinstance(item, yaml.MappingNode) else ():
                names = [each.value for each in value.value] if isinstance(value, yaml.SequenceNode) else [value.value]
                if name in names and str(key.value).split()[-1].strip("/").partition("@")[0] == group:
                    return file.at(value)
            if isinstance(item, yaml.ScalarNode) and name in (item.value, item.value.rpartition("/")[2]):
                return file.at(item)
        swept = _find(file.root, ["hydra", "sweeper", "params", group], values=True) if file.root else None
        if swept is not None and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", "\n".join(_texts(swept))):
            return file.at(swept)
    return None


def _texts(node: yaml.Node) -> list[str]:
    return [text for each in node.value for text in _texts(each)] if isinstance(node, yaml.SequenceNode) else [str(node.value)]


def key_in_defaults(group: str) -> str | None:
    """The line of a `defaults` that names a group."""
    for file, _ in reversed(_READ.values()):
        defaults = _find(file.root, ["defaults"], values=True) if file.root else None
        for item in defaults.value if isinstance(defaults, yaml.SequenceNode) else ():
            for key, _value in item.value if isinstance(item, yaml.MappingNode) else ():
                if str(key.value).split()[-1].strip("/").partition("@")[0] == group:
                    return file.at(key)
    return None


def deeper(node: Mapping[str, object], key: str, below: str = "") -> list[str]:
    """Dotted names of the keys of this name further down, the nearest ones first: `optimizer.lr` of `lr`."""
    found = [f"{below}{name}.{key}" for name, inner in node.items() if isinstance(inner, Mapping) and key in inner]
    for name, inner in node.items():
        if isinstance(inner, Mapping):
            found += deeper(inner, key, f"{below}{name}.")
    return sorted(dict.fromkeys(found), key=lambda name: name.count("."))


def nested(key: str, value: str) -> str:
    """The lines of a dotted key in a file."""
    *nodes, last = key.split(".")
    rows = [f"{'  ' * depth}{node}:" for depth, node in enumerate(nodes)]
    return "\n".join([*rows, f"{'  ' * len(nodes)}{last}: {value}"])


def _find(root: yaml.Node, names: list[str], values: bool = False) -> yaml.Node | None:
    """The key at the end of a path of names, or its value; a dotted key counts as what it says."""
    if not isinstance(root, yaml.MappingNode):
        return None
    key: yaml.Node
    value: yaml.Node
    for count in range(len(names), 0, -1):
        for key, value in root.value:
            if key.value == ".".join(names[:count]):
                if count == len(names):
                    return value if values else key
                if found := _find(value, names[count:], values):
                    return found
    return None


def _says(file: YamlFile, key: str, value: object) -> bool:
    plain = OmegaConf.to_container(file.config, resolve=False)
    for name in key.split("."):
        if not isinstance(plain, dict) or name not in plain:
            return isinstance(plain, dict)  # a dotted key
        plain = plain[name]
    return type(plain) is type(value) and plain == value
