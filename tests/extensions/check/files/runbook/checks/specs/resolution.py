"""Does the name of PostHog's host resolve?

Response codes: https://www.iana.org/assignments/dns-parameters, RCODEs.
"""

from datetime import datetime

from runbook.checks.facts import Facts, RecordedFacts
from runbook.checks.findings import Finding, Status
from runbook.checks.spec import CheckName, CheckSpec
from runbook.decision.leaves import Verdict
from runbook.outside_text import OutsideLine, OutsideName
from runbook.value import Value

NO_ERROR, NO_SUCH_NAME = 0, 3


class ResolutionReading(Value):
    """What the resolver answered: its response code, and how many addresses the host has."""

    host: OutsideName
    resolver: OutsideLine
    response_code: int
    addresses: int = 0


class ResolutionFacts(Facts):
    """The response code of the resolver, and how many addresses the host has."""

    host: OutsideName | None = None
    response_code: int | None = None
    addresses: int | None = None


def judge_resolution(reading: ResolutionReading, *, now: datetime) -> Finding:
    """A name without addresses is bad. Where the resolver itself failed, nothing is known of the name."""
    if reading.response_code not in (NO_ERROR, NO_SUCH_NAME):
        status = Status.UNKNOWN
        summary = f"the resolver fails for {reading.host} (code {reading.response_code})"
    elif reading.addresses:
        status, summary = (
            Status.OK,
            f"{reading.host} has {reading.addresses} address{'es' * (reading.addresses > 1)}",
        )
    else:
        status, summary = Status.BAD, f"{reading.host} has no address"
    return Finding(
        check=RESOLUTION.name,
        status=status,
        summary=summary,
        facts=RecordedFacts.of(
            ResolutionFacts(
                host=reading.host,
                response_code=reading.response_code,
                addresses=reading.addresses,
            )
        ),
        source=reading.resolver,
        observed_at=now,
    )


RESOLUTION = CheckSpec[ResolutionFacts, ResolutionReading](
    name=CheckName("resolution"),
    title="Name resolution",
    order=70,
    question="Does the name of PostHog's host resolve?",
    hope="the name of PostHog's host resolves",
    asked="the resolver",
    facts=ResolutionFacts,
    judge=lambda reading, _, now: judge_resolution(reading, now=now),
    lasting=frozenset({Verdict.POSTHOG_OUTAGE, Verdict.INTEGRATION_ISSUE}),
)
