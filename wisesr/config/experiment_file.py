"""An experiment's file as people write it, made into what Hydra takes: or the line to write. No torch.

An experiment says what differs from the configuration as a whole, so that its values stand at the top of it: in Hydra only
where the file begins with `# @package _global_`, and else below `experiment`, where nothing reads them. Here that is what a
file of `experiment/` means, unless it names another package.
"""

from __future__ import annotations

import re

import yaml
from omegaconf import DictConfig, OmegaConf

from wisesr.config.defaults_list import defaults_of
from wisesr.config.options import GROUPS, conf_dir
from wisesr.config.sweep_in_file import complete_sweep
from wisesr.config.yaml_file import YamlFile, copied, read_yaml, shown
from wisesr.errors import UserError

GLOBAL = "_global_"
_NULL = "tag:yaml.org,2002:null"


def package_of(file: YamlFile, folder: str) -> str | None:
    """Where the values of a file stand: `_global_`, a dotted name; None: where Hydra puts them, by the folder.

    Hydra reads `# @package NAME` in the first line alone; here it may stand below other comments.

    Args:
        file: any.
        folder: the group that it is an option of, `experiment`; empty: none.

    Raises:
        UserError: there is no such place.
    """
    default = GLOBAL if folder == "experiment" else None
    for index, line in enumerate(file.lines):
        if line.strip() and not line.lstrip().startswith(("#", "---")):
            return default
        if not (found := re.match(r"\s*#\s*@\s*package\b[\s:=]*(\S*)", line)):
            continue
        name = found[1].strip("'\"")
        if re.fullmatch("_*globals?_*", name, re.IGNORECASE) or (not name and default):
            return GLOBAL
        if not name or (default and name.partition(".")[0] not in (*GROUPS, "hydra", "_group_")):
            raise file.wrong(index, f"there is no such place: write `# @package {GLOBAL}`, the top of the configuration")
        return name
    return default


def experiment_config(file: YamlFile, package: str | None) -> DictConfig:
    """What an experiment says, with what it sweeps swept.

    Raises:
        UserError: the file is empty, or something in it stands where it does nothing.
    """
    if file.root is None:
        raise UserError(f"{shown(file.path)} is empty: nothing would differ from a command without it")
    config = copied(file)
    if (defaults := defaults_of(file, experiment=True)) is not None:
        config.defaults = defaults
        _refuse_values_without_effect(file, [name for name in defaults if isinstance(name, str)])
    if package == GLOBAL:
        for key, value in file.root.value:
            _refuse_choice(file, key, value)
        _expand_dotted(file, file.root, config)
        complete_sweep(file, config)
    return config


def option_config(file: YamlFile, group: str, package: str | None) -> DictConfig:
    """What an option of a group says.

    Raises:
        UserError: its keys stand one level too high or too deep.
    """
    config = copied(file)
    if (defaults := defaults_of(file, experiment=False)) is not None:
        config.defaults = defaults
    own = {key.value: key for key, _ in file.root.value} if file.root else {}
    if package == GLOBAL and group in GROUPS and group not in own and not (set(own) & set(GROUPS)) and own:
        line = next(index for index, text in enumerate(file.lines) if "package" in text)
        raise file.wrong(line, f"puts these keys at the top of the configuration, and they are a {group}'s: delete this line")
    if package is None and group in GROUPS and group != "logger" and set(own) - {"defaults"} == {group}:
        raise file.wrong(own[group], f"what this file says is a {group}'s already: delete this line, and unindent those below")
    if package is None and group in GROUPS and "hydra" in own:
        raise file.wrong(own["hydra"], f"hydra is no setting of a {group}: an experiment's file has it, experiment/NAME.yaml")
    return config


def _refuse_values_without_effect(file: YamlFile, names: list[str]) -> None:
    """An experiment that is named after `_self_` has the last word, in silence; before it, the file has."""
    own = _paths(file.config)
    for name in names[names.index("_self_") + 1 :] if "_self_" in names else ():
        named = f"{name.rpartition('/')[2]}.yaml"
        other = next((path for path in (conf_dir() / "experiment" / named, file.path.with_name(named)) if path.is_file()), None)
        if other is not None and (lost := sorted(own & _paths(read_yaml(other).config))):
            line = next(index for index, text in enumerate(file.lines) if "_self_" in text)
            raise file.wrong(
                line, f"what {name} says comes after it, so that {lost[0]} has no effect here: write it below {name}"
            )


def _paths(node: DictConfig) -> set[str]:
    """Dotted names of all values but the defaults."""
    plain = OmegaConf.to_container(node, resolve=False)

    def walk(inner: object, above: str) -> set[str]:
        if not isinstance(inner, dict):
            return {above}
        return {path for key, value in inner.items() for path in walk(value, f"{above}.{key}" if above else str(key))}

    return walk({key: value for key, value in plain.items() if key != "defaults"}, "") if isinstance(plain, dict) else set()


def _refuse_choice(file: YamlFile, key: yaml.ScalarNode, value: yaml.Node) -> None:
    """A group with something else below it than settings: an option's name, a list of them, nothing."""
    if key.value in ("@package", "package", "_package_"):
        raise file.wrong(key, f"this is a comment, and may be left out of an experiment's file: write `# @package {GLOBAL}`")
    if key.value not in GROUPS or isinstance(value, yaml.MappingNode):
        return
    group = key.value
    if several := _several(value):
        if group == "logger":
            raise file.wrong(
                key, f"options are chosen in the list of defaults: write\ndefaults:\n  - override /logger: [{several}]"
            )
        raise file.wrong(
            key, f"several are a sweep: write\nhydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      {group}: {several}"
        )
    if not value.value:
        raise file.wrong(key, f"has nothing below it: indent the settings of {group} by two blanks, or delete this line")
    if found := re.match(r"([\w.]+):(\S+)$", value.value):
        raise file.wrong(value, f"a blank is missing behind the colon: write `{found[1]}: {found[2]}`")
    if "${" not in value.value:
        name = "none" if value.tag == _NULL else value.value
        raise file.wrong(key, f"an option is chosen in the list of defaults: write\ndefaults:\n  - override /{group}: {name}")


def _several(value: yaml.Node) -> str:
    """Options with commas between, of a list or of one text; empty of one option."""
    if isinstance(value, yaml.SequenceNode):
        return ",".join(str(item.value) for item in value.value)
    text = str(value.value)
    found = re.fullmatch(r"\s*(?:choice)?[\[(]?([^\[\](){}$]+)[\])]?\s*", text)
    parts = [part.strip() for part in found[1].split(",") if part.strip()] if found else []
    return ",".join(parts) if len(parts) > 1 else text if re.match(r"\s*(?:choice|glob)\(", text) else ""


def _expand_dotted(file: YamlFile, root: yaml.MappingNode, config: DictConfig) -> None:
    """`recipe.optimizer.lr: 0.1`, as on the command line, is what the dotted name says; to YAML it is a key with dots."""
    for key, value in root.value:
        name = str(key.value)
        if "." in name and name.partition(".")[0] in (*GROUPS, "grid", "hydra"):
            _move(file, key, config, name, name)
        elif name in (*GROUPS, "hydra") and isinstance(value, yaml.MappingNode):
            for inner, _ in value.value:
                if "." in str(inner.value):
                    _move(file, inner, config[name], str(inner.value), f"{name}.{inner.value}")


def _move(file: YamlFile, key: yaml.Node, node: DictConfig, name: str, whole: str) -> None:
    held = OmegaConf.to_container(OmegaConf.create({"value": node.pop(name)}), resolve=False)
    assert isinstance(held, dict)
    there = OmegaConf.select(node, name, throw_on_missing=False)
    if there is not None and not isinstance(there, DictConfig):
        raise file.wrong(key, f"{whole} is given in this file twice: leave one of them")
    OmegaConf.update(node, name, held["value"], merge=True, force_add=True)
