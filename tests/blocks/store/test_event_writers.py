"""PostgreSQL notes which role wrote an event, and no client can choose it."""

import asyncio
import secrets
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url, text
from sqlalchemy.exc import ProgrammingError

from blocks.store.journal import IncidentStore
from runbook.approvals.approvals import decided
from runbook.approvals.identity import Identity, Proof
from runbook.approvals.people import Person
from runbook.incidents.events import EVENT, ApprovalAnswered
from runbook.policy.policy import Policy
from tests.blocks.earlier_stores import connected
from tests.runbook.approvals_samples import ROLL_BACK, said
from tests.runbook.journals import ALERT, asked

AT = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
INCIDENT = "inc-20261122-160000-ab12"
pytestmark = pytest.mark.real


@pytest.fixture
async def store(postgres_url: str) -> IncidentStore:
    """A store with an incident that asks, owned by the runbook's own role."""
    return await asking(IncidentStore(url=SecretStr(postgres_url)))


async def asking(store: IncidentStore) -> IncidentStore:
    """The store, with an incident and its question."""
    await store.open_incident(ALERT, incident_id=INCIDENT, at=AT)
    await store.append(INCIDENT, asked(ROLL_BACK), at=AT)
    return store


async def with_role(postgres_url: str) -> tuple[str, str]:
    """A person's role, which may read and insert; its name, and the address with it."""
    name, password = f"ana_{secrets.token_hex(4)}", secrets.token_hex(8)
    async with connected(postgres_url) as connection:
        for statement in (
            f"CREATE ROLE {name} LOGIN PASSWORD '{password}'",
            f"GRANT SELECT, INSERT ON events TO {name}",
            f"GRANT SELECT ON incidents, incident_store_version, incident_store TO {name}",
        ):
            await connection.execute(text(statement))
    url = make_url(postgres_url).set(username=name, password=password)
    return name, url.render_as_string(hide_password=False)


def approval(role: str) -> ApprovalAnswered:
    """An approval that says which role it is by."""
    answer = said("ana", identity=Identity(name=role, how=Proof.DATABASE_ROLE))
    return answer.model_copy(update={"gate": "gate-1"})


def known(role: str) -> Policy:
    """Rules that know whose role that is."""
    return Policy(people={"ana": Person(logins=(role,))})


async def test_the_role_that_writes_is_noted_and_proves_its_person(
    store: IncidentStore, postgres_url: str
) -> None:
    """With what is written as with what is read; a role that the settings do not know proves nobody."""
    role, url = await with_role(postgres_url)
    assert await store.role() == make_url(postgres_url).username
    theirs = IncidentStore(url=SecretStr(url))
    assert await theirs.role() == role
    written = await theirs.append(INCIDENT, approval(role), at=AT)
    assert written.writer == role
    told = await store.read(INCIDENT)
    ours = make_url(postgres_url).username
    assert [item.writer for item in told.journal] == [ours, ours, role]
    assert decided(told, ROLL_BACK, known(role)) == written.event
    assert decided(told, ROLL_BACK, Policy()) is None


async def test_a_line_that_another_role_writes_proves_nothing(
    store: IncidentStore, postgres_url: str
) -> None:
    """Neither by what the line says, nor by the column itself, nor in a session that takes a role on."""
    role, _ = await with_role(postgres_url)
    await store.append(INCIDENT, approval(role), at=AT)
    body = EVENT.dump_json(approval(role)).decode()
    row = {"incident": INCIDENT, "at": AT, "body": body, "role": role}
    values = "(incident_id, seq, key, at, body, writer) VALUES (:incident, {}, 'k{}', :at, :body, :role)"
    async with connected(postgres_url) as connection:
        await connection.execute(text(f"INSERT INTO events {values.format(7, 7)}"), row)
        await connection.execute(text(f"SET ROLE {role}"))
        await connection.execute(text(f"INSERT INTO events {values.format(8, 8)}"), row)
    told = await store.read(INCIDENT)
    assert {item.writer for item in told.journal} == {make_url(postgres_url).username}
    assert decided(told, ROLL_BACK, known(role)) is None


async def test_whoever_changes_a_line_becomes_its_writer(store: IncidentStore, postgres_url: str) -> None:
    """So nobody's approval can be made one of another plan."""
    role, url = await with_role(postgres_url)
    theirs = IncidentStore(url=SecretStr(url))
    other = approval(role).model_copy(update={"plan_digest": "0" * 64})
    await theirs.append(INCIDENT, other, at=AT)
    body = EVENT.dump_json(approval(role)).decode()
    async with connected(postgres_url) as connection:
        await connection.execute(text("UPDATE events SET body = :body WHERE seq = 3"), {"body": body})
    told = await store.read(INCIDENT)
    assert told.journal[-1].writer == make_url(postgres_url).username
    assert decided(told, ROLL_BACK, known(role)) is None


async def test_a_person_s_role_can_neither_change_nor_take_off_the_watch(
    store: IncidentStore, postgres_url: str
) -> None:
    """With the rights that the settings file describes."""
    await store.check()
    _, url = await with_role(postgres_url)
    for statement in (
        "UPDATE events SET body = ''",
        "DELETE FROM events",
        "ALTER TABLE events DISABLE TRIGGER note_event_writer",
        "DROP TRIGGER note_event_writer ON events",
        "CREATE OR REPLACE FUNCTION note_event_writer() RETURNS trigger LANGUAGE sql AS 'SELECT NULL'",
        "SET session_replication_role = replica",
        f"SET SESSION AUTHORIZATION {make_url(postgres_url).username}",
        f"SET ROLE {make_url(postgres_url).username}",
    ):
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
            async with connected(url) as connection:
                await connection.execute(text(statement))


async def test_sqlite_knows_no_roles(tmp_path_factory: pytest.TempPathFactory) -> None:
    """There is one user, and nothing is proven by it."""
    folder = await asyncio.to_thread(tmp_path_factory.mktemp, "store")
    store = await asking(IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{folder}/incidents.db")))
    assert await store.role() == ""
    written = await store.append(INCIDENT, approval("ana"), at=AT)
    assert written.writer == ""
    assert decided(await store.read(INCIDENT), ROLL_BACK, known("ana")) is None
