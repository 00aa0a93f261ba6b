"""An option that no folder has: the nearest name and the list, and the file that was meant where one lies somewhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from hydra.errors import MissingConfigException

from wisesr.config.options import GROUPS, conf_dir, is_option, options
from wisesr.config.written import chosen_at
from wisesr.config.yaml_file import shown
from wisesr.errors import unknown

_ENDING = re.compile(r"\.ya?ml$")


def missing_option(error: MissingConfigException) -> str:
    """What to say of an option, or of the configuration itself, that Hydra has not found.

    What is about which file stands in no attribute of the error: its text lists the folders that were looked at.
    """
    whole = error.missing_cfg_file or ""
    group, _, name = whole.rpartition("/")
    top = group.partition("/")[0]
    if top == "experiment" and (_ENDING.search(name) or group != top):
        return _no_file(whole.removeprefix("experiment/"), _folders(error))
    line = chosen_at(group, name) or chosen_at(group.rpartition("/")[2], name)  # `- b: c` of a file of head is head/b
    said = unknown(group or "configuration", name, filter(is_option, error.options or options(group)))
    if (conf_dir() / group / f"_{name}.yaml").is_file():  # which a file may name in its defaults, and no command
        said = f"no file of {group} is called {name!r}. Did you mean _{name}?"
    hint = ". Any other size: resolution.size=160" if group == "resolution" else ""
    return (f"{line}: " if line else "") + said + hint + "".join(_elsewhere(_folders(error), group, name))


def _no_file(path: str, folders: list[Path]) -> str:
    stem = _ENDING.sub("", path.rpartition("/")[2])
    there = [folder / "experiment" / f"{stem}.yaml" for folder in folders]
    meant = [f" There is {shown(each)}: experiment={stem}" for each in there if each.is_file()]
    return f"experiment={path}: there is no such file, seen from the working folder.{''.join(meant[:1])}"


def _folders(error: MissingConfigException) -> list[Path]:
    return [Path(path.strip()) for path in re.findall(r"path=file://(.+)", str(error))]


def _elsewhere(folders: list[Path], group: str, name: str) -> Iterator[str]:
    """A sentence for what looks like the file that was meant."""
    for folder in folders if group in (*GROUPS, "experiment") else ():
        for ending in (".yaml", ".yml"):
            file = f"{name}{ending}"
            if (folder / group / file).is_dir():
                yield f". {shown(folder / group / file)} is a folder, and must be a file"
            if (folder / file).is_file() and folder.name == group:
                yield f". {shown(folder / file)} is there: --config-dir is the folder above, {shown(folder.parent)}"
            elif (folder / file).is_file():
                yield f". {shown(folder / file)} is there, and belongs in {shown(folder / group)}/"
            for found in sorted(folder.glob(f"*/{file}")):
                if found.parent.name not in (*GROUPS, group):
                    yield f". {shown(found)} is there: its folder must be called {group}"
