"""Rules for the shapes of secrets, and how they are applied to a text."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from runbook.redaction.marks import Span

ALONE = "(?#alone)"
"""Begins the pattern of a shape that is no part of a longer word.

What follows an escape, a percent-escape or a colour code starts a new word: `\\nAKIA…`, `%3DAKIA…`. This is
checked after a match, because patterns that begin with a literal are found many times faster.
"""

_GLUE = re.compile(
    r"(?:^|[^A-Za-z0-9]|\\[abefnrtv0]|%(?:25)*[0-9A-Fa-f]{2}|[0-9\[;]m|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2})$"
)
_LONGEST_GLUE = 9
_LONG_RUN = re.compile(r"[A-Za-z0-9_.+/=~$!:-]{16,}+")
_LONG = 30
_RANDOM = re.compile(r"[0-9]|[A-Z]{12}")


class Rule(NamedTuple):
    """One shape. The group `value` is masked, or all of it where there is no such group.

    The rule is tried only on a text that has one of the `needles`. An empty `kind` is taken from the group
    `kind`. `holds` accepts or rejects each match.
    """

    kind: str
    needles: tuple[str, ...]
    pattern: re.Pattern[str]
    holds: Callable[[str], bool] | None = None
    alone: bool = False

    def spans(self, text: str) -> Iterator[Span]:
        """What of the text has the shape."""
        group = "value" if "value" in self.pattern.groupindex else 0
        for found in self.pattern.finditer(text):
            if self.alone and not stands_alone(text, found.start()):
                continue
            if self.holds is None or self.holds(found[group]):
                yield Span(*found.span(group), self.kind or found["kind"].lower())


def rule(
    kind: str, needles: str, pattern: str, *, flags: int = 0, holds: Callable[[str], bool] | None = None
) -> Rule:
    """A rule from its parts; `needles` are separated by spaces."""
    return Rule(kind, tuple(needles.split()), re.compile(pattern, flags), holds, pattern.startswith(ALONE))


def stands_alone(text: str, at: int) -> bool:
    """Whether a key can begin there: not within a word, but right after an escape or the code of a colour."""
    if at == 0 or not text[at - 1].isalnum():
        return True
    return _GLUE.search(text[max(0, at - _LONGEST_GLUE) : at]) is not None


def find_shapes(text: str, rules: Iterable[Rule], within: str | None = None) -> Iterator[Span]:
    """All spans of the text that have the shape of a rule. `within`: where the needles are looked for."""
    place = text if within is None else within
    for shape in rules:
        for needle in shape.needles:
            if needle in place:
                yield from shape.spans(text)
                break


def long_runs(text: str) -> str:
    """The parts of a text that are long enough for a generated key, one per line; usually empty."""
    return "\n".join(run for run in _LONG_RUN.findall(text) if len(run) >= _LONG or _RANDOM.search(run))


def is_random(value: str) -> bool:
    """Whether a value mixes digits and letters, as generated keys do."""
    return any(letter.isdigit() for letter in value) and any(letter.isalpha() for letter in value)


def has_both_cases(value: str) -> bool:
    """Whether a value has digits, small and capital letters."""
    return is_random(value) and value.lower() != value and value.upper() != value


def has_long_run(value: str) -> bool:
    """Whether a value has sixteen letters and digits in a row: names of pods and files have hyphens."""
    runs = re.findall(r"[A-Za-z0-9]{16,}", value)
    return any(is_random(run) for run in runs) or (
        is_random(value) and has_both_cases(value) and len(value) > 30
    )
