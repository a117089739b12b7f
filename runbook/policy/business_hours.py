"""Business hours, for the one response time that is not a number of minutes: P4's "next business day"."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Self

from pydantic import field_serializer, field_validator, model_validator

from runbook.channels.local_time import in_zone, zone
from runbook.value import Value


class Weekday(StrEnum):
    """The days of the week, in the order of `date.weekday()`."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"

    @classmethod
    def of(cls, day: date) -> "Weekday":
        """The weekday of a date."""
        return tuple(cls)[day.weekday()]


WORKING_WEEK = frozenset(tuple(Weekday)[:5])


class BusinessCalendar(Value):
    """When people are at work, on the clocks of one time zone (an IANA name).

    `opens` and `closes` are local times of the same day, `closes` itself is outside. A local time that a
    clock change skips counts from the end of the gap, one that occurs twice from its first time.
    """

    time_zone: str = "UTC"
    opens: time = time(9)
    closes: time = time(17)
    workdays: frozenset[Weekday] = WORKING_WEEK
    holidays: frozenset[date] = frozenset()

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        zone(name)
        return name

    @field_serializer("workdays", "holidays", when_used="json")
    def _in_order(self, days: frozenset[Weekday] | frozenset[date]) -> list[str]:
        return sorted(
            map(str, days)
        )  # a set has no order: two processes would write one calendar differently

    @model_validator(mode="after")
    def _hours_make_sense(self) -> Self:
        if self.opens.tzinfo or self.closes.tzinfo:
            raise ValueError("opens and closes are local times: the time zone has a field of its own")
        if self.opens >= self.closes:
            raise ValueError(f"opens ({self.opens}) must be before closes ({self.closes})")
        if not self.workdays:
            raise ValueError("a business calendar needs a workday")
        return self

    def is_workday(self, day: date) -> bool:
        """Whether people work on this date."""
        return Weekday.of(day) in self.workdays and day not in self.holidays

    def next_business_day(self, after: datetime) -> datetime:
        """When business opens on the first workday after that moment's local date (aware UTC).

        The local date itself never counts, also early in the morning: "next" means another day.

        Raises:
            ValueError: the moment has no time zone.
        """
        return self._moment(self._next_workday(after), self.opens)

    def close_of_next_business_day(self, after: datetime) -> datetime:
        """When business closes on that workday (aware UTC).

        Raises:
            ValueError: the moment has no time zone.
        """
        return self._moment(self._next_workday(after), self.closes)

    def _next_workday(self, after: datetime) -> date:
        day = in_zone(after, self.time_zone).date() + timedelta(days=1)
        while not self.is_workday(day):
            day += timedelta(days=1)
        return day

    def _moment(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, tzinfo=zone(self.time_zone)).astimezone(UTC)
