"""How Prefect's clients in a worker and its runs wait for a server: long, and they are back soon after it."""

from prefect.client import base
from prefect.utilities.math import clamped_poisson_interval

LONGEST_SECONDS = 10.0

CLIENT_RETRIES = 400
"""More than an hour, at that pause. A server on SQLite tells them to come back sooner (`prefect_app`)."""


def come_back_soon() -> None:
    """Have the clients of this process, and of its forks, pause so long at most between two attempts.

    Prefect doubles the pause with each attempt and knows no end to that: after an outage of an hour its
    worker would sleep for up to another one, and so would every run that was under way.
    """
    base.clamped_poisson_interval = bounded_interval  # type: ignore[attr-defined]  # it is imported there


def bounded_interval(average_interval: float, clamping_factor: float = 0.3) -> float:
    """Prefect's own pause with its jitter, in seconds, of an average that is bounded."""
    return clamped_poisson_interval(min(average_interval, LONGEST_SECONDS), clamping_factor)
