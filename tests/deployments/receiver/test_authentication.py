"""Who may call for a source: what proves it, and that nothing else does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from deployments.receiver.authentication import Verified, credentials, is_open, needs_body
from runbook.alerts.sources import SOURCES
from tests.deployments.proof_samples import (
    BODY,
    CANARY,
    RIGHT,
    SHARED_TOKEN,
    SIGNED,
    WRONG,
    Case,
    bearer,
    named,
    settings,
)


@pytest.mark.parametrize("case", RIGHT, ids=named)
def test_a_right_proof_is_taken(case: Case) -> None:
    """In every form that the source sends it, and with each secret of a rotation."""
    delivery = "msg_1" if case.source == "incident-io" else ""
    assert case.answer() == Verified(delivery=delivery)


@pytest.mark.parametrize("case", WRONG, ids=named)
def test_a_wrong_proof_is_not_taken(case: Case) -> None:
    """Nor one of another time, nor the right secret in another form."""
    assert case.answer() is None


@pytest.mark.parametrize("case", RIGHT, ids=named)
def test_each_header_of_a_proof_is_needed_and_once(case: Case) -> None:
    """Missing, empty or there twice it proves nothing: of two, a proxy may have read the other one."""
    for name, value in case.headers.items():
        others = {key: text for key, text in case.headers.items() if key != name}
        pairs = [(key.encode(), text.encode()) for key, text in case.headers.items()]
        twice = Headers(raw=[(key.lower(), text) for key, text in [*pairs, (name.encode(), value.encode())]])
        for headers in (others, others | {name: ""}, twice):
            assert replace(case, headers=headers).answer() is None


@pytest.mark.parametrize("case", SIGNED, ids=named)
def test_a_body_that_is_one_bit_different_is_not_the_signed_one(case: Case) -> None:
    """The body is verified as it came, before anything reads it."""
    for position in range(len(BODY)):
        changed = bytearray(BODY)
        changed[position] ^= 1
        assert replace(case, body=bytes(changed)).answer() is None
    for other in (b"", BODY + b" ", b" " + BODY):
        assert replace(case, body=other).answer() is None


@pytest.mark.parametrize("case", RIGHT, ids=named)
def test_the_body_is_needed_only_for_a_signature(case: Case) -> None:
    """Whoever shows no proof is refused before a byte of the body is read."""
    assert needs_body(case.source, case.settings, case.headers) == (case in SIGNED)
    assert not needs_body(case.source, case.settings, {})


@pytest.mark.parametrize("case", RIGHT, ids=named)
def test_a_proof_opens_no_other_source(case: Case) -> None:
    """And none at all where its source has no credential."""
    closed = settings()
    assert replace(case, settings=closed).answer() is None
    for source in set(SOURCES) - {case.source}:
        assert is_open(source, case.settings) == (
            case.settings is SHARED_TOKEN and source in ("alertmanager", "grafana", "plain")
        )
        if case.settings is not SHARED_TOKEN:
            assert replace(case, source=source).answer() is None


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_without_a_credential_is_closed(source: str) -> None:
    """A receiver that nobody configured takes no alert from anybody."""
    assert not is_open(source, settings())
    for case in [*RIGHT, *WRONG]:
        assert replace(case, source=source, settings=settings()).answer() is None


HEADER_NAMES = st.sampled_from(sorted({name.lower() for case in RIGHT for name in case.headers}))
HEADER_VALUES = st.text(max_size=20) | st.sampled_from(
    [value for case in RIGHT for value in case.headers.values()]
    + [
        "v1,",
        "v1=",
        ",",
        "Basic =",
        "Bearer",
        "9" * 400,
        "nan",
        "-1",
        "1e9",
        "²",
        "v1,ÿ",
        "\ud800",
        "v1," + "A" * 9000,
    ]
)


@pytest.mark.parametrize("case", RIGHT, ids=named)
@given(headers=st.dictionaries(HEADER_NAMES, HEADER_VALUES, max_size=4), body=st.binary(max_size=8))
def test_no_header_and_no_body_ends_in_an_error(case: Case, headers: dict[str, str], body: bytes) -> None:
    """Malformed means not proved, and a body that nobody signed is never taken for a signed one."""
    answer = replace(case, headers=headers, body=body).answer()
    assert answer is None or case not in SIGNED


def test_a_token_of_any_letters_is_compared_by_its_bytes() -> None:
    """HTTP carries bytes, which Starlette shows as Latin-1."""
    token = "clé-que-personne-ne-devinera-déjà"  # its last byte is white space in Latin-1
    headers = Headers(raw=[(b"authorization", b"Bearer " + token.encode())])
    assert Case("", "plain", settings(plain={"token": token}), headers).answer() == Verified()
    assert Case("", "plain", settings(plain={"token": token}), bearer(token)).answer() is None


def test_no_credential_shows_its_secret() -> None:
    """Settings and whatever is made of them may be logged."""
    for case in RIGHT:
        text = repr(case.settings) + repr(credentials(case.source, case.settings))
        assert CANARY not in text


def test_the_published_example_of_standard_webhooks_is_verified() -> None:
    """The example of Svix's documentation, who send for incident.io."""
    at = datetime.fromtimestamp(1_731_705_121, UTC)
    case = Case(
        "",
        "incident-io",
        settings(incident_io={"secrets": ["whsec_plJ3nmyCDGBKInavdOK15jsl"]}),
        {
            "webhook-id": "msg_loFOjxBNrRLzqYUf",
            "webhook-timestamp": "1731705121",
            "webhook-signature": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
        },
        b'{"event_type":"ping","data":{"success":true}}',
    )
    assert case.answer(at=at) == Verified(delivery="msg_loFOjxBNrRLzqYUf")
    assert case.answer(at=at + timedelta(minutes=6)) is None
