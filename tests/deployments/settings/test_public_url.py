"""Public addresses in the settings: written as browsers write them, or refused with the reason."""

from pathlib import Path

import pytest

from tests.deployments.settings_samples import load, mistakes


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("", ""),
        ("https://runbook.example.com", "https://runbook.example.com"),
        ("https://Runbook.Example.com:443/", "https://runbook.example.com"),
        ("http://runbook.example.com:80", "http://runbook.example.com"),
        ("https://runbook.example.com:8443/alerts/", "https://runbook.example.com:8443/alerts"),
        ("http://[::1]:4200/", "http://[::1]:4200"),
    ],
)
@pytest.mark.parametrize("section", ["prefect", "receiver"])
def test_an_address_is_known_as_browsers_name_it(
    section: str, written: str, known: str, tmp_path: Path
) -> None:
    """A default port, capitals in the host and a slash at the end make no other origin."""
    settings = load(tmp_path / "runbook.toml", f'[{section}]\npublic_url = "{written}"\n')
    assert getattr(settings, section).public_url == known


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("oncall.internal", "not an address such as https://runbook.example.com"),
        ("ftp://runbook.example.com", "not an address such as https://runbook.example.com"),
        ("https://", "not an address such as https://runbook.example.com"),
        ("https://runbook.example.com:port", "not an address such as https://runbook.example.com"),
        ("https://runbook.example.com/?a=b", "it has more than a host, a port and a path"),
        ("https://runbook.example.com/#top", "it has more than a host, a port and a path"),
        ("https://ana@runbook.example.com", "it contains a user name or a token in this file"),
    ],
)
@pytest.mark.parametrize("section", ["prefect", "receiver"])
def test_what_is_no_address_is_refused(section: str, written: str, reason: str, tmp_path: Path) -> None:
    """The mistake names the key."""
    [mistake] = mistakes(tmp_path / "runbook.toml", f'[{section}]\npublic_url = "{written}"\n')
    assert mistake.startswith(f"{section}.public_url: {reason}")


@pytest.mark.parametrize("port", ["0", "65536", '"many"'])
def test_a_port_of_prefect_is_one_that_can_be_listened_on(port: str, tmp_path: Path) -> None:
    """Without a port, the last one is used again."""
    [mistake] = mistakes(tmp_path / "runbook.toml", f"[prefect]\nport = {port}\n")
    assert mistake.startswith("prefect.port: ")
    assert load(tmp_path / "runbook.toml", "").prefect.port is None


def test_a_password_that_would_travel_in_clear_is_told(tmp_path: Path) -> None:
    """Prefect's UI sends the password with every request."""
    text = '[{}]\npublic_url = "http://runbook.example.com"\n'
    warned = load(tmp_path / "runbook.toml", text.format("prefect")).warning_lines()
    assert any("prefect.public_url: passwords are sent to it unencrypted" in line for line in warned)
    for harmless in ("https://runbook.example.com", "http://127.0.0.1:4200", "http://localhost:4200"):
        settings = load(tmp_path / "runbook.toml", f'[prefect]\npublic_url = "{harmless}"\n')
        assert not any("unencrypted" in line for line in settings.warning_lines())
