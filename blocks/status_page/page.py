"""PostHog's status page: step 1 of Quick Triage.

Third parties disagree on what the page serves, so several formats are tried one after another, over several
routes: the runbook's "Can't reach status page: use mobile or VPN" is a proxy, a relay or a mirror here. What
cannot be read is an error, never "operational".
"""

from typing import ClassVar, Literal

import httpx
from prefect.blocks.core import Block
from pydantic import Field, SecretStr

from blocks.status_page.formats import Listing, UnknownFormat, read_feed, read_json, shape_of
from blocks.transport.credentials import CredentialsByHost
from blocks.transport.errors import OutsideError, Unavailable, Unreadable
from blocks.transport.http import exchange, joined, json_object
from blocks.transport.translating import bare_url, refusal
from runbook.checks.readings import StatusPageReading
from runbook.transport.addresses import password_in
from runbook.value import Value

_SYSTEM = "Status page"

Format = Literal["incident_io", "statuspage", "api_status", "feed"]

_PATHS: dict[Format, str] = {
    "incident_io": "/api/v1/summary",
    "statuspage": "/api/v2/summary.json",
    "api_status": "/api/status",
    "feed": "/feed.rss",
}


class Route(Value):
    """A way to the status page: where it is asked, through what, and the formats to try, in order."""

    name: str
    url: str
    formats: tuple[Format, ...]
    timeout_seconds: float
    proxy: SecretStr | None = None


class StatusPage(CredentialsByHost, Block):
    """Where PostHog says how PostHog is."""

    _block_type_name: ClassVar[str] = "Runbook status page"
    _block_type_slug: ClassVar[str] = "runbook-status-page"
    _description: ClassVar[str] = "PostHog's public status page, with other ways to it."

    url: str = Field(
        default="https://www.posthogstatus.com",
        title="URL",
        description="The page's address, without a path.",
    )
    format: Literal["auto", "incident_io", "statuspage", "api_status", "feed"] = Field(
        default="auto",
        title="Format",
        description="What the page speaks; auto tries incident.io, Statuspage, /api/status and the feed.",
    )
    fallback_urls: list[str] = Field(
        default=[],
        title="Fallback URLs",
        description="Mirrors or relays of the page, tried in this order if the page cannot be read.",
    )
    proxy: SecretStr | None = Field(
        default=None,
        title="Proxy",
        description="HTTP proxy for a second try from another network; its URL may hold a password.",
    )
    regions: list[str] = Field(
        default=[],
        title="Regions",
        description="PostHog regions that the integration uses, such as US Cloud; empty counts every region.",
    )
    timeout_seconds: float = Field(
        default=10, gt=0, title="Timeout", description="Seconds that one request may take."
    )

    def addresses(self) -> tuple[str, ...]:
        """The page's address and those of its mirrors and relays."""
        return (self.url, *self.fallback_urls)

    def routes(self) -> list[Route]:
        """Every way to the page in the order of trust: direct, proxy, fallbacks, and the feed at last.

        Each but the last has its share of the timeout, so that the others are asked before it is too late.
        """
        formats: tuple[Format, ...] = (
            ("incident_io", "statuspage", "api_status") if self.format == "auto" else (self.format,)
        )
        ways: list[tuple[str, str, SecretStr | None]] = [("direct", self.url, None)]
        if self.proxy is not None:
            ways.append(("proxy", self.url, self.proxy))
        ways += [(f"fallback {number}", url, None) for number, url in enumerate(self.fallback_urls, 1)]
        tries = [(*way, formats) for way in ways]
        if self.format == "auto":
            feed: tuple[Format, ...] = ("feed",)
            tries += [
                (f"feed, {name}", url, proxy, feed) for name, url, proxy in ways[: 2 if self.proxy else 1]
            ]
        share = self.timeout_seconds / len(tries)
        return [
            Route(
                name=name,
                url=url,
                formats=formats,
                timeout_seconds=self.timeout_seconds if number == len(tries) else share,
                proxy=proxy,
            )
            for number, (name, url, proxy, formats) in enumerate(tries, 1)
        ]

    async def read(self, route: Route) -> StatusPageReading:
        """What the page lists, over one route, in the first of its formats that can be read.

        Raises:
            Unavailable: the page cannot be reached this way, or answers with an error that may heal.
            Unreadable: it answers, but in none of the formats.
        """
        failures: list[OutsideError] = []
        for format_ in route.formats:
            try:
                listing = await self._listing(route, format_)
            except OutsideError as error:
                if isinstance(error, Unavailable) and error.http_status is None:
                    raise  # nothing answers at all, so no other format is served either
                failures.append(error)
                continue
            return StatusPageReading(
                page_url=bare_url(route.url),
                format=format_,
                route=route.name,
                incidents=listing.incidents,
                maintenances=listing.maintenances,
                unclear=listing.unclear,
            )
        raise _all_failed("; ".join(error.detail for error in failures), failures, self._next_step)

    async def read_any(self) -> StatusPageReading:
        """What the page lists, over the first route that works.

        Raises:
            Unavailable: no route works, and one of them may heal.
            Unreadable: no route works, and none will.
        """
        failures: list[tuple[Route, OutsideError]] = []
        for route in self.routes():
            try:
                return await self.read(route)
            except OutsideError as error:
                failures.append((route, error))
        reasons = "; ".join(f"{route.name}: {error.detail}" for route, error in failures)
        raise _all_failed(reasons, [error for _, error in failures], self._next_step)

    @property
    def _next_step(self) -> str:
        return f"Open {bare_url(self.url)} from another network (mobile or VPN)"

    async def _listing(self, route: Route, format_: Format) -> Listing:
        try:
            if format_ == "feed":
                return read_feed(await self._text(route, _PATHS["feed"]))
            document = await self._json(route, _PATHS[format_])
            if format_ == "statuspage" and shape_of(document) is None:
                # incident.io's imitation of the summary leaves its incidents out
                document |= await self._json(route, "/api/v2/incidents/unresolved.json")
            return read_json(document, format_)
        except UnknownFormat as error:
            raise Unreadable(
                _SYSTEM, f"{bare_url(route.url)} is not {format_}: {error}", self._next_step
            ) from None

    async def _json(self, route: Route, path: str) -> dict[str, object]:
        response = await self._get(route, path)
        return dict(json_object(_SYSTEM, response, secrets=self._secrets(route)))

    async def _text(self, route: Route, path: str) -> str:
        response = await self._get(route, path)
        if not response.is_success:
            raise refusal(response, system=_SYSTEM, secrets=self._secrets(route))
        return response.text

    async def _get(self, route: Route, path: str) -> httpx.Response:
        return await exchange(
            _SYSTEM,
            "GET",
            joined(route.url, path),
            headers=self.credentials_for(route.url).request_headers(),
            timeout_seconds=route.timeout_seconds,
            proxy=route.proxy.get_secret_value() if route.proxy else None,
            follow_redirects=True,  # status.posthog.com answers 301
            secrets=self._secrets(route),
        )

    def _secrets(self, route: Route) -> list[str]:
        password = password_in(route.proxy.get_secret_value()) if route.proxy else ""
        return [*self.secret_values(), *([password] if password else [])]


def _all_failed(reasons: str, failures: list[OutsideError], next_step: str) -> OutsideError:
    """One error for several; it may heal if one of them may."""
    if any(isinstance(error, Unavailable) for error in failures):
        return Unavailable(_SYSTEM, reasons, next_step)
    return Unreadable(_SYSTEM, reasons, next_step)
