"""Characters that hide or steer: they are in no text that people read or a program obeys.

A terminal obeys control characters, bidirectional controls show text in another order than it has, and what
is not shown at all can stand in the middle of a secret and hide it from masking.
"""

import re

from runbook.outside_text.terminal_codes import without_sequences

_CONTROLS = r"\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
_INVISIBLE = (
    r"\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff"
)
"""Unicode's category Cf (format characters) and the others that are shown as nothing: Default_Ignorable."""
_SURROGATES = r"\ud800-\udfff"

_HIDING = re.compile(f"[{_CONTROLS}{_INVISIBLE}{_SURROGATES}]")
_LINE_ENDS = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_HIDING_OR_LINE_END = re.compile(f"[{_CONTROLS}{_INVISIBLE}{_SURROGATES}" + r"\r\x0b\x0c\x85\u2028\u2029]")


def normal(text: str) -> str:
    """The text without characters that hide or steer; whatever ends a line is a line feed, tabs stay.

    A colour or another sequence of a terminal goes as a whole: what would be left of it can stand in the
    middle of a secret too.
    """
    if text.isascii() and text.isprintable():
        return text
    return _HIDING.sub("", _LINE_ENDS.sub("\n", without_sequences(text)))


def one_line(text: str) -> str:
    """The text on one line, each run of white space being one space."""
    return " ".join(normal(text).split())


def spelled_out(text: str) -> str:
    r"""The text with such characters written as `\u202e`, for where people decide about exactly this text."""
    return _HIDING_OR_LINE_END.sub(_spelled, text)


def replaced(text: str, sign: str) -> str:
    """The text with a sign for each such character, so that its columns stay where they were."""
    return _HIDING_OR_LINE_END.sub(sign, text)


def _spelled(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def escaped_for_json(document: str) -> str:
    r"""A JSON document with such characters in its texts written as `\u202e`: it is equal in value."""
    return _HIDING_OR_LINE_END.sub(_json_escape, document)


def _json_escape(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
