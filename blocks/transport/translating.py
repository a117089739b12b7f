"""What an answer or a failure over HTTP means, as an error of the outside system."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx

from blocks.transport.errors import (
    Conflict,
    Forbidden,
    NotFound,
    OutsideError,
    Refused,
    Unauthenticated,
    Unavailable,
    Unreadable,
    one_line,
)
from blocks.transport.web_pages import is_web_page, web_page_title
from runbook.outside_text import beginning
from runbook.redaction import redact

_BODY_LOOKED_AT = 20_000  # characters

_RATE_LIMITED = frozenset({420, 429})  # Atlassian Statuspage says 420

_TRANSIENT = frozenset({408, 425}) | _RATE_LIMITED

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


def bare_url(url: str | httpx.URL) -> str:
    """A URL without what may hold a secret: user, password, query and fragment; a word where it is none."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return "the address"
    if not parsed.host:
        return "the address"  # without a scheme, what is before the @ would be taken for a path
    return str(parsed.copy_with(username=None, password=None, query=None, fragment=None))


def retry_after(value: str | None, *, now: datetime) -> int | None:
    """A `Retry-After` header in whole seconds from now, whether it says seconds or an HTTP date."""
    if value is None:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", value.strip()):
        return round(float(value))
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0, round((aware - now).total_seconds()))


def outside_error(error: httpx.HTTPError, *, system: str, secrets: Iterable[str] = ()) -> OutsideError:
    """What an error of httpx means. Literal `secrets` are masked in whatever the system said."""
    if isinstance(error, httpx.HTTPStatusError):
        return refusal(error.response, system=system, secrets=secrets)
    try:
        place = bare_url(error.request.url)
    except RuntimeError:
        place = "the address"  # httpx failed before there was a request
    if isinstance(error, httpx.UnsupportedProtocol | httpx.TooManyRedirects | httpx.DecodingError):
        return Refused(system, f"{place}: {redact(str(error), secrets)}", "Check the configured address")
    reason = _REASONS.get(type(error)) or f"the request failed ({redact(str(error), secrets)})"
    return Unavailable(
        system,
        f"{place} {reason}",
        _NETWORK,
        may_have_landed=not isinstance(error, _NEVER_SENT),
    )


_NETWORK = "Check the network connection to it, or wait"

_REASONS: dict[type[httpx.HTTPError], str] = {
    httpx.ConnectTimeout: "did not accept the connection in time",
    httpx.ReadTimeout: "did not answer in time",
    httpx.WriteTimeout: "did not accept the request in time",
    httpx.RemoteProtocolError: "closed the connection without an answer",
    httpx.ReadError: "closed the connection",
}


def refusal(response: httpx.Response, *, system: str, secrets: Iterable[str] = ()) -> OutsideError:
    """What an HTTP answer that is not a success means."""
    status = response.status_code
    detail = f"{bare_url(response.url)} answered HTTP {status} {_phrase(status)}".rstrip()
    said = excerpt(response, secrets)
    if said:
        detail += f": {said}"
    if status in _TRANSIENT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        wish = retry_after(response.headers.get("Retry-After"), now=datetime.now(UTC))
        return Unavailable(
            system,
            detail,
            f"Wait {wish} s" if wish else "It may recover by itself; try again",
            http_status=status,
            retry_after_seconds=wish,
            # a gateway's 5xx says nothing about what the service behind it did
            may_have_landed=status >= HTTPStatus.INTERNAL_SERVER_ERROR
            and status != HTTPStatus.SERVICE_UNAVAILABLE,
        )
    match status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN if _is_web_page(response):
            return Refused(
                system, detail, "A web page has answered: check the address and what is on the way"
            )
        case HTTPStatus.UNAUTHORIZED:
            return Unauthenticated(system, detail, "Check the configured credentials")
        case HTTPStatus.FORBIDDEN:
            return Forbidden(system, detail, verb=response.request.method, resource=bare_url(response.url))
        case HTTPStatus.NOT_FOUND:
            return NotFound(system, detail, "Check the configured address")
        case HTTPStatus.CONFLICT:
            return Conflict(system, detail, "It has changed: read it again")
    return Refused(system, detail, "Check the configuration")


def excerpt(response: httpx.Response, secrets: Iterable[str] = ()) -> str:
    """What an error's body says, on one line and redacted; of a page or other markup, its title."""
    text = beginning(response.text, _BODY_LOOKED_AT)
    if _is_web_page(response):
        title = web_page_title(text)
        text = f"a page named {title!r}" if title else ""
    return one_line(redact(text, secrets), 200)  # cut after masking: half a secret has no shape


def _is_web_page(response: httpx.Response) -> bool:
    """Whether this is for people who log in, and says nothing of our credentials."""
    return is_web_page(response.text[:_BODY_LOOKED_AT], response.headers.get("Content-Type", ""))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


@contextmanager
def translated(system: str, url: str, *, secrets: Iterable[str] = ()) -> Iterator[None]:
    """Raise errors of httpx, and a deadline that passed, as errors of the outside system."""
    try:
        yield
    except httpx.HTTPError as error:
        raise outside_error(error, system=system, secrets=secrets) from None
    except httpx.InvalidURL as error:
        reason = str(error).partition(":")[0]  # what follows quotes it: of a password with a slash, a part
        raise Refused(system, f"not a URL: {reason}", "Check the configured address") from None
    except UnicodeEncodeError:  # holds the whole value
        detail = "a header has characters that a header must not have"
        raise Refused(system, detail, "Check the configured credentials") from None
    except TimeoutError:
        raise Unavailable(
            system,
            f"{bare_url(url)} did not complete its answer in time",
            _NETWORK,
            may_have_landed=True,
        ) from None


def unreadable(system: str, url: str | httpx.URL, why: str) -> Unreadable:
    """An answer in another format than agreed. Such an answer is unknown, never a good sign."""
    return Unreadable(
        system, f"{bare_url(url)} sent an unexpected answer: {why}", "Check the configured address"
    )
