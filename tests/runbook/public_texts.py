"""Texts for the public that wait for a yes, and what people say to them."""

from datetime import UTC, datetime

from runbook.incidents import events as e
from runbook.public.areas import ProductArea

WORDED = datetime(2026, 11, 22, 15, 4, tzinfo=UTC)
PROPOSED = e.PublicTextProposed(
    channel="status-page",
    state="IDENTIFIED",
    message="identified",
    title="PostHog Integration Issue",
    body="Some users may experience missing analytics events.\nLast updated: 2026-11-22 15:04 UTC",
    worded_at=WORDED,
    impact="missing analytics events and outdated feature flags",
    areas=(ProductArea.INGESTION,),
    regions=("US",),
)
"""A text that waits for a yes."""

YES = e.PublicTextApproved(proposal=PROPOSED.digest, by="ana")
EDITED = e.PublicTextApproved(proposal=PROPOSED.digest, by="ana", body="Some events arrive late.")
NO = e.PublicTextWithheld(proposal=PROPOSED.digest, by="bob", because="PostHog tells it already")

LIFE: tuple[e.Event, ...] = (PROPOSED, EDITED, NO)
"""Each event of the gate; the second answer comes too late."""
