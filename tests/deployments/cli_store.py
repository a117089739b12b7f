"""An incident store for tests of commands, each of which has an event loop of its own."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import insert

from blocks.store.database.engines import database
from blocks.store.database.tables import EVENTS
from blocks.store.journal import IncidentStore
from blocks.store.journal_statements import changes_of_incidents
from runbook.incidents.events import EVENT, Event, IncidentOpened
from runbook.incidents.ids import new_incident_id
from runbook.incidents.incident import Incident
from tests.deployments.journal_samples import ALERT, OPENED_AT


class Store:
    """An incident store in a folder, used between commands."""

    def __init__(self, folder: Path) -> None:
        self._url = SecretStr(f"sqlite+aiosqlite:///{folder / 'incidents.db'}")

    def open(self, token: str, events: tuple[Event, ...]) -> str:
        """Write an incident; a later token is a later incident. Returns its id."""
        return asyncio.run(self._open(token, events))

    def append(self, incident_id: str, event: Event, *, key: str) -> None:
        """Write one more event."""
        store = IncidentStore(url=self._url)
        asyncio.run(store.append(incident_id, event, at=OPENED_AT + timedelta(hours=1), key=key))

    def read(self, incident_id: str) -> Incident:
        """Read an incident."""
        return asyncio.run(IncidentStore(url=self._url).read(incident_id))

    async def _open(self, token: str, events: tuple[Event, ...]) -> str:
        store = IncidentStore(url=self._url)
        at = OPENED_AT + timedelta(minutes=int(token, 16))
        opening = events[0] if isinstance(events[0], IncidentOpened) else IncidentOpened(alert=ALERT)
        alert = opening.alert.model_copy(update={"service": f"service-{token}"})
        opened, _ = await store.open_incident(
            alert,
            incident_id=new_incident_id(at, token),
            at=at,
            environment=opening.environment,
            dry_run=opening.dry_run,
            permissions=opening.permissions,
        )
        await self._append(opened.id, at, events[1:])
        return opened.id

    async def _append(self, incident_id: str, at: datetime, events: Sequence[Event]) -> None:
        """Write events as the store does, a second apart, but in one transaction: most tests write eighty."""
        rows: list[dict[str, object]] = []
        async with database(self._url.get_secret_value()).transaction() as connection:
            for number, event in enumerate(events, start=1):
                written_at = at + timedelta(seconds=number)
                for statement in changes_of_incidents(incident_id, event, at=written_at):
                    await connection.execute(statement)
                seq = number + 1  # after the opening
                body = EVENT.dump_json(event).decode()
                place = {"incident_id": incident_id, "seq": seq, "key": f"seq-{seq}"}
                rows.append({**place, "at": written_at, "body": body})
            if rows:
                await connection.execute(insert(EVENTS), rows)


def store_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store, named by the runbook.toml of the folder, which becomes the working one."""
    monkeypatch.chdir(folder)
    for variable in (
        *("RUNBOOK_CONFIG", "PREFECT_API_URL", "RUNBOOK_URL", "RUNBOOK_TOKEN", "RUNBOOK_TOKEN_FILE"),
        "RUNBOOK_SIGNING_KEY",
    ):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    (folder / "runbook.toml").write_text('[store]\nurl = "sqlite+aiosqlite:///incidents.db"\n')
    return Store(folder)
