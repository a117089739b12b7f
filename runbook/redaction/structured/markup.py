"""Secrets in XML and HTML."""

import re
from collections.abc import Iterator

from runbook.redaction.marks import Span
from runbook.redaction.names import secret_name
from runbook.redaction.values.harmless import stays

_ELEMENT = re.compile(
    r"(?:<|&lt;)(?:[\w.-]{1,40}:)?(?P<name>[A-Za-z][\w.-]{0,60})(?P<rest>(?:\s[^<>]{0,300})?)(?:>|&gt;)(?:<!\[CDATA\[)?"
    r"(?P<value>[^<&\]]++|(?:(?!&lt;|\]\]>)[^<])+)(?=<|&lt;|\]\]>)"
)
_TAG = re.compile(r"<[A-Za-z][^<>]{5,600}>")
_TAG_NAME = re.compile(
    r"\b(?:name|key|id|property|type)\s*=\s*\\?[\"'](?P<name>[^\"'\\]{1,100})\\?[\"']", re.IGNORECASE
)
_TAG_VALUE = re.compile(
    r"\b(?:value|content|default)\s*=\s*\\?(?P<quote>[\"'])(?P<value>(?:(?!\\?(?P=quote)).)+)", re.IGNORECASE
)
_PAIR = re.compile(
    r"(?:<(?:key|name)>(?P<element>[^<]{1,100})</(?:key|name)>|<\w+\s[^<>]{0,100}?(?:name|key)\s?=\s?\\?[\"']"
    r"(?P<attribute>[^\"'<>\\]{1,100})[^<>]{0,100}>)\s{0,100}<(?:string|value)>(?:<\w+>)?(?P<value>[^<]++)<"
)


def find_in_markup(text: str) -> Iterator[Span]:
    """Secrets of XML and HTML: elements, and tags that name what their value is."""
    for found in _ELEMENT.finditer(text):
        named = _TAG_NAME.search(found["rest"]) if found["rest"] else None
        secret = secret_name(found["name"]) or (secret_name(named["name"]) if named else None)
        if secret and not found["rest"].endswith("/") and not stays(found["value"], secret):
            value = found["value"]
            start = found.start("value") + len(value) - len(value.lstrip())
            yield Span(start, found.start("value") + len(value.rstrip()), secret.kind)
    for tag in _TAG.finditer(text):
        for named in _TAG_NAME.finditer(tag.group()):
            secret = secret_name(named["name"])
            value = _TAG_VALUE.search(tag.group())
            if secret and secret.certain and value and not stays(value["value"], secret):
                yield Span(tag.start() + value.start("value"), tag.start() + value.end("value"), secret.kind)
    for found in _PAIR.finditer(text):
        secret = secret_name(found["element"] or found["attribute"])
        if secret and secret.certain and not stays(found["value"], secret):
            yield Span(*found.span("value"), secret.kind)
