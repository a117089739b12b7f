"""What a person does about an incident, from the form in Prefect: lead it, write a note, end it."""

from datetime import datetime
from typing import Annotated, Literal, TypedDict

from prefect import flow
from prefect.logging import get_run_logger
from pydantic import Field

from blocks.transport.prefect_api import prefect_client
from flows.parameters import checked, refusing, run_name
from runbook.approvals.acts import Act, ActKind
from runbook.approvals.gates import InvalidAnswer
from runbook.approvals.identity import Identity
from runbook.approvals.names import name_flaw
from runbook.approvals.people import known_as
from runbook.clocks.snoozing import MOST_MINUTES, SNOOZE_MINUTES
from runbook.decision.severity import Severity
from runbook.incidents.events import ResponseResumed
from runbook.incidents.sentences import sentence
from runbook.outside_text import MAX_TEXT
from runbook.policy.policy import Policy
from tasks.acts import Identify, record_act, record_severity
from tasks.caretaking.going_on import NOTICED_BY_THE_RUN, go_on_in_time
from tasks.caretaking.resume import record_resumption
from tasks.incident import incident_where_it_belongs, now

Required = Annotated[str, Field(min_length=1, max_length=200)]
Optional = Annotated[str, Field(max_length=200)]


class _Speaks(TypedDict):
    """Who acts, how that is known, under which policy, and when."""

    by: str
    identify: Identify
    policy: Policy
    at: datetime


FormAct = Literal[
    "take",
    "assign",
    "comms",
    "support",
    "note",
    "ack",
    "update",
    "snooze",
    "severity",
    "state",
    "resolve",
    "reopen",
    "merge",
    "publish",
    "withhold",
    "resume",
]


@flow(name="act-on-incident", flow_run_name=run_name("{act} {incident}"), validate_parameters=False)
@refusing
@checked
async def act_on_incident(
    incident: Required,
    act: FormAct,
    by: Required,
    name: Optional = "",
    text: Annotated[str, Field(max_length=MAX_TEXT)] = "",
    at: Optional = "",
    outcome: Literal["recovered", "not-ours", "false-positive"] = "recovered",
    done: Annotated[str, Field(max_length=MAX_TEXT)] = "",
    into: Optional = "",
    level: Severity | None = None,
    did: tuple[Optional, ...] = (),
    proposal: Optional = "",
    title: Optional = "",
    state: Literal["identified", "monitoring"] = "identified",
    minutes: Annotated[int, Field(ge=1, le=MOST_MINUTES)] = SNOOZE_MINUTES,
    environment: str = "default",
) -> str:
    """Write into the journal what you do about an incident. Returns it as a sentence.

    Prefect does not prove who fills in its form, so your name is a claim. Where the policy takes no claims,
    use the command of the same name.

    Args:
        incident: Id of the incident.
        act: take = you lead it now; assign = somebody else leads it; comms = who leads the communication
            with customers; support = who follows it for support; note = something for the timeline;
            ack = you have seen it and work on it, which
            stops reminders of the open question and acknowledges the pages; update = the team is told now
            where things stand; snooze = the reminder of a clock comes again later; severity =
            how severe it is, whatever the rules say; state = you say the state before the
            runbook has proved it, and each message says so; resolve = it is over; reopen = it is not over;
            merge = it is part of another incident, where the response goes on; publish = a text for the
            public goes out, in its words or in yours; withhold = it does not; resume = you hand it back to
            the runbook, after its run was cancelled or has failed.
        by: Your name.
        name: For assign, comms and support, who it is. Empty for the last two means you.
        text: For a note, what happened; for severity, state, resolve and reopen, why (required); for merge,
            why; for publish, the words to publish instead; for withhold, why the public is not told
            (required).
        at: For a note, when it happened, as HH:MM in the policy's time zone or as 2026-11-22T14:05+01:00.
            Empty means now.
        outcome: For resolve, how it ended.
        done: For resolve and resume, what was done by hand.
        into: For merge, the id of the other incident.
        level: For severity: P1 complete outage, P2 degraded service, P3 minor impact, P4 no user impact.
        did: For resume, the actions of the plan that were done by hand, by id, such as 1-restart-deployment.
        proposal: For publish and withhold, the text that you have read, by its digest or the beginning of it.
        state: For state, which it is.
        title: For publish, the title to publish instead; incident.io keeps that of an entry that is open.
        minutes: For snooze, until the reminder; never later than the moment at which the clock runs out.
        environment: Where to look for the incident: any environment on the same store will do.
    """
    ours = await incident_where_it_belongs(incident, environment)
    blocks, found = ours.environment, await ours.read()
    policy = blocks.runbook_policy.policy
    if flaw := name_flaw(by):
        raise InvalidAnswer(f"the name of whoever does this cannot be used: {flaw}")
    who = known_as(by, policy.people)
    speaks: _Speaks = {"by": who, "identify": lambda _: Identity(name=who), "policy": policy, "at": now()}
    store, because = blocks.store, ""
    match act:
        case "severity":
            if level is None:
                raise InvalidAnswer("the level is missing: say P1, P2, P3 or P4")
            rated = await record_severity(store, found, level, reason=text, **speaks)
            said, noticed = rated.said, False
        case "resume":
            handed = await record_resumption(store, found, done=done, did=did, **speaks)
            said = "; ".join(map(sentence, handed.events(ResponseResumed)[-1:]))
            because, noticed = f"{who} handed the response back", True
        case _:
            given = Act(
                kind=ActKind(act),
                name=name,
                text=text,
                at=at,
                outcome=outcome,
                done=done,
                into=into,
                proposal=proposal,
                title=title,
                state=state,
                minutes=minutes,
            )
            acted = await record_act(store, found, given, **speaks)
            said, noticed = acted.said, acted.act in NOTICED_BY_THE_RUN
    get_run_logger().info(said)
    if noticed:
        waits = await go_on_in_time(incident, by=who, store=store, prefect=prefect_client, because=because)
        if waits:  # the watchdog does it later
            get_run_logger().warning("The run of %s does not go on yet: %s", incident, waits)
    return said
