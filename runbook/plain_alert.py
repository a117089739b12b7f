"""The receiver's own alert format: what any script can send with one POST of plain JSON."""

from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, StringConstraints, ValidationError

from runbook.alert import Alert, AlertStatus
from runbook.alertmanager import UnreadablePayload, claimed_severity, first_mistake, service_name

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_ServiceName = Annotated[str, AfterValidator(service_name)]


class PlainAlert(BaseModel):
    """One alert. `severity` is P1 to P4, or critical, error, warning, info; `labels` are kept as they come.

    `fingerprint` is the sender's identity of the alert: the same one is the same alert again.
    """

    service: _ServiceName
    name: _Text
    summary: _Text
    severity: str | None = None
    status: AlertStatus = AlertStatus.FIRING
    fingerprint: str = ""
    starts_at: AwareDatetime | None = None
    url: str = ""
    labels: dict[str, str] = {}


def plain_alert(payload: Any, *, source: str = "http") -> Alert:
    """Read an alert; fields that are not ours are tolerated.

    Raises:
        UnreadablePayload: a field is missing or of the wrong type; the text names it.
    """
    try:
        sent = PlainAlert.model_validate(payload)
    except ValidationError as error:
        raise UnreadablePayload(first_mistake(error)) from None
    return Alert(
        source=source,
        **sent.model_dump(exclude={"severity"}),
        severity=claimed_severity(sent.severity),
    )
