"""The requests to the cluster, as evidence for tests and the drill's judge."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class RecordedRequest:
    """One request, recorded when it arrived.

    `user` is empty where the token was refused. `status` is None until the answer is known, and stays None
    where the connection was dropped instead. The body is kept out of the repr: it may hold a secret.
    """

    at: datetime
    method: str
    path: str
    query: Mapping[str, str]
    user: str = ""
    body: Any = field(default=None, repr=False)
    status: int | None = None
