"""Where the word about PostHog is in an answer, and what stands beside it.

First the configured path. Where that is the default one and leads nowhere, what is named after PostHog in the
trees that frameworks write: Spring's `components` and `details`, ASP.NET's `entries`, `checks` of RFC
health+json and MicroProfile, lists of "Name: OK". Where nothing is, the service's word about itself.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from runbook.checks.health.paths import DEFAULT_PATH, Place, follow, names_of, parse_path
from runbook.checks.health.words import Health, health_of
from runbook.outside_text.terminal_codes import without_terminal_codes

_WORD_KEYS = (
    *("status", "state", "health", "healthy", "ishealthy", "result", "outcome", "aggregatedstatus"),
    *("ok", "up", "alive"),
)
_SWITCHES = (
    "healthy",
    "ishealthy",
    "ok",
    "up",
    "alive",
    "connected",
    "reachable",
    "available",
    "passed",
    "passing",
)
"""Names of values that are false where something is wrong, whatever the word beside them says."""

_OF_A_BRANCH = ("connected", "reachable", "available", "passed", "passing", "success")
"""What tells about PostHog in a branch of its own; of a whole answer it may mean the answer alone."""

_OF_A_WORD = ("code", "value", "name")
_TELLING = ("mode", "message", "error", "detail", "reason", "output", "description")
_NAME_OF_A_WORD = re.compile(
    r"(?:is|the)?posthog(?:api|health|healthy|status|state|connection|connected|connectivity|check|reachable"
    r"|available|availability|ready|alive|backend|client|service|indicator|default|ok|up){0,3}"
)
_SEPARATORS = str.maketrans("", "", "_ :.-")
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
        if place is None and (word := _word_of_all(document)) is not None:
            told = _told(Place(document, document))
            return Answer(word, "; ".join(filter(None, ("about the service as a whole", told))))
    if place is None:
        return Answer(None, f"the answer has no {path}")
    word = _branch_word(_after_name(place.value) if isinstance(steps[-1], int) else place.value)
    if word is None:
        return Answer(None, f"{path} holds no word")
    return Answer(word, _told(place))


def _word_of_all(document: Any) -> str | None:
    """The service's word about itself, in what wraps it; else the worst of its parts, where all say one."""
    if (word := _word(document)) is not None:
        return word
    if not isinstance(document, Mapping):
        return None
    for key, inner in document.items():
        if key.casefold() == "data" and isinstance(inner, Mapping):
            return _word(inner)
    parts = [part for part in document.values() if isinstance(part, str)]
    told = len(parts) == len(document) > 1 and Health.UNKNOWN not in map(health_of, parts)
    return _worst(parts) if told else None


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
    name = key.casefold().translate(_SEPARATORS)
    if "posthog" not in name or _branch_word(item) is None:
        return False
    return isinstance(item, Mapping | list) or _NAME_OF_A_WORD.fullmatch(name) is not None


def _names_posthog(item: Any) -> bool:
    if isinstance(item, Mapping):
        return _branch_word(item) is not None and any(
            "posthog" in name.casefold().translate(_SEPARATORS) for name in names_of(item)
        )
    return isinstance(item, str) and "posthog" in item.rpartition(":")[0].casefold()


def _branch_word(value: Any) -> str | None:
    """The word of a value that is known to be about PostHog."""
    if not isinstance(value, Mapping):
        return _word(value)
    word = _word(value)
    if word is None:
        told = _lowered(value)
        word = next((_word(told[key]) for key in _OF_A_BRANCH if isinstance(told.get(key), bool)), None)
    return word


def _lowered(value: Mapping[Any, Any]) -> dict[str, Any]:
    """The same with its names in lower case and without separators; the first of two alike counts."""
    found: dict[str, Any] = {}
    for key, item in value.items():
        found.setdefault(str(key).casefold().translate(_SEPARATORS), item)
    return found


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
        told = _lowered(value)
        names = _WORD_KEYS if depth == 0 else (*_WORD_KEYS, *_OF_A_WORD)
        key = next((key for key in names if told.get(key) is not None), None)
        word = None if key is None else _word(told[key], depth + 1)
        taken_back = word is not None and any(told.get(name) is False for name in _SWITCHES)
        return "false" if taken_back and health_of(word) is Health.HEALTHY else word
    if isinstance(value, list):
        words = [_word(_after_name(item), depth + 1) for item in value]
        known = [word for word in words if word is not None]
        return _worst(known)
    return None


def _worst(words: Iterable[str]) -> str | None:
    return min(words, key=lambda word: _WORST_FIRST.index(health_of(word)), default=None)


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
