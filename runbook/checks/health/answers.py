"""Where the word about PostHog is in an answer, and what stands beside it.

First the configured path. Where that is the default one and leads nowhere, what is named after PostHog in the
trees that frameworks write: Spring's `components` and `details`, ASP.NET's `entries`, `checks` of RFC
health+json and MicroProfile, lists of "Name: OK". Where nothing is, the service's word about itself.
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from runbook.checks.health.paths import DEFAULT_PATH, Place, follow, parse_path
from runbook.checks.health.words import Health, health_of
from runbook.outside_text.terminal_codes import without_terminal_codes

_WORD_KEYS = ("status", "state", "health", "healthy", "result", "ok", "up", "alive")
_TELLING = ("mode", "message", "error", "detail", "reason", "output", "description")
_NAMES = ("name", "id", "componentId", "key")
_NAME_OF_A_WORD = re.compile(
    r"post[_-]?hog(?:[_ :-]?(?:api|health|healthy|status|connection|check|reachable|backend|client|ok|up))?"
)
_LONGEST_WORD = 60  # characters
_LONGEST_DETAIL = 2000
_DEEPEST = 6
_MOST_LOOKED_AT = 2000  # values of one document
_WORST_FIRST = (Health.DOWN, Health.DEGRADED, Health.UNKNOWN, Health.HEALTHY)


class Answer(NamedTuple):
    """The word that was found, `None` where there is none, and what stands beside it or why there is none."""

    word: str | None
    detail: str = ""


def find_answer(document: Any, path: str = DEFAULT_PATH) -> Answer:
    """What a JSON document says about PostHog.

    Raises:
        InvalidPath: the path cannot be read.
    """
    steps = parse_path(path)
    place = follow(document, steps)
    if place is None and path == DEFAULT_PATH:
        place = next(_named_after_posthog(document), None)
        if place is None and (word := _word(document)) is not None:
            told = _told(Place(document, document))
            return Answer(word, "; ".join(filter(None, ("about the service as a whole", told))))
    if place is None:
        return Answer(None, f"the answer has no {path}")
    word = _word(_after_name(place.value) if isinstance(steps[-1], int) else place.value)
    if word is None:
        return Answer(None, f"{path} holds no word")
    return Answer(word, _told(place))


def _named_after_posthog(document: Any) -> Iterator[Place]:
    """What is named after PostHog and says a word: the highest place of all, with its like beside it."""
    waiting: deque[Any] = deque([document])
    for _ in range(_MOST_LOOKED_AT):
        if not waiting:
            return
        value = waiting.popleft()
        if isinstance(value, Mapping):
            named = [item for key, item in value.items() if _is_about_posthog(key, item)]
            waiting.extend(item for item in value.values() if isinstance(item, Mapping | list))
        elif isinstance(value, list):
            named = [_after_name(item) for item in value if _names_posthog(item)]
            waiting.extend(item for item in value if isinstance(item, Mapping | list))
        else:
            continue
        if named:
            yield Place(named[0] if len(named) == 1 else named, named[0])


def _is_about_posthog(key: str, item: Any) -> bool:
    """A branch that is named after PostHog and holds a word, or a word under a name that says no other thing.

    An address or a switch, such as `posthog_host` or `posthog_enabled`, says nothing about its health.
    """
    name = key.casefold()
    if ("posthog" not in name and "post_hog" not in name) or _word(item) is None:
        return False
    return isinstance(item, Mapping | list) or _NAME_OF_A_WORD.fullmatch(name) is not None


def _names_posthog(item: Any) -> bool:
    if isinstance(item, Mapping):
        names = [item.get(key) for key in _NAMES]
        return _word(item) is not None and any(
            "posthog" in name.casefold() for name in names if isinstance(name, str)
        )
    return isinstance(item, str) and "posthog" in item.rpartition(":")[0].casefold()


def _word(value: Any, depth: int = 0) -> str | None:
    """The word that a value is, or holds under one of the usual names; of several, the worst."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return (
            str(value) if 100 <= value < 600 else None
        )  # an HTTP status; vendors disagree on what 0 and 1 are
    if isinstance(value, str):
        return _cleaned(value) or None
    if depth >= _DEEPEST:
        return None
    if isinstance(value, Mapping):
        key = next((key for key in _WORD_KEYS if value.get(key) is not None), None)
        return None if key is None else _word(value[key], depth + 1)
    if isinstance(value, list):
        words = [_word(_after_name(item), depth + 1) for item in value]
        known = [word for word in words if word is not None]
        return min(known, key=lambda word: _WORST_FIRST.index(health_of(word)), default=None)
    return None


def _after_name(item: Any) -> Any:
    """The word of "Name: OK"."""
    return item.rpartition(":")[2] if isinstance(item, str) else item


def _cleaned(text: str) -> str:
    shown = without_terminal_codes(text[: 10 * _LONGEST_WORD])
    printable = "".join(letter if letter.isprintable() else " " for letter in shown)
    return " ".join(printable.split())[:_LONGEST_WORD]


def _told(place: Place) -> str:
    """What the neighbours of the word tell about it."""
    value = place.value[0] if isinstance(place.value, list) and place.value else place.value
    beside = value if isinstance(value, Mapping) and _word(value) is not None else place.parent
    if not isinstance(beside, Mapping):
        return ""
    nested = beside.get("details")
    told = [
        f"{name}: {source[name]}"
        for source in (beside, nested if isinstance(nested, Mapping) else {})
        for name in _TELLING
        if isinstance(source.get(name), str) and source[name]
    ]
    return "; ".join(told)[:_LONGEST_DETAIL]
