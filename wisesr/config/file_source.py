"""Hydra's reader of files, made to read them as people write them: of `conf/`, of `--config-dir` and of `hydra.searchpath`.

Nothing is read twice for it, and nothing that Hydra would not read. Hydra takes readers for new schemes as plugins, and none
for `file://`, which it has one for: so two methods of that one are replaced, which is found as any plugin is.
https://hydra.cc/docs/advanced/plugins/develop
"""

from __future__ import annotations

from pathlib import Path

from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource

from wisesr.config.experiment_file import GLOBAL, experiment_config, option_config, package_of
from wisesr.config.options import is_option
from wisesr.config.sweep_in_file import complete_sweep
from wisesr.config.written import forget, remember
from wisesr.config.yaml_file import read_yaml

_EXPERIMENT = "experiment"
_ENDINGS = (".yaml", ".yml")


def read_files_as_people_write_them() -> None:
    """Give Hydra's reader of files the methods of this module."""
    found = Plugins.instance().discover(ConfigSource)
    readers = [kind for kind in found if issubclass(kind, ConfigSource) and kind.scheme() == "file"]
    assert len(readers) == 1, readers
    for name, method in (("load_config", _load_config), ("is_config", _is_config)):
        setattr(readers[0], name, method)


def _load_config(source: ConfigSource, config_path: str) -> ConfigResult:
    """What a file says.

    Raises:
        UserError: file, line, and what to write there.
    """
    path = _found(source, config_path)
    if path is None:
        raise ConfigLoadError(f"Config not found : {Path(source.path) / config_path}")
    folder = _EXPERIMENT if config_path.startswith(f"{_EXPERIMENT}/") else config_path.rpartition("/")[0]
    if not folder and is_option(config_path):
        forget()  # the configuration itself, which Hydra reads first
    file = read_yaml(path)
    package = package_of(file, folder)
    remember(file, "" if package == GLOBAL or not folder else package or folder.replace("/", "."))
    if folder == _EXPERIMENT:
        config = experiment_config(file, package)
    else:
        config = option_config(file, folder, package)
        if not folder or package == GLOBAL:
            complete_sweep(file, config)
    return ConfigResult(source.provider, source.full_path(), config, header={"package": package})


def _is_config(source: ConfigSource, config_path: str) -> bool:
    """Whether there is a file of this name; an experiment's may be a path of its own."""
    return _found(source, config_path) is not None


def _found(source: ConfigSource, config_path: str) -> Path | None:
    given = Path(source.path) / config_path
    names = [given] if given.suffix in _ENDINGS else [given.with_name(given.name + ending) for ending in _ENDINGS]
    if config_path.startswith(f"{_EXPERIMENT}/"):
        name = config_path.removeprefix(f"{_EXPERIMENT}/")
        if name.startswith(f"{_EXPERIMENT}/"):  # experiment=experiment/mine
            stem = name.removesuffix(".yaml").removesuffix(".yml")
            names += [Path(source.path) / f"{stem}{ending}" for ending in _ENDINGS]
        if name.endswith(_ENDINGS):  # experiment=some/where/mine.yaml
            names.append(Path(name).expanduser())
    return next((path for path in names if path.is_file()), None)
