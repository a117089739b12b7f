"""Settings: one TOML file with a section per outside system, checked as a whole before anything starts.

A section's keys are the fields of its block, so that a setting is defined in one place. Secrets never stand
in the file: it names the environment variable or the file that holds each one. `runbook.example.toml`
explains every key.
"""

import logging
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from deployments.settings_checks import Mistake, mistakes_of, resolved, unknown, unknown_keys
from deployments.source_settings import (
    AlertmanagerSettings,
    GrafanaSettings,
    IncidentIoSettings,
    PagerDutySettings,
    PlainSettings,
    ServiceName,
    SourceSettings,
)
from runbook.policy import Policy

CONFIG_VARIABLE = "RUNBOOK_CONFIG"
DEFAULT_CONFIG = Path("runbook.toml")
DRIVERS = ("sqlite+aiosqlite", "postgresql+psycopg")

log = logging.getLogger("runbook.settings")

ModelT = TypeVar("ModelT", bound=BaseModel)


class ConfigurationError(Exception):
    """The settings cannot be used. A line per mistake: the file, the key, the cause and what to do."""

    def __init__(self, origin: Path, mistakes: list[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(f"{origin}: {mistake}" for mistake in mistakes))


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PrefectSettings(_Section):
    """Section `[prefect]`: how the runbook shows up in Prefect. What is `_every` is in seconds."""

    environment: str = Field(default="default", pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
    work_pool: str = Field(default="runbook", min_length=1)
    collect_evidence_every: int = Field(default=300, ge=10)
    remind_every: int = Field(default=60, ge=10)
    watchdog_every: int = Field(default=60, ge=10)
    clean_up_every: int = Field(default=86400, ge=10)

    @property
    def intervals(self) -> dict[str, int]:
        """Seconds from run to run, by the name of the deployment that runs on a schedule."""
        return {
            "collect-evidence": self.collect_evidence_every,
            "remind": self.remind_every,
            "watchdog": self.watchdog_every,
            "clean-up": self.clean_up_every,
        }


class ReceiverSettings(_Section):
    """Section `[receiver]`: where alerts come in, and who may send them.

    `token` is for Alertmanager, Grafana and plain alerts where their own sections have no credential.
    `services` are our names of services by the senders' names.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8181, ge=0, le=65535)
    token: SecretStr | None = Field(default=None, min_length=16)
    max_body_bytes: int = Field(default=1024 * 1024, ge=1024)
    max_connections: int = Field(default=512, ge=16)
    flapping_episodes: int = Field(default=5, ge=1)
    services: dict[str, ServiceName] = {}
    alertmanager: AlertmanagerSettings = AlertmanagerSettings()
    grafana: GrafanaSettings = GrafanaSettings()
    pagerduty: PagerDutySettings = PagerDutySettings()
    incident_io: IncidentIoSettings = IncidentIoSettings()
    plain: PlainSettings = PlainSettings()
    self_watch: PlainSettings = PlainSettings()

    @property
    def url(self) -> str:
        """Where it is asked on its own machine; empty where its port is not known before it listens."""
        return f"http://{reachable(self.host)}:{self.port}" if self.port else ""

    @property
    def self_watch_token(self) -> SecretStr | None:
        """What the self-watch shows."""
        return self.self_watch.token or self.token

    def default_service(self, source: str) -> str:
        """Our name of the service whose alerts come from that source where they name none; else empty."""
        own: SourceSettings = getattr(self, source.replace("-", "_"))
        return own.service or ""

    def service_here(self, name: str) -> str:
        """Our name of the service that a source calls by that name."""
        return self.services.get(name, name)


def reachable(host: str) -> str:
    """The host in a URL for what listens on that address of this machine."""
    known = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared only
    return f"[{known}]" if ":" in known else known


class SelfWatchSettings(_Section):
    """Section `[self_watch]`: how the runbook tries itself every so many seconds; without it, it does not."""

    every: int = Field(default=300, ge=10)
    receiver_url: str = ""
    ping_url: SecretStr | None = None
    alertmanager_url: SecretStr | None = None


class StoreSettings(_Section):
    """Section `[store]`: where the incidents are kept. A relative SQLite path is relative to the file."""

    url: SecretStr = Field(default=SecretStr("sqlite+aiosqlite:///.runbook/incidents.db"))

    def url_seen_from(self, folder: Path) -> SecretStr:
        """The address with an absolute path.

        Raises:
            ValueError: it is no database URL, or its driver is none of ours; the text holds no password.
        """
        try:
            url = make_url(self.url.get_secret_value())
        except ArgumentError:
            raise ValueError("not a database URL") from None
        if url.drivername not in DRIVERS:
            raise ValueError(f"the driver is none of {', '.join(DRIVERS)}")
        if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
            url = url.set(database=str(folder / Path(url.database).expanduser()))
        return SecretStr(url.render_as_string(hide_password=False))


class EvidenceSettings(_Section):
    """Section `[evidence]`: where the evidence is kept."""

    folder: Path = Path(".runbook/evidence")


@dataclass(frozen=True)
class Settings:
    """Checked settings. `systems` holds the values of each outside system's section, ready for its block.

    `self_watch` is there where its section is; it knows its receiver then, and that has a token.
    """

    origin: Path
    prefect: PrefectSettings
    receiver: ReceiverSettings
    store_url: SecretStr
    evidence_folder: Path
    policy: Policy
    systems: Mapping[str, Mapping[str, Any]] = field(repr=False)
    self_watch: SelfWatchSettings | None = None

    @property
    def intervals(self) -> dict[str, int]:
        """Seconds from run to run, by the name of the deployment that runs on a schedule.

        Without its section the self-watch runs as well, and says that it is off: as with `prefect deploy`.
        """
        own = self.self_watch or SelfWatchSettings()
        return {**self.prefect.intervals, "self-watch": own.every}

    def make_folders(self) -> None:
        """Make the folders of an SQLite store and of the evidence, readable by their owner only.

        Without the latter all goes on but the files: each that is not written is told then, see
        `tasks.unwritten`.

        Raises:
            OSError: there can be no folder for the store.
        """
        url = make_url(self.store_url.get_secret_value())
        if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
            Path(url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self.evidence_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            log.warning("There is no folder for the evidence: %s", error)


def find_config(given: Path | None = None) -> Path | None:
    """The settings file: the given one, else `RUNBOOK_CONFIG`, else `runbook.toml` here, else None."""
    if given is not None:
        return given
    if named := os.environ.get(CONFIG_VARIABLE):
        return Path(named)
    return DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None


def load_settings(path: Path, *, systems: bool = True) -> Settings:
    """Read and check a settings file; without `systems`, leave the outside systems' sections unread.

    Checking those imports the systems' clients, which takes a second that the receiver need not wait.

    Raises:
        ConfigurationError: the file cannot be read, or something in it is wrong; every mistake is named.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        advice = "copy deployments/runbook.example.toml there and fill it in"
        raise ConfigurationError(path, [Mistake("", "there is no such file", advice)]) from None
    except OSError as error:
        raise ConfigurationError(path, [Mistake("", str(error.strerror), "make it readable")]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(path, [Mistake("", f"not TOML: {error}", "correct that line")]) from None
    return check_settings(tables, origin=path, systems=systems)


def check_settings(tables: Mapping[str, Any], *, origin: Path, systems: bool = True) -> Settings:
    """Check the tables of a settings file. Relative paths are relative to the folder of `origin`.

    Raises:
        ConfigurationError: every mistake is named.
    """
    check = _Check(tables, origin)
    prefect = check.section("prefect", PrefectSettings)
    receiver = check.section("receiver", ReceiverSettings)
    store = check.section("store", StoreSettings)
    evidence = check.section("evidence", EvidenceSettings)
    policy = check.section("policy", Policy)
    self_watch = check.self_watch(receiver) if "self_watch" in tables else None
    values = check.systems() if systems else {}
    if check.mistakes or not (prefect and receiver and store and evidence and policy):
        raise ConfigurationError(origin, check.mistakes)
    try:
        url = store.url_seen_from(check.folder)
    except ValueError as error:
        advice = "write sqlite+aiosqlite:///path or postgresql+psycopg://host/database"
        raise ConfigurationError(origin, [Mistake("store.url", str(error), advice)]) from None
    return Settings(
        origin=origin,
        prefect=prefect,
        receiver=receiver,
        store_url=url,
        evidence_folder=check.folder / evidence.folder,
        policy=policy,
        systems=values,
        self_watch=self_watch,
    )


def sections() -> dict[str, type[BaseModel]]:
    """The model of each section, by the section's name."""
    return _OWN | _system_types()


_OWN: dict[str, type[BaseModel]] = {
    "prefect": PrefectSettings,
    "receiver": ReceiverSettings,
    "store": StoreSettings,
    "evidence": EvidenceSettings,
    "policy": Policy,
    "self_watch": SelfWatchSettings,
}


def _system_types() -> dict[str, type[BaseModel]]:
    from blocks.environment import block_types

    return {name: kind for name, kind in block_types().items() if name not in (*_OWN, "runbook_policy")}


class _Check:
    """Collects the mistakes of one file, so that all are told at once."""

    def __init__(self, tables: Mapping[str, Any], origin: Path) -> None:
        self.tables = tables
        self.folder = origin.absolute().parent
        self.mistakes: list[Mistake] = []

    def section(self, name: str, kind: type[ModelT]) -> ModelT | None:
        """The section as its model; None where it has a mistake."""
        table = self.tables.get(name, {})
        if not isinstance(table, dict):
            self.mistakes.append(Mistake(name, "not a section", f"write [{name}] and its keys below"))
            return None
        values, mistakes = resolved(table, kind, section=name, folder=self.folder)
        mistakes += unknown_keys(table, kind, at=name)
        if not mistakes:
            try:
                return kind.model_validate(values)
            except ValidationError as error:
                mistakes = mistakes_of(error, section=name)
        self.mistakes += mistakes
        return None

    def self_watch(self, receiver: ReceiverSettings | None) -> SelfWatchSettings | None:
        """The section, with the address of the receiver; None where one of the two has a mistake."""
        own = self.section("self_watch", SelfWatchSettings)
        if own is None or receiver is None:
            return None
        if not own.receiver_url and not receiver.url:
            cause = "missing, and [receiver] port is 0"
            self.mistakes.append(Mistake("self_watch.receiver_url", cause, "set one of them"))
        if receiver.self_watch_token is None:
            cause = "missing, and [receiver] has no token either"
            self.mistakes.append(Mistake("receiver.self_watch.token", cause, "set one of them"))
        return own.model_copy(update={"receiver_url": own.receiver_url or receiver.url})

    def systems(self) -> dict[str, dict[str, Any]]:
        """The values of each outside system's section; systems that a team may not have can be absent."""
        from blocks.environment import OPTIONAL

        kinds = _system_types()
        known = _OWN | kinds
        self.mistakes += [unknown(name, "section", known) for name in self.tables if name not in known]
        wanted = [name for name in kinds if name in self.tables or name not in OPTIONAL]
        return {
            name: dict(block) for name in wanted if (block := self.section(name, kinds[name])) is not None
        }
