"""What an address is shown so that it answers: headers, a bearer token, or a user with a password.

They go to the host that they are set for and to no other: not to a mirror or a backup elsewhere, and not to
where a redirect leads (`blocks/transport/http.py`).

The tables are `SecretDict`s since Prefect masks these as a whole in its API and UI. A `dict[str, SecretStr]`
or a list of models is encrypted too, but answered with its values.
"""

import base64
from abc import abstractmethod
from collections.abc import Iterator
from typing import Annotated, Any, Self

import httpx
from prefect.types import SecretDict
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from runbook.policy.settings_tables import HeaderValues, TablesOf
from runbook.transport.credential_names import names_credential
from runbook.transport.request_headers import header_mistake, secrets_in_header

_SECRET = "secret"  # noqa: S105  a key


def _header_table(given: object) -> SecretDict:
    """The headers as they are saved: `{name: text}`, and `{name: {"secret": text}}` where that is one.

    So it stays known that the name of a tenant is no secret: masked, it would be missing in all evidence.
    """
    table = given.get_secret_value() if isinstance(given, SecretDict) else given
    if not isinstance(table, dict):
        raise ValueError("not a table of headers")
    saved: dict[str, Any] = {}
    for name, value in table.items():
        inner = value.get(_SECRET) if isinstance(value, dict) and len(value) == 1 else value
        text = inner.get_secret_value() if isinstance(inner, SecretStr) else inner
        if not isinstance(text, str):
            raise ValueError("a header's value is neither text nor a reference to a secret")
        if mistake := header_mistake(name, text):
            raise ValueError(f"one of the headers {mistake}")
        saved[name] = text if value is text and not names_credential(name) else {_SECRET: text}
    if len({name.lower() for name in saved}) < len(saved):
        raise ValueError("a header is set twice")
    return SecretDict(saved)


HeaderTable = Annotated[SecretDict, HeaderValues(), BeforeValidator(_header_table)]


def _nothing() -> SecretDict:
    return SecretDict({})


class Credentials(BaseModel):
    """What is shown to one host."""

    model_config = ConfigDict(hide_input_in_errors=True)

    headers: HeaderTable = Field(
        default_factory=_nothing,
        title="Headers",
        description='Sent with each request, such as {"X-Scope-OrgID": "tenant"}. '
        'A secret is written as {"Authorization": {"secret": "…"}}.',
    )
    bearer_token: SecretStr | None = Field(
        default=None, title="Bearer token", description="Token for a server that asks for one."
    )
    username: str = Field(
        default="", title="User", description="User for basic authentication; needs the password, too."
    )
    password: SecretStr | None = Field(
        default=None, title="Password", description="Password of basic authentication."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.username) != (self.password is not None):
            raise ValueError("set both username and password")
        if ":" in self.username:
            raise ValueError("a username must not contain a colon (RFC 7617)")
        if self.bearer_token and header_mistake("Authorization", self.bearer_token.get_secret_value()):
            raise ValueError("bearer_token has characters that a header must not have")
        header = any(name.lower() == "authorization" for name in self.headers.get_secret_value())
        if sum((header, self.bearer_token is not None, self.password is not None)) > 1:
            raise ValueError("set only one of bearer_token, password and the header Authorization")
        return self

    def request_headers(self) -> dict[str, str]:
        """The headers that show them."""
        headers = {name: text for name, text, _ in self._headers()}
        if self.bearer_token is not None:
            headers["Authorization"] = f"Bearer {self.bearer_token.get_secret_value()}"
        if self.password is not None:
            headers["Authorization"] = f"Basic {base64.b64encode(self._pair().encode()).decode()}"
        return headers

    def secret_values(self) -> list[str]:
        """Everything that no text may show."""
        found = [part for _, text, secret in self._headers() if secret for part in secrets_in_header(text)]
        if self.bearer_token is not None:
            found.append(self.bearer_token.get_secret_value())
        if self.password is not None:
            found += [self.password.get_secret_value(), self._pair()]
        return found

    def _headers(self) -> Iterator[tuple[str, str, bool]]:
        """Each header with its value, and whether that is a secret."""
        for name, value in self.headers.get_secret_value().items():
            yield name, value[_SECRET] if isinstance(value, dict) else value, isinstance(value, dict)

    def _pair(self) -> str:
        return f"{self.username}:{self.password.get_secret_value() if self.password else ''}"


class HostCredentials(Credentials):
    """What another host is shown."""

    model_config = ConfigDict(extra="forbid")


def _host_table(given: object) -> SecretDict:
    """The credentials of each host as they are saved, in plain JSON."""
    table = given.get_secret_value() if isinstance(given, SecretDict) else given
    if not isinstance(table, dict):
        raise ValueError("not a table of hosts")
    saved = {}
    for address, values in table.items():
        try:
            own = HostCredentials.model_validate(values)
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
        saved[origin_of(address)] = {
            "headers": own.headers.get_secret_value(),
            "bearer_token": own.bearer_token.get_secret_value() if own.bearer_token else None,
            "username": own.username,
            "password": own.password.get_secret_value() if own.password else None,
        }
    if len(saved) < len(table):
        raise ValueError("a host is set twice")
    return SecretDict(saved)


HostTable = Annotated[SecretDict, TablesOf(HostCredentials), BeforeValidator(_host_table)]


class CredentialsByHost(Credentials):
    """Credentials for an address and for others that stand in for it."""

    credentials: HostTable = Field(
        default_factory=_nothing,
        title="Credentials of other hosts",
        description="By address: the credentials for the other servers that are not on the first one's host.",
    )

    @abstractmethod
    def addresses(self) -> tuple[str, ...]:
        """All addresses, the one that the section's own credentials are for first."""

    @model_validator(mode="after")
    def _of_known_hosts(self) -> Self:
        first, *others = map(origin_of, self.addresses())
        named = self.credentials.get_secret_value()
        if named.keys() - set(others) or first in named:
            raise ValueError(
                "credentials are for the other servers' addresses, on other hosts than the url's"
            )
        return self

    def credentials_for(self, address: str) -> Credentials:
        """What this address is shown: nothing where it is on a host that nothing is set for."""
        origin = origin_of(address)
        if origin == origin_of(self.addresses()[0]):
            return self
        return HostCredentials.model_validate(self.credentials.get_secret_value().get(origin, {}))

    def hosts_shown_nothing(self) -> list[str]:
        """The other hosts without even an empty table of their own, if the first one is shown something."""
        first, *others = map(origin_of, self.addresses())
        named = {first, "", *self.credentials.get_secret_value()}
        return [host for host in dict.fromkeys(others) if host not in named] if self.request_headers() else []

    def secret_values(self) -> list[str]:
        """Everything that no text may show, of all hosts."""
        hosts = self.credentials.get_secret_value().values()
        others = [HostCredentials.model_validate(values).secret_values() for values in hosts]
        return [*super().secret_values(), *(value for values in others for value in values)]


def origin_of(address: str) -> str:
    """Scheme, host and port, which together make the host that a credential is for; empty without them."""
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        return ""
    return f"{url.scheme}://{url.netloc.decode()}" if url.host else ""
