"""The `defaults` of a YAML file as people write them, made into what Hydra takes: or the line to write. No torch.

Hydra wants `- override /resolution: "112"`, at the end of a list, in quotes. An experiment only ever chooses other options of
groups that have one already, so that there is nothing else that `head: gap`, `/head: gap` or `override head: gap` could mean.
https://hydra.cc/docs/advanced/defaults_list
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from wisesr.config.options import GROUPS
from wisesr.config.yaml_file import YamlFile

Default = str | dict[str, str | list[str] | None]
"""One item of the list."""

_NULL = "tag:yaml.org,2002:null"
_KEY = re.compile(r"(?P<words>(?:(?:optional|override)\s+)*)(?P<root>/?)(?P<group>[\w/]+)(?P<package>@[\w.:]+)?")


def defaults_of(file: YamlFile, *, experiment: bool) -> list[Default] | None:
    """The list, with the names of options as text (`112` is a number to YAML); None where there is nothing to change.

    Args:
        file: any.
        experiment: whether it is one: its choices are overrides, whatever they look like.

    Raises:
        UserError: an item that means nothing, or two that contradict each other.
    """
    node = next((value for key, value in file.root.value if key.value == "defaults"), None) if file.root else None
    if isinstance(node, yaml.ScalarNode) and node.tag != _NULL and not experiment:
        raise file.wrong(node, "defaults is a list of files beside this one: `defaults: [_base]`")
    if node is None or (not experiment and not _has_number(node)):
        return None
    found = [default for key, value in _items(file, node) for default in _default(file, key, value, experiment)]
    if found.count("_self_") > 1:
        raise file.wrong(node, "_self_, the place of the file's own values, stands twice: leave the last")
    if experiment:
        _refuse_two_choices(file, node, found)
    # Hydra refuses an override before anything else; among themselves the order of both stays.
    return [item for item in found if not _overrides(item)] + [item for item in found if _overrides(item)]


def _has_number(node: yaml.Node) -> bool:
    """Whether something in a list of defaults is no text to YAML and no null, or a list in the list."""
    if isinstance(node, yaml.MappingNode):
        return any(_has_number(value) for _, value in node.value)
    if isinstance(node, yaml.SequenceNode):
        return any(isinstance(item, yaml.SequenceNode) or _has_number(item) for item in node.value)
    return node.tag not in (_NULL, "tag:yaml.org,2002:str")


def _items(file: YamlFile, node: yaml.Node) -> Iterator[tuple[yaml.ScalarNode, yaml.Node | None]]:
    """The items, each as key and value; a name alone has no value. A mapping, or several keys in an item, are several."""
    entries = node.value if isinstance(node, yaml.SequenceNode) else [] if node.tag == _NULL else [node]
    for entry in entries:
        if isinstance(entry, yaml.MappingNode):
            yield from entry.value
        elif isinstance(entry, yaml.ScalarNode) and entry.tag != _NULL:
            yield entry, None
        else:
            raise file.wrong(entry, "an item of defaults is `override /GROUP: OPTION`, or the name of a file beside this one")


def _default(file: YamlFile, key: yaml.ScalarNode, value: yaml.Node | None, experiment: bool) -> Iterator[Default]:
    text, choice = key.value.strip(), _choice(file, value) if value is not None else None
    if value is None:
        if not experiment or not (split := re.fullmatch(r"(.*\boverride\s+/?\w+)[=:\s]\s*(\S+)|(/?[\w/]+)[=:]\s*(\S+)", text)):
            yield _file(text) if experiment else text
            return
        text, choice = split[1] or split[3], split[2] or split[4]
    found = _KEY.fullmatch(text)
    if not experiment or found is None:
        yield {text: choice}
        return
    group, words = found["group"].strip("/"), found["words"]
    if group == "experiment":
        yield from (f"/experiment/{_stem(name)}" for name in ([choice] if isinstance(choice, str) else choice or ()))
    elif (group in GROUPS and not (file.path.parent / group).is_dir()) or group.startswith("hydra/"):
        if isinstance(choice, list) and group != "logger":
            raise file.wrong(key, f"several are a sweep, `{group}: {','.join(choice)}` below hydra: sweeper: params:")
        yield {f"{words}{'' if 'override' in words else 'override '}/{group}{found['package'] or ''}": _stemmed(choice)}
    elif "override" in words or found["root"] or (file.path.parent / group).is_dir():
        yield {text: _stemmed(choice)}
    else:
        raise file.wrong(
            key,
            f"there is no group {group}. A value is no default: it stands in the file itself, not in the list. "
            f"Groups: {', '.join(GROUPS)}",
        )


def _choice(file: YamlFile, node: yaml.Node) -> str | list[str] | None:
    """The name of an option, or of several, as it is written."""
    if isinstance(node, yaml.ScalarNode):
        return None if node.tag == _NULL else str(node.value)
    if isinstance(node, yaml.SequenceNode) and all(isinstance(item, yaml.ScalarNode) for item in node.value):
        return [str(item.value) for item in node.value]
    raise file.wrong(
        node, "defaults choose options by their names: values stand in the file itself, below the name of the group"
    )


def _file(text: str) -> str:
    """A file beside this one: `quickstart` of `quickstart.yaml`, and of `experiment/quickstart`."""
    return _stem(text.removeprefix("experiment/"))


def _stem(name: str) -> str:
    return re.sub(r"\.ya?ml$", "", name)


def _stemmed(choice: str | list[str] | None) -> str | list[str] | None:
    return [_stem(name) for name in choice] if isinstance(choice, list) else _stem(choice) if choice else choice


def _overrides(item: Default) -> bool:
    return isinstance(item, dict) and any("override" in key.split() for key in item)


def _refuse_two_choices(file: YamlFile, node: yaml.Node, found: list[Default]) -> None:
    """Of two overrides of one group, Hydra takes the first in silence."""
    keys = [key for item in found if isinstance(item, dict) for key in item if "override" in key.split()]
    for key in keys:
        if keys.count(key) > 1:
            group = key.split()[-1].strip("/")
            both = [str(item[key]) for item in found if isinstance(item, dict) and key in item]
            swept = f"`{group}: {','.join(both)}` below hydra: sweeper: params:"
            raise file.wrong(
                node, f"{group} is chosen twice, as {' and '.join(both)}: leave one, or sweep over them with {swept}"
            )
