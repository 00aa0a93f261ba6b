"""Hydra's sentences on what is added, taken away or not found, as a user of the command line says it. No torch.

https://github.com/facebookresearch/hydra/blob/v1.3.2/hydra/_internal/config_loader_impl.py
"""

from __future__ import annotations

import re

_SAID = (
    (r"Could not delete '(.+?)=(.+)'\. No match in the defaults list", "~{0}={1}: {0}={1} is not chosen here"),
    (r"Could not delete '(.+)'\. No match in the defaults list", "~{0}: no {0} is chosen here"),
    (r"Could not delete from config\. '(.+)' does not exist\.", "~{0}: there is no {0} that could be taken away"),
    (r"Could not delete from config\. The value of '(.+)' is (.*) and not (.*)\.", "~{0}={2}: {0} is {1} here, and not {2}"),
    (r"Could not append to config\. An item is already at '(.+)'\.\n.+?'(.+)'\n.*", "+{1}: there is a {0}; without the +: {1}"),
    (
        r"Multiple values for (.+)\. To override a value use 'override .+?: (.+)'",
        "{0}: one is chosen already; without a +: {0}={1}",
    ),
    (r"force-add of config groups is not supported: '\+\+(.+)'", "++{0}: options are chosen without the ++: {0}"),
    (r"Additional config directory '(.+)' not found", "--config-dir: there is no folder {0}"),
)
"""Each of Hydra's, as a whole, and ours with its parts."""


def in_words_of_ours(text: str) -> str:
    """The sentence of ours for one of Hydra's; any other text as it is."""
    for theirs, ours in _SAID:
        if found := re.fullmatch(theirs, text, re.DOTALL):
            return ours.format(*found.groups())
    return text
