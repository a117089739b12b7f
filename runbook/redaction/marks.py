"""The marks that masking leaves, and how found spans of a text become marks.

A mark such as `[redacted:phx]` keeps the kind of what was there, so that a reader still sees that a personal
key and not a project key was sent.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

MARK = re.compile(r"\[redacted:[a-z0-9-]+(?:, [a-z]+)?\]")
"""What masking leaves: `[redacted:phx]`, or `[redacted:api-key, changed]` in a diff."""

LISTED = "secret"
"""The kind of a secret that is known by its value."""

_MARK_START = "[redacted:"


class Span(NamedTuple):
    """A part of a text that is to be masked, and what is in it. `end` is exclusive."""

    start: int
    end: int
    kind: str


def mark(kind: str, note: str = "") -> str:
    """The text that stands for a masked value."""
    return f"[redacted:{kind}{f', {note}' if note else ''}]"


def is_mark(text: str) -> bool:
    """Whether the text is one mark and nothing else."""
    return text.startswith(_MARK_START) and MARK.fullmatch(text) is not None


def with_marks(text: str, spans: Iterable[Span]) -> str:
    """The text with a mark for each span.

    Spans that overlap become one, of the kind of the one that begins first or reaches farther; of two alike,
    of the one that was given first. If one of them is a listed secret, its kind is used. A mark that is in
    the text already is never cut: a span that touches it includes all of it, and a span that is only a mark
    changes nothing.
    """
    wanted = (
        _outside_marks(text, spans)
        if _MARK_START in text
        else [span for span in spans if span.start < span.end]
    )
    if not wanted:
        return text
    wanted.sort(key=lambda span: (span.start, -span.end))
    pieces, written = [], 0
    start, end, kind = wanted[0]
    for span in wanted[1:]:
        if span.start < end:
            end = max(end, span.end)
            kind = LISTED if span.kind == LISTED else kind
            continue
        pieces += [text[written:start], mark(kind)]
        written = end
        start, end, kind = span
    pieces += [text[written:start], mark(kind), text[end:]]
    return "".join(pieces)


def _outside_marks(text: str, spans: Iterable[Span]) -> list[Span]:
    marks = [found.span() for found in MARK.finditer(text)]
    kept, index = [], 0
    for start, end, kind in sorted(spans, key=lambda span: span.start):
        while index < len(marks) and marks[index][1] <= start:
            index += 1
        wide_start, wide_end, touched = start, end, index
        while touched < len(marks) and marks[touched][0] < wide_end:
            wide_start, wide_end = min(wide_start, marks[touched][0]), max(wide_end, marks[touched][1])
            touched += 1
        if start < end and (wide_start, wide_end) not in marks[index:touched]:
            kept.append(Span(wide_start, wide_end, kind))
    return kept
