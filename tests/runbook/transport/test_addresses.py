"""Addresses: what of one is a secret, and what may be shown."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.transport.addresses import SecretPart, password_in, secret_part
from runbook.transport.credential_names import names_credential

USER, PASSWORD, PARAMETER, PATH = SecretPart


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("https://host.example/x", None),
        ("https://host.example:9090/@me?tenant=a&keyword=b#top", None),
        ("http://[::1]:9090/x@y", None),
        ("https://host.example/?partition=3&token=", None),
        ("sqlite+aiosqlite:////srv/me@work/incidents.db", None),
        ("localhost:9090", None),
        ('service="a@b"', None),
        ("https://token@host.example", USER),
        ("https://me@host.example", USER),
        ("https://me:pw@host.example", PASSWORD),
        ("https://:pw@host.example", PASSWORD),
        ("  https://me:pw@host.example", PASSWORD),
        ("https://me:p@w@host.example", PASSWORD),
        ("https://me:p/w@host.example", PASSWORD),
        ("https://me:p?w@host.example:9090", PASSWORD),
        ("https://me:p#w@host.example", PASSWORD),
        ("https://me:p'w@host.example", PASSWORD),
        ("https://me:p w@host.example", PASSWORD),
        ("https://host.example\\@evil.example", USER),
        ("see https://me:pw@host.example there", PASSWORD),
        ("either https://a.example or https://me:pw@b.example", PASSWORD),
        ("https://host.example?token=x", PARAMETER),
        ("https://host.example/#access_token=x", PARAMETER),
        ("https://host.example/?a=1;apiKey=x", PARAMETER),
        ("https://host.example/?a=1&X-Amz-Signature=x", PARAMETER),
        ("https://host.example/?sv=1&sig=x", PARAMETER),
        ("https://host.example/?to%6ben=x", PARAMETER),
        ("https://host.example/?q=phx_0123456789abcdef", PARAMETER),
        ("https://host.example/phx_0123456789abcdef/x", PATH),
        ("https://hooks.slack.com/services/T0/B0/abcdefgh", PATH),
    ],
)
def test_the_part_that_is_secret(text: str, part: SecretPart | None) -> None:
    """User, password and token-like parameters are; ports, paths and tenants are not."""
    assert secret_part(text) is part


@pytest.mark.parametrize(
    ("text", "part"),
    [("me:pw@host:9090", PASSWORD), ("token@host", USER), ("host:9090/a@b", None), ("host", None)],
)
def test_an_address_may_lack_its_scheme(text: str, part: SecretPart | None) -> None:
    """In a setting that is an address by its name."""
    assert secret_part(text, is_address=True) is part


@pytest.mark.parametrize(
    ("name", "credential"),
    [
        ("Authorization", True),
        ("Cookie", True),
        ("X-Api-Key", True),
        ("X-APIKEY", True),
        ("PRIVATE-TOKEN", True),
        ("CF-Access-Client-Secret", True),
        ("accessToken", True),
        ("api_key", True),
        ("sig", True),
        ("X-Goog-Signature", True),
        ("CF-Access-Client-Id", False),
        ("X-Scope-OrgID", False),
        ("THANOS-TENANT", False),
        ("monkey", False),
        ("keyword", False),
        ("design", False),
        ("Accept", False),
    ],
)
def test_the_names_of_credentials(name: str, credential: bool) -> None:
    """A word decides, however the words are joined."""
    assert names_credential(name) is credential


@given(
    user=st.text(),
    password=st.text(min_size=1),
    host=st.from_regex(r"[a-z]{1,9}(:[0-9]{1,5})?", fullmatch=True),
)
def test_a_password_is_found_whatever_it_is(user: str, password: str, host: str) -> None:
    """Encoded as it must be, no password hides, and it is told apart so that it can be masked."""
    address = f"https://{quote(user, safe='')}:{quote(password, safe='')}@{host}/x"
    assert secret_part(address) is PASSWORD
    assert password_in(address) == password


@pytest.mark.parametrize(
    ("address", "password"),
    [
        ("postgresql+psycopg://me:p/w@db/runbook", "p/w"),
        ("postgresql+psycopg://me@db/runbook", ""),
        ("https://host.example/x", ""),
        ("no address", ""),
    ],
)
def test_the_password_of_an_address(address: str, password: str) -> None:
    """A user alone is none."""
    assert password_in(address) == password
