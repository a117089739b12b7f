"""`runbook approve`, `reject`, `edit` and `snooze`: a person's word at a gate, from the terminal."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.login import login
from deployments.cli.options import ByOption, ConfigOption, EnvironmentOption, JsonOption, Reference
from deployments.cli.output import print_json, warn

if TYPE_CHECKING:
    from runbook.gates import Answer, Choice
    from runbook.incident import Incident

ReasonOption = Annotated[str, Parameter(show_default=False)]


async def approve(
    incident: Reference,
    /,
    *,
    reason: ReasonOption = "",
    plan: Annotated[str | None, Parameter(show_default=False)] = None,
    by: ByOption = None,
    config: ConfigOption = None,
    environment: EnvironmentOption = None,
    json: JsonOption = False,
) -> int:
    """Approve the change that an incident asks for.

    The approval holds for exactly the diff that `runbook incident` shows: if the target changes before it is
    applied, the run asks again. Your login counts as proof of who you are; a name given with `--by` does not.

    Parameters
    ----------
    reason
        Why; kept in the timeline.
    plan
        The beginning of the plan's hash that you have seen; if another plan is asked about by now, nothing is
        approved.
    """
    from runbook.gates import Choice

    answer = _answer(Choice.APPROVE, by, reason)
    return await _give(incident, answer, plan=plan, config=config, environment=environment, json=json)


async def reject(
    incident: Reference,
    /,
    *,
    reason: str,
    by: ByOption = None,
    config: ConfigOption = None,
    environment: EnvironmentOption = None,
    json: JsonOption = False,
) -> int:
    """Reject the change that an incident asks for.

    Nothing is changed; the run goes on with what is left of its plan.

    Parameters
    ----------
    reason
        Why, for the next person who reads the timeline.
    """
    from runbook.gates import Choice

    answer = _answer(Choice.REJECT, by, reason)
    return await _give(incident, answer, config=config, environment=environment, json=json)


async def edit(
    incident: Reference,
    /,
    *settings: str,
    reason: ReasonOption = "",
    by: ByOption = None,
    config: ConfigOption = None,
    environment: EnvironmentOption = None,
    json: JsonOption = False,
) -> int:
    """Change a parameter of the change that an incident asks for.

    The run previews the change anew and asks again. Whoever edits a high-risk change is not its only
    approver.

    Parameters
    ----------
    settings
        The parameter and its new value, such as `memory=1Gi` or `replicas=3`.
    reason
        Why; kept in the timeline.
    """
    from runbook.gates import Choice

    parameters = dict(_setting(text) for text in settings)
    answer = _answer(Choice.EDIT, by, reason).model_copy(update={"parameters": parameters})
    return await _give(incident, answer, config=config, environment=environment, json=json)


async def snooze(
    incident: Reference,
    /,
    *,
    minutes: int = 15,
    reason: ReasonOption = "",
    by: ByOption = None,
    config: ConfigOption = None,
    environment: EnvironmentOption = None,
    json: JsonOption = False,
) -> int:
    """Put the question off that an incident asks.

    Nothing is changed, the question stays open, and the channel is reminded when the time is over.

    Parameters
    ----------
    minutes
        Until the reminder.
    reason
        Why; kept in the timeline.
    """
    from runbook.gates import Choice

    answer = _answer(Choice.SNOOZE, by, reason).model_copy(update={"snooze_minutes": minutes})
    return await _give(incident, answer, config=config, environment=environment, json=json)


def _answer(choice: "Choice", by: str | None, reason: str) -> "Answer":
    """The system has proved who is logged in; a name that is typed is a claim."""
    from runbook.gates import Answer

    me = login()
    return Answer(
        choice=choice, approver=by or me, reason=reason, channel="cli", identity_proven=by in (None, me)
    )


def _require_plan(incident: "Incident", plan: str | None) -> None:
    asked = incident.pending_gate
    if plan is not None and asked is not None and not asked.plan_digest.startswith(plan):
        raise CommandError(
            f"another plan is asked about by now: {asked.plan_digest[:12]}",
            f"see `runbook incident {incident.id}`",
            code=ExitCode.NOTHING,
        )


def _setting(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name or not value:
        raise CommandError(f"{text!r} is not a setting", "write memory=1Gi", code=ExitCode.USAGE)
    return name, value


async def _give(
    reference: str,
    answer: "Answer",
    *,
    plan: str | None = None,
    config: Path | None,
    environment: str | None,
    json: bool,
) -> int:
    from deployments.cli.answering import PrefectRuns, answer_gate
    from deployments.cli.finding import find_incident, require_own
    from deployments.cli.sources import find_sources, prefect_client
    from runbook.wording import ANSWERED, REHEARSAL

    sources = find_sources(config, environment)
    async with prefect_client() as client:
        store, policy = await sources.store(), await sources.policy()
        found = await find_incident(store, reference)
        require_own(found, sources.environment_name())
        _require_plan(found, plan)
        answered = await answer_gate(store, found, answer, policy=policy, runs=PrefectRuns(client))
    if json:
        print_json(answered.model_dump(mode="json"))
    else:
        standing = answered.answer
        mark = f" ({REHEARSAL})" if found.dry_run else ""
        print(f"{answered.incident}: {standing.approver} {ANSWERED[standing.choice]} {answered.action}{mark}")
    if not answered.ours:
        warn(f"{answered.answer.approver} had answered at {answered.at:%H:%M:%S} UTC; that answer stands")
    same = answered.answer.choice is answer.choice
    return ExitCode.OK if same else ExitCode.NOTHING
