"""What keeps a text from being YAML, in a sentence with the line to write: a parser names tokens, and users type lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

import yaml

_TAB = "a tab, where YAML takes blanks alone"
_BRACKETS = {"[": "]", "{": "}"}


def syntax_problem(error: yaml.YAMLError, lines: Sequence[str]) -> tuple[int, str]:
    """The line at fault, counted from 0, and what is wrong with it.

    Args:
        error: of PyYAML, with or without libyaml: they stop at the same places, and word them otherwise.
        lines: of the text that it read.
    """
    if not isinstance(error, yaml.MarkedYAMLError):  # a character that no YAML may have
        return _character(lines)
    mark = error.problem_mark or error.context_mark
    start = error.context_mark or mark
    if mark is None or start is None or not lines:
        return 0, f"is no YAML: {error.problem or error}"
    line, column = min(mark.line, len(lines) - 1), mark.column
    begun = min(start.line, len(lines) - 1)
    for index in (line, begun):
        if re.match(r"\s*\t", lines[index]) or lines[index][column : column + 1] == "\t":
            return index, f"{_TAB}: write `{_without_tabs(lines[index])}`"
    what = f"{error.context or ''} {error.problem or ''}"
    if "document" in what:
        return line, "begins a second document, and a file is one: delete this line, or it and all that is below"
    if "cannot start any token" in what:
        return line, _in_quotes(lines[line], column, f"a value cannot begin with {lines[line][column : column + 1]}")
    if re.search("alias|anchor|tag|constructor", what):
        at = start.column if "while scanning" in what else column
        return line, _in_quotes(
            lines[line], at, f"{lines[line][at : at + 1]} at the beginning of a value has a meaning in YAML"
        )
    if "quoted scalar" in what:
        return (begun, _open_quote(lines[begun])) if "end of" in what else (line, _escape(lines[line]))
    if "flow" in what:
        return begun, _open_bracket(lines[begun], start.column)
    if "simple key" in what:
        return begun, _no_colon(lines[begun])
    if "mapping values" in what:
        return _second_colon(lines, line)
    if "entries are not allowed" in what:
        return line, "a list begins in a line of its own, below its key"
    if "did not find expected" in what or "but found" in what:
        return line, _out_of_line(lines, line, column)
    return line, f"is no YAML: {(error.problem or str(error)).splitlines()[0]}"


def _character(lines: Sequence[str]) -> tuple[int, str]:
    for index, line in enumerate(lines):
        if found := re.search(r"[^\t\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", line):
            written = line.replace(found[0], "")
            return index, f"holds a character that no text has (number {ord(found[0])}): write `{written}`"
    return 0, "holds a character that no text has"


def _without_tabs(line: str) -> str:
    blank = re.match(r"\s*", line)
    assert blank is not None
    return blank[0].replace("\t", "  ") + re.sub(r"\t+", " ", line[blank.end() :])


def _in_quotes(line: str, column: int, rule: str) -> str:
    value = re.sub(r"\s+#.*$", "", line[column:]).rstrip()
    return f"{rule}: write `{line[:column]}{quoted(value)}`"


def quoted(value: str) -> str:
    """A text as YAML takes it literally: in single quotes, of which each within is doubled."""
    return "'" + value.replace("'", "''") + "'"


def _open_quote(line: str) -> str:
    found = re.search(r"[\"'](?=[^\"']*$)", line)
    if found is None:
        return "a quote that opens here is never closed"
    rest = re.sub(r"\s+#.*$", "", line[found.start() + 1 :]).rstrip()
    return f"the {found[0]} that opens here is never closed: write `{line[: found.start()]}{found[0]}{rest}{found[0]}`"


def _escape(line: str) -> str:
    found = re.search(r'"(.*)"', line)
    written = f": write `{line[: found.start()]}{quoted(found[1])}`" if found else ""
    return f"in double quotes a \\ begins an escape, in single quotes it is itself{written}"


def _open_bracket(line: str, column: int) -> str:
    opened = line[column : column + 1]
    closed = _BRACKETS.get(opened, "]")
    code = re.sub(r"\s+#.*$", "", line).rstrip()
    if code.count(opened) > code.count(closed):
        return f"the {opened} that opens here is never closed: write `{code}{closed}`"
    return f"what stands between {opened} and {closed} must be values with commas between them, those with signs in quotes"


def _no_colon(line: str) -> str:
    if found := re.match(r"(\s*(?:- )?[\w./@ -]+):(\S.*)", line):
        return f"a blank is missing behind the colon: write `{found[1]}: {found[2]}`"
    if found := re.match(r"(\s*(?:- )?[\w./@-]+)\s*=\s*(.+)", line):
        return f"a colon stands between a key and its value in a file: write `{found[1]}: {found[2]}`"
    if found := re.match(r"(\s*[\w.]+)\s+(\S+)\s*$", line):
        return f"a colon is missing: write `{found[1]}: {found[2]}`"
    return "is no `key: value`: a colon and a blank stand between them"


def _second_colon(lines: Sequence[str], line: int) -> tuple[int, str]:
    text = lines[line]
    if found := re.match(r"(\s*)- override:\s*(.*)", text):
        return line, f"override has no colon of its own: write `{found[1]}- override {found[2]}`"
    if found := re.match(r"(\s*(?:- )?[\w.]+):\s+(.*:(?:\s.*)?)$", text):
        return line, f"a value that has a colon and a blank must be in quotes: write `{found[1]}: {quoted(found[2])}`"
    above = _line_above(lines, line)
    if above is None:
        return line, "a colon stands where none can"
    if not re.search(r":(\s|$)", lines[above]):
        return above, _no_colon(lines[above])
    deep = len(lines[above]) - len(lines[above].lstrip())
    return line, f"is indented further than line {above + 1}, which has a value: write `{' ' * deep}{text.strip()}`"


def _line_above(lines: Sequence[str], line: int) -> int | None:
    """The last line before one that is neither blank nor a comment."""
    return next((i for i in range(line - 1, -1, -1) if lines[i].strip() and not lines[i].lstrip().startswith("#")), None)


def _out_of_line(lines: Sequence[str], line: int, column: int) -> str:
    text = lines[line]
    if text[:column].strip():
        if found := re.match(r"(\s*(?:- )?[\w.]+:\s+)(.*)", text):
            return f"text goes on behind a closing quote: write `{found[1]}{quoted(found[2].strip(chr(39) + chr(34)))}`"
        return "text goes on behind the end of a value"
    code = [each for each in lines[:line] if each.strip() and not each.lstrip().startswith("#")]
    depths = {len(each) - len(each.lstrip()) for each in code}
    if text.lstrip().startswith("- "):
        return "an entry of a list stands where a key must: indent it like the entries above, below the key that it belongs to"
    nearest = min(depths, key=lambda deep: (abs(deep - column), deep), default=0)
    return f"is indented like no line above that it could go with: write `{' ' * nearest}{text.strip()}`"
