"""Numbers as tables and sentences have them."""

from __future__ import annotations

DASH = "-"
"""Where there is nothing."""
EN_DASH = "\N{EN DASH}"
"""Likewise, in prose and on the page: files keep the hyphen, which programs read."""


def mean_and_std(mean: float, std: float | None, digits: int = 2) -> str:
    """`93.21 ± 0.41`; the mean alone of one value."""
    return f"{mean:.{digits}f}" + (f" ± {std:.{digits}f}" if std is not None else "")


def signed(value: float, digits: int = 2) -> str:
    """`+1.42`; what rounds to 0 has no sign."""
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text


def typographic(number: str) -> str:
    """With a minus sign in place of a hyphen, for prose and the page."""
    return number.replace("-", "\N{MINUS SIGN}")


def p_value(value: float | None) -> str:
    """`0.012`; more digits where three would not tell the side of 0.05; a dash where nothing was tested."""
    if value is None:
        return DASH
    text = f"{value:.3f}"
    return "< 0.001" if value < 0.001 else f"{value:.4g}" if text == "0.050" else text
