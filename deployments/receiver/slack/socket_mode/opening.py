"""`apps.connections.open`: the address of a socket, for an app-level token.

Source: Slack's reference of that method, and "Using Socket Mode".
"""

from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from blocks.transport.errors import Refused, Unauthenticated, Unavailable, Unreadable
from blocks.transport.http import exchange
from deployments.receiver.slack.telling import SYSTEM, is_where, web_api_error

OPEN_SECONDS = 10.0
LONGEST_WISH = 3_600
"""Seconds of a `Retry-After` that are waited at the most."""

_DEFAULT_WISH = 30
_TOKEN = "Set app_token of [receiver.slack] to an app-level token (xapp-) with the scope connections:write"  # noqa: S105
_ADVICE = {
    "invalid_auth": _TOKEN,
    "not_authed": _TOKEN,
    "not_allowed_token_type": _TOKEN,
    "token_revoked": _TOKEN,
    "token_expired": _TOKEN,
    "account_inactive": _TOKEN,
    "missing_scope": "Give the app-level token the scope connections:write",
    "forbidden_team": "Install the app in this workspace",
}
_OTHERWISE = "Turn Socket Mode on in the app's settings, and see Slack's documentation of this error"
_TRANSIENT = frozenset(
    {"ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
)
_UNAUTHENTICATED = frozenset({"invalid_auth", "not_authed", "token_revoked", "token_expired"})


async def socket_url(base_url: str, token: SecretStr) -> str:
    """The address of a new socket, good for one opening. No connection is made by asking for it.

    Raises:
        Refused: Slack does not take the token, or the address is not Slack's.
        Unavailable: Slack cannot be reached, or wants to be asked later.
    """
    secret = token.get_secret_value()
    answer = await exchange(
        SYSTEM,
        "POST",
        f"{base_url.rstrip('/')}/apps.connections.open",
        headers={"authorization": f"Bearer {secret}"},
        timeout_seconds=OPEN_SECONDS,
        secrets=[secret],
    )
    error = web_api_error(answer)
    if error:
        raise _refusal(error, answer)
    url = answer.json().get("url")
    if not isinstance(url, str) or not _is_of_slack(url, base_url):
        raise Unreadable(SYSTEM, "the address of the socket is not Slack's", "Check the base URL of [slack]")
    return url


def _refusal(error: str, answer: httpx.Response) -> Refused | Unavailable:
    what = f"no socket is opened ({error})"
    if error in _TRANSIENT or answer.status_code == 429 or answer.status_code >= 500:
        wish = _wish(answer.headers.get("retry-after", "")) if answer.status_code == 429 else None
        return Unavailable(
            SYSTEM, what, http_status=answer.status_code, retry_after_seconds=wish, may_have_landed=False
        )
    kind = Unauthenticated if error in _UNAUTHENTICATED else Refused
    return kind(SYSTEM, what, _ADVICE.get(error, _OTHERWISE))


def _wish(said: str) -> int:
    known = said.isascii() and said.isdecimal()
    return min(int(said[:6]), LONGEST_WISH) if known else _DEFAULT_WISH


def _is_of_slack(url: str, base_url: str) -> bool:
    """Whether a socket is Slack's over TLS, or of the server that stands for it."""
    try:
        parts, own = urlsplit(url), urlsplit(base_url)
        host, at_home = parts.hostname or "", parts.hostname == own.hostname
    except ValueError:
        return False
    if at_home and own.scheme == "http":
        return parts.scheme in ("ws", "wss")
    return parts.scheme == "wss" and (at_home or is_where(host))
