"""A page for each group of conf/, made of its YAML files, their comments and the signatures that they are held against.

Nothing of it is written by hand, so that it says what the files say.
"""

from __future__ import annotations

from collections.abc import Iterable

from docs.site.docstrings import argument_words
from docs.site.markdown import header_text, line_of, row, words
from docs.site.yaml_comments import Commented, Entry, read_commented
from wisesr.config.options import conf_dir, is_option, load_option, options
from wisesr.config.schema import GridSchema, fixed_settings
from wisesr.config.setting_types import Setting, describe, schema_settings
from wisesr.config.signatures import target_settings

PAGES = {
    "backbone": (
        "Backbones",
        "Weights and freezing: [pretrained weights](../weights.md). One of your own: [a backbone](../extending/backbone.md).",
    ),
    "head": (
        "Heads",
        "What each computes, as formula and picture, and what it costs: [the heads](../heads.md). One of your own: "
        "[a head](../extending/head.md).",
    ),
    "dataset": (
        "Datasets",
        "How files are read: [your images](../your_images.md). One of your own: [a dataset](../extending/dataset.md).",
    ),
    "resolution": ("Resolutions", "Any other size: `resolution.size=160`."),
    "recipe": ("Recipes", "Recipes, optimizers and schedules of your own: [training](../extending/training.md)."),
    "augment": ("Augmentations", "One of your own: [an augmentation](../extending/augmentation.md)."),
    "trainer": ("Trainers", "Several GPUs and machines: [clusters](../clusters.md)."),
    "logger": (
        "Loggers",
        "Several together: `'logger=[wandb,tensorboard]'`. More: [W&B](../wandb.md). One of your own: "
        "[a logger](../extending/logger.md).",
    ),
    "experiment": (
        "Experiments",
        "A whole study in one file; any axis can be another on the command line. The paper's: [its tables](../paper.md).",
    ),
}
"""Title, and where to read on, of each group's page."""


def option_pages() -> dict[str, str]:
    """The text of every page, by its file's name."""
    return {f"{group}.md": group_page(group) for group in PAGES} | {"command.md": command_page()}


def group_page(group: str) -> str:
    """One group: its options at a glance, then each with all keys, then what options share."""
    files = {path.stem: read_commented(path) for path in sorted((conf_dir() / group).glob("*.yaml"))}
    title, see = PAGES[group]
    change = "" if group == "experiment" else f", `{group}.KEY=VALUE` changes a setting of it"
    start = f"# {title}\n\n`{group}=OPTION` chooses one{change}. {see}\n\n"
    if group == "experiment":
        return start + "".join(_experiment(name, files[name]) for name in options(group))
    glance = row("option", "what") + row("---", "---")
    glance += "".join(row(f"[`{name}`](#{name})", words(_at_a_glance(files[name]))) for name in options(group))
    chosen = "".join(_section(group, name, files) for name in options(group))
    shared = "".join(_section(group, name, files) for name in sorted(files) if not is_option(name))
    return start + glance + "\n" + chosen + (f"## What options share\n\n{shared}" if shared else "")


def command_page() -> str:
    """The keys that are in no group, and the launchers."""
    config = read_commented(conf_dir() / "config.yaml")
    kinds = fixed_settings("") | {f"grid.{key}": kind for key, kind in schema_settings(GridSchema).items()}
    text = "# Study, seed, grid\n\nThe keys that belong to no group: `KEY=VALUE`. How a grid runs: [grids](../grids.md).\n\n"
    text += _table(config.entries, {}, kinds)
    for path in sorted((conf_dir() / "hydra" / "launcher").glob("*.yaml")):
        launcher = read_commented(path)
        text += f"## hydra/launcher={path.stem} {{#{path.stem}}}\n\n{header_text(launcher.header)}"
        text += _table([entry._replace(key=f"hydra.launcher.{entry.key}") for entry in launcher.entries], {}, {})
    return text


def _at_a_glance(file: Commented) -> str:
    return line_of(file.header) or ", ".join(f"{key}: {value}" for key, value, _ in file.entries)


def _experiment(name: str, file: Commented) -> str:
    return f"## {name} {{#{name}}}\n\n{header_text(file.header, items=True)}```yaml\n{file.body}\n```\n\n"


def _section(group: str, name: str, files: dict[str, Commented]) -> str:
    file = files[name]
    level = "##" if is_option(name) else "###"
    inherited = {entry.key for base in _all_bases(name, files) for entry in files[base].entries}
    kinds, texts = _known(group, name)
    own = [entry for entry in file.entries if entry.key not in inherited or entry.comment]
    changed = [entry for entry in file.entries if entry not in own and entry.key.rpartition(".")[2] not in ("name", "_target_")]
    text = f"{level} {name} {{#{name}}}\n\n{header_text(file.header)}"
    if file.bases:
        text += f"Begins as {', '.join(f'[`{base}`](#{base})' for base in file.bases)}"
        text += f", with {', '.join(f'`{entry.key}: {entry.value}`' for entry in changed)}.\n\n" if changed else ".\n\n"
    return text + _table(own, texts, kinds) + _target_line(file.entries)


def _all_bases(name: str, files: dict[str, Commented]) -> list[str]:
    return [found for base in files[name].bases for found in (base, *_all_bases(base, files))]


def _known(group: str, name: str) -> tuple[dict[str, Setting], dict[str, str]]:
    """What the keys of an option may be, and what docstrings say of them."""
    kinds, texts = dict(fixed_settings(group)), dict[str, str]()
    nodes = {"": load_option(group, name)} if is_option(name) else {}
    nodes |= {f"{key}.": value for key, value in nodes.get("", {}).items() if isinstance(value, dict)}
    for prefix, node in nodes.items():
        if target := node.get("_target_"):
            kinds |= {f"{prefix}{key}": setting for key, setting in target_settings(target).items()}
            texts |= {f"{prefix}{key}": said for key, said in argument_words(target).items()}
    return kinds, texts


def _table(entries: Iterable[Entry], texts: dict[str, str], kinds: dict[str, Setting]) -> str:
    rows = [entry for entry in entries if not entry.key.endswith("_target_")]
    if not rows:
        return ""
    text = row("key", "default", "may be", "what") + row("---", "---", "---", "---")
    for key, value, comment in rows:
        kind = describe(kinds[key].annotation) if key in kinds else ""
        text += row(f"`{key}`", _default(value), words(kind), words(_said(key, comment, texts)))
    return text + "\n"


def _default(value: str) -> str:
    if value.startswith("${hydra:runtime.choices."):
        return "the option's name"
    return "must be given" if value == "???" else f"`{value}`"


def _said(key: str, comment: str, texts: dict[str, str]) -> str:
    if comment:
        return comment
    return "how directories, tables and W&B call it" if key == "name" else texts.get(key, "")


def _target_line(entries: Iterable[Entry]) -> str:
    targets = [entry.value for entry in entries if entry.key.endswith("_target_") and entry.value != "???"]
    return "".join(f"In Python: `{target}`.\n\n" for target in targets)
