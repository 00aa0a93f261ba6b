"""YAML files of one's own in `--config-dir`: damaged at random places, or whole and wrong."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from tests.wrong_configurations.case import Case, typo
from tests.wrong_configurations.settings import COUNTS, KEYS, NUMBERS, OPTIONS, TOP

_HEAD = """\
# A head of mine.
name: mine
_target_: wisesr.models.heads.gap.GlobalAverageHead
init: normal
dropout: 0.0
arithmetic: 2
"""
_EXPERIMENT = """\
# @package _global_
# An experiment of mine.
defaults:
  - override /head: gap
  - override /backbone: resnet18

study: mine
recipe:
  epochs: 5
  optimizer:
    lr: 0.01
trainer:
  threads: 2

hydra:
  mode: MULTIRUN
  sweeper:
    params:
      seed: 0,1
      head.dropout: 0.1,0.2
"""


def _head(text: str | bytes, *named: str) -> Case:
    data = text.encode() if isinstance(text, str) else text
    names = tuple((name,) for name in (named or ("mine.yaml",)))
    return Case(("--config-dir", "my_conf", "head=mine"), names, {"my_conf/head/mine.yaml": data})


def _experiment(text: str, *named: str | tuple[str, ...], arguments: tuple[str, ...] = ()) -> Case:
    names = tuple((name,) if isinstance(name, str) else name for name in (named or ("mine.yaml",)))
    command = ("--config-dir", "my_conf", "experiment=mine", *arguments)
    return Case(command, names, {"my_conf/experiment/mine.yaml": text.encode()})


def _of_either(rng: random.Random, change: Callable[[list[str]], list[str]]) -> Case:
    """Lines of one of the two files changed; the file's name must be told."""
    if rng.random() < 0.5:
        return _head("\n".join(change(_HEAD.splitlines())) + "\n")
    return _experiment("\n".join(change(_EXPERIMENT.splitlines())) + "\n")


def tab(rng: random.Random) -> Case:
    lines = _EXPERIMENT.splitlines()
    at = rng.choice([number for number, line in enumerate(lines) if line.startswith("  ") and "- " not in line])
    lines[at] = "\t" + lines[at].lstrip()
    return _experiment("\n".join(lines), "mine.yaml", (f"line {at + 1}", f":{at + 1}", f"line {at}", f"line {at + 2}"))


def key_twice(rng: random.Random) -> Case:
    lines = _HEAD.splitlines()
    at = rng.randrange(1, len(lines))
    key = lines[at].partition(":")[0]
    lines.insert(rng.randint(at + 1, len(lines)), f"{key}: 3")
    return _head("\n".join(lines), "mine.yaml", key)


def open_bracket(rng: random.Random) -> Case:
    mark = rng.choice("[{\"'")

    def change(lines: list[str]) -> list[str]:
        at = rng.choice([number for number, line in enumerate(lines) if ": " in line and not line.startswith(("#", " "))])
        return [*lines[:at], f"{lines[at].partition(':')[0]}: {mark}3", *lines[at + 1 :]]

    return _of_either(rng, change)


def no_space(rng: random.Random) -> Case:
    lines = _HEAD.splitlines()
    at = rng.randrange(2, len(lines))
    lines[at] = lines[at].replace(": ", ":")
    return _head("\n".join(lines))


def indented(rng: random.Random) -> Case:
    lines = _HEAD.splitlines()
    at = rng.randrange(2, len(lines))
    lines[at] = "   " + lines[at]
    return _head("\n".join(lines))


def bytes_of_another_encoding(rng: random.Random) -> Case:
    texts = ["# Größe\n".encode("latin-1"), "# Gr\xf6\xdfe\n".encode("cp1252"), b"\xff\xfe", b"# \x81\x8d\n", b"\x80"]
    lines = _HEAD.encode().splitlines(keepends=True)
    lines.insert(rng.randrange(len(lines)), rng.choice(texts))
    return _head(b"".join(lines))


def control_characters(rng: random.Random) -> Case:
    data = bytearray(_HEAD.encode())
    data.insert(rng.randrange(len(data)), rng.choice(b"\x00\x01\x07\x1b\x08"))
    return _head(bytes(data))


def in_utf_16(rng: random.Random) -> Case:
    return _head(_HEAD.encode(rng.choice(["utf-16-le", "utf-16-be", "utf-32"])))


def no_node(rng: random.Random) -> Case:
    texts = ["- a\n- b\n", "text\n", "3\n", "[a, b]\n", "null\n", "", "# only a comment\n", "---\n---\n", "a: 1\n---\nb: 2\n"]
    case = _head(rng.choice(texts))
    return replace(case, named=(("mine.yaml", "head._target_"),))


def odd_yaml(rng: random.Random) -> Case:
    lines = [
        "dropout: *nope",
        "dropout: !!python/object:os.system x",
        "dropout: !nope 3",
        "? [a, b]\n: 3",
        "<<: 3",
        "dropout: @x",
        "%x",
    ]
    lines += ["dropout: `x`", "- a", "dropout: 2026-13-45", "&a", "[a]: 3", "dropout: &a [*a]", "1: 2", "null: 3", "true: 3"]
    own = _HEAD.splitlines()
    own[rng.randrange(3, len(own))] = rng.choice(lines)
    case = _head("\n".join(own) + "\n")
    return replace(case, named=(("mine.yaml", "of head"),))


def head_without_code(rng: random.Random) -> Case:
    return _head(_HEAD.replace("_target_: ", f"{typo(rng, 'target')}: "), "_target_")


def wrong_default(rng: random.Random) -> Case:
    default = rng.choice(["_bose", "gapp", "nope", "../head/gap_"])
    return _head(f"defaults: [{default}]\n{_HEAD}", default.rpartition("/")[2])


def no_defaults(rng: random.Random) -> Case:
    defaults = rng.choice(["3", "text", "{a: 1}", "[1]", "[[a]]", "[{a: 1, b: 2}]"])
    return _head(f"defaults: {defaults}\n{_HEAD}", "mine.yaml")


def wrong_key(rng: random.Random) -> Case:
    key = rng.choice([key for key in KEYS if key.startswith(("recipe.", "trainer."))])
    group, last = key.partition(".")[0], key.rpartition(".")[2]
    slip = typo(rng, last, tuple(key.rpartition(".")[2] for key in KEYS))
    return _experiment(f"# @package _global_\n{group}:\n  {slip}: 3\n", slip, group)


def wrong_value(rng: random.Random) -> Case:
    key = rng.choice([key for key in (*COUNTS, *NUMBERS) if key.startswith(("recipe.", "trainer.")) and key.count(".") == 1])
    group, last = key.split(".")
    value = rng.choice(["banana", "[1]", ".nan", ".inf", "2026-11-29", "12:30:x", "{a: 1}", "yes please", "1e", "'3'"])
    shown = (value, value.strip("."), value.strip("'"), "{'a': 1}", "datetime")
    return _experiment(f"# @package _global_\n{group}:\n  {last}: {value}\n", key, shown)


def wrong_choice(rng: random.Random) -> Case:
    group = rng.choice(["head", "backbone", "dataset", "recipe"])
    slip = typo(rng, rng.choice([name for name in OPTIONS[group] if name[0].isalpha()])) + "q"
    return _experiment(f"# @package _global_\ndefaults:\n  - override /{group}: {slip}\n", group, slip)


def wrong_group(rng: random.Random) -> Case:
    slip = typo(rng, rng.choice(["head", "backbone", "dataset"]), TOP)
    return _experiment(f"# @package _global_\ndefaults:\n  - override /{slip}: gap\n", slip)


def sweeps_a_wrong_key(rng: random.Random) -> Case:
    key = rng.choice([key for key in KEYS if key.startswith(("recipe.", "trainer.", "head."))])
    node, _, last = key.rpartition(".")
    slip = typo(rng, last, (*tuple(key.rpartition(".")[2] for key in KEYS), "p"))
    return _experiment(_EXPERIMENT.replace("head.dropout:", f"{node}.{slip}:"), slip, node)


def sweeps_a_wrong_value(rng: random.Random) -> Case:
    value = rng.choice(["0.1,banana", "nan,0.2", "0.1;0.2", "x", "[0.1,[2]]", "'0.1,0.2"])
    return _experiment(_EXPERIMENT.replace("0.1,0.2", value), "dropout")


def sweeper(rng: random.Random) -> Case:
    params = rng.choice(["3", "text", "[a, b]"])
    text = f"# @package _global_\nhydra:\n  mode: MULTIRUN\n  sweeper:\n    params: {params}\n"
    return _experiment(text, ("params", "mine"))


def config_dir_is_a_file(rng: random.Random) -> Case:
    name = rng.choice(["my_conf", "my.yaml"])
    return Case(("--config-dir", name, "head=gap"), ((name,),), {name: b"text"})


def folder_called_so(rng: random.Random) -> Case:
    return Case(("--config-dir", "my_conf", "head=mine"), (("mine",),), {"my_conf/head/mine.yaml/": b""})


MAKERS = (
    *(tab, key_twice, open_bracket, no_space, indented, bytes_of_another_encoding, control_characters, in_utf_16, no_node),
    *(odd_yaml, head_without_code, wrong_default, no_defaults, wrong_key, wrong_value, wrong_choice, wrong_group),
    *(sweeps_a_wrong_key, sweeps_a_wrong_value, sweeper, config_dir_is_a_file, folder_called_so),
)
