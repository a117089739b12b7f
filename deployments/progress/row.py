"""A line of the progress."""

from dataclasses import dataclass

from rich.console import RenderableType
from rich.text import Text


@dataclass(frozen=True)
class Row:
    """A line: sign, style, a word for what it is, the text, and what stands under it.

    `copied` are addresses and paths, each of which has an unbroken line of its own.
    """

    symbol: str
    label: str
    text: Text
    style: str = ""
    details: tuple[RenderableType, ...] = ()
    copied: tuple[str, ...] = ()
