"""Write the pages of the site below build/docs, where mkdocs.yml looks for them."""

from __future__ import annotations

import shutil

from docs.site.pages import ROOT, write_pages


def main() -> None:
    """Make build/docs anew."""
    target = ROOT / "build" / "docs"
    shutil.rmtree(target, ignore_errors=True)
    write_pages(target)


if __name__ == "__main__":
    main()
