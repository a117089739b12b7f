"""An act of a person stands whatever Prefect does, and whoever acts is not kept waiting."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prefect.client.orchestration import PrefectClient
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from deployments.services import acting
from deployments.services.speaker import Speaker
from runbook.approvals.acts import Act, ActKind
from runbook.approvals.identity import Identity
from runbook.policy.policy import Policy
from tasks.caretaking import going_on
from tests.runbook.journals import ALERT


@asynccontextmanager
async def hanging() -> AsyncIterator[PrefectClient]:
    """A Prefect that takes connections and says nothing."""
    await asyncio.sleep(3600)
    raise AssertionError("it never answers")
    yield


async def test_an_end_stands_where_prefect_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal has it, and the answer says that the run does not go on yet."""
    monkeypatch.setattr(going_on, "PREFECT_SECONDS", 0.05)
    store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/incidents.db"))
    incident, _ = await store.open_incident(ALERT, incident_id="inc-1", at=datetime.now(UTC))
    done = await acting.act_on_incident(
        store,
        incident,
        Act(kind=ActKind.RESOLVE, outcome="recovered", text="it works"),
        speaker=Speaker(name="ana", identity=Identity(name="ana")),
        policy=Policy(),
        prefect=hanging,
    )
    assert (done.recorded, done.waits_for) == (True, "Prefect: no answer in time")
    assert (await store.read("inc-1")).resolved
