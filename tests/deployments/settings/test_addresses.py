"""Secrets in plain addresses: refused, with the way to say them as references."""

from pathlib import Path

import pytest

from deployments.settings.settings import sections
from tests.deployments.settings_samples import NEEDED, REFERENCE, load, mistakes

NAMED = '{ env = "NAME" } or { file = "path" }'
WITHOUT = "write the address without it;"
PASSWORD = "it contains a password in this file"
BASIC = f'set username = "NAME" and password = {NAMED}'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            '[prometheus]\nurl = "https://me:hunter2@prom.example/"',
            f"prometheus.url: {PASSWORD}: {WITHOUT} in [prometheus] {BASIC}",
        ),
        (
            '[prometheus]\nbackup_urls = ["http://a.example", "https://me:hunter2@b.example"]',
            f"prometheus.backup_urls: {PASSWORD}: {WITHOUT} in [prometheus], or for another host in "
            f'[prometheus.credentials."https://host"], {BASIC}',
        ),
        (
            '[prometheus]\nurl = "https://hunter2@prom.example"',
            "prometheus.url: it contains a user name or a token in this file: "
            f"{WITHOUT} in [prometheus] {BASIC}",
        ),
        (
            '[prometheus]\nurl = "https://prom.example/?tenant=a&api_key=hunter2"',
            f"prometheus.url: it contains a secret in its parameters in this file: {WITHOUT} in [prometheus] "
            'set headers = { NAME = { env = "NAME" } }, if the server accepts it',
        ),
        (
            '[status_page]\nfallback_urls = ["https://relay.example/?sig=hunter2"]',
            "status_page.fallback_urls: it contains a secret in its parameters in this file: "
            f"{WITHOUT} in [status_page], or for another host in "
            '[status_page.credentials."https://host"], '
            'set headers = { NAME = { env = "NAME" } }, if the server accepts it',
        ),
        (
            '[posthog]\napp_url = "https://me:hunter2@app.example"',
            f"posthog.app_url: {PASSWORD}: {WITHOUT} the credential for it is [posthog] api_key, {NAMED}",
        ),
        (
            '[slack]\ntoken = { file = "token.txt" }\nchannel = "C1"\nbase_url = "me:hunter2@relay.example"',
            f"slack.base_url: {PASSWORD}: {WITHOUT} the credential for it is [slack] token, {NAMED}",
        ),
        (
            '[pager]\nrouting_key = { file = "token.txt" }\nbase_url = "https://me:hunter2@relay.example"',
            f"pager.base_url: {PASSWORD}: {WITHOUT} the credential for it is [pager] routing_key, {NAMED}",
        ),
        (
            '[receiver]\ntoken = { file = "token.txt" }\n[self_watch]\n'
            'receiver_url = "https://me:hunter2@relay.example"',
            f"self_watch.receiver_url: {PASSWORD}: {WITHOUT} "
            f"the credential for it is [receiver.self_watch] token, {NAMED}",
        ),
        (
            '[status_page]\nproxy = "http://me:hunter2@proxy.example:3128"',
            f"status_page.proxy: {PASSWORD}: {REFERENCE}",
        ),
        (
            '[status_page]\nproxy = "http://hunter2@proxy.example:3128"',
            f"status_page.proxy: it contains a secret in this file (its user): {REFERENCE}",
        ),
        (
            '[store]\nurl = "postgresql+psycopg://db/runbook?password=hunter2"',
            f"store.url: it contains a secret in this file (its parameter): {REFERENCE}",
        ),
        (
            '[prometheus.credentials."https://me:hunter2@b.example"]',
            "prometheus.credentials.…: the name of a table contains a secret in this file: "
            "write the address without it",
        ),
        (
            '[policy]\nincident_commander = "see https://me:hunter2@wiki.example/on-call"',
            f"policy.incident_commander: {PASSWORD}: {WITHOUT} "
            f"write the secret as {NAMED}, in the setting for it",
        ),
    ],
)
def test_a_secret_in_an_address_is_refused(config: Path, text: str, line: str) -> None:
    """One line names the key and shows how it is written as a reference; the secret is not in it."""
    (config.parent / "token.txt").write_text("a-token-of-some-length")
    assert mistakes(config, text) == [line]


def test_a_secret_in_the_needed_address_is_refused(config: Path) -> None:
    """The health endpoint takes headers and basic authentication as well."""
    address = NEEDED.replace("api.example/health", "me:hunter2@api.example/health?deep=1")
    assert mistakes(config, "", needed=address) == [
        f"integration.health_url: {PASSWORD}: {WITHOUT} in [integration] {BASIC}"
    ]


ADDRESSES = [
    (section, key)
    for section, kind in sections().items()
    for key in kind.model_fields
    if key.endswith(("url", "urls", "proxy")) and section != "store"
]


@pytest.mark.parametrize(("section", "key"), ADDRESSES)
@pytest.mark.parametrize(
    "address",
    [
        "https://me:hunter2@host.example/x",
        "https://hunter2@host.example",
        "https://me:hun/hunter2@host.example",
        "https://me:hun#hunter2@host.example",
        "https://host.example/x?token=hunter2",
        "https://host.example/x#access_token=hunter2",
        "https://host.example/x?X-Amz-Signature=hunter2",
        "https://host.example/x?x=1;sig=hunter2",
        "https://hooks.slack.com/services/T0/B0/hunter2hunter2",
        "me:hunter2@host.example",
    ],
)
def test_no_address_of_any_section_may_hold_a_secret(
    config: Path, section: str, key: str, address: str
) -> None:
    """A field that is an address by its name is checked, whoever adds it."""
    value = f'["{address}"]' if key.endswith("urls") else f'"{address}"'
    told = mistakes(
        config, f"[{section}]\n{key} = {value}", needed="" if section == "integration" else NEEDED
    )
    assert [line for line in told if line.startswith(f"{section}.{key}: it contains a")] != []
    assert "hunter2" not in "".join(told)


@pytest.mark.parametrize(
    "text",
    [
        '[prometheus]\nurl = "https://prom.example/prefix?tenant=a&dedup=true"',
        '[prometheus]\nurl = "http://[::1]:9090"',
        '[posthog]\nprobe_path = "/api/users/@me/"',
        '[status_page]\nproxy = "http://proxy.example:3128"',
        '[store]\nurl = "postgresql+psycopg://runbook@db/runbook?sslmode=verify-full"',
        '[store]\nurl = "postgresql+psycopg:///runbook?host=/run/postgresql"',
        '[policy]\nincident_commander = "ana@example.com"',
        '[receiver]\nservices = { "a@b" = "posthog-integration", env = "posthog-integration" }',
    ],
)
def test_what_is_no_secret_may_stand_in_the_file(config: Path, text: str) -> None:
    """Ports, paths, tenants, and the user of a database that asks for no password are for all to see."""
    load(config, text)


def test_a_path_with_an_at_sign_is_no_password(config: Path) -> None:
    """A folder of the store may be called anything."""
    url = f"sqlite+aiosqlite:///{config.parent}/me@work.db"
    assert load(config, f'[store]\nurl = "{url}"').store_url.get_secret_value() == url
