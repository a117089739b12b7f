"""Faults at the wire: what a request meets instead of, before or after its answer."""

import re
from dataclasses import dataclass
from typing import Literal

from deployments.drill.cluster.objects import JsonObject
from deployments.drill.cluster.server.errors import ApiError

Cut = Literal["before_effect", "after_effect"]


@dataclass
class Fault:
    """What goes wrong with matching requests.

    `method` "*" matches all; `path` is a regular expression searched in the path; `times` counts down with
    every match and None never ends. Delays are seconds. `status` answers with a Status body and without
    effect; `close` drops the connection without an answer, before the request had any effect or after;
    `short_body` ends the answer after so many bytes as if it were complete, as a kubelet connection that is
    cut in the middle of a log does.
    """

    path: str = ""
    method: str = "*"
    times: int | None = 1
    status: int | None = None
    reason: str = "InternalError"
    message: str = "the drill asked for this failure"
    body: JsonObject | None = None
    text: str | None = None
    retry_after: int | None = None
    delay_before: float = 0.0
    delay_after: float = 0.0
    close: Cut | None = None
    short_body: int | None = None

    def take(self, method: str, path: str) -> bool:
        """Whether this request meets the fault; counts it if so."""
        if self.times == 0 or self.method not in ("*", method) or not re.search(self.path, path):
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def refusal(self) -> ApiError | None:
        """The refusal to answer with, if this fault is one."""
        if self.status is None:
            return None
        error = ApiError(self.status, self.reason, self.message)
        if self.body is not None:
            error.body = self.body
        return error
