"""The words of health endpoints, and what each means. One table."""

import re
from collections.abc import Iterable
from enum import StrEnum


class Health(StrEnum):
    """What a word says.

    `DEGRADED` is bad, but not down: the service works with trouble, and says so. The check is bad then, as
    with `DOWN`, since nothing has recovered while our own service reports trouble. The severity is P2 at
    most: only the error rate, the pods and PostHog's status page make an outage complete. RFC health+json's
    `warn` counts as degraded; where that is a service's normal state, add it to the policy's `healthy_words`.

    `UNKNOWN` is neither: a word that says so, or one that nobody knows. It is bad only where the server
    itself fails (5xx).
    """

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


_TABLE: dict[Health, str] = {
    Health.HEALTHY: (
        "healthy ok okay up pass passed passing operational running ready alive live available online"
        " connected reachable working success successful serving normal good green true"
        " all_systems_operational pong"
    ),
    Health.DEGRADED: (
        "degraded degraded_performance warn warning partial partially_degraded partial_outage impaired"
        " limited slow unstable yellow amber partially_available"
    ),
    Health.DOWN: (
        "unhealthy down fail failed failing failure error errored critical fatal offline unavailable outage"
        " major_outage full_outage out_of_service not_ready notready not_ok nok ko dead disconnected"
        " unreachable timeout timed_out unexpected_result shutting_down terminating not_serving stopped"
        " crashed broken red false"
    ),
    Health.UNKNOWN: (
        "unknown undefined none null n/a pending starting initializing not_checked skipped disabled paused"
        " maintenance"
    ),
}
"""Sources: RFC health+json, Spring Boot Actuator, ASP.NET Core, MicroProfile, NestJS Terminus, Kubernetes,
gRPC, Elasticsearch's colours, Django, and what services write by hand. `true` and `false` are JSON's."""

WORDS: dict[str, Health] = {word: health for health, words in _TABLE.items() for word in words.split()}
"""The meaning of each word, lower case, with `_` between its parts."""

_NOT = re.compile(r"(?:is_)?not_(?P<word>\w+)")
_SENTENCE = re.compile(r"(?:i_am|i'm|(?:healthz|livez|readyz)_check)_(?P<word>\w+)")
_TROUBLE_TOLD = re.compile(r"(?P<word>[a-z_']{2,30}?)_?[:(]")
_TIME_TOLD = re.compile(r"(?P<word>[a-z]{2,20})_?\([\d.]{1,10}_?(?:ms|s)\)")
_HTTP_STATUS = re.compile(r"(?P<class>[1-5])\d\d(?:_[a-z_]{1,40})?", re.ASCII)


def health_of(word: str | None, *, healthy_words: Iterable[str] = ()) -> Health:
    """What a word means; `healthy_words` are the policy's, which count before the table.

    A number is an HTTP status: 2xx and 3xx are healthy, 4xx and 5xx are down. What follows a bad word says
    more about it ("unhealthy: timeout"); after a healthy one it may take it back, so only a time may follow.
    """
    plain = _plain(word or "")
    if plain and plain in {_plain(known) for known in healthy_words}:
        return Health.HEALTHY
    if found := _HTTP_STATUS.fullmatch(plain):
        return {"2": Health.HEALTHY, "3": Health.HEALTHY, "4": Health.DOWN, "5": Health.DOWN}.get(
            found["class"], Health.UNKNOWN
        )
    if plain in WORDS:
        return WORDS[plain]
    if (found := _NOT.fullmatch(plain)) and WORDS.get(found["word"]) is Health.HEALTHY:
        return Health.DOWN
    if found := _SENTENCE.fullmatch(plain) or _TIME_TOLD.fullmatch(plain):
        return WORDS.get(found["word"], Health.UNKNOWN)
    said = WORDS.get(found["word"], Health.UNKNOWN) if (found := _TROUBLE_TOLD.match(plain)) else None
    return said if said in (Health.DOWN, Health.DEGRADED) else Health.UNKNOWN


def says_well(word: str | None, http_status: int, *, healthy_words: Iterable[str] = ()) -> bool:
    """Whether a healthy word came in an answer that is no error: the two must not contradict each other."""
    return http_status < 400 and health_of(word, healthy_words=healthy_words) is Health.HEALTHY


def _plain(word: str) -> str:
    return "_".join(word.casefold().replace("-", " ").replace("_", " ").split()).strip("_.!:;,\"'")
