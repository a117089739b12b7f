"""What a page lists, whichever format it speaks; and what its components and its banner add to its incidents.

A page may show components red, or its banner, and write no incident, or one about something else.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from blocks.status_page.formats.documents import text
from runbook.checks.readings import Impact, ListedIncident
from runbook.checks.status_page_words import impact_in
from runbook.value import Value

_ORDER = tuple(Impact)
_RED = (Impact.DEGRADED, Impact.PARTIAL_OUTAGE, Impact.FULL_OUTAGE)


class Listing(Value):
    """What a page lists as not over. `unclear` is what it says in words that nobody knows."""

    incidents: tuple[ListedIncident, ...] = ()
    maintenances: tuple[ListedIncident, ...] = ()
    unclear: tuple[ListedIncident, ...] = ()


class Component(Value):
    """A part of PostHog on the page. `word` is its status; a `group` sums up parts that are not listed."""

    id: str
    name: str
    region: str = ""
    word: str
    group: bool = False

    @property
    def impact(self) -> Impact | None:
        """What its status means, `None` where nobody knows the word."""
        return impact_in(self.word)


class Banner(Value):
    """The page's sum of everything, in a word and perhaps a sentence."""

    word: str
    description: str = ""


def banner_of(document: Mapping[str, Any]) -> Banner | None:
    """The banner of a document, wherever its vendor puts it."""
    for name in ("overall_status", "overall", "status", "page"):
        value = document.get(name)
        if isinstance(value, str) and name != "page":
            return Banner(word=value)
        if isinstance(value, Mapping):
            key = next((key for key in ("indicator", "status") if key in value), None)
            if key is not None:
                return Banner(word=text(value, key), description=text(value, "description"))
    return None


def completed(listing: Listing, components: Sequence[Component], banner: Banner | None) -> Listing:
    """The listing with what the components and the banner say beyond its incidents and maintenances.

    A red component is explained by an open incident that names it, or by one for everyone that is as bad.
    The banner sums up the rest: it counts where nothing else on the page accounts for it.
    """
    open_ = [item for item in components if not _is_explained(item, listing.incidents)]
    incidents = [*listing.incidents, *_broken(open_)]
    maintenances = [*listing.maintenances, *_worked_on(open_, listing.maintenances)]
    unclear = [*listing.unclear, *_not_clear(open_)]
    if banner is not None:
        impact = impact_in(banner.word)
        item = _of_banner(banner, impact or Impact.NONE)
        if impact is None:
            unclear.append(item)
        elif impact is Impact.MAINTENANCE and not maintenances:
            maintenances.append(item)
        elif impact in _RED and not incidents:
            incidents.append(item)
        elif impact in _RED and not components and _all_milder_elsewhere(incidents, impact):
            unclear.append(item)
    return Listing(incidents=tuple(incidents), maintenances=tuple(maintenances), unclear=tuple(unclear))


def _all_milder_elsewhere(incidents: Iterable[ListedIncident], impact: Impact | None) -> bool:
    """Whether all that is listed is of single regions, and milder than the banner: something is missing."""
    rank = _ORDER.index(impact or Impact.NONE)
    return all(item.regions and _ORDER.index(item.impact) < rank for item in incidents)


def worst(*impacts: Impact | None) -> Impact:
    """The worst of some impacts; what nobody knows does not count."""
    return max((impact for impact in impacts if impact is not None), key=_ORDER.index, default=Impact.NONE)


def _is_explained(component: Component, incidents: Iterable[ListedIncident]) -> bool:
    impact = component.impact
    for incident in incidents:
        same_region = not component.region or not incident.regions or component.region in incident.regions
        if component.name in incident.components and same_region:
            return True
        for_everyone = not incident.regions and not incident.components
        if for_everyone and impact is not None and _ORDER.index(incident.impact) >= _ORDER.index(impact):
            return True
    return False


def _broken(components: Iterable[Component]) -> Iterator[ListedIncident]:
    """One item for each region with red components, so that each has its own impact."""
    red = [item for item in components if not item.group and item.impact in _RED]
    for region, listed in _by_region(red):
        names = ", ".join(item.name for item in listed)
        yield _of_components(region, listed, f"{names}: not operational", "not explained")


def _worked_on(
    components: Iterable[Component], maintenances: Sequence[ListedIncident]
) -> Iterator[ListedIncident]:
    """Components under maintenance that no listed maintenance explains."""
    worked_on = [item for item in components if not item.group and item.impact is Impact.MAINTENANCE]
    for region, listed in _by_region(item for item in worked_on if not _is_explained(item, maintenances)):
        names = ", ".join(item.name for item in listed)
        yield _of_components(region, listed, f"{names}: under maintenance", "in_progress")


def _not_clear(components: Iterable[Component]) -> Iterator[ListedIncident]:
    """Components with a status that nobody knows, and red groups without a component that shows why."""
    for region, listed in _by_region(item for item in components if _is_unclear(item)):
        names = ", ".join(f"{item.name} ({item.word or 'no status'})" for item in listed)
        yield _of_components(region, listed, names, "unclear")


def _is_unclear(component: Component) -> bool:
    return component.impact is None or (component.group and component.impact in _RED)


def _by_region(components: Iterable[Component]) -> Iterator[tuple[str, list[Component]]]:
    regions: dict[str, list[Component]] = {}
    for component in components:
        regions.setdefault(component.region, []).append(component)
    yield from regions.items()


def _of_components(region: str, listed: list[Component], name: str, status: str) -> ListedIncident:
    return ListedIncident(
        id=f"components {region}".strip(),
        name=name,
        status=status,
        impact=worst(*(item.impact for item in listed)),
        components=tuple(item.name for item in listed),
        regions=(region,) if region else (),
    )


def _of_banner(banner: Banner, impact: Impact) -> ListedIncident:
    return ListedIncident(
        id="banner",
        name=banner.description or banner.word or "an empty banner",
        status="not explained",
        impact=impact,
    )
