"""Send one notification, and find out what became of it: Apprise itself only says yes or no.

Why not, it logs. Its plugin gets a logger of its own here, so that two messages at a time are told apart and
nothing of theirs reaches the run's log.
"""

import logging
from collections.abc import Callable

from prefect.blocks.abstract import NotificationError
from prefect.blocks.notifications import AbstractAppriseNotificationBlock

from blocks.transport.errors import OutsideError
from runbook.outside_text import let_in_line

_LONGEST_REASON = 300

RefusedReaders = dict[str, tuple[int, bytes]]
"""What a mail server said to each reader whom it refused, by address."""

SENDING = "Sending the e-mail failed"
"""What is logged where it failed once the server was asked to take it."""


class _Ear(logging.Logger):
    """What a plugin logs of one message; it has no parent, so nobody else hears it."""

    def __init__(self) -> None:
        super().__init__("notification", logging.DEBUG)
        self.lines: list[str] = []
        self.addFilter(self._note)

    def _note(self, record: logging.LogRecord) -> bool:
        self.lines.append(record.getMessage())
        return False


async def notify(
    notification: AbstractAppriseNotificationBlock,
    body: str,
    subject: str,
    *,
    timeout_seconds: float,
    failure: Callable[[str], OutsideError],
) -> None:
    """Send it. `failure` says what the lines mean that Apprise has logged; each step takes at most so long.

    Apprise sends in the event loop's own few threads: the timeouts end each of them.

    Raises:
        OutsideError: what `failure` says.
    """
    ear = _Ear()
    (plugin,) = notification._apprise_client  # there is no other way to its plugin
    plugin.logger = ear
    plugin.socket_connect_timeout = plugin.socket_read_timeout = timeout_seconds
    plugin.redirects = False  # whoever is redirected would read a page, and take that for a success
    try:
        with notification.raise_on_failure():
            await notification.anotify(body=body, subject=subject)
    except NotificationError:
        raise failure("\n".join(ear.lines)) from None


def reason(lines: str, default: str) -> str:
    """What went wrong, from what Apprise logs last; masked, on one line."""
    told = [
        line.partition("Socket Exception:")[2] for line in lines.split("\n") if "Socket Exception:" in line
    ]
    return let_in_line(told[-1].strip() if told else default, _LONGEST_REASON) or default
