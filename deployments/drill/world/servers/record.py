"""The record of all requests to all systems of a world."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_KEPT_PER_SYSTEM = 20_000


@dataclass(frozen=True, slots=True)
class Received:
    """One request as a system saw it, without the credential that it came with."""

    at: datetime
    system: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    authenticated_as: str | None
    """Whose credential it carried, None for none or a wrong one."""
    body: Any
    """Parsed JSON or form fields, else text."""
    status: int | None
    """What was answered, None where the connection was dropped."""

    def as_json(self) -> dict[str, Any]:
        """Return the request as JSON-ready data."""
        return {
            "at": self.at.isoformat(),
            "system": self.system,
            "method": self.method,
            "path": self.path,
            "query": dict(self.query),
            "headers": dict(self.headers),
            "authenticated_as": self.authenticated_as,
            "body": self.body,
            "status": self.status,
        }


@dataclass(slots=True)
class Recorder:
    """The requests of all systems, newest last; the oldest of a system go after twenty thousand."""

    _by_system: dict[str, deque[Received]] = field(default_factory=dict)

    def add(self, received: Received) -> None:
        """Keep a request."""
        self._by_system.setdefault(received.system, deque(maxlen=_KEPT_PER_SYSTEM)).append(received)

    def of(self, system: str) -> Sequence[Received]:
        """Return the requests to one system in order of arrival."""
        return tuple(self._by_system.get(system, ()))

    def all(self) -> list[Received]:
        """Return the requests to all systems in order of arrival."""
        return sorted((r for kept in self._by_system.values() for r in kept), key=lambda r: r.at)
