"""The example settings file: it loads as it stands, and tells every key with its default."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import BaseModel

from blocks.transport.credentials import HostCredentials
from deployments.receiver.sources import grafana
from deployments.receiver.sources.registry import PROOFS
from deployments.settings.settings import check_settings, load_settings, sections
from runbook.alerts.mapping.mapping import AlertMapping
from runbook.approvals.people import Person
from runbook.approvals.rules import ActRule, ApprovalRule
from runbook.policy.business_hours import BusinessCalendar
from runbook.policy.keep_days import KeepDays
from tests.runbook.approvals.test_signatures import KEY

EXAMPLE = Path(__file__).parents[3] / "deployments" / "runbook.example.toml"

OTHERS = {"status_page": "fallback_urls", "prometheus": "backup_urls"}
"""Sections with other servers, which may have credentials of their own."""

SHOWING = ("status_page", "integration", "prometheus")
"""Sections of servers that may ask for credentials."""


def uncommented() -> dict[str, Any]:
    """The example file with every key that is commented out put in."""
    return tomllib.loads(re.sub(r"(?m)^# (?=\[|[a-z_]+ = )", "", EXAMPLE.read_text()))


def all_keys() -> dict[str, Any]:
    """The same, of keys that stand in for each other only one: the password, and not the token."""
    tables = uncommented()
    del tables["receiver"]["slack"]["app_token"]
    for section, others in OTHERS.items():
        tables[section][others] = list(tables[section]["credentials"])
    for section in SHOWING:
        del tables[section]["bearer_token"]
    for own in tables["prometheus"]["credentials"].values():
        del own["bearer_token"]
    return tables


def secrets_of(value: Any) -> set[str]:
    """The environment variables that the tables name, at any depth."""
    if isinstance(value, dict) and value.keys() == {"env"}:
        return {value["env"]}
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {name for item in inner for name in secrets_of(item)}


@pytest.fixture
def example_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every environment variable that the example file names."""
    for name in secrets_of(uncommented()):
        monkeypatch.setenv(name, "a-secret-of-some-length-" + name)
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for name in ("TEAMS_URL", "TEAMS_SUPPORT_URL"):
        monkeypatch.setenv(name, "https://flows.example/invoke?sig=a-secret-of-some-length")
    monkeypatch.setenv("RECEIVER_SIGNING_KEY", pem.decode())
    monkeypatch.setenv("INCIDENT_IO_SIGNING_SECRET", "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")


@pytest.mark.usefixtures("example_secrets")
def test_the_example_file_loads() -> None:
    """The file that people start from is right as it stands."""
    settings = load_settings(EXAMPLE)
    assert settings.receiver.token is not None
    assert "slack" not in settings.systems


@pytest.mark.usefixtures("example_secrets")
def test_the_example_file_loads_with_every_key_put_in(tmp_path: Path) -> None:
    """Each commented key may be put in as it stands, beside a folder for templates."""
    (tmp_path / "templates").mkdir()
    settings = check_settings(all_keys(), origin=tmp_path / EXAMPLE.name)
    assert settings.warnings == ()
    assert {"slack", "status_page_publisher", "pager", "email", "teams"} <= settings.systems.keys()


def keys(kind: type[BaseModel]) -> set[str]:
    """The keys that a section may have."""
    return {field.alias or name for name, field in kind.model_fields.items()}


@pytest.mark.parametrize("section", sections())
def test_the_example_file_has_every_key(section: str) -> None:
    """A setting that is not in the example file would be found by nobody."""
    assert keys(sections()[section]) - uncommented()[section].keys() == set()


def test_the_example_file_has_every_key_of_the_sections_within() -> None:
    """The calendar, the days to keep and the approvals of a risk are sections of their own in the file."""
    policy = uncommented()["policy"]
    assert keys(BusinessCalendar) == policy["calendar"].keys()
    assert keys(KeepDays) == policy["keep_days"].keys()
    assert keys(ActRule) == policy["acts"].keys()
    assert [keys(Person) == person.keys() for person in policy["people"].values()] == [True]
    assert [keys(ApprovalRule) == rule.keys() for rule in policy["approvals"].values()] == [True]


def test_the_example_file_has_every_key_of_another_hosts_credentials() -> None:
    """Whoever has a backup on another host finds there how to say what it is shown."""
    [own] = uncommented()["prometheus"]["credentials"].values()
    assert keys(HostCredentials) == own.keys()


@pytest.mark.parametrize("source", PROOFS)
def test_the_example_file_has_every_key_of_a_source(source: str) -> None:
    """Each source of alerts has a section within the receiver's."""
    proof = PROOFS[source]
    assert keys(proof.settings) == uncommented()["receiver"][proof.section].keys()


def test_the_example_file_has_every_key_of_a_mapping() -> None:
    """Whoever writes one finds each field there."""
    assert keys(AlertMapping) == uncommented()["receiver"]["plain"]["mapping"].keys()


EXAMPLES = {
    "prefect.port",
    "prefect.public_url",
    "receiver.public_url",
    "receiver.token",
    "receiver.people",
    "receiver.mapped",
    "receiver.identity_header",
    "receiver.signing_key",
    "receiver.slack",
    "slack.buttons",  # what follows from the signing secret
    *(f"receiver.{proof.section}" for proof in PROOFS.values()),
    "self_watch.receiver_url",
    "self_watch.ping_url",
    "self_watch.alertmanager_url",
    "policy.maintenance",
    "policy.public_titles",
    "policy.people",
    "policy.receiver_keys",  # that of the signing key
    "status_page.proxy",
    "status_page.regions",
    "posthog.api_key",
    "posthog.required_path",
    *(f"{section}.{key}" for section in SHOWING for key in ("headers", "username", "password")),
    "prometheus.errors_selector",
    "prometheus.requests_selector",
    "prometheus.selector",
    "cluster.kubeconfig",
    "cluster.kubeconfig_yaml",
    "cluster.context",
    "cluster.container",
    "status_page_publisher.base_url",
    "email.port",
    "email.username",
    "email.password",
    "teams.support_url",
}
"""Keys whose default is nothing, or must be replaced: the file shows an example."""


@pytest.mark.usefixtures("example_secrets")
def test_the_defaults_that_the_example_file_tells_are_the_defaults() -> None:
    """A commented key shows the value that the code uses without it."""
    tables = all_keys()
    for section, others in OTHERS.items():
        tables[section][others] = uncommented()[section][others]
        del tables[section]["credentials"]
    tables["policy"]["calendar"].pop("holidays")
    settings = check_settings(tables, origin=EXAMPLE)
    told: dict[str, dict[str, Any]] = {
        "prefect": dict(settings.prefect),
        "receiver": dict(settings.receiver),
        "policy": dict(settings.policy),
        "self_watch": dict(settings.self_watch or {}),
        **{name: dict(values) for name, values in settings.systems.items()},
    }
    different = {
        f"{section}.{key}"
        for section, values in told.items()
        for key, field in sections()[section].model_fields.items()
        if not field.is_required() and values[key] != field.get_default(call_default_factory=True)
    }
    assert different == EXAMPLES
    assert settings.receiver.of(grafana.PROOF).signature_header == grafana.GrafanaSettings().signature_header
    assert settings.receiver.of(grafana.PROOF).timestamp_header == grafana.GrafanaSettings().timestamp_header
