"""The PostHog API: does it answer, and does it accept our key?

One harmless authenticated request, made twice where PostHog fails. Capture is no probe: it answers 200 to any
well shaped key.
"""

import asyncio
import re
from datetime import UTC, datetime
from time import perf_counter
from typing import ClassVar

import httpx
from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, SecretStr

from blocks.transport.errors import OutsideError, one_line
from blocks.transport.http import exchange, parsed
from blocks.transport.translating import bare_url, excerpt, retry_after
from blocks.transport.web_pages import is_web_page
from runbook.checks.readings import CONFIGURATION, ProbeReading, ProbeResult
from runbook.redaction import redact
from runbook.value import Value

QUICK_SECONDS = 2.0
PAUSE_SECONDS = 0.5
"""Before a request that failed quickly is made a second time."""

_SYSTEM = "PostHog API"
_PROJECT_KEY = "phc_"
_SHORTEST_KEY = 12
_PREFIXES_IN_BASE64 = ("cGhj", "cGh4")  # phc, phx
_PLACEHOLDER = re.compile(r"NEW_KEY|YOUR_|<.*>|changeme|placeholder|\$\{?\w+\}?$", re.IGNORECASE)


def well_formed(key: str) -> str | None:
    """Why this cannot be a PostHog key, or `None` where it can. Keys from before 2023 have no prefix."""
    reasons = {
        "it is empty": not key.strip(),
        "it has white space around or in it": bool(re.search(r"\s", key)),
        "it has characters that a key cannot have": not re.fullmatch(r"[\x21-\x7e]*", key.strip()),
        "it has quotation marks around it": key[:1] in "\"'" and key != "",
        "it is a placeholder": bool(_PLACEHOLDER.match(key)),
        "it is base64-encoded once too often": key.startswith(_PREFIXES_IN_BASE64),
        "it is too short": len(key) < _SHORTEST_KEY,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


class _Judgement(Value):
    outcome: ProbeResult
    detail: str = ""
    retry_after_seconds: int | None = None


class PostHogApi(Block):
    """PostHog as the integration uses it."""

    model_config = ConfigDict(hide_input_in_errors=True)

    _block_type_name: ClassVar[str] = "Runbook PostHog API"
    _block_type_slug: ClassVar[str] = "runbook-posthog-api"
    _description: ClassVar[str] = "PostHog's API, probed with one harmless authenticated request."

    app_url: str = Field(
        default="https://us.posthog.com",
        title="App URL",
        description="Where personal keys are used; EU projects have https://eu.posthog.com.",
    )
    ingest_url: str = Field(
        default="https://us.i.posthog.com",
        title="Ingestion URL",
        description="Where project keys are used; EU projects have https://eu.i.posthog.com.",
    )
    api_key: SecretStr | None = Field(
        default=None,
        title="API key",
        description="Key for the probe where the cluster's Secret cannot be read.",
    )
    probe_path: str = Field(
        default="/api/users/@me/",
        title="Probe path",
        description="Path on the app URL that any personal key may read.",
    )
    required_path: str | None = Field(
        default=None,
        title="Required path",
        description="Path that the integration's key must be allowed to read, such as /api/projects/1/.",
    )
    timeout_seconds: float = Field(
        default=10, gt=0, title="Timeout", description="Seconds that one request may take."
    )

    async def probe(self, key: SecretStr | None, key_source: str) -> ProbeReading:
        """Ask PostHog with the key, or with the configured one where `key` is `None`.

        Every outcome is a reading, no answer included. A server error that comes quickly may be the hiccup of
        one gateway, so it has to come twice; after a slow one there is no time. A key that is missing or
        misshapen is rejected without asking. `key_source` names where the key came from.
        """
        if key is None and self.api_key is not None:
            key, key_source = self.api_key, CONFIGURATION
        secret = key.get_secret_value() if key else ""
        host = bare_url(self.ingest_url if secret.startswith(_PROJECT_KEY) else self.app_url)
        reason = well_formed(secret) if key else "there is none"
        if reason:
            return ProbeReading(
                host=host,
                key_source=key_source,
                outcome=ProbeResult.KEY_REJECTED,
                http_status=None,
                detail=f"the key from {key_source} cannot be valid: {reason}",
            )
        started = perf_counter()
        judgement, http_status = await self._ask(secret)
        if judgement.outcome is ProbeResult.SERVER_ERROR and perf_counter() - started < QUICK_SECONDS:
            await asyncio.sleep(PAUSE_SECONDS)
            judgement, http_status = await self._ask(secret)
        return ProbeReading(
            host=host,
            key_source=key_source,
            outcome=judgement.outcome,
            http_status=http_status,
            detail=judgement.detail,
            retry_after_seconds=judgement.retry_after_seconds,
            seconds=round(perf_counter() - started, 3),
        )

    async def _ask(self, secret: str) -> tuple[_Judgement, int | None]:
        try:
            if secret.startswith(_PROJECT_KEY):
                return await self._ask_flags(secret)
            judgement, http_status = await self._ask_app(self.probe_path, secret, required=False)
            if judgement.outcome is ProbeResult.ACCEPTED and self.required_path:
                return await self._ask_app(self.required_path, secret, required=True)
        except OutsideError as error:
            return _Judgement(outcome=ProbeResult.UNREACHABLE, detail=error.detail), None
        return judgement, http_status

    async def _ask_flags(self, secret: str) -> tuple[_Judgement, int]:
        response = await exchange(
            _SYSTEM,
            "POST",
            f"{self.ingest_url.rstrip('/')}/flags",
            params={"v": "2"},
            body={"api_key": secret, "distinct_id": "runbook-probe"},
            timeout_seconds=self.timeout_seconds,
            secrets=[secret],
        )
        return _judge(response, secret), response.status_code

    async def _ask_app(self, path: str, secret: str, *, required: bool) -> tuple[_Judgement, int]:
        response = await exchange(
            _SYSTEM,
            "GET",
            f"{self.app_url.rstrip('/')}{path}",
            headers={"Authorization": f"Bearer {secret}"},
            timeout_seconds=self.timeout_seconds,
            secrets=[secret],
        )
        if response.status_code == httpx.codes.FORBIDDEN and not required and not _is_web_page(response):
            # the probe itself may lie outside of the key's scopes; the key has authenticated all the same
            return _Judgement(outcome=ProbeResult.ACCEPTED, detail="for other scopes"), response.status_code
        return _judge(response, secret), response.status_code


def _judge(response: httpx.Response, secret: str) -> _Judgement:
    """What PostHog's answer says about itself and about the key."""
    status = response.status_code
    said = _said(response, secret)
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN) and _is_web_page(response):
        return _Judgement(outcome=ProbeResult.UNREACHABLE, detail=_something_else(response))
    if status == httpx.codes.UNAUTHORIZED:
        return _Judgement(outcome=ProbeResult.KEY_REJECTED, detail=said)
    if status == httpx.codes.FORBIDDEN:
        return _Judgement(outcome=ProbeResult.SCOPE_MISSING, detail=said)
    if status == httpx.codes.PAYMENT_REQUIRED:
        return _Judgement(outcome=ProbeResult.RATE_LIMITED, detail=f"a quota is used up: {said}")
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return _Judgement(
            outcome=ProbeResult.RATE_LIMITED, detail=said, retry_after_seconds=_wish(response, said)
        )
    if response.is_server_error:
        return _Judgement(outcome=ProbeResult.SERVER_ERROR, detail=said)
    document = _json(response)
    if response.is_success and document is not None:
        limited = document.get("quotaLimited")
        detail = f"over its billing quota: {limited}" if limited else ""
        return _Judgement(outcome=ProbeResult.ACCEPTED, detail=detail)
    return _Judgement(outcome=ProbeResult.UNREACHABLE, detail=_something_else(response))


def _something_else(response: httpx.Response) -> str:
    kind = response.headers.get("Content-Type", "no content type")
    return f"something other than PostHog answers there: HTTP {response.status_code}, {kind}"


def _is_web_page(response: httpx.Response) -> bool:
    """Whether the answer is a page for people. PostHog's API refuses in JSON or a line of text.

    A firewall or a proxy on the way also refuses with 401 and 403, and knows nothing of the key.
    """
    return is_web_page(response.text, response.headers.get("Content-Type", ""))


def _json(response: httpx.Response) -> dict[str, object] | None:
    try:
        document = parsed(response.content)
    except ValueError:
        return None
    return dict(document) if isinstance(document, dict) else None


def _said(response: httpx.Response, secret: str) -> str:
    """`code: detail` of PostHog's error body, or the body itself where it is plain text."""
    document = _json(response)
    if document is None:
        return excerpt(response, [secret])
    parts = [str(document[name]) for name in ("code", "detail") if document.get(name)]
    return one_line(redact(": ".join(parts), [secret]), 200)


def _wish(response: httpx.Response, said: str) -> int | None:
    """PostHog's `Retry-After`, or the same number from its words: "Expected available in 37 seconds."."""
    wish = retry_after(response.headers.get("Retry-After"), now=datetime.now(UTC))
    if wish is None and (found := re.search(r"available in (\d+) second", said)):
        wish = int(found[1])
    return wish
