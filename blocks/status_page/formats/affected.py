"""Whom an incident affects, and how badly: each region by the status of its own components."""

from collections.abc import Sequence
from typing import NamedTuple

from blocks.status_page.formats.listing import worst
from runbook.checks.readings import Impact, ListedIncident


class Affected(NamedTuple):
    """A component that an incident names; `impact` is `None` where nobody knows the word of its status."""

    name: str
    region: str
    impact: Impact | None


def by_region(incident: ListedIncident, affected: Sequence[Affected]) -> list[ListedIncident]:
    """The incident, or one part of it for each region where they are not affected alike.

    The incident's own impact is the worst of all regions, so it says too much about the others. A component
    that is operational again is not affected any more, unless they all are: then the page has not said which.
    """
    broken = [item for item in affected if item.impact is not Impact.NONE]
    told = broken or list(affected)
    regions = dict.fromkeys(item.region for item in told)
    if not broken or not all(regions):
        impacts = [item.impact for item in affected]
        return [incident.model_copy(update={"impact": worst(incident.impact, *impacts)})]
    parts = {
        region: _part(incident, region, [item for item in broken if item.region == region])
        for region in regions
    }
    if len(regions) == 1:
        [part] = parts.values()
        return [part.model_copy(update={"impact": worst(incident.impact, part.impact)})]
    if len({part.impact for part in parts.values()}) == 1:
        return [
            incident.model_copy(
                update={
                    "impact": next(iter(parts.values())).impact,
                    "regions": tuple(regions),
                    "components": tuple(item.name for item in broken),
                }
            )
        ]
    return list(parts.values())


def _part(incident: ListedIncident, region: str, affected: Sequence[Affected]) -> ListedIncident:
    impacts = [item.impact for item in affected]
    return incident.model_copy(
        update={
            "impact": incident.impact if None in impacts else worst(*impacts),
            "regions": (region,),
            "components": tuple(item.name for item in affected),
        }
    )
