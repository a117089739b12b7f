"""`runbook render`: what a template makes of an incident, as people will read it."""

import json as json_text
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from cyclopts import Parameter
from rich.text import Text

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.options import ConfigOption, EnvironmentOption, JsonOption
from deployments.cli.output import console, print_json, warn

if TYPE_CHECKING:
    from deployments.cli.sources import Sources
    from runbook.channels.samples import Sample
    from runbook.incidents.incident import Incident
    from runbook.policy.policy import Policy
    from runbook.templates.own import OwnTemplates

SAMPLE = "sample"

BUILDER = "https://app.slack.com/block-kit-builder/#"
"""Slack's page that shows blocks, which follow as JSON; the part after `#` is not sent to a server."""


async def render(
    incident: Annotated[
        str, Parameter(help="An incident's id, `latest`, or `sample`; may be left out.")
    ] = SAMPLE,
    template: Annotated[str | None, Parameter(help="One of them, such as `root`; without it, all.")] = None,
    /,
    *,
    config: ConfigOption = None,
    environment: EnvironmentOption = None,
    json: JsonOption = False,
) -> int:
    """Show what messages say of an incident, by your own templates where [templates] has them.

    A message that the incident does not have is shown for a sample incident. Nothing is sent. The link under
    a message of Slack opens it in Block Kit Builder: it holds the incident's texts, so share it with care.
    """
    from deployments.cli.sources import find_sources
    from runbook.channels.samples import message_names, sample_of
    from runbook.policy.policy import Policy

    if template is None and any(incident in _short(name) for name in message_names()):
        incident, template = SAMPLE, incident  # `runbook render root`: no incident is called so
    sources = find_sources(config, environment)
    names = [_named(template, message_names())] if template is not None else list(message_names())
    found, policy, own = None, Policy(), dict[str, str]()
    if incident != SAMPLE:
        found, sources = await _incident(sources, incident)
    if incident != SAMPLE or sources.config is not None:
        policy, own = await sources.policy(), await _own(sources)
    now = datetime.now(UTC)
    shown = [_shown(name, sample_of(name, found, policy=policy, now=now), own, policy) for name in names]
    if json:
        print_json(shown)
    else:
        _print(shown, asked_for=incident)
    failed = [each["template"] for each in shown if each["failure"]]
    if failed:
        warn(f"the shipped template is used in place of: {', '.join(failed)}")
    refused = [sentence for each in shown for sentence in each["refused"]]
    for sentence in refused:
        warn(f"this public text would not be published: {sentence}")
    return ExitCode.FAILED if failed or refused else ExitCode.OK


async def _incident(sources: "Sources", reference: str) -> "tuple[Incident, Sources]":
    from deployments.services.finding import find_incident, require_own

    found = await find_incident(await sources.store(), reference)
    require_own(found, sources.environments())
    return found, sources.for_incident(found)


async def _own(sources: "Sources") -> dict[str, str]:
    """The templates of the team's own that the channels have."""
    systems = await sources.systems()
    own: dict[str, str] = {}
    for channel in systems.channels:
        own |= getattr(channel, "templates", {})
    return own


def _named(given: str, names: tuple[str, ...]) -> str:
    """The file name of a template that may be given without its endings.

    Raises:
        CommandError: there is no such template.
    """
    for name in names:
        if given in _short(name):
            return name
    known = ", ".join(dict.fromkeys(name.partition(".")[0] for name in names))
    raise CommandError(f"there is no template {given!r}", f"give one of: {known}", code=ExitCode.USAGE)


def _short(name: str) -> tuple[str, ...]:
    """What a template may be called."""
    return name, name.removesuffix(".j2"), name.partition(".")[0]


def _shown(name: str, sample: "Sample", own: "OwnTemplates", policy: "Policy") -> dict[str, Any]:
    from runbook.channels.cards.card import Card
    from runbook.channels.cards.slack_blocks import blocks_of
    from runbook.channels.messages import MessageFacts, external_message, in_slack
    from runbook.channels.text_messages import MAIL, TEXT, in_text
    from runbook.public.lint import lint_message
    from runbook.templates.own import TemplateFailed, render_own

    about: dict[str, Any] = {
        "template": name,
        "own": name in own,
        "incident": sample.incident.id,
        "sample": sample.made_up,
        "refused": [],
    }
    if isinstance(sample.content, MessageFacts):
        public = external_message(sample.content, own)
        text = f"{public.title}\n{public.body}"
        found = lint_message(public.title, public.body, never_say=policy.public.never_say)
        about["refused"] = [it.sentence for it in found]
        return {**about, "text": text, "blocks": [], "link": "", "failure": public.fallback}
    failure = ""
    if name in own:
        try:
            render_own(name, own, sample.content.values)
        except TemplateFailed as failed:
            failure = str(failed)
    if name.endswith(TEXT):
        return {
            **about,
            "text": in_text(sample.content, MAIL, own),
            "blocks": [],
            "link": "",
            "failure": failure,
        }
    said = in_slack(sample.content, own)
    blocks = blocks_of(said, sample.content.buttons if isinstance(sample.content, Card) else ())
    link = BUILDER + quote(json_text.dumps({"blocks": blocks}, ensure_ascii=False, separators=(",", ":")))
    return {**about, "text": str(said), "blocks": blocks, "link": link, "failure": failure}


def _print(shown: list[dict[str, Any]], *, asked_for: str) -> None:
    out = console()
    for number, each in enumerate(shown):
        whose = "your own" if each["own"] and not each["failure"] else "shipped"
        made_up = each["sample"] and asked_for != SAMPLE
        about = "a sample incident, since this one has no such message" if made_up else each["incident"]
        out.print(
            f"{each['template']}  ({whose}, {len(each['text']):,} characters; {about})",
            style="bold",
            soft_wrap=True,
        )
        out.print(each["text"], soft_wrap=True)
        if each["link"]:
            shown_as = "Open it in Block Kit Builder" if out.is_terminal else each["link"]
            out.print(Text(shown_as, style=f"dim link {each['link']}"), soft_wrap=True)
        if number < len(shown) - 1:
            out.print()
