"""What the page opens on demand, packed: a thousand logs and charts stay a few megabytes, and no text of theirs is markup."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any


def pack(value: Any) -> str:
    """A JSON value as zlib's bytes in base 64, which the page unpacks with DecompressionStream("deflate").

    Raises:
        ValueError: NaN or infinity, which JSON does not have.
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    return base64.b64encode(zlib.compress(text.encode("utf-8", "replace"), 9)).decode("ascii")
