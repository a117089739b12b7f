"""Settings: one TOML file with a section per outside system, checked as a whole before anything starts.

A section's keys are the fields of its block, so that a setting is defined in one place. Secrets never stand
in the file: it names the environment variable or the file that holds each one. `runbook.example.toml`
explains every key.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, SecretStr

from blocks.files.owners import is_ours, name_of
from blocks.files.private_files import STATE_FOLDER
from deployments.receiver.people.settings import public_part
from deployments.receiver.settings import ReceiverSettings
from deployments.settings.checks import Mistake
from deployments.settings.clicks import with_buttons
from deployments.settings.file import SectionsCheck, read_tables
from deployments.settings.folders import make_folders
from deployments.settings.places import EvidenceSettings, Section, StoreSettings
from deployments.settings.public_url import PublicUrl
from deployments.settings.secrets import Unusable
from deployments.settings.services import SECTION, ServicesSettings, check_services, public_titles
from deployments.settings.templates import TEMPLATES, TemplatesSettings, with_templates
from deployments.settings.warnings import exposed_files, hosts_shown_nothing, in_clear, too_few_people
from runbook.alerts.unrouted import Routing
from runbook.policy.policy import Policy

CONFIG_VARIABLE = "RUNBOOK_CONFIG"
DEFAULT_CONFIG = Path("runbook.toml")


class ConfigurationError(Exception):
    """The settings cannot be used. A line per mistake: the file, the key, the cause and what to do."""

    def __init__(self, origin: Path, mistakes: list[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(f"{origin}: {mistake}" for mistake in mistakes))


class PrefectSettings(Section):
    """Section `[prefect]`: how the runbook shows up in Prefect. What is `_every` is in seconds.

    `port` is where the server of `runbook up` listens; without one, where it listened last. `public_url` is
    where people reach Prefect's UI; links to runs lead there.
    """

    port: int | None = Field(default=None, ge=1, le=65535)
    public_url: PublicUrl = ""
    environment: str = Field(default="default", pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
    work_pool: str = Field(default="runbook", min_length=1)
    collect_evidence_every: int = Field(default=1800, ge=10)
    remind_every: int = Field(default=300, ge=10)
    watchdog_every: int = Field(default=300, ge=10)
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


class SelfWatchSettings(Section):
    """Section `[self_watch]`: how the runbook tries itself every so many seconds; without it, it does not."""

    every: int = Field(default=300, ge=10)
    receiver_url: str = ""
    ping_url: SecretStr | None = None
    alertmanager_url: SecretStr | None = None


@dataclass(frozen=True)
class Settings:
    """Checked settings. `systems` holds the values of each outside system's section, ready for its block.

    `self_watch` is there where its section is; it knows its receiver then, and that has a token. `routing`
    says whose alerts are ours. `warnings` are for a person, and keep nothing from starting.
    """

    origin: Path
    prefect: PrefectSettings
    receiver: ReceiverSettings
    store_url: SecretStr
    evidence_folder: Path
    policy: Policy
    systems: Mapping[str, Mapping[str, Any]] = field(repr=False)
    self_watch: SelfWatchSettings | None = None
    routing: Routing = field(default_factory=Routing)
    warnings: tuple[Mistake, ...] = ()

    @property
    def socket_path(self) -> Path | None:
        """The receiver's local socket; `None` where it has none."""
        own = self.receiver.socket
        return self.origin.absolute().parent / own.expanduser() if own is not None else None

    @property
    def confirmations_folder(self) -> Path:
        """Where the receiver keeps what SNS asks for, see `deployments.receiver.sources.confirmations`."""
        return self.origin.absolute().parent / STATE_FOLDER / "sns"

    @property
    def intervals(self) -> dict[str, int]:
        """Seconds from run to run, by the name of the deployment that runs on a schedule.

        The self-watch, which does nothing without its section, has none then: 0.
        """
        return {**self.prefect.intervals, "self-watch": self.self_watch.every if self.self_watch else 0}

    def warning_lines(self) -> list[str]:
        """A line for each warning: the file, the key, the cause and what to do."""
        return [f"{self.origin}: {warning}" for warning in self.warnings]

    def make_folders(self) -> list[str]:
        """Make the folders of an SQLite store and of the evidence, see `private_folder`.

        Without the latter all goes on but the files: each that is not written is told then, see
        `tasks.evidence.unwritten`. Returns a line for people about each folder that was open to others and is
        closed now, and about each new one that is not ours by its name: a path may be mistyped.

        Raises:
            Refused: others can write in one of them, or the store's would be in a folder that is not there.
            OSError: there can be no folder for the store.
        """
        return make_folders(self.store_url, self.evidence_folder)


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
    The one that is found in the present folder has to be ours: whoever wrote it says where our secrets go.

    Raises:
        ConfigurationError: the file cannot be read, or something in it is wrong; every mistake is named.
    """
    if path == DEFAULT_CONFIG and (owner := _foreign_owner(path)):
        advice = f"read it, and name it if you want it: --config {path.absolute()}"
        raise ConfigurationError(path, [Mistake("", f"it belongs to the user {owner}", advice)])
    try:
        tables = read_tables(path)
    except Unusable as error:
        raise ConfigurationError(path, [Mistake("", error.cause, error.next_step)]) from None
    return check_settings(tables, origin=path, systems=systems)


def _foreign_owner(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return ""
    return "" if is_ours(found) else name_of(found.st_uid)


def check_settings(tables: Mapping[str, Any], *, origin: Path, systems: bool = True) -> Settings:
    """Check the tables of a settings file. Relative paths are relative to the folder of `origin`.

    Raises:
        ConfigurationError: every mistake is named.
    """
    check = SectionsCheck(tables, folder=origin.absolute().parent)
    prefect = check.section("prefect", PrefectSettings)
    receiver = check.section("receiver", ReceiverSettings)
    store = check.section("store", StoreSettings)
    evidence = check.section("evidence", EvidenceSettings)
    policy = check.section("policy", Policy)
    self_watch = _self_watch(check, receiver) if "self_watch" in tables else None
    templates = check.section(TEMPLATES, TemplatesSettings)
    values = _systems(check) if systems else {}
    if systems:
        with_buttons(values, check, receiver)
        with_templates(values, check, templates)
    routing = Routing()
    if prefect and receiver and policy:
        routing = check_services(check, prefect.environment, receiver.known_services, policy.service)
    if check.mistakes or not (prefect and receiver and store and evidence and policy):
        raise ConfigurationError(origin, check.mistakes)
    try:
        url = store.url_seen_from(check.folder)
    except ValueError as error:
        advice = "write sqlite+aiosqlite:///path or postgresql+psycopg://host/database"
        raise ConfigurationError(origin, [Mistake("store.url", str(error), advice)]) from None
    if receiver.signing_key is not None:
        keys = (*policy.receiver_keys, public_part(receiver.signing_key))
        policy = policy.model_copy(update={"receiver_keys": tuple(dict.fromkeys(keys))})
    titles = policy.public_titles | public_titles(check)
    return Settings(
        origin=origin,
        prefect=prefect,
        receiver=receiver,
        store_url=url,
        evidence_folder=check.folder / evidence.folder,
        policy=policy.model_copy(update={"public_titles": titles}),
        systems=values,
        self_watch=self_watch,
        routing=routing,
        warnings=(
            *exposed_files(tables, origin),
            *too_few_people(policy),
            *in_clear({"prefect.public_url": prefect.public_url, "receiver.public_url": receiver.public_url}),
            *check.warnings,
        ),
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
    SECTION: ServicesSettings,
    TEMPLATES: TemplatesSettings,
}


def _system_types() -> dict[str, type[BaseModel]]:
    from blocks.environment import block_types

    return {name: kind for name, kind in block_types().items() if name not in (*_OWN, "runbook_policy")}


def _systems(check: SectionsCheck) -> dict[str, dict[str, Any]]:
    """The values of each outside system's section; systems that a team may not have can be absent."""
    from blocks.environment import OPTIONAL

    kinds = _system_types()
    check.known_sections(_OWN | kinds)
    wanted = {name: kind for name, kind in kinds.items() if name in check.tables or name not in OPTIONAL}
    checked = {
        name: block for name, kind in wanted.items() if (block := check.section(name, kind)) is not None
    }
    check.warnings += [each for name, block in checked.items() for each in hosts_shown_nothing(name, block)]
    return {name: dict(block) for name, block in checked.items()}


def _self_watch(check: SectionsCheck, receiver: ReceiverSettings | None) -> SelfWatchSettings | None:
    """The section, with the address of the receiver; None where one of the two has a mistake."""
    own = check.section("self_watch", SelfWatchSettings)
    if own is None or receiver is None:
        return None
    if not own.receiver_url and not receiver.url:
        cause = "missing, and [receiver] port is 0"
        check.mistakes.append(Mistake("self_watch.receiver_url", cause, "set one of them"))
    if receiver.self_watch_token is None:
        cause = "missing, and [receiver] has no token either"
        check.mistakes.append(Mistake("receiver.self_watch.token", cause, "set one of them"))
    return own.model_copy(update={"receiver_url": own.receiver_url or receiver.url})
