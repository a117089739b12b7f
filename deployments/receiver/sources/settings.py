"""What the sections `[receiver.<source>]` have in common; the rest of each is in the file of its source."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from runbook.alerts.sources.reading import service_name

Secret = Annotated[SecretStr, Field(min_length=16)]
"""A secret that nobody guesses."""

HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]

ServiceName = Annotated[str, AfterValidator(service_name)]
"""The name of a service, as incidents have it."""


class SourceSettings(BaseModel):
    """What all sources have. `service` is the service of alerts that name none.

    A source without a credential is closed. Where it has several, each of them is enough by itself.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: ServiceName | None = None


class ClientHeader(BaseModel):
    """A header that the proxy sets for callers with a valid client certificate, and takes from all others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: HeaderName
    value: Secret


class IdentityHeader(BaseModel):
    """The header in which a proxy names whom it has logged in, and the one that proves that it is the proxy.

    The proxy has to take both from all callers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: HeaderName
    proof: ClientHeader
