"""Settings of mappings: `[receiver.plain]` and `[receiver.mapped.NAME]`."""

from pathlib import Path
from typing import get_args

import pytest

from deployments.receiver.sources import plain
from deployments.receiver.sources.mapped import Format
from runbook.alerts.mapping.formats import FORMATS
from tests.deployments.settings_samples import load, mistakes


def test_every_format_can_be_named() -> None:
    """In the settings, by the name that it has."""
    assert get_args(Format) == tuple(FORMATS)


def test_a_mapping_is_read(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One path or several, over those of a format; and others by their names."""
    monkeypatch.setenv("SECRET", "a-secret-of-some-length")
    receiver = load(
        config,
        '[receiver.plain]\nformat = "new-relic"\n[receiver.plain.mapping]\nservice = "impactedEntities[0]"\n'
        '[receiver.mapped.kuma]\nformat = "uptime-kuma"\ntoken = { env = "SECRET" }\nservice = "web"\n'
        '[receiver.mapped.own]\nmapping = { name = ["a", "b.c"], firing = [0] }\nsecret = { env = "SECRET" }',
    ).receiver
    mapping = receiver.of(plain.PROOF).reads_by
    assert mapping is not None
    assert (mapping.service, mapping.status) == (("impactedEntities[0]",), ("state",))
    assert [path for path in receiver.paths if "mapped" in path] == [
        "/alerts/mapped/kuma",
        "/alerts/mapped/own",
    ]
    assert receiver.default_service("kuma") == "web"
    token = receiver.mapped["kuma"].token
    assert token is not None
    assert token.get_secret_value() == "a-secret-of-some-length"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            '[receiver.plain.mapping]\nstatus = "a..b"',
            "receiver.plain.mapping.status: no path from its character 2 on: write keys with dots between "
            "them, such as data.alerts[0].status",
        ),
        (
            '[receiver.plain]\nformat = "uptime-kuma"\n[receiver.plain.mapping]\nresolved = [0]',
            "receiver.plain: a value is in two of firing, acknowledged, resolved and ignored: "
            "correct the value",
        ),
        (
            '[receiver.mapped.kuma]\nformat = "uptime-kuma"\nmapping = { resolved = [0] }',
            "receiver.mapped.kuma: a value is in two of firing, acknowledged, resolved and ignored: "
            "correct the value",
        ),
        (
            '[receiver.plain.mapping]\nstauts = "a"',
            'receiver.plain.mapping.stauts: unknown key (did you mean "status"?)',
        ),
        (
            '[receiver.plain]\nformat = "nagios"',
            "receiver.plain.format: the input should be 'uptime-kuma', 'cloudwatch', 'sentry', 'datadog', "
            "'new-relic', 'zabbix' or 'opsgenie': correct the value",
        ),
        (
            '[receiver.mapped.alertmanager]\nformat = "zabbix"',
            "receiver.mapped: alertmanager is the name of another source: take another",
        ),
        (
            '[receiver.mapped.self-watch]\nformat = "zabbix"',
            "receiver.mapped: self-watch is the name of another source: take another",
        ),
        (
            '[receiver.mapped.person]\nformat = "zabbix"',
            "receiver.mapped: person is the name of another source: take another",
        ),
        (
            "[receiver.mapped.kuma]",
            "receiver.mapped: kuma has neither a format nor a mapping: set one of them",
        ),
        (
            '[receiver.mapped.kuma]\nformat = "zabbix"\ntokn = { env = "X" }',
            'receiver.mapped.kuma.tokn: unknown key (did you mean "token"?)',
        ),
        (
            '[receiver.mapped.kuma.mapping]\nkey = ["a["]\n',
            "receiver.mapped.kuma.mapping.key: no path from its character 2 on: write keys with dots between "
            "them, such as data.alerts[0].status",
        ),
        (
            '[receiver.mapped."a b"]\nformat = "zabbix"',
            "receiver.mapped.\"a b\": string should match pattern '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$': "
            "correct the value",
        ),
        (
            '[receiver.mapped.kuma]\nformat = "zabbix"\nusername = "x"',
            "receiver.mapped.kuma: set both username and password: correct the value",
        ),
    ],
)
def test_a_mistake_in_a_mapping_is_one_line(config: Path, text: str, line: str) -> None:
    """Told at the start, with the key and what to do."""
    assert mistakes(config, text) == [line]
