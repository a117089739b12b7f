"""The clocks that people are held to: how soon somebody responds, and when a promised update is due."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from runbook.decision.severity import LEVELS, Severity
from runbook.policy.business_hours import BusinessCalendar
from runbook.value import Value

MOST_MINUTES = 366 * 24 * 60
"""A year: more is a mistake, and much more, or `inf`, is no time that a calendar has."""

Minutes = Annotated[int | float, Field(gt=0, le=MOST_MINUTES)]
"""A drill's clocks are shorter than a minute."""

PublicMinutes = Annotated[int, Field(ge=15, le=360)]

MINUTES_AN_HOUR = 60

SIX_HOURS = 6 * MINUTES_AN_HOUR
"""PostHog's handbook: a status page is refreshed at least every six hours."""

RESPONSE_MINUTES: Mapping[Severity, int] = {
    severity: int(level.response_time.total_seconds()) // 60
    for severity, level in LEVELS.items()
    if level.response_time is not None
}
"""The response times of the runbook's table; a level that is left out has until the next business day."""


class ClockPolicy(Value):
    """How soon people have to do something, and how long before that they are told."""

    response_minutes: dict[Severity, Minutes] = Field(
        default=dict(RESPONSE_MINUTES),
        title="Response times",
        description="Minutes until a person responds, by severity; without one by the next business day.",
    )
    public_update_interval_minutes: dict[Severity, PublicMinutes] = Field(
        default={},
        title="Public update intervals",
        description="Minutes until an open public entry says again where things stand, by severity; at most "
        "six hours, which a level that is left out has.",
    )
    nearing_share: float = Field(
        default=0.8,
        gt=0,
        le=1,
        title="Nearing share",
        description="The share of a clock's time after which it is nearing its end.",
    )
    calendar: BusinessCalendar = Field(
        default=BusinessCalendar(),
        title="Business calendar",
        description="Time zone, business hours and holidays that `next business day` goes by.",
    )

    def response_due(self, severity: Severity, since: datetime) -> datetime:
        """By when a person must have responded to what began at `since`. Both are aware UTC.

        A severity without minutes has the whole of the next business day: it is due when business closes.

        Raises:
            ValueError: `since` has no time zone.
        """
        minutes = self.response_minutes.get(severity)
        if minutes is None:
            return self.calendar.close_of_next_business_day(since)
        return since + timedelta(minutes=minutes)

    def public_update_every(self, severity: Severity) -> timedelta:
        """How long after it was told something the public hears again."""
        return timedelta(minutes=self.public_update_interval_minutes.get(severity, SIX_HOURS))

    def response_within(self, severity: Severity) -> str:
        """How soon that is, in words: `15 min`, `4 h`, `the next business day`."""
        minutes = self.response_minutes.get(severity)
        if minutes is None:
            return "the next business day"
        if minutes < 1:
            return f"{minutes * 60:g} s"
        hours, rest = divmod(minutes, MINUTES_AN_HOUR)
        return f"{minutes:g} min" if rest else f"{hours:g} h"

    def nearing_at(self, since: datetime, due_at: datetime) -> datetime:
        """When a clock that runs from `since` to `due_at` is nearing its end."""
        return since + (due_at - since) * self.nearing_share
