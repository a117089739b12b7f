"""Data of a Secret in a `kubectl patch` command. Nothing in the patch itself says that it is secret."""

import re
from collections.abc import Iterator

from runbook.redaction.marks import MARK, Span

_PATCH = re.compile(
    r"\b(?:kubectl|oc|k)[ \t](?:[^\n]{0,300}?[ \t])?patch[ \t][^\n]{0,200}?\bsecrets?\b"
    r"(?P<patch>[^\n]{1,20000})",
    re.IGNORECASE,
)
_QUOTE = r"\\{0,7}[\"']"
_DATA = re.compile(rf"\b(?:data|stringData)(?:{_QUOTE})?\s*:\s*\{{(?P<members>[^{{}}]{{1,20000}})")
_DATUM = re.compile(
    rf":[ \t]*(?:{_QUOTE}(?P<quoted>[^\"'\\]{{1,8000}})|(?P<bare>[^\s\"'\\,{{}}\[\]][^\s\"'\\,{{}}]*))"
)
_STEP = re.compile(rf"{_QUOTE}/(?:data|stringData)(?:/[^\"'\\]{{0,300}})?{_QUOTE}")
_VALUE = re.compile(rf"\bvalue{_QUOTE}\s*:\s*{_QUOTE}(?P<value>[^\"'\\]{{1,8000}})")
_OPERATION = re.compile(r"\{[^{}]{1,10000}\}")
_ABSENT = frozenset({"null", "true", "false"})


def find_in_patches(text: str) -> Iterator[Span]:
    """Values under `data` and `stringData` of `kubectl patch secret`, as a merge patch or as operations."""
    for patch in _PATCH.finditer(text):
        for data in _DATA.finditer(text, *patch.span("patch")):
            for found in _DATUM.finditer(text, *data.span("members")):
                group = "quoted" if found["quoted"] else "bare"
                if found[group] not in _ABSENT and not MARK.search(found[group]):
                    yield Span(*found.span(group), "secret-data")
        for operation in _OPERATION.finditer(text, *patch.span("patch")):
            if _STEP.search(operation.group()):
                for found in _VALUE.finditer(text, *operation.span()):
                    if not MARK.search(found["value"]):
                        yield Span(*found.span("value"), "secret-data")
