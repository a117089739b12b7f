"""How the socket stands, in words for `/readyz`: for how long nobody's click has come through, and why."""

from collections.abc import Callable
from time import monotonic

from prometheus_client import Gauge

_MINUTE = 60


class Standing:
    """The socket is up or down; `up` is the metric that says so."""

    def __init__(self, up: Gauge, clock: Callable[[], float] = monotonic) -> None:
        self._up, self._clock = up, clock
        self._why = "not connected yet"
        self._down_since: float | None = clock()
        up.set(0)

    @property
    def told(self) -> str:
        """One line; after a minute it says how many minutes it has been so."""
        if self._down_since is None:
            return self._why
        minutes = int(self._clock() - self._down_since) // _MINUTE
        return f"{self._why} (down for {minutes} min)" if minutes else self._why

    def opened(self) -> None:
        """People's clicks come through."""
        self._down_since, self._why = None, "connected"
        self._up.set(1)

    def renewing(self, why: str) -> None:
        """The next one is opened at once, while Slack still takes clicks."""
        self._why = f"renewing: {why}"

    def down(self, why: str = "") -> None:
        """Nothing comes through; with a reason, that is told."""
        if self._down_since is None:
            self._down_since = self._clock()
        if why:
            self._why = f"not connected: {why}"
        self._up.set(0)
