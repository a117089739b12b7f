"""Settings of the sources of alerts: sections within [receiver]."""

from pathlib import Path

import pytest

from deployments.receiver.sources import alertmanager, pagerduty
from runbook.alerts.sources import SOURCES
from tests.deployments.settings_samples import REFERENCE, load, mistakes


def test_secrets_within_tables_and_lists_are_read(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source's secrets stand in a section of the receiver's, and there may be several."""
    monkeypatch.setenv("FIRST", "first-secret-of-some-length")
    (config.parent / "second").write_text("second-secret-of-some-length\n")
    receiver = load(
        config,
        '[receiver.pagerduty]\nsecrets = [{ env = "FIRST" }, { file = "second" }]\n'
        '[receiver.alertmanager]\nclient_header = { name = "X-Verified", value = { env = "FIRST" } }',
    ).receiver
    read = [secret.get_secret_value() for secret in receiver.of(pagerduty.PROOF).secrets]
    assert read == ["first-secret-of-some-length", "second-secret-of-some-length"]
    header = receiver.of(alertmanager.PROOF).client_header
    assert header is not None
    assert header.value.get_secret_value() == "first-secret-of-some-length"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            '[receiver.pagerduty]\nsecrets = [{ env = "SET" }, { env = "NOT_SET" }]',
            "receiver.pagerduty.secrets.1: the environment variable NOT_SET is not set: "
            "set it, or refer to another one",
        ),
        (
            '[receiver.pagerduty]\nsecrets = ["hunter2"]',
            f"receiver.pagerduty.secrets.0: it contains a secret in this file: {REFERENCE}",
        ),
        (
            '[receiver.alertmanager]\nclient_header = { name = "X-Verified", value = "hunter2" }',
            f"receiver.alertmanager.client_header.value: it contains a secret in this file: {REFERENCE}",
        ),
        (
            '[receiver.alertmanager]\nclient_header = { name = "X-Verified", valeu = { env = "SET" } }',
            'receiver.alertmanager.client_header.valeu: unknown key (did you mean "value"?)',
        ),
        (
            '[receiver.alertmanager]\npassword = { env = "SET" }',
            "receiver.alertmanager: set both username and password: correct the value",
        ),
        (
            '[receiver.grafana]\nsignature_header = "X Signature"',
            "receiver.grafana.signature_header: string should match pattern '^[A-Za-z0-9-]+$': "
            "correct the value",
        ),
        (
            '[receiver.incident_io]\nsecrets = [{ env = "SET" }]',
            "receiver.incident_io.secrets: not a signing secret as incident.io shows it (whsec_…): "
            "correct the value",
        ),
        (
            '[receiver.plain]\nservice = " "',
            "receiver.plain.service: the service is missing: correct the value",
        ),
        (
            "[receiver.grafanna]",
            'receiver.grafanna: unknown key (did you mean "grafana"?)',
        ),
    ],
)
def test_a_mistake_in_a_source_is_one_line(
    config: Path, monkeypatch: pytest.MonkeyPatch, text: str, line: str
) -> None:
    """The key is dotted down to the place, and no secret is shown."""
    monkeypatch.setenv("SET", "hunter2-of-some-length!")
    assert mistakes(config, text) == [line]


def test_a_source_may_have_another_name_for_a_service(config: Path) -> None:
    """And alerts that name none are of the source's service, where it has one."""
    receiver = load(
        config,
        '[receiver]\nservices = { "API Service" = "posthog-integration" }\n'
        '[receiver.incident_io]\nservice = "posthog-integration"',
    ).receiver
    names = [receiver.service_here(name) for name in ("API Service", "billing")]
    assert names == ["posthog-integration", "billing"]
    assert {source: receiver.default_service(source) for source in SOURCES} == {
        **dict.fromkeys(SOURCES, ""),
        "incident-io": "posthog-integration",
    }
