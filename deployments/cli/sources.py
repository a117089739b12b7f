"""Where a command finds the incident store, the outside systems and Prefect.

A settings file (`--config`, else RUNBOOK_CONFIG, else ./runbook.toml) is enough by itself: incidents can be
read and the systems looked at while Prefect is down. Without one, the blocks in Prefect are used.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from deployments.cli.errors import CommandError, ExitCode, expected
from deployments.cli.output import warn
from deployments.cli.prefect_settings import chosen_prefect

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

    from blocks.environment import Environment
    from blocks.store.journal import IncidentStore
    from deployments.settings.settings import Settings
    from runbook.incidents.incident import Incident
    from runbook.policy.policy import Policy

DEFAULT_ENVIRONMENT = "default"

_told: set[str] = set()
"""Warnings that the person has read: a command may read its settings more than once."""


@dataclass(frozen=True)
class Sources:
    """The settings file of a command, if there is one, and the name of its environment."""

    config: Path | None
    environment: str | None

    def environment_name(self) -> str:
        """Whose blocks are meant: the option's word, else the settings file's.

        Raises:
            CommandError: the settings file has mistakes in it.
        """
        if self.environment is not None:
            return self.environment
        if self.config is not None:
            return read_settings(self.config, systems=False).prefect.environment
        return DEFAULT_ENVIRONMENT

    def environments(self) -> frozenset[str]:
        """Those whose incidents may be acted upon: the option's, else ours and those of `[services]`.

        Raises:
            CommandError: the settings file has mistakes in it.
        """
        from deployments.services.environments import named_by

        if self.environment is not None or self.config is None:
            return frozenset({self.environment_name()})
        settings = read_settings(self.config, systems=False)
        return named_by(settings.prefect.environment, settings.routing)

    def for_incident(self, incident: "Incident") -> "Sources":
        """The sources of an incident's environment, where it is one of `environments`; else these.

        Raises:
            CommandError: the settings file has mistakes in it.
        """
        if self.environment is None and incident.environment in self.environments():
            return replace(self, environment=incident.environment)
        return self

    def _kept_in_prefect(self) -> bool:
        """Whether the environment that is meant is another one than the settings file's, and named there."""
        if self.config is None:
            return True
        settings = read_settings(self.config, systems=False)
        return self.environment in settings.routing.elsewhere.values()

    def environment_of(self, service: str) -> str:
        """The other environment that a service belongs to by the settings file; empty for none.

        Raises:
            CommandError: the settings file has mistakes in it.
        """
        if self.config is None:
            return ""
        return read_settings(self.config, systems=False).routing.elsewhere.get(service, "")

    def work_pool(self) -> str:
        """The work pool of the settings file, else the one that is used without.

        Raises:
            CommandError: the settings file has mistakes in it.
        """
        from deployments.settings.settings import PrefectSettings

        if self.config is None:
            return PrefectSettings().work_pool
        return read_settings(self.config, systems=False).prefect.work_pool

    async def store(self) -> "IncidentStore":
        """The incident store.

        Raises:
            CommandError: there is none.
            Unavailable: Prefect, which knows where it is, cannot be reached.
        """
        if self.config is not None:
            from blocks.store.journal import IncidentStore

            settings = read_settings(self.config, systems=False)
            for line in settings.make_folders():
                warn(line)
            return IncidentStore(url=settings.store_url)
        name = self.environment_name()
        async with prefect_client(self.config):
            from blocks.store.block import IncidentStoreBlock

            try:
                block: IncidentStoreBlock = await IncidentStoreBlock.aload(name)
                return block.store
            except ValueError:  # Prefect's way to say that there is no such document
                raise _not_configured(name) from None

    async def policy(self) -> "Policy":
        """The rules' configuration.

        Raises:
            CommandError: there is none.
            Unavailable: Prefect, which has it, cannot be reached.
        """
        if self.config is not None and not self._kept_in_prefect():
            return read_settings(self.config, systems=False).policy
        from blocks.policy import RunbookPolicy

        name = self.environment_name()
        async with self._prefect_of(name):
            try:
                block: RunbookPolicy = await RunbookPolicy.aload(name)
            except ValueError:  # Prefect's way to say that there is no such document
                raise _not_configured(name) from None
        return block.policy

    async def systems(self) -> "Environment":
        """All outside systems.

        Raises:
            CommandError: they are not configured.
            Unavailable: Prefect, which knows where they are, cannot be reached.
        """
        from blocks.environment import Environment
        from blocks.transport.errors import Refused
        from deployments.prefect.configure import blocks

        if self.config is not None and not self._kept_in_prefect():
            settings = read_settings(self.config)
            return Environment.of(self.environment or settings.prefect.environment, blocks(settings))
        name = self.environment_name()
        async with self._prefect_of(name):
            try:
                return await Environment.load(name)
            except Refused:
                raise _not_configured(name) from None

    @asynccontextmanager
    async def _prefect_of(self, environment: str) -> AsyncIterator[None]:
        """Prefect, which keeps that environment; whoever has its own settings file can do without."""
        from blocks.transport.errors import Unavailable

        reached = False
        try:
            async with prefect_client(self.config):
                reached = True
                yield
        except (CommandError, Unavailable) as error:
            if self.config is None or (reached and isinstance(error, CommandError)):
                raise
            known = expected(error) or CommandError(str(error))
            raise CommandError(
                f"the settings of environment {environment!r} are in Prefect: {known.problem}",
                f"{known.next_step or 'try again'}, or give --config with the settings file of {environment}",
                code=known.code,
            ) from None

    def settings_warnings(self) -> list[str]:
        """What a person should see to about the settings file: the caller tells it.

        Raises:
            CommandError: the settings file has mistakes in it.
        """
        lines = _loaded(self.config, systems=True).warning_lines() if self.config is not None else []
        _told.update(lines)
        return lines


def find_sources(config: Path | None, environment: str | None) -> Sources:
    """Where this command looks: the file that is named or found, else the blocks in Prefect."""
    from deployments.settings.settings import find_config

    return Sources(config=find_config(config), environment=environment)


def read_settings(path: Path, *, systems: bool = True) -> "Settings":
    """Read a settings file, and tell once what a person should see to about it.

    Raises:
        CommandError: it cannot be read, or has mistakes in it; one line for each.
    """
    settings = _loaded(path, systems=systems)
    for line in settings.warning_lines():
        if line not in _told:
            _told.add(line)
            warn(line)
    return settings


def _loaded(path: Path, *, systems: bool) -> "Settings":
    from deployments.settings.settings import ConfigurationError, load_settings

    try:
        return load_settings(path, systems=systems)
    except ConfigurationError as error:
        raise CommandError(str(error), code=ExitCode.USAGE) from None


@asynccontextmanager
async def prefect_client(config: Path | None = None) -> AsyncIterator["PrefectClient"]:
    """A client of the Prefect server that is meant, see `chosen_prefect`.

    Raises:
        CommandError: no server is named; Prefect would start one of its own, which knows no incident.
        Unavailable: it cannot be reached.
        Refused: it refused.
    """
    with chosen_prefect(config):
        from blocks.transport import prefect_api  # with Prefect, which an error need not wait for

        async with prefect_api.prefect_client() as client:
            yield client


def _not_configured(environment: str) -> CommandError:
    return CommandError(
        f"environment {environment!r} is not configured in Prefect",
        "run `runbook configure FILE` or give --config FILE",
        code=ExitCode.USAGE,
    )
