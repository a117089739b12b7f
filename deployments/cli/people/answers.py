"""`runbook approve`, `reject`, `edit` and `snooze`: a person's answer at a gate, from the terminal."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.options import BY_DEFAULT, ActOptions, Reference, Switch
from deployments.cli.output import print_json, warn, write

if TYPE_CHECKING:
    from deployments.cli.sources import Sources
    from deployments.services.answering import Answered
    from runbook.approvals.gates import Choice, Instead

ReasonOption = Annotated[str, Parameter(show_default=False)]


async def approve(
    incident: Reference,
    /,
    *,
    reason: ReasonOption = "",
    plan: Annotated[str | None, Parameter(show_default=False)] = None,
    options: ActOptions = BY_DEFAULT,
) -> int:
    """Approve the change that an incident asks about.

    The approval holds for exactly the diff that `runbook incident` shows, with the command to paste: if the
    target changes before it is applied, the run asks again. Without --plan the change is shown, and you are
    asked about it; without a terminal, nothing is approved. Who you are is proven by the
    receiver, over its local socket or with RUNBOOK_URL and RUNBOOK_TOKEN, or by your signature (`runbook
    login`). Else your name is a claim.

    Parameters
    ----------
    reason
        Why; kept in the timeline.
    plan
        The beginning of the digest of the plan that you have seen; if the question is now about another plan,
        nothing is approved.
    """
    from runbook.approvals.gates import Choice

    given = Given(choice=Choice.APPROVE, by=options.by, reason=reason, plan=plan or "")
    return await _give(incident, given, options)


async def reject(
    incident: Reference,
    /,
    *,
    reason: str,
    instead: Literal["by-hand", "nothing", "wrong-verdict"] = "by-hand",
    ask_again: Annotated[int | None, Parameter(show_default=False)] = None,
    options: ActOptions = BY_DEFAULT,
) -> int:
    """Reject the change that an incident asks about.

    Nothing is changed; the run continues with the rest of its plan, and watches.

    Parameters
    ----------
    reason
        Why, for the next person who reads the timeline.
    instead
        What happens instead. by-hand: you do it yourself, and the runbook watches for the result. nothing:
        nothing for now, and you are asked again. wrong-verdict: the runbook triages again with your word,
        and proposes nothing under this verdict.
    ask_again
        With nothing: the minutes until you are asked again, an hour if you do not say.
    """
    from runbook.approvals.gates import ASK_AGAIN_MINUTES, Choice, Instead

    if ask_again is not None and instead != "nothing":
        raise CommandError(
            "--ask-again belongs to --instead nothing", "leave one of them out", code=ExitCode.USAGE
        )
    minutes = (ask_again or ASK_AGAIN_MINUTES) if instead == "nothing" else None
    given = Given(
        choice=Choice.REJECT, by=options.by, reason=reason, instead=Instead(instead), snooze_minutes=minutes
    )
    return await _give(incident, given, options)


async def edit(
    incident: Reference,
    /,
    *settings: str,
    reason: ReasonOption = "",
    options: ActOptions = BY_DEFAULT,
) -> int:
    """Change a parameter of the change that an incident asks about.

    The run previews the change again and asks again. Whoever edits a high-risk change is not its only
    approver.

    Parameters
    ----------
    settings
        The parameter and its new value, such as `memory=1Gi` or `replicas=3`.
    reason
        Why; kept in the timeline.
    """
    from runbook.approvals.gates import Choice

    parameters = dict(_setting(text) for text in settings)
    given = Given(choice=Choice.EDIT, by=options.by, reason=reason, parameters=parameters)
    return await _give(incident, given, options)


async def snooze(
    incident: Reference,
    /,
    *,
    minutes: Annotated[int | None, Parameter(show_default=False)] = None,
    reminder: Switch = False,
    reason: ReasonOption = "",
    options: ActOptions = BY_DEFAULT,
) -> int:
    """Snooze the open question of an incident; with --reminder, the reminder of a clock.

    Nothing is changed, the question stays open, and the channel is reminded afterwards. A clock whose
    reminder is snoozed runs on: the reminder comes once more, and the page when it would have come.

    Parameters
    ----------
    minutes
        Until the reminder: of a question 15, of a clock 10, if you do not say; never beyond the clock's end.
    reminder
        Snooze the newest reminder of a clock, not the question.
    reason
        Why; kept in the timeline. Of a question only.
    """
    from runbook.approvals.gates import SNOOZE_MINUTES, Choice

    if reminder:
        return await _snooze_reminder(incident, minutes, reason, options)
    minutes = SNOOZE_MINUTES if minutes is None else minutes
    given = Given(choice=Choice.SNOOZE, by=options.by, reason=reason, snooze_minutes=minutes)
    return await _give(incident, given, options)


async def _snooze_reminder(reference: str, minutes: int | None, reason: str, options: ActOptions) -> int:
    from deployments.cli.people.acts import do

    if reason:
        step = "leave it out, or write it with `runbook note`"
        raise CommandError("--reason belongs to a question", step, code=ExitCode.USAGE)
    body = {} if minutes is None else {"minutes": minutes}
    return await do(reference, "snooze", "snoozes", options, body, minutes=minutes)


@dataclass(frozen=True)
class Given:
    """What the person at the terminal says."""

    choice: "Choice"
    by: str | None
    reason: str
    parameters: dict[str, str] = field(default_factory=dict)
    snooze_minutes: int | None = None
    plan: str = ""
    instead: "Instead | None" = None

    def body(self) -> dict[str, Any]:
        """As the receiver's API takes it."""
        return {
            "by": self.by or "",
            "decision": self.choice.value,
            "reason": self.reason,
            "parameters": self.parameters,
            "snooze_minutes": self.snooze_minutes,
            "plan": self.plan,
            "instead": self.instead.value if self.instead else None,
        }


def _setting(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name or not value:
        raise CommandError(f"{text!r} is not a setting", "write memory=1Gi", code=ExitCode.USAGE)
    return name, value


async def _give(reference: str, given: Given, options: ActOptions) -> int:
    from deployments.cli.people.confirming import confirmed
    from deployments.cli.sources import find_sources, read_settings
    from deployments.services.refusals import ActRefused, Refusal
    from runbook.channels.wording import ANSWERED, REHEARSAL

    sources = find_sources(options.config, options.environment)
    if sources.config is not None:
        read_settings(sources.config, systems=False)  # a mistake in it is told first
    try:
        answered = await _sent(reference, given, sources)
    except ActRefused as refused:
        if refused.kind is not Refusal.UNSEEN or refused.asked is None:
            raise
        seen = confirmed(refused.asked, refused, config=options.config, json=options.json)
        answered = await _sent(refused.asked.incident, replace(given, plan=seen), sources)
    standing = answered.answer
    if options.json:
        print_json(answered.model_dump(mode="json"))
    else:
        how = f" ({standing.known_by})" if standing.known_by else ""
        mark = f" ({REHEARSAL})" if answered.dry_run else ""
        said = f"{standing.approver}{how} {ANSWERED[standing.choice]} {answered.action}{mark}"
        write(f"{answered.incident}: {said}")
    if not answered.ours:
        warn(f"{answered.answer.approver} had answered at {answered.at:%H:%M:%S} UTC; that answer stands")
    same = answered.answer.choice is given.choice
    return ExitCode.OK if same else ExitCode.NOTHING


async def _sent(reference: str, given: Given, sources: "Sources") -> "Answered":
    """Give the answer to the receiver, or write it into the store."""
    from deployments.cli.people.door import act
    from deployments.services.answering import Answered

    return await act(
        Answered,
        reference,
        "answers",
        given.body(),
        config=sources.config,
        directly=lambda: _write(reference, given, sources),
    )


async def _write(reference: str, given: Given, sources: "Sources") -> "Answered":
    """Write the answer into the store."""
    from deployments.cli.people.speaking import speaker
    from deployments.cli.sources import prefect_client
    from deployments.services.answering import answer_gate
    from deployments.services.finding import find_asking
    from deployments.services.runs import PrefectRuns
    from runbook.approvals.gates import Answer

    store = await sources.store()
    found = await find_asking(store, reference, sources.environments(), plan=given.plan)
    policy = await sources.for_incident(found).policy()
    me = speaker(given.by, policy, role=await store.role())
    answer = Answer(
        choice=given.choice,
        approver=me.name,
        reason=given.reason,
        channel="cli",
        parameters=given.parameters,
        instead=given.instead,
        snooze_minutes=given.snooze_minutes,
    )
    async with prefect_client(sources.config) as client:
        return await answer_gate(
            store,
            found,
            answer,
            policy=policy,
            runs=PrefectRuns(client),
            speaker=me,
            plan=given.plan,
        )
