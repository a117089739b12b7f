"""The words of status pages, in one table: what each says of a component, a banner or an incident.

Sources: Atlassian Statuspage, incident.io, Instatus, Status.io, Cachet, LambStatus, Flashduty, Google Cloud,
and the sentences that they put into their banners. A word is compared in lower case, with `_` between its
parts.
"""

import re
from enum import StrEnum

from runbook.checks.readings import Impact

_IMPACT_WORDS: dict[Impact, str] = {
    Impact.NONE: (
        "none operational ok okay up good green healthy normal available online fully_operational"
        " all_systems_operational all_systems_go all_services_operational all_services_online"
        " all_good no_issues no_known_issues no_incidents service_is_operating_normally"
    ),
    Impact.MAINTENANCE: (
        "maintenance under_maintenance undermaintenance in_maintenance maintenance_in_progress"
        " planned_maintenance scheduled_maintenance service_under_maintenance systems_under_maintenance"
    ),
    Impact.DEGRADED: (
        "minor degraded degraded_performance degradedperformance degraded_service partially_degraded"
        " partially_degraded_service minor_outage minoroutage minor_service_outage performance_issues"
        " hasissues has_issues slow yellow warning"
    ),
    Impact.PARTIAL_OUTAGE: (
        "major partial_outage partialoutage partial_system_outage partial_service_outage"
        " partial_service_disruption service_disruption orange"
    ),
    Impact.FULL_OUTAGE: (
        "critical major_outage majoroutage full_outage fulloutage major_system_outage major_service_outage"
        " full_service_outage service_outage outage down offline unavailable red"
    ),
}
IMPACTS: dict[str, Impact] = {
    word: impact for impact, listed in _IMPACT_WORDS.items() for word in listed.split()
}
"""What a word for a component, a banner or an incident says about its impact."""


class State(StrEnum):
    """Where an incident or a maintenance stands; `UNDER_WAY` is a maintenance that runs."""

    OPEN = "open"
    OVER = "over"
    SCHEDULED = "scheduled"
    UNDER_WAY = "under_way"


_STATE_WORDS: dict[State, str] = {
    State.OPEN: (
        "investigating identified monitoring watching update updated open active ongoing new started"
        " detected acknowledged in_review"
    ),
    State.OVER: (
        "resolved postmortem post_mortem completed complete closed fixed ended done cancelled canceled"
    ),
    State.SCHEDULED: (
        "scheduled maintenance_scheduled notstartedyet not_started_yet not_started upcoming planned"
    ),
    State.UNDER_WAY: "in_progress inprogress verifying maintenance_in_progress maintenance_under_way",
}
STATES: dict[str, State] = {word: state for state, listed in _STATE_WORDS.items() for word in listed.split()}
"""What a word for the state of an incident or a maintenance says."""


def impact_in(word: object) -> Impact | None:
    """A vendor's word on our scale; `None` if the word is not known, which is not operational."""
    return IMPACTS.get(_plain(word))


def impact_of(word: object) -> Impact:
    """The impact of an incident that is listed: with an unknown word it is degraded, never none."""
    impact = impact_in(word)
    return Impact.DEGRADED if impact is None else impact


def state_in(word: object) -> State | None:
    """Where an incident with this word stands; `None` if the word is not known."""
    return STATES.get(_plain(word))


def names_region(listed: str, wanted: str) -> bool:
    """Whether a group of components is of a region: all words of the region stand in its name, in a row.

    "us" names "US Cloud 🇺🇸", and not "Status API". Signs and pictures are no words, so it does not matter
    who writes them.
    """
    words, sought = _words(listed), _words(wanted)
    if not sought:
        return bool(wanted.strip()) and wanted.strip() in listed
    return any(words[at : at + len(sought)] == sought for at in range(len(words)))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _plain(word: object) -> str:
    return re.sub(r"[\W_]+", "_", word.lower()[:100]).strip("_") if isinstance(word, str) else ""
