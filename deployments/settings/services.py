"""Sections `[services."NAME"]`: which environment a service belongs to, and so which target is acted on."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from deployments.receiver.sources.settings import ServiceName
from deployments.settings.checks import Mistake, mistakes_of, shown, unknown_keys
from deployments.settings.file import SectionsCheck
from runbook.alerts.unrouted import Routing

EnvironmentName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
SECTION = "services"

_NAME = TypeAdapter(ServiceName)


class ServiceSettings(BaseModel):
    """Section `[services."NAME"]`. `environment` is the name that `runbook configure` saves it under."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    environment: EnvironmentName


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
    found, mistakes = _environments(tables)
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


def _environments(tables: Mapping[str, Any]) -> tuple[dict[str, str], list[Mistake]]:
    found: dict[str, str] = {}
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
            found[_NAME.validate_python(name)] = ServiceSettings.model_validate(table).environment
        except ValidationError as error:
            mistakes += mistakes_of(error, section=at)
    return found, mistakes
