"""Who hosts our public page: the client of each provider, made from the same settings."""

from typing import Literal

from pydantic import SecretStr

from blocks.channels.incident_io import IncidentIoApi
from blocks.channels.publishing import Connection, OurPage, Provider
from blocks.channels.statuspage import StatuspageApi

ProviderName = Literal["statuspage", "incident_io"]

_PROVIDERS = {
    "statuspage": ("Statuspage", "https://api.statuspage.io/v1", "OAuth"),
    "incident_io": ("incident.io", "https://api.incident.io", "Bearer"),
}
"""Name, address and authorization scheme of each."""


def provider_at(
    name: ProviderName, page: OurPage, *, base_url: str | None, api_key: SecretStr, timeout_seconds: float
) -> Provider:
    """The client for a page; without a `base_url`, at the provider's own address."""
    system, own_url, scheme = _PROVIDERS[name]
    connection = Connection(
        system, base_url or own_url, scheme=scheme, api_key=api_key, timeout_seconds=timeout_seconds
    )
    return StatuspageApi(connection, page) if name == "statuspage" else IncidentIoApi(connection, page)
