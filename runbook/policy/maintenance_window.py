"""Work that was announced: what breaks meanwhile was to be expected."""

from datetime import datetime

from pydantic import AwareDatetime, Field, model_validator

from runbook.value import Value


class MaintenanceWindow(Value):
    """Work that was announced: what breaks meanwhile was to be expected."""

    title: str = Field(title="Title", description="What is being done.")
    starts: AwareDatetime = Field(title="Starts", description="With its offset: 2026-12-24T22:00:00+01:00.")
    ends: AwareDatetime = Field(title="Ends", description="With its offset; it ends at that time.")
    services: tuple[str, ...] = Field(
        default=(), title="Services", description="The affected services; empty means all."
    )
    suppress_paging: bool = Field(
        default=False,
        title="Suppress paging",
        description="Whether nobody is paged for the opening of an incident; it is recorded anyway.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> "MaintenanceWindow":
        if self.ends <= self.starts:
            raise ValueError("it ends before it starts")
        return self

    def covers(self, service: str, at: datetime) -> bool:
        """Whether the service is under maintenance at that time (aware)."""
        return self.starts <= at < self.ends and (not self.services or service in self.services)
