"""The `hydra` node of a YAML file as people write it, made into what the sweeper takes: or the lines to write. No torch.

What is swept is text to Hydra (`head: gap,wise`), and only swept under `mode: MULTIRUN`: without it the one cell of the file's
other values would be trained in silence. A file that says what to sweep is a sweep here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml
from omegaconf import DictConfig, OmegaConf

from wisesr.config.grammar import as_value
from wisesr.config.options import GROUPS
from wisesr.config.schema import ROOT_KEYS
from wisesr.config.swept_interpolations import folders, refuse_values_of_cells
from wisesr.config.yaml_file import YamlFile

_NULL = "tag:yaml.org,2002:null"
_MODES = ("RUN", "MULTIRUN")


def complete_sweep(file: YamlFile, config: DictConfig) -> None:
    """Change what a file says so that what it sweeps is swept.

    Args:
        file: one whose values stand at the top of the configuration, and not below the name of a group.
        config: what it says; changed.

    Raises:
        UserError: what is swept stands where nobody looks for it, or is none.
    """
    _refuse_elsewhere(file)
    hydra = _below(file.root, "hydra")
    if hydra is None:
        return
    _refuse_misplaced(file, hydra)
    params = swept(file, hydra)
    if params:
        OmegaConf.update(config, "hydra.sweeper.params", None, force_add=True)
        config.hydra.sweeper.params = params
    mode = _below(hydra, "mode")
    if mode is None:
        if params:
            OmegaConf.update(config, "hydra.mode", "MULTIRUN", force_add=True)
    elif isinstance(mode, yaml.ScalarNode) and mode.tag != _NULL:
        if mode.value.upper() not in _MODES:
            raise file.wrong(mode, f"hydra.mode is {' or '.join(_MODES)}: for a sweep write `mode: MULTIRUN`")
        config.hydra.mode = mode.value.upper()


def swept(file: YamlFile, hydra: yaml.Node) -> dict[str, str]:
    """What a file sweeps: values with commas between them, by key."""
    sweeper = _below(hydra, "sweeper")
    params = _below(sweeper, "params") if sweeper is not None else None
    if params is None:
        return {}
    if isinstance(params, yaml.ScalarNode):
        raise file.wrong(params, "what is swept stands below params:, indented, a line for each key: `head: gap,wise`")
    items = params.value if isinstance(params, yaml.MappingNode) else []
    if isinstance(params, yaml.SequenceNode):  # - head: gap,wise
        for entry in params.value:
            if not isinstance(entry, yaml.MappingNode):
                raise file.wrong(entry, "what is swept is a key with its values: `head: gap,wise`")
            items = [*items, *entry.value]
    found: dict[str, str] = {}
    for key, name, text in _flat(file, items):
        if name in found:
            raise file.wrong(key, f"{name} is swept twice: write all values in one line, with commas between them")
        found[name] = text
    return found


def _flat(file: YamlFile, items: list[tuple[yaml.Node, yaml.Node]], above: str = "") -> Iterator[tuple[yaml.Node, str, str]]:
    """Each swept key with its dotted name and its values; nodes within nodes are what a dotted name says."""
    for key, value in items:
        name = above + re.sub(r"^(override\s+)?/?", "", key.value)
        if isinstance(value, yaml.MappingNode):
            yield from _flat(file, value.value, f"{name}.")
        elif value.tag == _NULL and value.value == "":
            raise file.wrong(key, f"nothing is swept here: write its values, `{key.value}: a,b`, or delete the line")
        else:
            refuse_values_of_cells(file, name, value)
            yield key, name, _values(value, name)


def _values(node: yaml.Node, key: str) -> str:
    """`gap,wise` of a YAML list, of the same in brackets and quotes, and of itself. A list of loggers is one value."""
    if isinstance(node, yaml.SequenceNode):
        values = ",".join(folders(key, str(item.value)) or _word(item) for item in node.value)
        together = key == "logger" and all(isinstance(item, yaml.ScalarNode) for item in node.value)
        return f"[{values}]" if together else values
    text = str(node.value).strip()
    if found := folders(key, text):
        return found
    if key in GROUPS and key != "logger" and (inner := re.fullmatch(r"[\[{(]([^\[\]{}()]*)[\]})]", text)):
        text = inner[1]
    return re.sub(r"\s*,\s*", ",", text) if re.fullmatch(r"[\w.+-]+(\s*,\s*[\w.+-]+)+,?", text) else text


def _word(node: yaml.Node) -> str:
    """A value as Hydra's grammar has it. https://hydra.cc/docs/advanced/override_grammar/basic"""
    if isinstance(node, yaml.SequenceNode):
        return f"[{','.join(map(_word, node.value))}]"
    if isinstance(node, yaml.MappingNode):
        return "{" + ",".join(f"{key.value}:{_word(value)}" for key, value in node.value) + "}"
    text = str(node.value)
    if node.tag == _NULL:
        return "null"
    if "${" in text or (isinstance(node, yaml.ScalarNode) and not node.style and re.fullmatch(r"[\w./+-]+", text)):
        return text
    return as_value(text)


def _below(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """What stands below a key, and below dotted keys that begin with it, `sweeper.params`."""
    if not isinstance(node, yaml.MappingNode):
        return None
    found: yaml.Node | None = None
    dotted = []
    for name, value in node.value:
        if name.value == key:
            found = value
        elif name.value.startswith(f"{key}."):
            rest = name.value.removeprefix(f"{key}.")
            dotted.append((yaml.ScalarNode(name.tag, rest, name.start_mark, name.end_mark), value))
    if not dotted:
        return found
    items = [*(found.value if isinstance(found, yaml.MappingNode) else ()), *dotted]
    return yaml.MappingNode(node.tag, items, node.start_mark, node.end_mark)


def _is_swept(key: str) -> bool:
    return key in GROUPS or key in ROOT_KEYS or key.partition(".")[0] in GROUPS


def _refuse_elsewhere(file: YamlFile) -> None:
    """What belongs below `hydra`, and stands at the top."""
    for key, value in file.root.value if file.root else ():
        if key.value in ("params", "sweeper", "sweep"):
            raise file.wrong(key, f"what is swept stands below hydra, sweeper and params: write\n{_lines(_all_swept(value))}")
        if key.value in ("mode", "multirun"):
            raise file.wrong(key, "this is a key of hydra: write\nhydra:\n  mode: MULTIRUN")


def _refuse_misplaced(file: YamlFile, hydra: yaml.Node) -> None:
    """What is swept, at a place of `hydra` where nobody looks for it."""
    if not isinstance(hydra, yaml.MappingNode):
        raise file.wrong(hydra, "below hydra stand mode: and sweeper:, indented")
    for key, value in hydra.value:
        if key.value == "params" or (key.value == "sweep" and _below(value, "params") is not None):
            raise file.wrong(key, f"params stands below sweeper: write\n{_lines(_all_swept(value))}")
        if _is_swept(key.value):
            raise file.wrong(
                key, f"{key.value} is no key of hydra; what is swept stands below params: write\n{_lines([(key, value)])}"
            )
    sweeper = _below(hydra, "sweeper")
    below = sweeper.value if isinstance(sweeper, yaml.MappingNode) else []
    misplaced = [(key, value) for key, value in below if _is_swept(key.value)]
    if misplaced:
        raise file.wrong(misplaced[0][0], f"what is swept stands below params: write\n{_lines(misplaced)}")


def _all_swept(node: yaml.Node) -> list[tuple[yaml.Node, yaml.Node]]:
    """The keys of a node, without a `params` or `sweeper` above them."""
    inner = next((below for below in (_below(node, "sweeper"), _below(node, "params")) if below is not None), None)
    return _all_swept(inner) if inner is not None else node.value if isinstance(node, yaml.MappingNode) else []


def _lines(items: list[tuple[yaml.Node, yaml.Node]]) -> str:
    """The lines of a sweep, as they are to stand in a file."""
    plain = [(key.value, value) for key, value in items if not isinstance(value, yaml.MappingNode)]
    rows = [f"      {key}: {_values(value, key)}" for key, value in plain]
    return "\n".join(["hydra:", "  mode: MULTIRUN", "  sweeper:", "    params:", *(rows or ["      head: gap,wise"])])
