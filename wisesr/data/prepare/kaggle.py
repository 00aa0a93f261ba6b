"""A dataset from Kaggle, through its own `kagglehub`. No torch."""

from __future__ import annotations

from pathlib import Path

from wisesr.data.published_facts import Published
from wisesr.errors import UserError


def download(facts: Published) -> Path:
    """The folder in kagglehub's cache that holds the dataset, downloaded and unpacked by it if it is not there yet.

    Raises:
        UserError: there is no kagglehub, or it has failed.
    """
    try:
        import kagglehub
    except ImportError as error:
        raise UserError(
            f"--from kaggle needs a package: pip install 'wisesr[kaggle]' ({error}). Or download "
            f"https://www.kaggle.com/datasets/{facts.kaggle} by hand, and name the file"
        ) from None
    try:
        return Path(kagglehub.dataset_download(facts.kaggle))
    except Exception as error:  # of any kind: of the network, of the login, of the disk
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"--from kaggle: kagglehub could not download {facts.kaggle}: {reason[:300]}. A login is set up as it says at "
            "https://github.com/Kaggle/kagglehub; or download the dataset by hand, and name the file"
        ) from error
