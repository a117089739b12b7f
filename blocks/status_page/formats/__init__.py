"""The formats of public status pages, each read into what it lists. Unknown fields are ignored.

Sources: incident.io's widget API, Atlassian's "Statuspage status API", Instatus' and Flashduty's summaries,
RSS 2.0 and Atom. What the words mean is in `runbook.checks.status_page_words`.
"""

from blocks.status_page.formats.api_status import read_api_status
from blocks.status_page.formats.documents import UnknownFormat
from blocks.status_page.formats.feeds import read_feed
from blocks.status_page.formats.incident_io import read_incident_io
from blocks.status_page.formats.listing import Listing
from blocks.status_page.formats.shapes import read_json, shape_of
from blocks.status_page.formats.statuspage import read_statuspage
from runbook.checks.status_page_words import impact_of

__all__ = [
    "Listing",
    "UnknownFormat",
    "impact_of",
    "read_api_status",
    "read_feed",
    "read_incident_io",
    "read_json",
    "read_statuspage",
    "shape_of",
]
