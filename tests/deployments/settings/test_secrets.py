"""Secrets in settings: where they are read from, what is taken off them, and that no error shows one."""

from pathlib import Path

import pytest

from deployments.settings.settings import ConfigurationError, load_settings, sections
from tests.deployments.settings_samples import NEEDED, load, mistakes

CANARY = "canary0Q7zX4bV9nM2kL8"
"""A secret in the wrong place. It has the shape of no known key."""


@pytest.mark.parametrize("reference", ['{ env = "PAGER_KEY" }', '{ file = "secrets/pager" }'])
def test_a_secret_is_read_from_where_the_file_says(
    config: Path, monkeypatch: pytest.MonkeyPatch, reference: str
) -> None:
    """A variable and a file beside the settings both work; line ends are no part of a secret."""
    monkeypatch.setenv("PAGER_KEY", "R0UT1NG\n")
    (config.parent / "secrets").mkdir()
    (config.parent / "secrets" / "pager").write_text("R0UT1NG\n")
    settings = load(config, f"[pager]\nrouting_key = {reference}")
    assert settings.systems["pager"]["routing_key"].get_secret_value() == "R0UT1NG"


@pytest.mark.parametrize("lead", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a mark"])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b" \r\n\r\n"])
def test_marks_and_line_ends_are_no_part_of_a_secret(config: Path, lead: bytes, end: bytes) -> None:
    """A file from any editor holds the secret that a person sees in it."""
    (config.parent / "pager.key").write_bytes(lead + b"R0UT1NG" + end)
    settings = load(config, '[pager]\nrouting_key = { file = "pager.key" }')
    assert settings.systems["pager"]["routing_key"].get_secret_value() == "R0UT1NG"


@pytest.mark.parametrize("value", ["\ufeffR0UT1NG", "R0UT1NG\r\n", "\ufeff R0UT1NG \r"])
def test_marks_and_line_ends_are_no_part_of_a_variable(
    config: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """A variable that was filled from a file may have brought its mark along."""
    monkeypatch.setenv("PAGER_KEY", value)
    settings = load(config, '[pager]\nrouting_key = { env = "PAGER_KEY" }')
    assert settings.systems["pager"]["routing_key"].get_secret_value() == "R0UT1NG"


def test_a_kubeconfig_has_several_lines(config: Path) -> None:
    """It is the one secret that is a text, and keeps its lines."""
    (config.parent / "kubeconfig").write_bytes(b"\xef\xbb\xbfapiVersion: v1\r\nkind: Config\r\n")
    settings = load(config, '[cluster]\nkubeconfig_yaml = { file = "kubeconfig" }')
    read = settings.systems["cluster"]["kubeconfig_yaml"].get_secret_value()
    assert read == "apiVersion: v1\r\nkind: Config"


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (None, "cannot read"),
        (b"", "is empty"),
        (b"\xef\xbb\xbf\n", "is empty"),
        (b"\xff\xfe", "is not UTF-8 text but UTF-16: save it as UTF-8"),
        (CANARY.encode("utf-16"), "is not UTF-8 text but UTF-16: save it as UTF-8"),
        (CANARY.encode("utf-16-be"), "is not UTF-8 text but UTF-16: save it as UTF-8"),
        (CANARY.encode("utf-16-le"), "is not UTF-8 text but UTF-16: save it as UTF-8"),
        (b"\xe9" + CANARY.encode(), "is not UTF-8 text: save it as UTF-8"),
        (CANARY.encode() + b"\0" + CANARY.encode(), "contains NUL bytes, in 1 line: write"),
        (f"{CANARY}\n{CANARY}\n".encode(), "has 2 lines: keep only the secret there"),
        (f"# the key\r\n\r\n{CANARY}\r\n".encode(), "has 3 lines: keep only the secret there"),
        (f"{CANARY}\x1b[0m".encode(), "contains control characters: write"),
        (b"x" * 1024 * 1024 + CANARY.encode(), "is larger than any secret"),
    ],
)
def test_a_secret_file_that_cannot_serve_is_named(config: Path, content: bytes | None, cause: str) -> None:
    """A missing, empty or binary file, or one with more in it, is a mistake; the line tells nothing of it."""
    path = config.parent / "pager.key"
    if content is not None:
        path.write_bytes(content)
    [line] = mistakes(config, '[pager]\nrouting_key = { file = "pager.key" }')
    assert line.startswith("pager.routing_key: ")
    assert str(path) in line
    assert cause in line
    assert CANARY not in line


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        (f"{CANARY}\n{CANARY}", "the environment variable PAGER_KEY has 2 lines"),
        (f"{CANARY}\x07", "the environment variable PAGER_KEY contains control characters"),
        (f"{CANARY}\udcff", "the environment variable PAGER_KEY is not UTF-8 text"),
        (" \n", "the environment variable PAGER_KEY is not set"),
    ],
)
def test_a_variable_that_cannot_serve_is_named(
    config: Path, monkeypatch: pytest.MonkeyPatch, value: str, cause: str
) -> None:
    """What cannot be a secret is none in a variable either."""
    monkeypatch.setenv("PAGER_KEY", value)
    [line] = mistakes(config, '[pager]\nrouting_key = { env = "PAGER_KEY" }')
    assert line.startswith(f"pager.routing_key: {cause}: ")
    assert CANARY not in line


@pytest.mark.parametrize("name", ["POSTHOG_API_KEY", "K8S_TOKEN_2", "SLACK", "OAUTH2_SECRET", "S3_KEY"])
def test_a_variable_that_is_not_set_is_named(config: Path, name: str) -> None:
    """Whoever forgot it learns which one."""
    [line] = mistakes(config, f'[pager]\nrouting_key = {{ env = "{name}" }}')
    assert f"the environment variable {name} is not set" in line


PASTED = [
    CANARY,
    "phx_" + "k" * 43,
    "phc_0123456789abcdefghij",
    "hunter2",
    "1a2b3c4d5e6f708192a3b4c5d6e7f809",
    "R03ABCDEFGHIJKLMNOPQRSTUVWXYZ012",
    "JBSWY3DPEHPK3PXP",
    "AKIAIOSFODNN7EXAMPLE",
    "8c1f0d9e-1b2c-4d3e-9f8a-7b6c5d4e3f2a",
    "c2VjcmV0/c2VjcmV0+c2VjcmV0c2VjcmV0==",
    "https://someone:hunter2@host.example",
    "with\\u0000nul",
    "NAME=hunter2",
]


@pytest.mark.parametrize("secret", PASTED)
@pytest.mark.parametrize("source", ["env", "file"])
def test_a_secret_in_place_of_its_name_is_not_told(config: Path, source: str, secret: str) -> None:
    """Who pastes the secret into the reference learns what to write there, and finds it in no log."""
    [line] = mistakes(config, f'[pager]\nrouting_key = {{ {source} = "{secret}" }}')
    assert line.startswith("pager.routing_key: ")
    assert "of that name" in line
    assert secret.replace("\\u0000", "\0") not in line
    assert "hunter2" not in line


@pytest.mark.parametrize("section", sections())
@pytest.mark.parametrize("wrap", ["{}", "[{}]", "{{ a = {} }}", "{{ a = [{}] }}", "[{{ a = {} }}]"])
def test_a_secret_in_any_setting_is_in_no_error(config: Path, section: str, wrap: str) -> None:
    """Whatever setting a secret is put into, and whatever is wrong with it there, no line quotes it."""
    value = wrap.format(f'"{CANARY}"')
    told: dict[str, str] = {}
    for key in sections()[section].model_fields:
        config.write_text(f"[{section}]\n{key} = {value}\n{NEEDED if section != 'integration' else ''}")
        try:
            load_settings(config)
        except ConfigurationError as error:
            told[key] = str(error)
    assert {key: line for key, line in told.items() if CANARY in line} == {}


@pytest.mark.parametrize(
    "text",
    [
        f'[pager]\nrouting_key = "{CANARY}',
        f"[pager]\nrouting_key = {CANARY}",
        f"[pager]\nrouting_key {CANARY}",
        f'[pager]\nrouting_key = """{CANARY}',
        f'[pager]\nrouting_key = "\\q{CANARY}"',
        f"[{CANARY}",
        'a = 1\n"https://u:hunter2@h" = 1\n"https://u:hunter2@h" = 2',
        "phx_hunter2hunter2 = 1\nphx_hunter2hunter2 = 2",
        "[phx_hunter2hunter2]\n[phx_hunter2hunter2]",
        "a = " + "[" * 5000,
    ],
)
def test_a_line_that_is_no_toml_is_not_quoted(config: Path, text: str) -> None:
    """The line's number is enough to find it."""
    config.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        load_settings(config)
    assert str(refused.value).startswith(f"{config}: not TOML: ")
    assert CANARY not in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_the_file_may_begin_with_a_mark_and_have_any_line_ends(config: Path) -> None:
    """Editors on Windows write both."""
    config.write_bytes(b"\xef\xbb\xbf" + f"[receiver]\nport = 8200\n{NEEDED}".replace("\n", "\r\n").encode())
    assert load_settings(config).receiver.port == 8200


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_named_so(config: Path, encoding: str) -> None:
    """Notepad calls it Unicode."""
    config.write_bytes(NEEDED.encode(encoding))
    with pytest.raises(ConfigurationError, match="not TOML: it is not UTF-8 text but UTF-16: save it as"):
        load_settings(config)


def test_a_database_url_that_is_none_is_not_quoted(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLAlchemy's own words would quote what stands for the port."""
    monkeypatch.setenv("STORE_URL", "postgresql+psycopg://me:pass?word@db:hunter2/runbook")
    [line] = mistakes(config, '[store]\nurl = { env = "STORE_URL" }')
    assert line.startswith("store.url: not a database URL: write ")


def test_only_secrets_are_named_by_references(config: Path) -> None:
    """An address by reference would be a secret that nothing masks."""
    [line] = mistakes(config, '[prometheus]\nurl = { env = "PROMETHEUS_URL" }')
    assert line == (
        "prometheus.url: not a secret, and only secrets are given by a reference: write its value here"
    )


def test_no_mistake_shows_a_secret(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a secret that is too short nor one written into the file comes back in the error."""
    monkeypatch.setenv("TOKEN", "hunter2")
    text = '[receiver]\ntoken = { env = "TOKEN" }\n[pager]\nrouting_key = "hunter2"'
    told = mistakes(config, text)
    assert [line.split(":")[0] for line in told] == ["receiver.token", "pager.routing_key"]
    assert "hunter2" not in "".join(told)


def test_settings_never_show_a_secret(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings can be logged."""
    monkeypatch.setenv("TOKEN", "hunter2-hunter2-hunter2")
    text = '[receiver]\ntoken = { env = "TOKEN" }\n[pager]\nrouting_key = { env = "TOKEN" }'
    assert "hunter2" not in repr(load(config, text))


def test_a_short_secret_is_told_in_characters(config: Path) -> None:
    """With the length that it takes, and not with its own."""
    (config.parent / "token").write_text("short")
    assert mistakes(config, '[receiver]\ntoken = { file = "token" }') == [
        "receiver.token: it is shorter than 16 characters: use a longer secret"
    ]
