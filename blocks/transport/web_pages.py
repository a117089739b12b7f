"""Web pages in the place of an answer: of a login, a firewall or a load balancer on the way."""

import html
import re

_LOOKED_AT = 20_000  # characters; a title is in the head
_MARKUP = re.compile(r"<[^<>]*>")
_NAMED = (
    re.compile(r"<title\b[^<>]*>([^<]*)<", re.IGNORECASE),
    re.compile(r"<h1\b[^<>]*>(.{0,2000}?)</h1", re.IGNORECASE | re.DOTALL),
    re.compile(r"<message>([^<]*)<", re.IGNORECASE),  # the XML of an object store, such as S3
)
"""Where markup says to people what it is, the plainest first."""


def is_web_page(text: str, kind: str = "") -> bool:
    """Whether an answer is markup; `kind` is its `Content-Type`, where it is known."""
    return "html" in kind.lower() or text.lstrip("\ufeff \t\r\n").startswith("<")


def web_page_title(text: str) -> str:
    """What a page calls itself, empty where it does not; text from outside, neither masked nor cut."""
    head = text[:_LOOKED_AT]
    for pattern in _NAMED:
        for found in pattern.finditer(head):
            title = html.unescape(_MARKUP.sub(" ", found[1])).strip()
            if title:
                return title
    return ""
