"""A configuration as plain data: out of what Hydra composed, out of a cell's `config.yaml`, and into it. No torch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from wisesr.config.defaults import with_defaults
from wisesr.config.equal_steps import equal_steps
from wisesr.config.file_source import read_files_as_people_write_them
from wisesr.config.options import options_by_group, refuse_keys_without_effect
from wisesr.config.paper_runs import paper_batch, paper_epochs
from wisesr.config.schema import Config
from wisesr.config.written import in_file
from wisesr.config.yaml_syntax import syntax_problem
from wisesr.errors import UserError
from wisesr.program import program

# libyaml, where PyYAML was built with it: a seventh of the time, which shows with hundreds of cells.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_DEPTH = 16
"""Nodes within nodes of a cell's configuration, at most; its own have five."""


def register_resolvers() -> None:
    """Make known what YAML calls as `${stem:...}`: parts of names, values of others, the paper's batch and epochs, options.

    And how YAML is read.
    """
    read_files_as_people_write_them()
    OmegaConf.register_new_resolver("stem", lambda path: Path(str(path)).resolve().name, replace=True)
    OmegaConf.register_new_resolver("first_of", _first_of, replace=True)
    OmegaConf.register_new_resolver("if_partial", lambda partial: "-partial" if partial is True else "", replace=True)
    OmegaConf.register_new_resolver("paper_batch", paper_batch, replace=True)
    OmegaConf.register_new_resolver("paper_epochs", paper_epochs, replace=True)
    OmegaConf.register_new_resolver("equal_steps", equal_steps, replace=True)
    OmegaConf.register_new_resolver("options_by_group", options_by_group, replace=True)
    OmegaConf.register_new_resolver("program", program, replace=True)


def _first_of(*values: object) -> object:
    """The first value that is not null: `${first_of:${replicate},0}`."""
    return next((value for value in values if value is not None), None)


def to_dict(cfg: DictConfig) -> Config:
    """A composed configuration as plain data: resolved, without Hydra's own node, `dataset.root` absolute.

    Raises:
        UserError: values that must be given (???) and are not, all of them named; a YAML file with a key without effect.
    """
    if HydraConfig.initialized():
        refuse_keys_without_effect(HydraConfig.get().runtime.choices)
    names = [str(key) for key in cfg if key not in ("hydra", "experiment")]
    own = cfg if len(names) == len(cfg) else OmegaConf.masked_copy(cfg, names)  # which is a copy of all that it holds
    if missing := _missing(OmegaConf.to_container(own, resolve=False)):
        raise UserError("\n".join(f"{key} must be given: add {key}=... to the command" for key in missing))
    config = _resolved(own)
    for name in ("study", "output_dir"):  # study=1 is a name too
        if isinstance(config.get(name), (str, int)):
            config[name] = str(config[name])
    if isinstance(config["output_dir"], str):
        config["output_dir"] = str(Path(config["output_dir"]).expanduser())
    dataset = config.get("dataset")
    if isinstance(dataset, dict) and isinstance(dataset.get("root"), (str, int)) and dataset["root"] != "":
        dataset["root"] = _absolute(dataset["root"])
    backbone = config.get("backbone")
    if isinstance(backbone, dict) and isinstance(backbone.get("weights"), str) and Path(backbone["weights"]).suffix:
        # A file, not a word like imagenet.
        backbone["weights"] = _absolute(backbone["weights"])
    return {str(key): value for key, value in config.items()}


def _resolved(own: DictConfig) -> dict[str, Any]:
    """All values, `${...}` among them.

    Raises:
        UserError: one refers to what is not there; it is no configuration of ours.
    """
    try:
        config = OmegaConf.to_container(own, resolve=True)
    except OmegaConfBaseException as error:
        key = str(error.full_key or "")
        text: Any = OmegaConf.to_container(own, resolve=False)
        for name in key.split("."):
            text = text.get(name) if isinstance(text, dict) else None
        rule = str(error.msg or error).splitlines()[0]
        if found := re.match(r"(\w+) raised while resolving interpolation: (.*)", rule):  # by a function: ${stem:}
            rule = found[2].strip("'\"") if found[1] in ("KeyError", "ValueError", "UserError") else "it cannot be computed so"
        raise UserError(f"{key}={text}: {rule[:1].lower()}{rule[1:]}{in_file(key, text)}") from error
    assert isinstance(config, dict)
    if absent := [key for key in ("study", "output_dir") if key not in config]:
        raise UserError(
            f"this configuration has no {' and no '.join(absent)}: --config-name is for another config.yaml as a whole; "
            "an experiment is chosen by experiment=NAME"
        )
    return {str(key): value for key, value in config.items()}


def _absolute(path: object) -> str:
    return str(Path(str(path)).expanduser().resolve())


def _missing(node: object, where: str = "") -> list[str]:
    """Dotted names of all values that are ???."""
    if isinstance(node, dict):
        return [name for key, value in node.items() for name in _missing(value, f"{where}.{key}" if where else str(key))]
    return [where] if node == "???" else []


def load_cell(path: Path) -> Config:
    """The configuration in a cell's directory; keys that are younger than its file have their defaults.

    Raises:
        UserError: the directory holds none.
    """
    try:
        text = (path / "config.yaml").read_text(encoding="utf-8")
        config = yaml.load(text, Loader=_LOADER)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path} is no cell: it holds no config.yaml") from None
    except OSError as error:
        raise UserError(f"{path / 'config.yaml'} cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        line, sentence = syntax_problem(error, text.splitlines())
        raise UserError(f"{path / 'config.yaml'} is no YAML: line {line + 1} {sentence}") from None
    except (UnicodeDecodeError, ValueError, RecursionError) as error:  # a date of month 13 is a ValueError
        raise UserError(f"{path / 'config.yaml'} is no YAML: {error}") from None
    if not isinstance(config, dict):
        raise UserError(f"{path / 'config.yaml'} is no configuration")
    if problem := _not_plain(config):
        raise UserError(f"{path / 'config.yaml'} is no configuration of a cell: {problem}")
    return with_defaults(config)


def _not_plain(node: object, where: str = "", depth: int = 0) -> str:
    """What YAML can write and no configuration holds, such as dates, sets, and nodes that hold themselves; empty if nothing."""
    if depth > _DEPTH:
        return f"it is nested more than {_DEPTH} deep"
    if isinstance(node, dict):
        if odd := [key for key in node if not isinstance(key, str)]:
            return f"the key {odd[0]!r}{f' of {where}' if where else ''} is no text"
        items = [(f"{where}.{key}" if where else key, value) for key, value in node.items()]
    elif isinstance(node, list):
        items = [(f"{where}[{index}]", value) for index, value in enumerate(node)]
    else:
        plain = node is None or isinstance(node, (str, int, float))
        return "" if plain else f"{where} is a {type(node).__name__}, and must be a text, a number, true, false, null or a list"
    return next(filter(None, (_not_plain(value, name, depth + 1) for name, value in items)), "")


def to_yaml(config: Mapping[str, Any]) -> str:
    """`config.yaml` of a cell."""
    return yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)
