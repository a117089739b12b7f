"""Whose request it is: by a token, a proxy or an account, each checked by the receiver."""

import os
import pwd
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.receiver.connections.local_socket import Peer
from deployments.receiver.people.proving import NotProven, identify
from deployments.settings.settings import ConfigurationError, Settings, check_settings
from runbook.approvals.identity import Identity, Proof

ANAS, ANAS_NEW, BOBS = "a" * 40, "n" * 40, "b" * 40
PROXYS = "p" * 32
ME = pwd.getpwuid(os.geteuid()).pw_name


def settings(folder: Path, receiver: dict[str, Any] | None = None, **policy: Any) -> Settings:
    """Settings whose secrets are in files."""
    for name, secret in {
        "ana": ANAS,
        "new": ANAS_NEW,
        "bob": BOBS,
        "proxy": PROXYS,
        "short": "x" * 31,
    }.items():
        (folder / name).write_text(f"{secret}\n")
    tables = {
        "receiver": {
            "people": {"ana": [{"file": "ana"}, {"file": "new"}], "bob": [{"file": "bob"}]},
            "identity_header": {
                "name": "X-Forwarded-Email",
                "proof": {"name": "X-Proxy-Proof", "value": {"file": "proxy"}},
            },
        }
        | (receiver or {}),
        "policy": {"people": {"ana": {"logins": ["ana@example.com", "uid 4711"]}, "bob": {}}} | policy,
    }
    return check_settings(tables, origin=folder / "runbook.toml", systems=False)


def bearer(token: str) -> dict[str, str]:
    """The header of a token."""
    return {"authorization": f"Bearer {token}"}


def by_proxy(name: str, proof: str = PROXYS) -> dict[str, str]:
    """The headers of the proxy."""
    return {"x-forwarded-email": name, "X-Proxy-Proof": proof}


NOBODY = Peer(pid=1, uid=65534)
STRANGER = Peer(pid=1, uid=4711)
SELF = Peer(pid=1, uid=os.geteuid())


@pytest.mark.parametrize(
    ("headers", "peer", "identity"),
    [
        (bearer(ANAS), None, Identity(name="ana", how=Proof.API_TOKEN)),
        (bearer(ANAS_NEW), None, Identity(name="ana", how=Proof.API_TOKEN)),
        ({"Authorization": f"bearer  {BOBS} "}, None, Identity(name="bob", how=Proof.API_TOKEN)),
        (by_proxy("ana@example.com"), None, Identity(name="ana@example.com", how=Proof.PROXY_HEADER)),
        ({}, SELF, Identity(name=ME, how=Proof.OS_PEER, detail=f"uid {os.geteuid()}")),
        ({}, STRANGER, Identity(name="uid 4711", how=Proof.OS_PEER)),
        (bearer(ANAS), STRANGER, Identity(name="ana", how=Proof.API_TOKEN)),  # her account, by the settings
        (by_proxy("bob"), SELF, Identity(name="bob", how=Proof.PROXY_HEADER)),  # the account is the proxy's
        (by_proxy("bob") | bearer("an OIDC token"), None, Identity(name="bob", how=Proof.PROXY_HEADER)),
        # Whoever comes past the proxy can write any name, but has no secret.
        ({"x-forwarded-email": "ana"} | bearer(BOBS), None, Identity(name="bob", how=Proof.API_TOKEN)),
        ({"x-forwarded-email": "ana"}, STRANGER, Identity(name="uid 4711", how=Proof.OS_PEER)),
    ],
)
def test_what_is_proven_is_told_with_how(
    headers: dict[str, str], peer: Peer | None, identity: Identity, tmp_path: Path
) -> None:
    """A name that the request says itself is none of it."""
    assert identify(headers, peer, settings(tmp_path)) == identity


@pytest.mark.parametrize(
    ("headers", "peer", "why"),
    [
        ({}, None, "not authenticated"),
        (bearer("guessed" * 6), None, "not authenticated"),
        (bearer(""), None, "not authenticated"),
        (bearer(ANAS[:-1]), None, "not authenticated"),
        (bearer(ANAS + "a"), None, "not authenticated"),
        ({"authorization": f"Basic {ANAS}"}, None, "not authenticated"),
        ({"authorization": ANAS}, None, "not authenticated"),
        (bearer("é" * 40), None, "not authenticated"),
        (bearer("\u0430" * 40), None, "not authenticated"),
        (bearer("guessed" * 6), SELF, "not authenticated"),  # a wrong token is no slip of the pen
        ({"authorization": f"Bearer {ANAS}", "Authorization": f"Bearer {BOBS}"}, None, "not authenticated"),
        (bearer(BOBS), STRANGER, "the request proves two different people"),
        (by_proxy("ana", "guessed" * 6), None, "not authenticated"),
        (by_proxy("ana", "guessed" * 6), SELF, "not authenticated"),
        (by_proxy(""), None, "not authenticated"),
        (by_proxy("a\u0430na"), None, "not authenticated"),
        (by_proxy("policy:preapproved"), None, "not authenticated"),
        (by_proxy("\xd0\xb0na"), None, "not authenticated"),  # UTF-8 of a Cyrillic letter
        ({"x-proxy-proof": PROXYS}, None, "not authenticated"),
        ({"x-forwarded-email": "ana"}, None, "not authenticated"),
        ({}, NOBODY, "is not known on this machine"),
    ],
)
def test_what_proves_nobody_is_refused(
    headers: dict[str, str], peer: Peer | None, why: str, tmp_path: Path
) -> None:
    """Nor does one proof make another good that was shown and does not hold."""
    with pytest.raises(NotProven, match=why):
        identify(headers, peer, settings(tmp_path))


HEADERS = st.dictionaries(
    st.sampled_from(["authorization", "x-forwarded-email", "x-proxy-proof", "Authorization"])
    | st.text(max_size=8),
    st.text(max_size=60) | st.sampled_from([f"Bearer {ANAS[:-1]}", "Bearer", "ana", PROXYS[:-1]]),
    max_size=5,
)


@given(HEADERS)
def test_nothing_made_up_proves_anybody(headers: dict[str, str]) -> None:
    """Nor does it raise anything but that."""
    with pytest.raises(NotProven):
        identify(headers, None, KNOWN)


@pytest.fixture(scope="module", autouse=True)
def _known(tmp_path_factory: pytest.TempPathFactory) -> None:
    global KNOWN  # noqa: PLW0603  hypothesis takes no fixture of a function
    KNOWN = settings(tmp_path_factory.mktemp("settings"))


KNOWN: Settings


def test_without_settings_nobody_has_a_token(tmp_path: Path) -> None:
    """And no header names anybody."""
    closed = check_settings({}, origin=tmp_path / "runbook.toml", systems=False)
    for headers in (bearer(ANAS), by_proxy("ana"), bearer("")):
        with pytest.raises(NotProven):
            identify(headers, None, closed)


def test_tokens_are_kept_as_hashes(tmp_path: Path) -> None:
    """Neither the settings in memory nor their text has one."""
    read = settings(tmp_path)
    kept = [hashed.get_secret_value() for hashes in read.receiver.people.values() for hashed in hashes]
    assert len(kept) == 3
    assert not {ANAS, ANAS_NEW, BOBS} & set(kept)
    assert ANAS not in repr(read.receiver.model_dump())


@pytest.mark.parametrize(
    ("receiver", "mistake"),
    [
        (
            {"people": {"ana": [{"file": "short"}]}},
            "receiver.people: a token of ana is shorter than 32 characters (`openssl rand -hex 32`)",
        ),
        (
            {"people": {"ana": [{"file": "ana"}], "bob": [{"file": "ana"}]}},
            "receiver.people: bob and ana have the same token",
        ),
        ({"people": {"a\u0430na": [{"file": "ana"}]}}, "it mixes Cyrillic and Latin letters"),
        ({"people": {"ana": ["a" * 40]}}, "receiver.people.ana.0: it contains a secret in this file"),
        ({"people": {"ana": [{"file": "missing"}]}}, "receiver.people.ana.0: cannot read"),
        ({"people": {"ana": [{"env": "RUNBOOK_NO_SUCH"}]}}, "RUNBOOK_NO_SUCH is not set"),
        ({"people": ["ana"]}, "receiver.people"),
        (
            {"identity_header": {"name": "X-User", "proof": {"name": "X-Proof", "value": {"file": "no"}}}},
            "receiver.identity_header.proof.value",
        ),
        ({"identity_header": {"name": "X-User"}}, "receiver.identity_header.proof: missing"),
        ({"signing_key": {"file": "ana"}}, "receiver.signing_key: not a private key in PEM"),
    ],
)
def test_mistakes_are_told_without_the_secret(receiver: dict[str, Any], mistake: str, tmp_path: Path) -> None:
    """A line each, with the key of the settings."""
    with pytest.raises(ConfigurationError) as refused:
        settings(tmp_path, receiver)
    assert mistake in str(refused.value)
    assert ANAS not in str(refused.value)


def test_one_token_need_not_be_in_a_list(tmp_path: Path) -> None:
    """Most people have one."""
    read = settings(tmp_path, {"people": {"ana": {"file": "ana"}}})
    assert identify(bearer(ANAS), None, read).name == "ana"
