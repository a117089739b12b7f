"""What can go wrong at an outside system, in two kinds: it may heal, or someone must act.

Tasks retry `Unavailable` and nothing else. No text here ever holds a secret: details are redacted when the
error is made, and causes are dropped (`from None`), since a library's own exception may quote a request.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from runbook.outside_text import let_in_line

DETAIL_LIMIT = 1500  # characters


class OutsideError(Exception):
    """An outside system did not do what it was asked.

    `system` names it for people, `detail` is what happened, `next_step` is what to do about it.
    """

    def __init__(self, system: str, detail: str, next_step: str) -> None:
        self.system = system
        self.detail = one_line(detail)
        self.next_step = one_line(next_step)
        super().__init__(system, detail, next_step)
        self.args = (system, self.detail, self.next_step)  # what pickling makes it from again

    def __str__(self) -> str:
        return f"{self.system}: {self.detail}. {self.next_step}"


class Unavailable(OutsideError):
    """It may heal by itself: no connection, no answer in time, 5xx, 429.

    `http_status` is `None` where there was no answer. `retry_after_seconds` is the system's own wish.
    `may_have_landed` is true where a request went out and its
    answer was lost, so that an effect may have happened.
    """

    def __init__(
        self,
        system: str,
        detail: str,
        next_step: str = "It may recover by itself; try again",
        *,
        http_status: int | None = None,
        retry_after_seconds: int | None = None,
        may_have_landed: bool = False,
    ) -> None:
        super().__init__(system, detail, next_step)
        self.http_status = http_status
        self.retry_after_seconds = retry_after_seconds
        self.may_have_landed = may_have_landed


class Refused(OutsideError):
    """It will not heal by itself: asking again gives the same answer."""


class Unauthenticated(Refused):
    """The credentials are missing, wrong or expired (401). `by_server`: it was the system that said so."""

    def __init__(self, system: str, detail: str, next_step: str, *, by_server: bool = False) -> None:
        super().__init__(system, detail, next_step)
        self.by_server = by_server


class Forbidden(Refused):
    """The credentials are good, but do not allow this (403). Verb, resource and name say what."""

    def __init__(
        self,
        system: str,
        detail: str,
        next_step: str = "Ask an administrator for the permission",
        *,
        verb: str = "",
        resource: str = "",
        name: str = "",
    ) -> None:
        super().__init__(system, detail, next_step)
        self.verb = verb
        self.resource = resource
        self.name = name


class NotFound(Refused):
    """There is no such thing there (404)."""


class Conflict(Refused):
    """It changed since it was read (409)."""


class Unreadable(Refused):
    """There is an answer, but not in the format that was agreed."""


def one_line(text: str, limit: int = DETAIL_LIMIT) -> str:
    """Text on one line, masked, without a full stop at its end, cut with a mark."""
    return let_in_line(text, limit).rstrip(".")


@contextmanager
def having_sent() -> Iterator[None]:
    """For requests that do something: an answer that nobody can read hides whether it was done."""
    try:
        yield
    except Unreadable as error:
        raise Unavailable(
            error.system, error.detail, "Check whether it happened before you repeat it", may_have_landed=True
        ) from None
