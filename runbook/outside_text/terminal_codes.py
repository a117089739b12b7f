"""Escape sequences of terminals, which colour a text and are no part of what it says.

Source: ECMA-48 (control sequences, operating system commands).
"""

import re

_SEQUENCE = (
    r"(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]"  # control sequence: colours, cursor
    r"|\][^\x07\x1b\n]{0,256}(?:\x07|\x1b\\)"  # operating system command: window titles, links
    r"|[()][0-9A-B])"  # character sets
)
_CODES = re.compile(
    rf"\x1b{_SEQUENCE}|\x9b[0-?]{{0,64}}[ -/]{{0,8}}[@-~]|\x1b[ -/]{{0,8}}[0-~]?", re.ASCII
)  # the last one is any other sequence, and a lone escape
_WHOLE = re.compile(
    r"(?:\x1b\[|\x9b)(?:[\d;:]{0,64}[mABCDGHfJK]|\?\d{1,8}[hl])"
    r"|\x1b\][^\x07\x1b\n]{0,256}(?:\x07|\x1b\\)"
    r"|\x1b[()][0-9A-B]",
    re.ASCII,
)
"""What programs write. Of any other sequence the last letter may as well be the first one of a word."""

_WRITTEN_OUT = re.compile(rf"(?:\\(?:x1b|u001b|033|e)|\#033){_SEQUENCE}", re.IGNORECASE | re.ASCII)


def without_terminal_codes(text: str) -> str:
    """The text as a terminal shows it, without colours, cursor movements and window titles."""
    return _CODES.sub("", text) if "\x1b" in text or "\x9b" in text else text


def without_sequences(text: str) -> str:
    """The text without the usual sequences. Of others all but the escape is part of the text."""
    return _WHOLE.sub("", text) if "\x1b" in text or "\x9b" in text else text


def without_written_out_codes(text: str) -> str:
    r"""The text without codes whose escape character was written out: `\u001b[31m`, rsyslog's `#033[31m`."""
    return _WRITTEN_OUT.sub("", text) if "\\" in text or "#033" in text else text
