"""Whether people can act from Slack: the receiver takes their clicks, and messages have what to click."""

from typing import TYPE_CHECKING, Any

from deployments.receiver.settings import ReceiverSettings
from deployments.settings.file import SectionsCheck
from runbook.interactions.payloads import is_slack_id
from runbook.policy.policy import Policy

if TYPE_CHECKING:
    from blocks.channels.slack import Slack


def with_buttons(
    values: dict[str, dict[str, Any]], check: SectionsCheck, receiver: ReceiverSettings | None
) -> None:
    """Messages have buttons where clicks are taken, unless `[slack]` says."""
    takes_clicks = receiver is not None and receiver.slack.takes_requests
    if takes_clicks and "slack" in values and "buttons" not in check.tables["slack"]:
        values["slack"]["buttons"] = True


def missing_clicks(
    receiver: ReceiverSettings, policy: Policy, slack: "Slack | None"
) -> tuple[str, str, str] | None:
    """What is not there, what follows from it and what to do; `None` where nothing is missing."""
    takes_clicks = receiver.slack.takes_requests
    advice = (
        "Set signing_secret in [receiver.slack], and the app's request URL to /slack/interactions; or "
        "app_token, where nothing can reach the receiver"
    )
    if slack is not None and not takes_clicks:
        if slack.buttons:
            return "Buttons in Slack without a signing secret", "every click fails", advice
        return "No signing secret of Slack", "nobody can answer there", advice
    if slack is None and takes_clicks:
        so = "nothing is posted that could be clicked"
        way = "A signing secret" if receiver.slack.secrets else "An app-level token"
        return f"{way} of Slack without a token", so, "Set token and channel in [slack]"
    logins = [name for person in policy.people.values() for name in person.logins]
    if takes_clicks and logins and not any(map(is_slack_id, logins)):
        advice = "List the ids of accounts (U…) in the logins of [policy.people.NAME]"
        return "No account of Slack is listed", "each click counts as an unproven claim", advice
    if takes_clicks and policy.acts.accept_unverified:
        so = "everybody in the channel may lead, re-rate or end an incident, publish, and say no to a change"
        return "Acts in Slack take a claim", so, "Set accept_unverified = false in [policy.acts]"
    return None
