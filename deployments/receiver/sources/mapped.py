"""Sections `[receiver.plain]` and `[receiver.mapped.NAME]`: JSON of any form, read by a mapping.

`format` names a mapping that comes with the runbook, and `mapping` is one of one's own, or changes single
fields of that one. A section `[receiver.mapped.NAME]` has the path `/alerts/mapped/NAME`.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator

from deployments.receiver.sources.credentials import (
    BasicPassword,
    Call,
    Credential,
    Verified,
    header_bytes,
    hex_hmac,
    is_one_of,
    secret_bytes,
    tokens,
)
from deployments.receiver.sources.settings import HeaderName, Secret, SourceSettings
from runbook.alerts.alert import Alert
from runbook.alerts.mapping.formats import FORMATS
from runbook.alerts.mapping.mapping import AlertMapping
from runbook.alerts.mapping.sns import ConfirmationWanted, require_no_confirmation
from runbook.alerts.mapping.translating import paths_of, translate_by
from runbook.alerts.sources import SELF_WATCH, SOURCES, Source, UnreadablePayload, plain
from runbook.alerts.sources.reading import first_mistake
from runbook.incidents.incident import PERSON
from runbook.policy.settings_tables import Unfit

Format = Literal["uptime-kuma", "cloudwatch", "sentry", "datadog", "new-relic", "zabbix", "opsgenie"]
SIGNATURE_PREFIX = b"sha256="
"""What some senders write before a signature, as GitHub does."""


class MappedSettings(SourceSettings):
    """Sections `[receiver.plain]` and `[receiver.mapped.NAME]`: how alerts are read, and who may send them.

    A sender shows the token, or the user and password that can be part of an address, or signs the body: the
    hex HMAC-SHA256 with `secret` in `signature_header`.
    """

    format: Format | None = None
    mapping: AlertMapping | None = None
    token: Secret | None = None
    username: str = ""
    password: Secret | None = None
    secret: Secret | None = None
    signature_header: HeaderName = Field(default="Sentry-Hook-Signature")

    @model_validator(mode="after")
    def _whole_password(self) -> Self:
        if bool(self.username) != (self.password is not None):
            raise ValueError("set both username and password")
        return self

    @model_validator(mode="after")
    def _readable(self) -> Self:
        """A mapping that contradicts its format is told at the start, and not when an alert comes."""
        try:
            _ = self.reads_by
        except ValidationError as error:
            raise ValueError(first_mistake(error).partition(": ")[2]) from None
        return self

    @property
    def reads_by(self) -> AlertMapping | None:
        """The mapping: one's own over the one of the format."""
        base = FORMATS[self.format] if self.format else None
        if self.mapping is None or base is None:
            return self.mapping or base
        return self.mapping.over(base)


@dataclass(frozen=True)
class HexSignature:
    """The hex HMAC-SHA256 of the body, with or without `sha256=` before it. No time is signed."""

    header: str
    secret: bytes = field(repr=False)
    reads_body = True

    def verify(self, call: Call) -> Verified | None:
        """Whether the signature is the body's."""
        given = header_bytes(call.headers, self.header).lower().removeprefix(SIGNATURE_PREFIX)
        return Verified() if is_one_of(given, [hex_hmac(self.secret, call.body)]) else None


def credentials(own: MappedSettings, shared: SecretStr | None) -> list[Credential]:
    """What its own section has, or else the token that several sources share."""
    found = tokens(own.token)
    if own.password is not None:
        found.append(BasicPassword(own.username, secret_bytes(own.password)))
    if own.secret is not None:
        found.append(HexSignature(own.signature_header, secret_bytes(own.secret)))
    return found or tokens(shared)


def mapped_source(name: str, own: MappedSettings) -> Source:
    """The source of a section `[receiver.mapped.NAME]`."""
    title = f"{name} ({own.format})" if own.format and own.format != name else name
    mapping = own.reads_by or AlertMapping()
    reads = partial(_translate, mapping, name)
    return Source(name=name, title=title, translate=reads, paths=paths_of(mapping), first_counts=True)


def plain_source(own: MappedSettings) -> Source:
    """The source `plain`, with its mapping if it has one. What that cannot read may be a plain alert."""
    source = SOURCES["plain"]
    if own.reads_by is None:
        return source
    told = {
        field: (*paths_of(own.reads_by).get(field, ()), *source.paths.get(field, ()))
        for field in {**paths_of(own.reads_by), **source.paths}
    }
    reads = partial(_translate_or_plain, own.reads_by)
    return source.model_copy(update={"translate": reads, "paths": told, "first_counts": True})


def _translate(mapping: AlertMapping, source: str, payload: Any, default_service: str) -> list[Alert]:
    require_no_confirmation(payload)
    return translate_by(mapping, payload, default_service, source=source)


def _translate_or_plain(mapping: AlertMapping, payload: Any, default_service: str) -> list[Alert]:
    try:
        return _translate(mapping, "plain", payload, default_service)
    except ConfirmationWanted:
        raise
    except UnreadablePayload as why:
        try:
            return plain.translate(payload, default_service)
        except UnreadablePayload:
            raise why from None


def require_free_name(name: str) -> None:
    """Do nothing if a section `[receiver.mapped.NAME]` may have that name.

    Raises:
        Unfit: another source has it: its alerts would pass as that one's, or as a person's response.
    """
    if name in SOURCES or name in (SELF_WATCH.name, PERSON, "mapped"):
        raise Unfit(f"{name} is the name of another source", "take another")
