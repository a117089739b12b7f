"""What holds for any document of a status page: nothing gets well by it, and nothing stops its reader."""

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from blocks.status_page.formats import UnknownFormat, read_api_status, read_incident_io, read_statuspage
from runbook.checks.findings import Status
from tests.blocks.status_page_listings import EU, OK, US, component, incident, judged, summary

STATUSES = (
    "operational",
    "degraded_performance",
    "partial_outage",
    "major_outage",
    "under_maintenance",
    "",
    "odd",
)
components = st.builds(
    component,
    st.sampled_from(("App", "Flags", "Ingestion")),
    st.sampled_from(STATUSES),
    st.sampled_from(("us", "eu", None)),
)
incidents = st.builds(
    lambda listed, impact, status: incident(*listed, impact=impact, status=status),
    st.lists(components, max_size=2),
    st.sampled_from(("none", "minor", "critical", "odd")),
    st.sampled_from(("investigating", "resolved", "odd")),
)
pages = st.builds(
    lambda listed, indicator, open_: summary(*listed, indicator=indicator, incidents=open_),
    st.lists(components, max_size=4),
    st.sampled_from(("none", "minor", "critical", "maintenance", "odd")),
    st.lists(incidents, max_size=2),
)


@given(pages, st.sampled_from(("us", "eu", None)), st.sampled_from(((), (US,), (EU,))))
def test_one_more_operational_component_makes_nothing_well(
    document: dict[str, Any], group: str | None, regions: tuple[str, ...]
) -> None:
    """What was bad or unknown stays so when the page lists one more component that is operational."""
    before = judged(read_statuspage(document), *regions).status
    more = {**document, "components": [*document["components"], component("New", "operational", group)]}
    assume(before is not OK)
    assert judged(read_statuspage(more), *regions).status is before


documents = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(STATUSES) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                (
                    "status",
                    "page",
                    "components",
                    "incidents",
                    "ongoing_incidents",
                    "active_incidents",
                    "name",
                    "group",
                )
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(documents)
def test_a_document_is_read_or_refused(document: Any) -> None:
    """No JSON object stops a reader in any other way."""
    assume(isinstance(document, dict))
    for read in (read_incident_io, read_statuspage, read_api_status):
        try:
            listing = read(document)
        except UnknownFormat:
            continue
        assert judged(listing).status in Status
