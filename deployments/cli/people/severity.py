"""`runbook severity`: a person's severity takes precedence over the rules."""

from typing import TYPE_CHECKING

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.options import BY_DEFAULT, ActOptions, Reference, SeverityWord
from deployments.cli.output import print_json, write

if TYPE_CHECKING:
    from deployments.cli.sources import Sources
    from tasks.acts import SeveritySet


async def severity(
    incident: Reference,
    level: SeverityWord,
    /,
    *,
    reason: str,
    options: ActOptions = BY_DEFAULT,
) -> int:
    """Set the severity of an incident by hand.

    It holds for what happens from now on: the next update and its clock, paging, the status page. It makes no
    change run without an approval, unless you are proven to be somebody who may approve that change.

    Parameters
    ----------
    level
        P1 complete outage, P2 degraded service, P3 minor impact, P4 no user impact.
    reason
        Why; kept in the timeline.
    """
    from deployments.cli.people.door import act
    from deployments.cli.sources import find_sources
    from tasks.acts import SeveritySet

    if not reason.strip() or (options.by is not None and not options.by.strip()):
        raise CommandError(
            "--by and --reason cannot be empty", "say who decides and why", code=ExitCode.USAGE
        )
    sources = find_sources(options.config, options.environment)
    done = await act(
        SeveritySet,
        incident,
        "severity",
        {"by": options.by or "", "severity": level, "reason": reason},
        config=sources.config,
        directly=lambda: _write(incident, level, reason, options.by, sources),
    )
    if options.json:
        print_json(done.model_dump(mode="json"))
    else:
        write(f"{done.incident}: {done.change}")
    return ExitCode.OK


async def _write(
    reference: str, level: str, reason: str, by: str | None, sources: "Sources"
) -> "SeveritySet":
    """Write it into the store."""
    from deployments.cli.people.speaking import speaker
    from deployments.services.finding import find_own
    from deployments.services.severity import set_severity
    from runbook.decision.severity import Severity

    store = await sources.store()
    found = await find_own(store, reference, sources.environments())
    policy = await sources.for_incident(found).policy()
    return await set_severity(
        store,
        found,
        Severity(level),
        reason=reason,
        speaker=speaker(by, policy, role=await store.role()),
        policy=policy,
    )
