"""Answers of an API server that hold for a moment only, and are asked for again.

A server that has just started has not loaded its rules and accounts: it answers 403, or 401, to what it
allows a second or two later. A server that is busy answers 429 and says how long to wait. None of these
requests has had an effect, so each may be sent again.

Source: the authorizers of a kube-apiserver read from caches that are filled after it listens; API Priority
and Fairness answers 429 with `Retry-After: 1`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from blocks.kubernetes.access.credentials import Credentials
from blocks.kubernetes.access.errors import Request
from blocks.kubernetes.access.permissions import Permission
from blocks.transport.errors import Forbidden, OutsideError, Unauthenticated, Unavailable

ATTEMPTS: dict[type[OutsideError], tuple[float, ...]] = {
    Forbidden: (0.05, 0.1, 0.25),
    Unauthenticated: (0.2,),  # each attempt runs the plug-in that makes credentials once more
}
"""When a refused request is made again, each after the one before, in shares of the timeout of a request."""

BUSY_SHARE = 0.5
"""Of the timeout of a request: how long one waits in all for a server that is busy."""

DOUBT = 6
"""For how many timeouts of a request a step that had a right a minute ago doubts that it has lost it."""

_Answer = TypeVar("_Answer")
_Right = tuple[Credentials, Permission | None]

_MISSING: set[_Right] = set()
"""Rights (`None`: the credentials themselves) that were refused to the last attempt: no more time is lost on
these. The first request that is answered takes its right off."""


async def patiently(
    ask: Callable[[], Awaitable[_Answer]], request: Request, *, credentials: Credentials, seconds: float
) -> _Answer:
    """Send a request, and send it again while its refusal may be one of the moment; `seconds` is its timeout.

    Raises:
        OutsideError: what the last answer means.
    """
    attempts = {kind: [share * seconds for share in shares] for kind, shares in ATTEMPTS.items()}
    busy_until = time.monotonic() + BUSY_SHARE * seconds
    while True:
        try:
            answer = await ask()
        except Unavailable as error:
            wait = _asked_to_wait(error)
            if wait is None or time.monotonic() + wait > busy_until:
                raise
        except (Forbidden, Unauthenticated) as error:
            refused = _refused(error, request, credentials)
            if refused is None or refused in _MISSING:
                raise
            if not attempts[type(error)]:
                _MISSING.add(refused)
                raise
            wait = attempts[type(error)].pop(0)
        else:
            _MISSING.difference_update({(credentials, request.permission), (credentials, None)})
            return answer
        await asyncio.sleep(wait)


def doubt(timeout_seconds: float) -> timedelta:
    """How long to ask again for a right that was there a minute ago; with the default timeout a minute."""
    return timedelta(seconds=DOUBT * timeout_seconds)


def may_be_of_the_moment(error: OutsideError) -> bool:
    """Whether a request that worked before may work again although this is the answer to it now."""
    if isinstance(error, Unauthenticated):
        return error.by_server
    return isinstance(error, Unavailable | Forbidden)


def _asked_to_wait(error: Unavailable) -> float | None:
    """How long a busy server wants us to wait, in seconds; other errors may have had an effect."""
    return None if error.may_have_landed or not error.retry_after_seconds else error.retry_after_seconds


def _refused(error: Forbidden | Unauthenticated, request: Request, credentials: Credentials) -> _Right | None:
    if isinstance(error, Forbidden):
        return credentials, request.permission
    return (credentials, None) if error.by_server else None  # else the credentials cannot be loaded
