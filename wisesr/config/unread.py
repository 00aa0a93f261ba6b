"""What to say of an override whose value Hydra or OmegaConf could not read, without the names of their classes. No torch."""

from __future__ import annotations

import re
from collections.abc import Sequence

from omegaconf.errors import GrammarParseError, InterpolationResolutionError, UnsupportedInterpolationType

from wisesr.config.typed_values import with_text
from wisesr.config.typed_words import halves
from wisesr.config.written import swept_texts


def unparsable(override: str) -> str:
    """A message for an override that Hydra's parser refused: of an experiment's `params`, of a sweeper of somebody else's."""
    if "=" not in override:
        return f"{override!r} is no override: GROUP=OPTION or KEY=VALUE, without spaces around the ="
    key, value = halves(override)
    return with_text(f"{override}: the value cannot be read", key.lstrip("+~"), value)


def unresolved(error: BaseException, overrides: Sequence[str]) -> str | None:
    """A message for a `${...}` of the command line that names nothing; None if the error is another, or of a file."""
    whole = [error, *([error.__cause__] if error.__cause__ is not None else [])]
    reason = next((each for each in whole if isinstance(each, _OF_INTERPOLATIONS)), None)
    given = [override for override in overrides if "${" in override and "=" in override]
    if reason is None:
        return None
    named = re.search(
        r"(?:Interpolation key|Environment variable) '(.+?)' not found|nsupported interpolation type (\S+)", str(reason)
    )
    name = (named[1] or named[2]) if named else ""
    for line, key, text in swept_texts() if name and not any(name in override for override in given) else ():
        if "${" in text and name in text:
            return f"{line}: `{key}: {text}`: there is no {name!r} that ${{...}} could stand for: write the values of {key}"
    if not given:
        return None
    what = f"there is no {name!r} that it could stand for" if named else "it cannot be resolved"
    told = f"${{...}} stands for another value, and {what}"
    return "\n".join(with_text(f"{override}: {told}", *halves(override)) for override in given)


def said(error: Exception, overrides: Sequence[str]) -> str:
    """The text of an error in what was composed; where a `${...}` of the command line is its cause, a message for that."""
    return unresolved(error, overrides) or str(error)


_OF_INTERPOLATIONS = (InterpolationResolutionError, UnsupportedInterpolationType, GrammarParseError)
