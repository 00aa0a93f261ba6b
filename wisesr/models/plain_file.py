"""Files of tensors and plain data, read so that nothing in them runs."""

from __future__ import annotations

import pickle
import re
import warnings
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from wisesr.errors import UserError


def read_plain(path: Path, where: str = "", *, advice: str = "") -> Any:
    """What a file of torch.save or of safetensors holds: tensors and plain data, on the CPU.

    `where` begins the messages, the setting that names the file; `advice` ends that on a file which would run something.

    Raises:
        UserError: it is damaged, or asks to run something.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about files of other programs' making
            if path.suffix == ".safetensors":
                return safetensors.torch.load_file(path)
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL ([\w.]+)", str(error))
        what = f"asks to run {found[1]}" if found else "is damaged, or holds more than tensors and plain data"
        raise UserError(f"{where}{path} {what}. Nothing of it was run{advice}") from error
    except Exception as error:  # a damaged file can make the readers raise anything
        raise UserError(f"{where}{path} cannot be read, it may be truncated ({type(error).__name__}: {error})") from error
