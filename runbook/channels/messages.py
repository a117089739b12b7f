"""The runbook's communication templates, filled: content once, rendered for Slack and for the status page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import field_validator

from runbook.channels.impact import internal_impact, is_proved, public_impact
from runbook.channels.local_time import zone
from runbook.channels.public_impact import PublicImpact
from runbook.channels.wording import service_title
from runbook.decision.severity import Severity
from runbook.incidents.current_action import current_action
from runbook.incidents.incident import Incident
from runbook.incidents.state import State
from runbook.outside_text import OutsideLine, OutsideName
from runbook.outside_text.slack import SlackText
from runbook.policy.policy import Policy
from runbook.public.affected import affected
from runbook.public.areas import Affected, ProductArea
from runbook.templates.environments import render_plain, render_slack
from runbook.templates.own import NONE, OwnTemplates, TemplateFailed, render_own
from runbook.value import Value

EMOJI = {Severity.P1: "🔴", Severity.P2: "🟠", Severity.P3: "🟡", Severity.P4: "🔵"}
RESOLVED_EMOJI = "✅"
UNRATED_EMOJI = "⚪"

EXTERNAL = "external.txt.j2"
"""The template of what the public is told."""


class ExternalMessage(Value):
    """A text for the public status page: it names nothing internal.

    `fallback` is why it is not by the team's own template, empty where it is or there is none. It
    is `renamed` where a person has given it another title, which an entry that is open gets, too.
    """

    title: str
    body: str
    fallback: str = ""
    renamed: bool = False


class ApprovedText(ExternalMessage):
    """A text for the public that a person has let be published, and the areas that it was proposed with."""

    areas: tuple[ProductArea, ...] = ()


class MessageFacts(Value):
    """What an update says. `severity` is `None` before anybody has rated the incident.

    `public_title` is how the public status page calls the service, empty for our PostHog integration.

    `impact` and `current_action` are for colleagues; the public only ever gets `public_impact`. Times are
    aware UTC and shown in `time_zone` (an IANA name). `next_update` is a promise, `None` promises nothing.
    `response` says how soon a person has acted, for colleagues. `approved` is what the public is told, where
    a person was asked. `begun_at` (aware UTC) is when it began; `proved` is false where it is over, or
    as far as `state` says, by a person's word alone.
    """

    severity: Severity | None
    service: str
    state: State
    impact: str
    public_impact: PublicImpact
    current_action: str
    next_update: datetime | None
    commander: str
    updated_at: datetime
    link: str = ""
    time_zone: str = "UTC"
    public_title: OutsideName = ""
    affected: Affected = Affected()
    response: OutsideLine = ""
    approved: ApprovedText | None = None
    begun_at: datetime | None = None
    proved: bool = True

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        zone(name)
        return name

    @property
    def public_sentences(self) -> str:
        """The impact for the public, with the areas and the region that are affected."""
        return self.public_impact.sentences(self.affected)

    @property
    def affected_areas(self) -> tuple[ProductArea, ...]:
        """The areas in which users may notice it; none where nobody does, or nobody knows."""
        if self.approved is not None:
            return self.approved.areas
        return self.affected.areas if self.public_impact.is_felt else ()

    @property
    def emoji(self) -> str:
        """The colour of the severity, a tick once it is over."""
        if self.state is State.RESOLVED:
            return RESOLVED_EMOJI
        return EMOJI[self.severity] if self.severity else UNRATED_EMOJI


@dataclass(frozen=True)
class Message:
    """What the team is told, before a channel puts it into its own markup.

    A channel has a template of its own for each: `{template}.{channel}.j2`.
    """

    template: str
    values: Mapping[str, object]


class About(Value):
    """The incident that a message is about, for where no thread says it: its id, its title, and where it is.

    `link` is empty before there is one.
    """

    incident: str
    title: str
    link: str = ""


class Page(Value):
    """What a person is paged with; `details` are for whoever looks closer."""

    summary: str
    severity: Severity
    source: str
    details: dict[str, str] = {}
    link: str = ""


def message_facts(
    incident: Incident,
    *,
    state: State,
    policy: Policy,
    now: datetime,
    commander: str,
    update_interval: timedelta | None,
    time_zone: str = "UTC",
    link: str = "",
    public_title: str = "",
    response: str = "",
) -> MessageFacts:
    """What can truly be said about an incident now. The alert's own severity stands in until ours is known.

    Raises:
        ValueError: `state` is RESOLVED, but the incident has not ended well.
    """
    over = incident.outcome is not None and incident.outcome.good
    if state is State.RESOLVED and not over:
        outcome = incident.outcome.value if incident.outcome else "not ended"
        raise ValueError(f"RESOLVED cannot be announced: the outcome of {incident.id} is {outcome}")
    promised = None if state is State.RESOLVED or update_interval is None else now + update_interval
    return MessageFacts(
        severity=incident.rating,
        service=incident.service,
        state=state,
        impact=internal_impact(incident, policy),
        public_impact=public_impact(incident),
        affected=affected(incident),
        current_action=current_action(incident),
        next_update=promised,
        commander=commander.strip().lstrip("@"),
        updated_at=now,
        link=link,
        time_zone=time_zone,
        public_title=public_title,
        response=response,
        begun_at=incident.begun_at,
        proved=is_proved(incident, policy),
    )


def update_message(facts: MessageFacts) -> Message:
    """The runbook's internal template, filled."""
    return Message("internal", {"facts": facts, "service": service_title(facts.service)})


def escalation_message(because: str, *, commands: Sequence[str] = (), link: str = "") -> Message:
    """What the team is told when a person is paged; `commands` are for them to copy."""
    return Message("escalation", {"because": because, "commands": commands, "link": link})


def hand_off_message(text: str) -> Message:
    """What only a person can do."""
    return Message("hand_off", {"text": text})


def notice_message(text: str, *, link: str = "") -> Message:
    """A sentence, and where to find out more."""
    return Message("notice", {"text": text, "link": link})


def about_incident(incident: Incident, *, link: str = "") -> About:
    """What a message of this incident is about."""
    return About(incident=incident.id, title=service_title(incident.service), link=link)


def in_slack(message: Message, own: OwnTemplates = NONE, *, about: About | None = None) -> SlackText:
    """The message in Slack's markup, by the team's own template where there is one.

    One that cannot be rendered gives way to the shipped one, and the message says so in its last line. With
    `about`, a line below names the incident.
    """
    if about is not None:
        text = in_slack(message, own)
        return SlackText(f"{text}\n\n{_named(about, str(text))}")
    template = f"{message.template}.slack.j2"
    if template not in own:
        return render_slack(template, **message.values)
    try:
        return SlackText(render_own(template, own, message.values))
    except TemplateFailed as failure:
        note = f"Your template {template} cannot be used: {failure}. See it with: runbook render"
        said = render_slack("notice.slack.j2", text=note, link="")
        return SlackText(f"{render_slack(template, **message.values)}\n\n{said}")


def _named(about: About, text: str) -> SlackText:
    link = "" if about.link and about.link in text else about.link
    return render_slack("about.slack.j2", about=about, link=link)


def new_verdict_message(title: str, because: str) -> Message:
    """That an action of the plan is not taken, since what the verdict rested on is gone."""
    return Message("new_verdict", {"title": title, "because": because})


def external_message(facts: MessageFacts, own: OwnTemplates = NONE) -> ExternalMessage:
    """The runbook's external template, filled: the team's own where there is one; or what was approved.

    One that cannot be rendered, or has no text under its title, gives way to the shipped one: `fallback` says
    why. The public is not told that.
    """
    if facts.approved is not None:
        return facts.approved
    fallback = ""
    if EXTERNAL in own:
        try:
            title, _, body = render_own(EXTERNAL, own, {"facts": facts}).partition("\n")
            if body.strip():
                return ExternalMessage(title=title.strip(), body=body.strip())
            fallback = "it has no text below its first line, which is the title"
        except TemplateFailed as failure:
            fallback = str(failure)
    title, _, body = render_plain(EXTERNAL, facts=facts).partition("\n")
    return ExternalMessage(title=title, body=body, fallback=fallback)
