"""The PromQL of the error rate, with the names and matchers that a team uses."""

import re

from runbook.value import Value

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

_LONGEST_GAP = "1h"
"""How long a series may be without samples and still be the same one."""


class ErrorRateQueries(Value):
    """The queries of step 3 of Quick Triage.

    `errors` and `requests` are the selectors of the two counters, `window` is a Prometheus duration.
    """

    errors: str
    requests: str
    status_label: str
    window: str

    @property
    def window_seconds(self) -> float:
        """The window's length."""
        found = re.findall(r"(\d+)(ms|[smhdw])", self.window)
        return sum(float(number) * _UNITS[unit] for number, unit in found)

    @property
    def errors_by_status(self) -> str:
        """Errors per second by HTTP status."""
        return f"sum by ({self.status_label}) (rate({self.errors}[{self.window}]))"

    @property
    def requests_rate(self) -> str:
        """Requests per second."""
        return f"sum(rate({self.requests}[{self.window}]))"

    @property
    def errors_at_birth(self) -> str:
        """Errors by HTTP status that the series which began within the window had counted when they began.

        `rate` sees only what is counted after a series' first sample. A client makes the series of a status
        with its first error, so a burst of errors between two scrapes has a rate of zero. A series that was
        only not scraped for a while has not begun.
        """
        before = f"max_over_time({self.errors}[{_LONGEST_GAP}] offset {self.window})"
        return f"sum by ({self.status_label}) (min_over_time({self.errors}[{self.window}]) unless {before})"

    @property
    def counted_before(self) -> tuple[str, str]:
        """How many series were there when the window began: none where Prometheus itself has just begun."""
        return (
            f"count({self.requests} offset {self.window})",
            f"count({self.errors} offset {self.window})",
        )

    @property
    def errors_present(self) -> str:
        """How many series of errors there are now."""
        return f"count({self.errors})"

    @property
    def same_series(self) -> bool:
        """Whether errors and requests are the same series, so that their share would always be 100 %."""
        return _parts(self.errors) == _parts(self.requests)


def _parts(selector: str) -> tuple[str, frozenset[str]]:
    """The metric's name and its matchers, in whichever order they stand."""
    name, _, matchers = selector.partition("{")
    found = re.findall(r"[\w.:]+\s*[!=]?[=~]\s*(?:\"(?:[^\"\\]|\\.)*\"|'[^']*')", matchers)
    return name.strip(), frozenset(re.sub(r"\s*([!=]?[=~])\s*", r"\1", item, count=1) for item in found)


def selected(metric: str, *matchers: str) -> str:
    """A metric with the matchers that are not empty."""
    given = ", ".join(stripped for matcher in matchers if (stripped := matcher.strip().strip(",").strip()))
    return f"{metric}{{{given}}}" if given else metric
