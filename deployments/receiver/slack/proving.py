"""Whose click it is: Slack signs each request, and the settings say whose account is which person.

Source: Slack's "Verifying requests from Slack": `v0=` and the hex HMAC-SHA256 of `v0:TIME:BODY`.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from deployments.receiver.connections.body import Rejected
from deployments.receiver.slack.settings import SlackSettings
from deployments.receiver.sources.credentials import header_bytes, hex_hmac, is_one_of, recent
from deployments.services.environments import policy_of
from deployments.services.refusals import ActRefused, Refusal
from deployments.services.speaker import Speaker
from deployments.settings.settings import Settings
from deployments.settings.signing_key import private_key
from runbook.approvals.identity import Identity, Proof
from runbook.approvals.people import is_listed, known_as
from runbook.incidents.incident import Incident
from runbook.interactions.payloads import Account, Team

SIGNATURE, TIME = "x-slack-signature", "x-slack-request-timestamp"


def is_recent(headers: Mapping[str, str], now: datetime) -> bool:
    """Whether a request shows a signature, and a time within five minutes: all that headers tell."""
    signed = header_bytes(headers, SIGNATURE).startswith(b"v0=")
    return signed and recent(header_bytes(headers, TIME), now) is not None


def is_signed(headers: Mapping[str, str], body: bytes, secrets: tuple[bytes, ...]) -> bool:
    """Whether the signature is made with one of the secrets. Compared in constant time."""
    signed = b"v0:" + header_bytes(headers, TIME) + b":" + body
    wanted = [b"v0=" + hex_hmac(secret, signed) for secret in secrets]
    return is_one_of(header_bytes(headers, SIGNATURE), wanted)


def require_ours(config: SlackSettings, account: Account, team: Team | None, app_id: str) -> None:
    """Make sure that a request comes from our app and from one of our workspaces.

    Somebody of another company, in a channel that is shared with it, can click as well.

    Raises:
        Rejected: it does not.
    """
    if config.app_id and app_id != config.app_id:
        raise Rejected(403, "another app", "the request is of another app")
    if not config.teams:
        return
    told = {each for each in (team.id if team else None, account.team_id) if each}
    if not told or not told <= set(config.teams):
        raise Rejected(403, "another workspace", "the request is of another workspace")


def speaker_of(account: Account, settings: Settings) -> Speaker:
    """Who clicks. Without the account in `[policy.people]` it is a claim, under the account's id.

    What people call themselves in Slack they choose themselves, so it names nobody.
    """
    people = settings.policy.people
    if is_listed(account.id, people):
        identity = Identity(name=account.id, how=Proof.SLACK)
    else:
        called = account.username or account.name
        identity = Identity(name=account.id, detail=f"called {called} in Slack" if called else "")
    secret = settings.receiver.signing_key
    key = private_key(secret.get_secret_value().encode()) if secret is not None else None
    return Speaker(name=known_as(account.id, people), identity=identity, key=key)


async def under_its_policy(
    incident: Incident, account: Account, settings: Settings
) -> tuple[Speaker, Settings]:
    """Who acts by the policy of the incident's environment, and the settings with that policy.

    Raises:
        Refused: no policy is saved for that environment.
        Unavailable: Prefect, which keeps the policies of other environments, cannot be reached.
    """
    policy = await policy_of(incident, settings.prefect.environment, settings.policy)
    settings = replace(settings, policy=policy)
    return await asyncio.to_thread(speaker_of, account, settings), settings


def require_listed(speaker: Speaker) -> None:
    """Make sure that the settings know who asks to read: being in the workspace is not enough.

    Raises:
        ActRefused: they do not.
    """
    if speaker.identity.how is not Proof.SLACK:
        raise ActRefused(Refusal.UNPROVEN, "this is shown to people of the settings alone", "have it added")
