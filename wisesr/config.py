"""The configuration of one cell: its check, its fingerprint, its directory. No torch.

Hydra composes; what it composed becomes a plain dictionary here, is held against the schema (fixed keys) and against the
signature of each `_target_` (pluggable parts), and from then on is the whole truth about a cell: `config.yaml`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from wisesr.errors import UserError, unknown
from wisesr.paper_runs import paper_batch, paper_epochs
from wisesr.schema import DatasetSchema, GridSchema, Name, RecipeSchema, ResolutionSchema, RootSchema, TrainerSchema
from wisesr.signatures import Setting, mismatches, schema_settings, target_settings
from wisesr.types import seconds_of

Config = dict[str, Any]

DATASET_KEYS = tuple(DatasetSchema.__annotations__)
GROUPS = ("backbone", "head", "dataset", "resolution", "recipe", "augment", "trainer", "logger")

# What decides where and how fast a cell runs, but no number in its record.
_NOT_IN_FINGERPRINT = ("study", "logger", "output_dir", "dataset.root", "dataset.workers", "trainer.threads")

# Keys that are younger than cells on disk: at the value that all cells had before, they are not part of a cell's name.
NEUTRAL = {
    "trainer.num_nodes": 1,
    "recipe.init": "timm",
    "recipe.batch_norm": "timm",
    "recipe.structure": "timm",
    "recipe.head_init": "normal",
    "recipe.optimizer.lr_in_velocity": False,
}

# libyaml, where PyYAML was built with it: a seventh of the time, which shows with hundreds of cells.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def conf_dir() -> Path:
    """The folder of the YAML groups: the checkout's, else the copy inside the wheel."""
    package = Path(__file__).parent
    return next((path for path in (package.parent / "conf", package / "conf") if path.is_dir()), package / "conf")


def register_resolvers() -> None:
    """Give OmegaConf its words: the end of a path, the end of a partial copy's name, batch and epochs of the paper's runs."""
    OmegaConf.register_new_resolver("stem", lambda path: Path(str(path)).resolve().name, replace=True)
    OmegaConf.register_new_resolver("if_partial", lambda partial: "-partial" if partial is True else "", replace=True)
    OmegaConf.register_new_resolver("paper_batch", paper_batch, replace=True)
    OmegaConf.register_new_resolver("paper_epochs", paper_epochs, replace=True)


def to_dict(cfg: DictConfig) -> Config:
    """A composed configuration as plain data: resolved, without Hydra's own node, `dataset.root` absolute.

    Raises:
        UserError: values that must be given (???) and are not, all of them named.
    """
    own = OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key not in ("hydra", "experiment")])
    if missing := _missing(OmegaConf.to_container(own, resolve=False)):
        raise UserError("\n".join(f"{key} must be given: add {key}=... to the command" for key in missing))
    config = OmegaConf.to_container(own, resolve=True)
    assert isinstance(config, dict)
    for name in ("study", "output_dir"):  # study=1 is a name too
        if isinstance(config.get(name), (str, int)):
            config[name] = str(config[name])
    config["output_dir"] = str(Path(config["output_dir"]).expanduser())
    dataset = config.get("dataset")
    if isinstance(dataset, dict) and isinstance(dataset.get("root"), (str, int)):
        dataset["root"] = _absolute(dataset["root"])
    backbone = config.get("backbone")
    if isinstance(backbone, dict) and isinstance(backbone.get("weights"), str) and Path(backbone["weights"]).suffix:
        # A file, not a word like imagenet.
        backbone["weights"] = _absolute(backbone["weights"])
    return {str(key): value for key, value in config.items()}


def _absolute(path: object) -> str:
    return str(Path(str(path)).expanduser().resolve())


def _missing(node: object, where: str = "") -> list[str]:
    """Dotted names of all values that are ???."""
    if isinstance(node, dict):
        return [name for key, value in node.items() for name in _missing(value, f"{where}.{key}" if where else str(key))]
    return [where] if node == "???" else []


def split_grid(configs: Sequence[Config]) -> tuple[list[Config], dict[str, Any]]:
    """Cells and the settings `grid` of the command that runs them, which are no part of a cell.

    Raises:
        UserError: a wrong setting; settings that differ between cells.
    """
    cells = [{key: value for key, value in config.items() if key != "grid"} for config in configs]
    (grid, *others) = [config.get("grid") or {} for config in configs]
    if problems := mismatches("grid", grid, schema_settings(GridSchema)):
        raise UserError("\n".join(problems))
    if any(other != grid for other in others):
        raise UserError("grid.* belongs to the command, not to a cell, and cannot be swept: give one value")
    return cells, dict(grid)


def check(config: Mapping[str, Any]) -> list[str]:
    """Everything wrong with a configuration that shows without importing torch, a sentence each; empty if nothing."""
    absent = [group for group in GROUPS if not isinstance(config.get(group), dict)]
    if absent:
        return [f"{group} is missing: choose one of {', '.join(options(group))}" for group in absent]
    groups = {group: Setting(dict, True) for group in GROUPS}
    problems = mismatches("", config, groups | schema_settings(RootSchema))
    for group, schema in (("trainer", TrainerSchema), ("resolution", ResolutionSchema)):
        problems += mismatches(group, config[group], schema_settings(schema))
    problems += _check_target("backbone", config["backbone"], schema_settings(Name))
    problems += _check_target("head", config["head"], schema_settings(Name))
    problems += _check_target("dataset", config["dataset"], schema_settings(DatasetSchema))
    problems += _check_target("augment", config["augment"], {})
    problems += _check_recipe(config["recipe"])
    problems += _check_time(config["trainer"].get("max_time"))
    for name, node in config["logger"].items():
        problems += _check_target(f"logger.{name}", node, {})
    problems += _check_names(config)
    return problems + _check_root(config["dataset"])


def _check_root(dataset: Mapping[str, Any]) -> list[str]:
    root = dataset.get("root")
    if not isinstance(root, str) or Path(root).is_dir():
        return []
    how = "; `wisesr data prepare --help` tells how to make it" if "partial" in dataset else ""
    return [f"dataset.root: there is no folder {root}{how}"]


def _check_recipe(recipe: Mapping[str, Any]) -> list[str]:
    parts = ("optimizer", "schedule")
    problems = mismatches("recipe", {k: v for k, v in recipe.items() if k not in parts}, schema_settings(RecipeSchema))
    for part in parts:
        if part not in recipe:
            problems.append(f"recipe.{part} is missing: a node with a _target_")
        else:
            problems += _check_target(f"recipe.{part}", recipe[part], {})
    return problems


def _check_time(text: object) -> list[str]:
    """Of `trainer.max_time`."""
    if text is not None and seconds_of(str(text)) is None:
        return [f"trainer.max_time must be null or DD:HH:MM:SS (in quotes in YAML), not {text!r}"]
    return []


def _check_target(where: str, node: object, fixed: Mapping[str, Setting]) -> list[str]:
    if not isinstance(node, Mapping) or not isinstance(node.get("_target_"), str):
        return [f"{where} must be a node with a _target_, the dotted name of what it builds, not {node!r}"]
    target = node["_target_"]
    if not target.startswith("wisesr."):
        own = {key: value for key, value in node.items() if key in fixed}
        return mismatches(where, own, fixed)  # somebody else's code: its settings are checked once it is imported
    try:
        return mismatches(where, node, {**fixed, **target_settings(target)})
    except UserError as error:
        return [f"{where}: {error}"]


def _check_names(config: Mapping[str, Any]) -> list[str]:
    study = config.get("study")
    if isinstance(study, str) and not re.fullmatch(r"[\w.-]*\w[\w.-]*", study):
        return [f"study must be made of letters, digits and . _ - (it names a folder), not {study!r}"]
    return []


def fingerprint(config: Mapping[str, Any]) -> str:
    """64 hexadecimal digits that name the computation: equal for two configurations that must give equal numbers."""
    return hashlib.sha256(json.dumps(computation(config), sort_keys=True).encode()).hexdigest()


def computation(config: Mapping[str, Any]) -> Config:
    """A copy of the configuration without what decides only where and how fast a cell runs; 1.0 stands as 1."""
    relevant: Config = _numbers(json.loads(json.dumps(config)))
    for path in (*_NOT_IN_FINGERPRINT, *NEUTRAL):
        *groups, key = path.split(".")
        node = relevant
        for group in groups:
            node = node.get(group, {})
        if path not in NEUTRAL or node.get(key) == NEUTRAL[path]:
            node.pop(key, None)
    return relevant


def _numbers(value: Any) -> Any:
    """1.0 as 1, so that `dropout=0` and `dropout=0.0` are one computation."""
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def cell_dir(config: Mapping[str, Any], name: str | None = None) -> Path:
    """Where the cell of this configuration lives, below `output_dir`.

    Args:
        config: of the cell.
        name: its fingerprint, where that is known already.
    """

    def safe(name: str) -> str:
        return re.sub(r"[^\w.-]", "_", name)

    return Path(
        config["output_dir"],
        config["study"],
        f"{safe(config['dataset']['name'])}-{config['resolution']['size']}",
        f"{safe(config['backbone']['name'])}-{safe(config['head']['name'])}",
        f"seed-{config['seed']}-{(name or fingerprint(config))[:8]}",
    )


def options(group: str) -> list[str]:
    """The choices of a group: its YAML files."""
    return sorted(path.stem for path in (conf_dir() / group).glob("*.yaml"))


def load_option(group: str, name: str) -> Config:
    """The settings of one YAML file, `_target_` included, without its `name`.

    Raises:
        UserError: the group has no such option.
    """
    path = conf_dir() / group / f"{name}.yaml"
    if not path.is_file():
        raise UserError(unknown(group, name, options(group)))
    node = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    assert isinstance(node, dict)
    return {str(key): value for key, value in node.items() if key != "name"}


def load_cell(path: Path) -> Config:
    """The configuration in a cell's directory.

    Raises:
        UserError: the directory holds none.
    """
    try:
        config = yaml.load((path / "config.yaml").read_text(encoding="utf-8"), Loader=_LOADER)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path} is no cell: it holds no config.yaml") from None
    except OSError as error:
        raise UserError(f"{path / 'config.yaml'} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path / 'config.yaml'} is no YAML: {error}") from None
    if not isinstance(config, dict):
        raise UserError(f"{path / 'config.yaml'} is no configuration")
    for name, value in NEUTRAL.items():
        group, _, key = name.rpartition(".")
        if isinstance(config.get(group), dict):  # not of a node with a _target_ further down, which has its own default
            config[group].setdefault(key, value)
    return config


def to_yaml(config: Mapping[str, Any]) -> str:
    """`config.yaml` of a cell."""
    return yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)


def describe_problems(problems: Iterable[tuple[str, str]]) -> str:
    """One screen from (cell, problem) pairs; a problem of several cells stands once."""
    cells: dict[str, list[str]] = {}
    for cell, problem in problems:
        cells.setdefault(problem, []).append(cell)
    lines = []
    for problem, names in cells.items():
        where = f"   [{names[0]}{f' and {len(names) - 1} more cells' if len(names) > 1 else ''}]" if names[0] else ""
        lines.append(f"  - {problem}{where}")
    return "\n".join(lines)
