"""Sections `[services."NAME"]`: which environment a service belongs to, and so which target is acted on."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from deployments.receiver.sources.settings import ServiceName
from deployments.settings.checks import Mistake, mistakes_of, shown, unknown_keys
from deployments.settings.file import SectionsCheck
from runbook.alerts.unrouted import Routing
from runbook.outside_text import let_in_line
from runbook.policy.service_policy import MAX_PUBLIC_TITLE

EnvironmentName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
SECTION = "services"

_NAME = TypeAdapter(ServiceName)


class ServiceSettings(BaseModel):
    """Section `[services."NAME"]`. `environment` is the name that `runbook configure` saves it under.

    `public_title` is how the public status page calls the service, as `Checkout`; without one it is our
    PostHog integration.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    environment: EnvironmentName
    public_title: str = Field(default="", max_length=MAX_PUBLIC_TITLE)

    @field_validator("public_title")
    @classmethod
    def _may_be_published(cls, title: str) -> str:
        if title != let_in_line(title, MAX_PUBLIC_TITLE).strip():
            raise ValueError(
                "has line breaks, control characters or spaces around it, or looks like a secret"
            )
        return title


class ServicesSettings(BaseModel):
    """Section `[services]`: a table for each service, by its name."""

    model_config = ConfigDict(extra="allow", frozen=True)


def check_services(
    check: SectionsCheck, environment: str, known_services: tuple[str, ...], own_service: str
) -> Routing:
    """What `[services]` and `[receiver] known_services` say of an environment; notes what is wrong with it.

    `own_service` is whose alerts those are that name none.
    """
    tables = check.tables.get(SECTION)
    if not tables:
        return Routing(known=frozenset(known_services))
    if not isinstance(tables, dict):
        check.mistakes.append(Mistake(SECTION, "not a section", 'write [services."NAME"] and its keys below'))
        return Routing()
    services, mistakes = _services(tables)
    found = {name: service.environment for name, service in services.items()}
    for name in known_services:
        if found.get(name, environment) != environment:
            cause = f'the service is among [receiver] known_services, and belongs to "{found[name]}"'
            mistakes.append(Mistake(f"{SECTION}.{shown(name)}.environment", cause, "keep one of the two"))
    known = {*known_services, *(name for name, where in found.items() if where == environment)}
    elsewhere = {name: where for name, where in found.items() if where != environment}
    if not mistakes and own_service not in known:
        cause = f"[policy] service is {own_service}, which does not belong to this environment"
        advice = f'add [services."{own_service}"] with environment = "{environment}"'
        mistakes.append(Mistake(SECTION, cause, advice))
    check.mistakes += mistakes
    return Routing(known=frozenset(known), elsewhere=elsewhere, setting="[services]")


def public_titles(check: SectionsCheck) -> dict[str, str]:
    """How the public status page calls services, where `[services]` says so; mistakes are noted elsewhere."""
    tables = check.tables.get(SECTION)
    services, _ = _services(tables) if isinstance(tables, dict) else ({}, [])
    return {name: service.public_title for name, service in services.items() if service.public_title}


def _services(tables: Mapping[str, Any]) -> tuple[dict[str, ServiceSettings], list[Mistake]]:
    found: dict[str, ServiceSettings] = {}
    mistakes: list[Mistake] = []
    for name, table in tables.items():
        at = f"{SECTION}.{shown(name)}"
        if not isinstance(table, dict):
            mistakes.append(Mistake(at, "not a table", f"write [{at}] and its keys below"))
            continue
        if wrong := unknown_keys(table, ServiceSettings, at=at):
            mistakes += wrong
            continue
        try:
            found[_NAME.validate_python(name)] = ServiceSettings.model_validate(table)
        except ValidationError as error:
            mistakes += mistakes_of(error, section=at)
    return found, mistakes
