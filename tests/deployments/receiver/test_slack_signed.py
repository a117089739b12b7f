"""With a signing key the receiver vouches for what it has seen in Slack, and nothing else proves a click."""

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from runbook.approvals.approvals import decided
from runbook.approvals.identity import Proof
from runbook.approvals.signatures import public_text
from runbook.channels.buttons import ButtonKind
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tests.deployments.cli.test_gates import ROLL_BACK, asking
from tests.deployments.cli_store import Store
from tests.deployments.people_api_bench import answer_of
from tests.deployments.people_bench import opened
from tests.deployments.slack_bench import ANA, Chat
from tests.deployments.sleeping_run import FakePrefect
from tests.runbook.approvals.test_signatures import KEY


def test_the_receiver_signs_what_a_click_said(chat: Chat, kept: Store, prefect: FakePrefect) -> None:
    """Written into the store without its signature, the same answer proves nobody."""
    key = chat.receiver.folder / "receiver.key"
    key.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    settings = chat.receiver.folder / "runbook.toml"
    signing = f'[receiver]\nsigning_key = {{ file = "{key}" }}\n'
    settings.write_text(settings.read_text().replace("[receiver]\n", signing))
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), ButtonKind.APPROVE)
    assert chat.click(ANA, ButtonKind.APPROVE, message).status == 200
    chat.soon(lambda: prefect.forms)
    told = kept.read(incident)
    given = answer_of(told)
    assert given.answer.identity is not None
    assert given.answer.identity.how is Proof.SLACK
    policy = Policy.model_validate(
        {"people": {"ana": {"logins": [ANA]}}, "receiver_keys": [public_text(KEY.public_key())]}
    )
    assert decided(told, ROLL_BACK, policy) is not None
    unsigned = given.answer.identity.model_copy(update={"signature": ""})
    forged = given.model_copy(update={"answer": given.answer.model_copy(update={"identity": unsigned})})
    record = told.journal[-1].model_copy(update={"event": forged})
    planted = Incident(id=told.id, journal=(*told.journal[:-1], record))
    assert decided(planted, ROLL_BACK, policy) is None
