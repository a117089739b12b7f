"""The receiver's API for people: answering a question, setting a severity, handing the response back,
leading, writing and ending (`deployments.receiver.people.acts`), and reading
(`deployments.receiver.people.reading`).

Whose request it is comes from `deployments.receiver.people.proving` alone. Another act is a body, a function
and a line here.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from blocks.transport.errors import OutsideError
from blocks.transport.prefect_api import prefect_client
from deployments.processes.json_log import log_event
from deployments.receiver.connections.body import Rejected
from deployments.receiver.people.acts import (
    LeadBody,
    MergerBody,
    NoteBody,
    PublicationBody,
    ReopeningBody,
    ResolutionBody,
    SnoozeBody,
    StateBody,
    WithholdingBody,
    acknowledge,
    add_note,
    ask_for_update,
    merge,
    publish,
    reopen,
    resolve,
    say_state,
    set_comms_lead,
    set_lead,
    set_support,
    snooze,
    withhold,
)
from deployments.receiver.people.reading import add_people_reading
from deployments.receiver.people.requests import (
    Body,
    PeoplesDoor,
    environments,
    log,
    refused,
    under_its_policy,
    understood,
)
from deployments.services.answering import Answered, answer_gate
from deployments.services.finding import find_asking, find_own
from deployments.services.refusals import ActRefused
from deployments.services.resuming import Resumed, resume_response
from deployments.services.runs import PrefectRuns
from deployments.services.severity import set_severity
from deployments.services.speaker import Speaker
from deployments.settings.settings import Settings
from runbook.approvals.gates import Answer, Choice, Instead
from runbook.approvals.identity import Proof
from runbook.decision.severity import Severity
from runbook.value import Value
from tasks.acts import Acted, SeveritySet

ANSWERING_SECONDS = 30.0
"""How long Prefect may take to wake a run that is answered. The answer is in the journal by then."""

LONGEST_REASON = 4_000


class AnswerBody(Body):
    """An answer to the open question of an incident."""

    decision: Literal["approve", "reject", "edit", "snooze"]
    reason: str = Field(default="", max_length=LONGEST_REASON)
    parameters: dict[str, str] = Field(default={}, description="New values, for edit.", max_length=20)
    snooze_minutes: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="Minutes until the question comes back: of a snooze, or of a rejection with `nothing`.",
    )
    instead: Literal["by-hand", "nothing", "wrong-verdict"] | None = Field(
        default=None, description="What happens instead of a rejected change."
    )
    plan: str = Field(
        default="",
        max_length=64,
        description=(
            "The digest of the plan that you have seen, or its beginning. An approval needs it: without it, "
            "or with another plan's, the answer is 409 with the question as it is."
        ),
    )


class SeverityBody(Body):
    """A person's word on the severity."""

    severity: Literal["P1", "P2", "P3", "P4"]
    reason: str = Field(min_length=1, max_length=LONGEST_REASON)


class ResumptionBody(Body):
    """Handing the response back."""

    done: str = Field(description="What was done by hand; empty for nothing.", max_length=LONGEST_REASON)
    did: list[str] = Field(default=[], description="Ids of the actions among it.", max_length=100)


BodyT = TypeVar("BodyT", bound=Body)
Act = Callable[[PeoplesDoor, str, BodyT, Speaker, Settings], Awaitable[Value]]


async def _answer(
    door: PeoplesDoor, reference: str, body: AnswerBody, speaker: Speaker, settings: Settings
) -> Answered:
    found = await find_asking(door.store, reference, environments(settings), plan=body.plan.strip())
    speaker, policy = await under_its_policy(found, speaker, settings)
    given = Answer(
        choice=Choice(body.decision),
        approver=speaker.name,
        reason=body.reason,
        channel="cli" if speaker.identity.how is Proof.OS_PEER else "api",
        parameters=body.parameters,
        snooze_minutes=body.snooze_minutes,
        instead=Instead(body.instead) if body.instead else None,
    )
    async with prefect_client(within=ANSWERING_SECONDS) as client:
        return await answer_gate(
            door.store,
            found,
            given,
            policy=policy,
            runs=PrefectRuns(client),
            speaker=speaker,
            plan=body.plan,
        )


async def _set_severity(
    door: PeoplesDoor, reference: str, body: SeverityBody, speaker: Speaker, settings: Settings
) -> SeveritySet:
    found = await find_own(door.store, reference, environments(settings))
    speaker, policy = await under_its_policy(found, speaker, settings)
    return await set_severity(
        door.store,
        found,
        Severity(body.severity),
        reason=body.reason,
        speaker=speaker,
        policy=policy,
    )


async def _resume(
    door: PeoplesDoor, reference: str, body: ResumptionBody, speaker: Speaker, settings: Settings
) -> Resumed:
    found = await find_own(door.store, reference, environments(settings))
    speaker, policy = await under_its_policy(found, speaker, settings)
    return await resume_response(
        door.store,
        found,
        done=body.done,
        did=body.did,
        speaker=speaker,
        policy=policy,
        prefect=prefect_client,
    )


def add_people_api(app: FastAPI, door: PeoplesDoor) -> None:
    """Add the paths `/api/incidents/…`. An incident is named by its id, the beginning of one, or `latest`."""
    add_people_reading(app, door, description=_PROOFS, responses=_refusals(401, 404, 422, 503))
    _add(app, door, "answers", "Answer the open question", AnswerBody, Answered, _answer)
    _add(app, door, "severity", "Set the severity", SeverityBody, SeveritySet, _set_severity)
    _add(app, door, "resumption", "Hand the response back", ResumptionBody, Resumed, _resume)
    _add(app, door, "lead", "Take the lead, or hand it to somebody", LeadBody, Acted, set_lead)
    _add(
        app, door, "comms", "Say who leads the communication with customers", LeadBody, Acted, set_comms_lead
    )
    _add(app, door, "notes", "Write a note into the timeline", NoteBody, Acted, add_note)
    _add(app, door, "publication", "Let a public text be published", PublicationBody, Acted, publish)
    _add(app, door, "withholding", "Keep a text from the public page", WithholdingBody, Acted, withhold)
    _add(app, door, "state", "Say the state before it is proved", StateBody, Acted, say_state)
    _add(app, door, "resolution", "End the incident", ResolutionBody, Acted, resolve)
    _add(app, door, "reopening", "Go on with an incident that was closed", ReopeningBody, Acted, reopen)
    _add(app, door, "merger", "Merge the incident into another one", MergerBody, Acted, merge)
    _add(app, door, "acknowledgements", "Acknowledge the incident", Body, Acted, acknowledge)
    _add(app, door, "snoozes", "Put the reminder of a clock off", SnoozeBody, Acted, snooze)
    _add(app, door, "support", "Say who follows the incident for support", LeadBody, Acted, set_support)
    _add(app, door, "updates", "Have the team told now where things stand", Body, Acted, ask_for_update)


def _add(
    app: FastAPI,
    door: PeoplesDoor,
    name: str,
    summary: str,
    body_type: type[BodyT],
    result_type: type[Value],
    act: Act[BodyT],
) -> None:
    async def take(reference: str, request: Request) -> Response:
        try:
            body, speaker, settings = await understood(door, request, body_type)
            result = await act(door, reference, body, speaker, settings)
        except (ActRefused, Rejected, OutsideError) as error:
            answer = refused(error)
            log_event(log, "act refused", act=name, status=answer.status_code, error=str(error))
            return answer
        if not isinstance(result, Answered):  # its run is woken, and shows it
            door.acted.set()
        log_event(log, "act", act=name, by=speaker.name, how=speaker.identity.how.value)
        return JSONResponse(result.model_dump(mode="json"))

    app.post(
        f"/api/incidents/{{reference}}/{name}",
        summary=summary,
        description=_PROOFS,
        tags=["people"],
        responses=_responses(result_type),
        openapi_extra={"requestBody": _content(body_type.model_json_schema()) | {"required": True}},
        response_class=JSONResponse,
        name=name,
    )(take)


_PROOFS = (
    "Proof: a bearer token of yours, a proxy that has logged you in, or your account, over the local socket."
)
_TEXT = {"type": "string"}
_REFUSAL = {
    "type": "object",
    "required": ["kind", "error"],
    "properties": {
        "kind": _TEXT,
        "error": _TEXT,
        "next_step": _TEXT,
        "plan": _TEXT | {"description": "The digest of the plan in question."},
        "asked": {"type": "object", "description": "The open question with its plan and diff."},
    },
}
_REFUSALS = {
    401: "The request does not prove who sent it.",
    403: "The request is proven to come from somebody else, or not in the way that the rules require.",
    404: "There is no such incident.",
    409: (
        "There is no open question, it is about another plan, the approval names no plan, or the "
        "incident is closed."
    ),
    415: "The content type is not JSON.",
    422: "This cannot be done, or this person may not do it.",
    502: "The answer is in the journal, but its run could not be resumed.",
    503: "The store or Prefect cannot be reached.",
}


def _responses(result_type: type[Value]) -> dict[int | str, dict[str, Any]]:
    done: dict[int | str, dict[str, Any]] = {200: {"description": "Done.", "model": result_type}}
    return done | _refusals(*_REFUSALS)


def _refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"description": _REFUSALS[status], **_content(_REFUSAL)} for status in statuses}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}
