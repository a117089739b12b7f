"""Section `[receiver]`: where alerts come in and people act, and who may send what."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, create_model, field_validator

from deployments.receiver.people.settings import hashed, public_part
from deployments.receiver.slack.settings import SlackSettings
from deployments.receiver.sources import mapped as mapped_sources
from deployments.receiver.sources import plain, self_watch
from deployments.receiver.sources.mapped import MappedSettings
from deployments.receiver.sources.proof import SettingsT, SourceProof
from deployments.receiver.sources.registry import PROOFS
from deployments.receiver.sources.settings import IdentityHeader, ServiceName, SourceSettings
from deployments.settings.public_url import PublicUrl
from runbook.alerts.sources import SOURCES, Source
from runbook.policy.settings_tables import TablesOf, Unfit

if TYPE_CHECKING:

    class _Sections(BaseModel):
        """A section for each source."""

else:
    _Sections = create_model(
        "_Sections", **{proof.section: (proof.settings, proof.settings()) for proof in PROOFS.values()}
    )


SourceName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]


class ReceiverSettings(_Sections):
    """Section `[receiver]`: where alerts come in, and who may send them.

    Each source has a section here, see `SourceProof`; `mapped` are those that a mapping reads. `token` is for
    Alertmanager, Grafana, plain and mapped alerts where their own sections have no credential. `public_url`
    is where senders and people reach it from elsewhere. `services` are our names of services by the senders'
    names. `known_services` are those that the environment's target serves: an alert of another
    one is kept and shown, and opens no incident; without any, every service is taken for one. People act
    through the same process: over the local `socket`, with a token of theirs, through a proxy, or from
    `slack`. `people` has the hashes of their tokens.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8181, ge=0, le=65535)
    public_url: PublicUrl = ""
    token: SecretStr | None = Field(default=None, min_length=16)
    max_body_bytes: int = Field(default=1024 * 1024, ge=1024)
    max_connections: int = Field(default=512, ge=16)
    flapping_episodes: int = Field(default=5, ge=1)
    reopen_within_minutes: int = Field(default=60, ge=0)
    services: dict[str, ServiceName] = {}
    mapped: Annotated[dict[SourceName, MappedSettings], TablesOf(MappedSettings)] = {}
    known_services: tuple[ServiceName, ...] = ()
    socket: Path | None = Path(".runbook/receiver.sock")
    socket_group: str = ""
    people: dict[str, list[SecretStr]] = {}
    identity_header: IdentityHeader | None = None
    signing_key: SecretStr | None = None
    slack: SlackSettings = SlackSettings()

    @field_validator("people")
    @classmethod
    def _hashed(cls, people: dict[str, list[SecretStr]]) -> dict[str, list[SecretStr]]:
        """The tokens themselves are not kept."""
        return hashed(people)

    @field_validator("signing_key")
    @classmethod
    def _is_a_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None:
            public_part(key)
        return key

    @field_validator("mapped")
    @classmethod
    def _new_sources(cls, mapped: dict[str, MappedSettings]) -> dict[str, MappedSettings]:
        for name, own in mapped.items():
            mapped_sources.require_free_name(name)
            if own.reads_by is None:
                raise Unfit(f"{name} has neither a format nor a mapping", "set one of them")
        return mapped

    @property
    def paths(self) -> dict[str, Source]:
        """Each path that alerts can be sent to, and who sends there."""
        found = {f"/alerts/{name}": source for name, source in SOURCES.items()}
        found["/alerts/plain"] = mapped_sources.plain_source(self.of(plain.PROOF))
        for name, own in self.mapped.items():
            found[f"/alerts/mapped/{name}"] = mapped_sources.mapped_source(name, own)
        return found

    @property
    def url(self) -> str:
        """Where it is asked on its own machine; empty where its port is not known before it listens."""
        return f"http://{reachable(self.host)}:{self.port}" if self.port else ""

    def of(self, proof: SourceProof[SettingsT]) -> SettingsT:
        """The section of that source."""
        section: SettingsT = getattr(self, proof.section)
        return section

    @property
    def self_watch_token(self) -> SecretStr | None:
        """What the self-watch shows."""
        return self.of(self_watch.PROOF).token or self.token

    def default_service(self, source: str) -> str:
        """Our name of the service whose alerts come from that source where they name none; else empty."""
        own: SourceSettings = self.mapped.get(source) or self.of(PROOFS[source])
        return own.service or ""

    def section_of(self, source: str) -> str:
        """The section of a source, as it is written."""
        name = f"mapped.{source}" if source in self.mapped else PROOFS[source].section
        return f"[receiver.{name}]"

    def service_here(self, name: str) -> str:
        """Our name of the service that a source calls by that name."""
        return self.services.get(name, name)


def reachable(host: str) -> str:
    """The host in a URL for what listens on that address of this machine."""
    known = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared only
    return f"[{known}]" if ":" in known else known
