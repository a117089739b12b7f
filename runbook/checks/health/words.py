"""The words of health endpoints, and what each means. One table."""

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
        " connected working success successful serving normal good green true all_systems_operational"
    ),
    Health.DEGRADED: (
        "degraded degraded_performance warn warning partial partially_degraded partial_outage impaired"
        " limited slow unstable yellow amber"
    ),
    Health.DOWN: (
        "unhealthy down fail failed failing failure error errored critical fatal offline unavailable outage"
        " major_outage full_outage out_of_service not_ready notready not_ok nok ko dead disconnected"
        " unreachable not_serving stopped crashed broken red false"
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


def health_of(word: str | None, *, healthy_words: Iterable[str] = ()) -> Health:
    """What a word means; `healthy_words` are the policy's, which count before the table.

    A number is an HTTP status: 2xx and 3xx are healthy, 4xx and 5xx are down.
    """
    plain = _plain(word or "")
    if plain and plain in {_plain(known) for known in healthy_words}:
        return Health.HEALTHY
    if len(plain) == 3 and plain.isascii() and plain.isdigit():
        return {"2": Health.HEALTHY, "3": Health.HEALTHY, "4": Health.DOWN, "5": Health.DOWN}.get(
            plain[0], Health.UNKNOWN
        )
    return WORDS.get(plain, Health.UNKNOWN)


def says_well(word: str | None, http_status: int, *, healthy_words: Iterable[str] = ()) -> bool:
    """Whether a healthy word came in an answer that is no error: the two must not contradict each other."""
    return http_status < 400 and health_of(word, healthy_words=healthy_words) is Health.HEALTHY


def _plain(word: str) -> str:
    return "_".join(word.casefold().replace("-", " ").replace("_", " ").split()).strip("_.!:;,\"'")
