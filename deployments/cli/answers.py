"""`runbook approve` and `runbook reject`: a person's word at a gate, from the terminal."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from deployments.cli.errors import ExitCode
from deployments.cli.options import ByOption, ConfigOption, EnvironmentOption, JsonOption, Reference, Switch
from deployments.cli.output import print_json, warn

if TYPE_CHECKING:
    from runbook.gates import Answer


async def approve(
    incident: Reference,
    /,
    *,
    reason: Annotated[str, Parameter(show_default=False)] = "",
    by: ByOption = None,
    not_yet: Switch = False,
    config: ConfigOption = None,
    environment: EnvironmentOption = None,
    json: JsonOption = False,
) -> int:
    """Approve the change that an incident asks for.

    The approval holds for exactly the diff that `runbook incident` shows: if the target changes before it is
    applied, the run asks again.

    Parameters
    ----------
    reason
        Why; kept in the timeline.
    not_yet
        Keep the question open instead; the run previews the change anew and asks again.
    """
    from runbook.gates import Answer, Choice

    choice = Choice.NOT_YET if not_yet else Choice.APPROVE
    answer = Answer(choice=choice, approver=by or getpass.getuser(), reason=reason, channel="cli")
    return await _answer(incident, answer, config=config, environment=environment, json=json)


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
    from runbook.gates import Answer, Choice

    answer = Answer(choice=Choice.REJECT, approver=by or getpass.getuser(), reason=reason, channel="cli")
    return await _answer(incident, answer, config=config, environment=environment, json=json)


async def _answer(
    reference: str, answer: "Answer", *, config: Path | None, environment: str | None, json: bool
) -> int:
    from deployments.cli.answering import PAST_TENSE, PrefectRuns, answer_gate
    from deployments.cli.finding import find_incident
    from deployments.cli.sources import find_sources, prefect_client

    sources = find_sources(config, environment)
    async with prefect_client() as client:
        store = await sources.store()
        found = await find_incident(store, reference)
        answered = await answer_gate(store, found, answer, runs=PrefectRuns(client))
    if json:
        print_json(answered.model_dump(mode="json"))
    else:
        standing = answered.answer
        print(f"{answered.incident}: {standing.approver} {PAST_TENSE[standing.choice]} {answered.action}")
    if not answered.ours:
        warn(f"{answered.answer.approver} had answered at {answered.at:%H:%M:%S} UTC; that answer stands")
    same = answered.answer.choice is answer.choice
    return ExitCode.OK if same else ExitCode.NOTHING
