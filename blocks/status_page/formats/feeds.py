"""RSS and Atom feeds: the last resort, since they keep what is over and name no impact or region.

The state of an item stands in its title, in the labels of its updates, or in an element of its own. An item
whose state nobody can read is neither open nor over.
"""

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from blocks.status_page.formats.documents import UnknownFormat, moment
from blocks.status_page.formats.listing import Listing
from runbook.checks.readings import Impact, ListedIncident
from runbook.checks.status_page_words import STATES, State, state_in

_WORDS = "|".join(sorted((word.replace("_", "[ _-]?") for word in STATES), key=len, reverse=True))
_LABEL = re.compile(
    rf"<(?:strong|b|h[1-6])(?:\s[^<>]{{0,200}})?>\s{{0,20}}(?P<bold>{_WORDS})\s{{0,20}}(?=[<:–—-]|$)"
    r"|\bStatus:\s{0,20}(?:</?\w{1,10}(?:\s[^<>]{0,200})?>\s{0,20}){0,5}"
    rf"(?P<named>{_WORDS})\b",
    re.IGNORECASE,
)
_IN_TITLE = re.compile(
    rf"^\W{{0,5}}(?P<first>{_WORDS})(?:\s{{0,3}}[:\]|)]|\s[-–—]\s)"
    rf"|[\[(](?P<bracketed>{_WORDS})[\])]"
    rf"|(?:\s[-–—|]|:)\s{{1,3}}(?P<last>{_WORDS})\W{{0,3}}$",
    re.IGNORECASE,
)
_TAGS = re.compile(r"<[^<>]{1,2000}>")
_BODIES = ("description", "content", "encoded", "summary")
_STATE_ELEMENTS = ("status", "state", "category")
_BOLD = ("strong", "b", "h1", "h2", "h3", "h4", "h5", "h6")
_LONGEST_MESSAGE = 500


def read_feed(text: str) -> Listing:
    """The items of a feed that are not over.

    An item counts as over as soon as one of its updates says so, whichever way the updates are ordered.

    Raises:
        UnknownFormat: it is no feed.
    """
    document = text.lstrip("\ufeff \t\r\n")  # XML allows nothing before its declaration, and some pages do
    if "<!DOCTYPE" in document[:1000] or "<!ENTITY" in document:
        raise UnknownFormat("a document with a DTD, not a feed")
    try:
        root = ElementTree.fromstring(document)  # noqa: S314 - no DTD, so no entities to expand
    except (ElementTree.ParseError, ValueError) as error:
        raise UnknownFormat(f"not XML: {error}") from None
    if _tag(root) not in ("rss", "feed", "RDF"):
        raise UnknownFormat(f"not a feed but <{_tag(root)}>")
    listed = [_item(element) for element in root.iter() if _tag(element) in ("item", "entry")]
    return Listing(
        incidents=tuple(item for item in listed if state_in(item.status) is State.OPEN),
        maintenances=tuple(item for item in listed if state_in(item.status) is State.UNDER_WAY),
        unclear=tuple(item for item in listed if state_in(item.status) is None),
    )


def _item(item: ElementTree.Element) -> ListedIncident:
    parts: dict[str, str] = {}
    for child in item:
        parts.setdefault(_tag(child), ("".join(child.itertext()) or child.get("href") or "").strip())
    status = _status(parts.get("title", ""), list(_labels(item)))
    body = next((parts[name] for name in _BODIES if parts.get(name)), "")
    return ListedIncident(
        id=parts.get("guid") or parts.get("id") or parts.get("link", ""),
        name=parts.get("title", ""),
        status=status,
        impact=Impact.MAINTENANCE if state_in(status) is State.UNDER_WAY else Impact.DEGRADED,
        url=parts.get("link", ""),
        updated_at=moment(parts.get("pubDate") or parts.get("updated")),
        message=" ".join(_TAGS.sub(" ", body).split())[:_LONGEST_MESSAGE],
    )


def _status(title: str, labels: list[str]) -> str:
    """The word of the state: over if anything says so, else the title's, else the first of the labels."""
    found = _IN_TITLE.search(title)
    in_title = [word for word in found.groups() if word] if found else []
    words = [word.lower().replace(" ", "_") for word in (*in_title, *labels)]
    over = next((word for word in words if state_in(word) is State.OVER), None)
    return over or (words[0] if words else "unknown")


def _labels(item: ElementTree.Element) -> Iterator[str]:
    """The words for a state in the item's texts, in markup that was escaped and in markup that was not."""
    for child in item:
        if _tag(child) in _STATE_ELEMENTS:
            told = child.text or child.get("term") or ""
            if state_in(told) is not None:
                yield told
        if _tag(child) in _BODIES:
            yield from (
                found["bold"] or found["named"] for found in _LABEL.finditer("".join(child.itertext()))
            )
            for inner in child.iter():
                if _tag(inner) in _BOLD and state_in(inner.text) is not None:
                    yield inner.text or ""


def _tag(element: ElementTree.Element) -> str:
    return str(element.tag).rsplit("}", 1)[-1]
