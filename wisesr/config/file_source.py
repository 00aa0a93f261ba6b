"""Hydra's reader of files, in whose place ours stands: every YAML of `conf/`, of `--config-dir` and of `hydra.searchpath`.

Nothing is read twice for it, and nothing that Hydra would not read. Hydra finds its readers in a registry, one for each scheme;
there is no public way to set another one for `file://`, so this is tested with the versions that pyproject.toml allows.
https://hydra.cc/docs/advanced/search_path
"""

from __future__ import annotations

from pathlib import Path

from hydra._internal.core_plugins.file_config_source import FileConfigSource as HydrasFileConfigSource
from hydra._internal.sources_registry import SourcesRegistry
from hydra.plugins.config_source import ConfigLoadError, ConfigResult

from wisesr.config.experiment_file import GLOBAL, experiment_config, option_config, package_of
from wisesr.config.sweep_in_file import complete_sweep
from wisesr.config.written import forget, remember
from wisesr.config.yaml_file import read_yaml

_EXPERIMENT = "experiment"
_ENDINGS = (".yaml", ".yml")


class FileConfigSource(HydrasFileConfigSource):
    """Reads a file as people write them; its name is that of Hydra's own, which leaves a reader of its name in the registry."""

    def load_config(self, config_path: str) -> ConfigResult:
        """What a file says.

        Raises:
            UserError: file, line, and what to write there.
        """
        path = self._found(config_path)
        if path is None:
            raise ConfigLoadError(f"Config not found : {Path(self.path) / config_path}")
        folder = config_path.rpartition("/")[0] if not config_path.startswith(f"{_EXPERIMENT}/") else _EXPERIMENT
        if not folder:
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
        return ConfigResult(
            provider=self.provider, path=f"{self.scheme()}://{self.path}", config=config, header={"package": package}
        )

    def is_config(self, config_path: str) -> bool:
        """Whether there is a file of this name; an experiment's may be a path of its own."""
        return self._found(config_path) is not None

    def _found(self, config_path: str) -> Path | None:
        given = Path(self.path) / config_path
        names = [given] if given.suffix in _ENDINGS else [given.with_name(given.name + ending) for ending in _ENDINGS]
        if config_path.startswith(f"{_EXPERIMENT}/"):
            name = config_path.removeprefix(f"{_EXPERIMENT}/")
            if name.startswith(f"{_EXPERIMENT}/"):  # experiment=experiment/mine
                stem = name.removesuffix(".yaml").removesuffix(".yml")
                names += [Path(self.path) / f"{stem}{ending}" for ending in _ENDINGS]
            if name.endswith(_ENDINGS):  # experiment=some/where/mine.yaml
                names.append(Path(name).expanduser())
        return next((path for path in names if path.is_file()), None)


def read_files_as_people_write_them() -> None:
    """Put this reader in the place of Hydra's, before or after it has looked for its own."""
    SourcesRegistry.instance().types[FileConfigSource.scheme()] = FileConfigSource
