"""Section `[receiver]`: where alerts come in and people act, and who may send what."""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, SecretStr, create_model, field_validator

from deployments.receiver.people.settings import hashed, public_part
from deployments.receiver.sources import self_watch
from deployments.receiver.sources.proof import SettingsT, SourceProof
from deployments.receiver.sources.registry import PROOFS
from deployments.receiver.sources.settings import IdentityHeader, ServiceName, SourceSettings
from deployments.settings.public_url import PublicUrl

if TYPE_CHECKING:

    class _Sections(BaseModel):
        """A section for each source."""

else:
    _Sections = create_model(
        "_Sections", **{proof.section: (proof.settings, proof.settings()) for proof in PROOFS.values()}
    )


class ReceiverSettings(_Sections):
    """Section `[receiver]`: where alerts come in, and who may send them.

    Each source has a section here, see `SourceProof`. `token` is for Alertmanager, Grafana and plain alerts
    where their own sections have no credential.
    `public_url` is where senders and people reach it from elsewhere. `services` are our names of services by
    the senders' names. `known_services` are those that the environment's target serves: an alert of another
    one is kept and shown, and opens no incident; without any, every service is taken for one. People act
    through the same process: over the local `socket`, with a token of theirs, or through a proxy. `people`
    has the hashes of their tokens.
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
    known_services: tuple[ServiceName, ...] = ()
    socket: Path | None = Path(".runbook/receiver.sock")
    socket_group: str = ""
    people: dict[str, list[SecretStr]] = {}
    identity_header: IdentityHeader | None = None
    signing_key: SecretStr | None = None

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
        own: SourceSettings = self.of(PROOFS[source])
        return own.service or ""

    def service_here(self, name: str) -> str:
        """Our name of the service that a source calls by that name."""
        return self.services.get(name, name)


def reachable(host: str) -> str:
    """The host in a URL for what listens on that address of this machine."""
    known = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared only
    return f"[{known}]" if ":" in known else known
