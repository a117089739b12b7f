"""Signs that an answer in Prometheus' format is not complete.

Servers that gather from several stores answer 200 with what they have:

- Thanos, Mimir and promxy say so in `warnings`.
- A VictoriaMetrics cluster sets `isPartial` beside `data`.
- M3 and some proxies say it in a header, such as `M3-Results-Limited` or HTTP's own `Warning`, with which
  caches tell that an answer is stale, too.

Prometheus itself uses `infos` for hints on the query, and before 3.0 also warnings that begin with
`PromQL info:`. Those leave the result whole.
"""

from collections.abc import Iterator, Mapping
from typing import Any

_INFO = "PromQL info:"
_FLAGS = ("isPartial", "partial", "partialResponse", "is_partial", "partial_response")
_HEADERS = ("m3-results-limited", "warning")
_NO = frozenset({"", "0", "false", "no", "none"})


def reasons_missing(document: Mapping[str, Any], headers: Mapping[str, str]) -> Iterator[str]:
    """Why the answer may lack something; nothing where no sign says so."""
    for text in _texts(document.get("warnings")):
        if not text.startswith(_INFO):
            yield text
    data = document.get("data")
    for place in (document, data if isinstance(data, Mapping) else {}):
        yield from (f"the server says {name}" for name in _FLAGS if _is_set(place.get(name)))
    for name, value in headers.items():
        lower = name.lower()
        if (lower in _HEADERS or "partial" in lower) and _is_set(value):
            yield f"the header {name} says {value}"


def infos_of(document: Mapping[str, Any]) -> Iterator[str]:
    """Hints on the query."""
    yield from _texts(document.get("infos"))
    yield from (text for text in _texts(document.get("warnings")) if text.startswith(_INFO))


def _is_set(value: object) -> bool:
    return value is not None and str(value).strip().lower() not in _NO


def _texts(value: object) -> list[str]:
    """A list of texts. A single text in its place is one; anything else is told as it is."""
    if not value:
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
