"""Which areas of PostHog's product the public is told of follows from the findings and the decision."""

import pytest

from runbook.channels.messages import external_message, message_facts
from runbook.channels.public_impact import PublicImpact
from runbook.checks.facts import RecordedFacts
from runbook.checks.findings import Finding, Findings, Status
from runbook.checks.readings import Impact, ListedIncident
from runbook.checks.specs.status_page import STATUS_PAGE, StatusPageFacts
from runbook.decision.verdict import ErrorType, Verdict
from runbook.incidents import events as e
from runbook.incidents.incident import Incident
from runbook.incidents.state import State
from runbook.policy.policy import Policy
from runbook.public.affected import affected
from runbook.public.areas import OURS, Affected, ProductArea
from tests.runbook.findings_samples import EVERYWHERE
from tests.runbook.journals import OPENED, decided, decision, finding, incident

INGESTION, FLAGS, REPLAY = ProductArea.INGESTION, ProductArea.FEATURE_FLAGS, ProductArea.SESSION_REPLAY
US, EU = "US Cloud 🇺🇸", "EU Cloud 🇪🇺"


def listed(*components: str, regions: tuple[str, ...] = ()) -> ListedIncident:
    """An incident on PostHog's page."""
    return ListedIncident(
        id="1",
        name="Elevated errors on node-17.internal",
        status="investigating",
        impact=Impact.PARTIAL_OUTAGE,
        components=components,
        regions=regions,
    )


def found(
    *incidents: ListedIncident,
    verdict: Verdict = Verdict.POSTHOG_OUTAGE,
    error_type: ErrorType = ErrorType.POSTHOG_ERRORS,
    probe: Status = Status.BAD,
) -> Incident:
    """An incident whose triage has read this on PostHog's page."""
    page = Finding(
        check=STATUS_PAGE.name,
        status=Status.BAD,
        summary="incident",
        facts=RecordedFacts.of(StatusPageFacts(incidents=incidents)),
        observed_at=OPENED,
    )
    others = (finding(it, probe if it == "probe" else Status.OK) for it in EVERYWHERE if it != page.check)
    triaged = e.TriageCompleted(round=1, findings=Findings(items=(page, *others)))
    return incident(triaged, decided(decision(verdict, error_type=error_type)))


@pytest.mark.parametrize(
    ("of", "areas", "regions", "well"),
    [
        (found(listed("Event and Data Ingestion", regions=(US,))), (INGESTION,), ("US",), ()),
        (found(listed("Feature Flags", "Session replay", regions=(EU,))), (FLAGS, REPLAY), ("EU",), ()),
        (found(listed("Feature Flags"), listed("Capture")), OURS, (), ()),
        (
            found(listed("Feature Flags", regions=(US,)), listed("Surveys", regions=(EU,))),
            None,
            ("US", "EU"),
            (),
        ),
        (found(listed("Feature Flags", regions=(US,)), listed("Surveys")), None, (), ()),
        (found(listed("Feature Flags"), listed()), OURS, (), ()),
        (found(listed("Zanzibar")), OURS, (), ()),
        (found(), OURS, (), ()),
        (found(listed("Event and Data Ingestion"), probe=Status.OK), (INGESTION,), (), (FLAGS,)),
        (
            found(listed("Surveys"), verdict=Verdict.INTEGRATION_ISSUE, error_type=ErrorType.AUTHENTICATION),
            OURS,
            (),
            (),
        ),
        (incident(), OURS, (), ()),
    ],
)
def test_areas_are_those_that_the_page_names_and_else_all_of_ours(
    of: Incident,
    areas: tuple[ProductArea, ...] | None,
    regions: tuple[str, ...],
    well: tuple[ProductArea, ...],
) -> None:
    """Whatever is not known to be well is not called well, and an unknown region is not told."""
    made = affected(of)
    assert made.areas == (areas or (FLAGS, ProductArea.SURVEYS))
    assert made.regions == regions
    assert made.well == well


def test_the_public_text_names_area_and_region_and_nothing_of_the_page_s_words() -> None:
    """What users notice comes first, then where, then what shows no effect."""
    of = found(listed("Event and Data Ingestion", regions=(US,)), probe=Status.OK)
    facts = message_facts(
        of,
        state=State.IDENTIFIED,
        policy=Policy(),
        now=OPENED,
        commander="",
        update_interval=None,
        time_zone="UTC",
    )
    body = external_message(facts).body
    assert body.splitlines()[1] == (
        "Some users may experience missing analytics events. Affected region: US. "
        "We currently see no effect on feature flags."
    )
    assert "node-17" not in body
    assert facts.affected_areas == (INGESTION,)


@pytest.mark.parametrize("impact", list(PublicImpact))
def test_components_are_affected_only_where_users_may_notice_it(impact: PublicImpact) -> None:
    """While nothing is known, or all is well, no component of an area is set."""
    facts = message_facts(
        found(), state=State.IDENTIFIED, policy=Policy(), now=OPENED, commander="", update_interval=None
    )
    felt = facts.model_copy(update={"public_impact": impact}).affected_areas
    assert felt == (OURS if impact in (PublicImpact.FAILING, PublicImpact.DELAYED) else ())
    assert impact.sentences(Affected()).endswith(".")
