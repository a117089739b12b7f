"""How a source of alerts proves where a request comes from: a value in the file of each source."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import SecretStr

from deployments.receiver.sources.credentials import Credential
from deployments.receiver.sources.settings import SourceSettings
from runbook.alerts.sources import Source

SettingsT = TypeVar("SettingsT", bound=SourceSettings)


@dataclass(frozen=True)
class SourceProof(Generic[SettingsT]):
    """What the receiver has to know of a source besides how its alerts are read.

    `settings` is the model of its section. `credentials` makes of its settings, and of the token that several
    sources share, all that proves; an empty list closes the source. `how` and `payload` tell people of both
    on the receiver's page; `payload` is a JSON schema.
    """

    source: Source
    settings: type[SettingsT]
    credentials: Callable[[SettingsT, SecretStr | None], list[Credential]]
    how: str
    payload: dict[str, Any]

    @property
    def section(self) -> str:
        """The name of its table in `[receiver]`."""
        return self.source.name.replace("-", "_")
