"""Canaries: secrets that are planted where text comes in, and looked for where anything goes out.

Each has the shape of a secret and a part that is nowhere else, so what is found says where it came in.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

SHAPES: tuple[Callable[[str], str], ...] = (
    lambda unique: f"phx_{unique}0123456789",
    lambda unique: f"password={unique}",
    lambda unique: f"Authorization: Bearer {unique}0123456789",
    lambda unique: f"https://bob:{unique}@db.example/x",
    lambda unique: f"xoxb-123456-{unique}",
    lambda unique: f"eyJhbGciOiJIUzI1NiJ9.{unique}0123.c2lnbmF0dXJl",
    lambda unique: f"phx_{unique[:3]}\u200b{unique[3:]}0123456789",
    lambda unique: f'{{"api_key": "{unique}"}}',
    lambda unique: f"phx_{unique}0123456789\x1b[31m\u202e",
)
"""Keys, labels, headers, addresses, tokens, JSON; and such that hide in what is not shown."""


@dataclass
class Canaries:
    """The canaries of one test, by their unique part."""

    planted: dict[str, str] = field(default_factory=dict)

    def plant(self, where: str, shape: int | None = None) -> str:
        """A canary for a place, in the next shape or that one."""
        number = len(self.planted)
        unique = f"cnry{number:04d}q7zx"
        self.planted[unique] = where
        return SHAPES[number % len(SHAPES) if shape is None else shape](unique)

    def in_words(self, where: str, shape: int | None = None) -> str:
        """A canary with words around it."""
        return f"before {self.plant(where, shape)} after"

    def found(self, texts: Iterable[str | bytes]) -> dict[str, int]:
        """The places whose canary is in one of the texts, and how often."""
        seen: dict[str, int] = {}
        for text in texts:
            plain = text if isinstance(text, str) else text.decode(errors="replace")
            if "cnry" not in plain.replace("\u200b", ""):
                continue
            for unique, where in self.planted.items():
                if times := plain.replace("\u200b", "").count(unique):
                    seen[where] = seen.get(where, 0) + times
        return seen
