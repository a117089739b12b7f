"""On PostgreSQL a role of one's own proves who answers, where no receiver does."""

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from deployments.cli import main
from deployments.cli.errors import ExitCode
from runbook.approvals.identity import Identity, Proof
from runbook.incidents.events import ApprovalAnswered
from tests.blocks.store.test_event_writers import AT, INCIDENT, with_role
from tests.deployments.cli.test_gates import ROLL_BACK, asking, seen
from tests.deployments.cli_store import Store
from tests.deployments.journal_samples import ALERT
from tests.deployments.sleeping_run import FakePrefect

pytestmark = pytest.mark.real


async def asked(url: str) -> str:
    """An incident that asks about a rollback; returns the address with a person's role, and its name."""
    store = IncidentStore(url=SecretStr(url))
    await store.open_incident(ALERT, incident_id=INCIDENT, at=AT)
    for event in asking(ROLL_BACK)[1:]:
        await store.append(INCIDENT, event, at=AT)
    _, theirs = await with_role(url)
    return theirs


def answer_in(url: str) -> ApprovalAnswered | None:
    """The newest answer in the store."""
    return asyncio.run(IncidentStore(url=SecretStr(url)).read(INCIDENT)).last(ApprovalAnswered)


@pytest.mark.parametrize("known", [True, False])
def test_a_role_that_the_settings_know_approves_a_high_risk_change(
    known: bool, postgres_url: str, store: Store, prefect: FakePrefect, tmp_path: Path
) -> None:
    """The database notes it beside the answer; a role that they do not know is shared, and proves nobody."""
    assert isinstance(store, Store)
    url = asyncio.run(asked(postgres_url))
    role = url.partition("//")[2].partition(":")[0]
    (tmp_path / "store-url").write_text(url)
    person = f'[policy.people.ana]\nlogins = ["{role}"]\n' if known else ""
    (tmp_path / "runbook.toml").write_text(f'[store]\nurl = {{ file = "store-url" }}\n{person}')
    code = main(["approve", INCIDENT, *seen(ROLL_BACK), "--by", role])
    answered = answer_in(postgres_url)
    if not known:
        assert (code, answered, prefect.forms) == (ExitCode.USAGE, None, [])
        return
    assert code == ExitCode.OK
    assert answered is not None
    assert answered.answer.approver == "ana"
    assert answered.answer.identity == Identity(name=role, how=Proof.DATABASE_ROLE)
    assert len(prefect.forms) == 1
