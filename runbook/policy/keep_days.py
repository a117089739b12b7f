"""How long the journals and the evidence of incidents that have ended are kept."""

from datetime import timedelta

from pydantic import Field, model_validator

from runbook.value import Value


class KeepDays(Value):
    """Days from an incident's end; 0 keeps for ever. An incident is removed together with its evidence."""

    incidents: int = Field(
        default=0,
        ge=0,
        title="Incidents",
        description=(
            "After this many days a closed incident is removed with its evidence; 0 keeps it forever."
        ),
    )
    evidence: int = Field(
        default=0,
        ge=0,
        title="Evidence",
        description="After this many days its evidence is removed; 0 keeps it for as long as the incident.",
    )

    @model_validator(mode="after")
    def _evidence_goes_first(self) -> "KeepDays":
        if 0 < self.incidents < self.evidence:
            raise ValueError(
                "evidence cannot be kept longer than its incident, because the incident's journal "
                "says where it is"
            )
        return self

    @property
    def shortest(self) -> timedelta | None:
        """After how long something of an incident is removed at the earliest; `None`: nothing ever is."""
        days = [days for days in (self.incidents, self.evidence) if days]
        return timedelta(days=min(days)) if days else None
