"""What a person does about an incident, from the form in Prefect: lead it, write a note, end it."""

from typing import Annotated, Literal

from prefect import flow
from prefect.logging import get_run_logger
from pydantic import Field

from blocks.environment import Environment
from blocks.transport.errors import OutsideError
from blocks.transport.prefect_api import prefect_client
from flows.parameters import checked, run_name
from runbook.approvals.acts import Act, ActKind
from runbook.approvals.gates import InvalidAnswer
from runbook.approvals.identity import Identity
from runbook.approvals.names import name_flaw
from runbook.approvals.people import known_as
from runbook.outside_text import MAX_TEXT
from tasks.acts import record_act
from tasks.caretaking.going_on import NOTICED_BY_THE_RUN, go_on_after
from tasks.incident import OpenIncident, now

Required = Annotated[str, Field(min_length=1, max_length=200)]
Optional = Annotated[str, Field(max_length=200)]


@flow(name="act-on-incident", flow_run_name=run_name("{act} {incident}"), validate_parameters=False)
@checked
async def act_on_incident(
    incident: Required,
    act: Literal["take", "assign", "comms", "note", "ack", "resolve", "reopen", "merge"],
    by: Required,
    name: Optional = "",
    text: Annotated[str, Field(max_length=MAX_TEXT)] = "",
    at: Optional = "",
    outcome: Literal["recovered", "not-ours", "false-positive"] = "recovered",
    done: Annotated[str, Field(max_length=MAX_TEXT)] = "",
    into: Optional = "",
    environment: str = "default",
) -> str:
    """Write into the journal what you do about an incident. Returns it as a sentence.

    Prefect does not prove who fills in its form, so your name is a claim. Where the policy takes no claims,
    use the command of the same name.

    Raises:
        ActOnClosed: the incident is closed, and it is no note.
        InvalidAnswer: the form is not complete, or this person may not.
        UnknownIncident: no incident has this id.

    Args:
        incident: Id of the incident.
        act: take = you lead it now; assign = somebody else leads it; comms = who leads the communication with
            customers; note = something for the timeline; ack = you have seen it and work on it, which stops
            reminders of the open question; resolve = it is over; reopen = it is not over; merge = it is part
            of another incident, where the response goes on.
        by: Your name.
        name: For assign and comms, who it is. Empty for comms means you.
        text: For a note, what happened; for resolve and reopen, why (required); for merge, why.
        at: For a note, when it happened, as HH:MM in the policy's time zone or as 2026-11-22T14:05+01:00.
            Empty means now.
        outcome: For resolve, how it ended.
        done: For resolve, what was done by hand.
        into: For merge, the id of the other incident.
        environment: Which configuration to use, by the name that `runbook configure` saved it under.
    """
    blocks = await Environment.load(environment)
    found = await OpenIncident(id=incident, environment=blocks).read()
    policy = blocks.runbook_policy.policy
    if flaw := name_flaw(by):
        raise InvalidAnswer(f"the name of whoever does this cannot be used: {flaw}")
    who = known_as(by, policy.people)
    acted = await record_act(
        blocks.store,
        found,
        Act(kind=ActKind(act), name=name, text=text, at=at, outcome=outcome, done=done, into=into),
        by=who,
        identify=lambda _: Identity(name=who),
        policy=policy,
        at=now(),
    )
    get_run_logger().info(acted.said)
    if acted.act in NOTICED_BY_THE_RUN:
        try:
            async with prefect_client() as client:
                await go_on_after(incident, by=who, store=blocks.store, client=client)
        except OutsideError as error:  # the watchdog does it later
            get_run_logger().warning("The run of %s does not go on yet: %s", incident, error)
    return acted.said
