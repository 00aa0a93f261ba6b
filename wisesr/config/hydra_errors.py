"""Hydra's composition errors in a user's words: the nearest name, and all that there are.

What an error is about stands in no attribute of it, only in its text: all places that read Hydra's wording are here, tested
with hydra-core 1.3.2 and 1.3.8.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from wisesr.config.command_line import several_values
from wisesr.config.grammar import quoted
from wisesr.config.hydra_words import in_words_of_ours
from wisesr.config.missing_option import missing_option
from wisesr.config.missing_plugins import missing_plugin
from wisesr.config.options import GROUPS, conf_dir, load_option, options
from wisesr.config.schema import MOVED, moved_sentence
from wisesr.config.unread import unparsable, unresolved
from wisesr.config.written import elsewhere, key_in_defaults, unknown_key
from wisesr.errors import UserError


def explain(error: HydraException | OmegaConfBaseException, overrides: Sequence[str]) -> str:
    """A message for an error that Hydra raised while it composed the overrides of a command line."""
    if told := unresolved(error, overrides):
        return told
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, name = error.missing_cfg_file.rpartition("/")
        return missing_plugin(group, name, error.options or ()) or missing_option(error)
    if isinstance(error, ConfigCompositionException):
        if misfit := _misfit(error):
            return misfit
        if path := _unknown_key(error):
            if path in MOVED:
                given = next((item.partition("=")[2] for item in overrides if item.lstrip("+~").startswith(f"{path}=")), "...")
                return moved_sentence(path, given)
            node, _, key = path.rpartition(".")
            if without := _chosen_without(node, key, overrides):
                inner = ".".join([*node.split(".")[1:], key])
                have = "have" if len(without) > 1 else "has"
                return f"{' and '.join(without)} {have} no key {inner!r}" + _elsewhere(node, key)
            return _unknown(node, key, overrides) + _elsewhere(node, key)
    if isinstance(error, OverrideParseException):
        return unparsable(error.override)
    if swept := swept_override(error):
        return several_values(swept)
    cause = f"\n{error.__cause__}" if isinstance(error.__cause__, OmegaConfBaseException) else ""
    return f"{in_words_of_ours(str(error))}{cause}"


def _misfit(error: ConfigCompositionException) -> str | None:
    """What to say of an override of a key that is there, and cannot go or hold this; None if the error is another."""
    if placed := re.search(r"Could not override '(\w+)@[^']*'", str(error)):
        group = placed[1]
        return f"{placed[0].split()[-1]}: an option of {group} stands at {group} and nowhere else: {group}=OPTION"
    found = re.match(r"Error merging override (.+)", str(error), re.DOTALL)
    if not found or isinstance(error.__cause__, (ConfigKeyError, ConfigAttributeError)):
        return None
    key = found[1].lstrip("+~").partition("=")[0]
    if found[1].startswith("~"):
        return f"{found[1]}: no cell can do without {key}"
    return f"{found[1]}: {key} is a node, and has settings in place of a value: {key}.KEY=VALUE"


def swept_override(error: Exception) -> str | None:
    """The override with several values, of which there must be one; None if the error is another."""
    found = re.search(r"(?:Ambiguous value for argument|Sweep parameters) '(.+)'", str(error))
    return found[1] if found else None


def _chosen_without(node: str, key: str, overrides: Sequence[str]) -> list[str]:
    """Of the options that a sweep chooses, those that lack a key which others have."""
    group = node.split(".")[0]
    if group not in GROUPS:
        return []
    chosen = [name for item in overrides if item.startswith(f"{group}=") for name in item.partition("=")[2].split(",")]
    known = [name for name in chosen if name in options(group)]
    without = [name for name in known if not _has(node, key, name)]
    return [f"{group}={name}" for name in without] if len(without) < len(known) else []


def _has(node: str, key: str, name: str) -> bool:
    """Whether an option has a key at a node, which begins with its group: `recipe`, `recipe.optimizer`."""
    group, *below = node.split(".")
    try:
        there: object = load_option(group, name)
    except UserError:  # another option's file, which cannot be read, is not what this is about
        return False
    for part in below:
        there = there.get(part) if isinstance(there, dict) else None
    return isinstance(there, dict) and key in there


def _elsewhere(node: str, key: str) -> str:
    """The options of a group that do have a key."""
    group = node.split(".")[0]
    having = [f"{group}={name}" for name in options(group) if _has(node, key, name)] if group in GROUPS else []
    return f". It belongs to {', '.join(having)}" if having else ""


def _unknown_key(error: BaseException) -> str | None:
    """The full name of the key that a composition error complains of."""
    text = f"{error}\n{error.__cause__}"
    found = re.search(r"full_key: (\S+)", text) or re.search(r"Could not override '([\w@./]+)'", text)
    return found[1].split("@")[0].replace("/", ".") if found else None


def _unknown(node: str, key: str, overrides: Sequence[str]) -> str:
    """A key that the configuration has not, with those that it has, and those of the same name somewhere else."""
    whole = f"{node}.{key}" if node else key
    typed = dict(item.lstrip("+~").split("=", 1) for item in overrides if "=" in item)
    given = next((name for name in typed if name == whole or name.startswith(f"{whole}.")), None)
    line = key_in_defaults(key) if given is None and not node else None
    config = _composed(overrides, hydra=node.partition(".")[0] == "hydra")
    if given not in (None, whole):  # optimizer.lr=0.1
        for found in elsewhere(config, node, key):
            return f"no key or group is called {whole!r}: it is {found}{given.removeprefix(whole)}={typed[given]}"
    there: Any = config
    for name in node.split(".") if node else ():
        there = there.get(name) if isinstance(there, Mapping) else None
    keys = [str(each) for each in there or ()] + ([] if node else ["experiment"])
    return (f"{line}: " if line else "") + unknown_key(node, key, typed[given] if given else "...", keys, config)


def _composed(overrides: Sequence[str], *, hydra: bool = False) -> Mapping[str, Any]:
    """The configuration with the groups of the command line, and no value; without the experiment if that is at fault."""
    chosen = [item for item in overrides if item.partition("=")[0] in (*GROUPS, "experiment") and "," not in item]
    folders = [item.partition("=")[2] for item in overrides if item.startswith("--config-dir=")]
    folders += [folder for flag, folder in pairwise(overrides) if flag in ("--config-dir", "-cd")]
    chosen += [f"hydra.searchpath=[{quoted(f'file://{Path(folder).resolve()}')}]" for folder in folders]
    for asked in (chosen, [item for item in chosen if not item.startswith("experiment=")]):
        GlobalHydra.instance().clear()
        try:
            with initialize_config_dir(str(conf_dir()), version_base="1.3"):
                config = OmegaConf.to_container(compose("config", overrides=asked, return_hydra_config=hydra), resolve=False)
        except (HydraException, OmegaConfBaseException, ValueError):
            continue
        return {str(key): value for key, value in config.items()} if isinstance(config, dict) else {}
    return {}
