"""Text under every locale: names of files are read alike, and what a terminal cannot show never ends a command. No torch.

Files are written and read as UTF-8 wherever the package opens one.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Mapping

CHILD_OUTPUT: Mapping[str, str] = {"PYTHONIOENCODING": "utf-8:backslashreplace"}
"""Environment of a child process whose output goes to a file or to this process, and never to the user's terminal."""

_HANDLER = "wisesr.plain"
_PLAIN = {"\N{MINUS SIGN}": "-", "\N{PLUS-MINUS SIGN}": "+-", "\N{HORIZONTAL ELLIPSIS}": ".", "\N{MIDDLE DOT}": "-"}
"""Signs of the package's own that a terminal may lack, and what stands for them: "?" before a number looks like a doubt."""


def begin_in_utf_8() -> None:
    """For commands, before anything else: names of files are read as UTF-8, and whatever is printed can be.

    Where the locale is plain ASCII, the process begins again in Python's UTF-8 mode (PEP 540): in ASCII the names of files are
    not what they are elsewhere, and so nor would be the names of classes and the fingerprint of the data.
    """
    if sys.getfilesystemencoding() == "ascii" and os.environ.get("PYTHONUTF8") != "1" and sys.executable:
        shown = {"PYTHONIOENCODING": sys.stdout.encoding or "ascii"} if sys.stdout is not None else {}
        os.execve(sys.executable, sys.orig_argv, {**shown, **os.environ, "PYTHONUTF8": "1"})
    take_any_text()


def take_any_text() -> None:
    """Let standard output, which may take ASCII alone, or Latin-1, show "?" for another letter instead of a traceback.

    A name of a file that is no valid UTF-8 cannot be printed on any terminal without this. Standard error has escapes for such
    letters by itself.
    """
    codecs.register_error(_HANDLER, _stand_in)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors in ("strict", "surrogateescape"):
        sys.stdout.reconfigure(errors=_HANDLER)


def _stand_in(error: UnicodeError) -> tuple[str | bytes, int]:
    """A handler of `codecs`: each letter that cannot be encoded is replaced."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_PLAIN.get(letter, "?") for letter in error.object[error.start : error.end]), error.end
