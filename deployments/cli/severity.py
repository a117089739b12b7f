"""`runbook severity`: a person's word on the severity goes before the rules."""

import getpass

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.options import (
    ByOption,
    ConfigOption,
    EnvironmentOption,
    JsonOption,
    Reference,
    SeverityWord,
)
from deployments.cli.output import print_json


async def severity(
    incident: Reference,
    level: SeverityWord,
    /,
    *,
    reason: str,
    by: ByOption = None,
    config: ConfigOption = None,
    environment: EnvironmentOption = None,
    json: JsonOption = False,
) -> int:
    """Set the severity of an incident by hand.

    It holds for what happens from now on: the next update and its clock, paging, the status page.

    Parameters
    ----------
    level
        P1 complete outage, P2 degraded service, P3 minor impact, P4 no user impact.
    reason
        Why; kept in the timeline.
    """
    from datetime import UTC, datetime

    from deployments.cli.finding import find_incident, require_own
    from deployments.cli.sources import find_sources
    from runbook.events import SeverityOverridden
    from runbook.severity import Severity, SeverityAssessment

    who, why = (by or getpass.getuser()).strip(), reason.strip()
    if not who or not why:
        raise CommandError(
            "--by and --reason cannot be empty", "say who decides and why", code=ExitCode.USAGE
        )
    sources = find_sources(config, environment)
    store = await sources.store()
    found = await find_incident(store, incident)
    require_own(found, sources.environment_name())
    if found.closed:
        raise CommandError(f"{found.id} is closed", "a new alert opens a new incident", code=ExitCode.NOTHING)
    before = found.severity.severity.value if found.severity else None
    assessment = SeverityAssessment(severity=Severity(level), because=why, by=who)
    await store.append(found.id, SeverityOverridden(assessment=assessment), at=datetime.now(UTC))
    if json:
        print_json({"incident": found.id, "before": before, "severity": level, "by": who, "reason": why})
    else:
        print(f"{found.id}: {before or 'not assessed'} -> {level} by {who}")
    return ExitCode.OK
