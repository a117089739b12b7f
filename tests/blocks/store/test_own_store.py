"""A run believes the store that its worker's settings name, and no other that a block in Prefect names."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from prefect.blocks.core import Block
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import SecretStr

from blocks.environment import Environment, block_types
from blocks.store.own_store import VARIABLE, address_digest, give_to_runs, require_own_store
from blocks.transport.errors import Refused

POSTGRES = "postgresql+psycopg://runbook:secret@db.example:5432/incidents?sslmode=require"


def digest(url: str) -> str:
    """The digest of an address."""
    return address_digest(SecretStr(url))


@pytest.mark.parametrize(
    "other",
    [
        POSTGRES.replace("secret", "another"),
        POSTGRES.replace(":secret", ""),
        POSTGRES + "&password=secret",
    ],
)
def test_another_password_is_the_same_store(other: str) -> None:
    """It is renewed without a restart of the worker, and goes into no environment."""
    assert digest(other) == digest(POSTGRES)


@pytest.mark.parametrize(
    "other",
    [
        POSTGRES.replace("db.example", "evil.example"),
        POSTGRES.replace("5432", "5433"),
        POSTGRES.replace("/incidents", "/mine"),
        POSTGRES.replace("runbook:", "mallory:"),  # another search_path
        POSTGRES.replace("sslmode=require", "sslmode=disable"),
        POSTGRES + "&host=evil.example",
        POSTGRES + "&hostaddr=192.0.2.1",
        POSTGRES + "&options=-csearch_path%3Dmine",
        "postgresql+asyncpg" + POSTGRES.partition("+psycopg")[2],
        "sqlite+aiosqlite:////tmp/mine.db",
        "sqlite+aiosqlite://",
        "",
        "nonsense",
    ],
)
def test_whatever_leads_elsewhere_is_another_store(other: str) -> None:
    """The driver takes the server from an option, too."""
    assert digest(other) != digest(POSTGRES)


def test_a_file_is_the_same_by_another_way(tmp_path: Path) -> None:
    """A settings file may be named by a link, or from a folder beside it."""
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    here = digest(f"sqlite+aiosqlite:///{tmp_path}/a/incidents.db")
    assert digest(f"sqlite+aiosqlite:///{tmp_path}/a/../a/incidents.db") == here
    assert digest(f"sqlite+aiosqlite:///{tmp_path}/link/incidents.db") == here
    assert digest(f"sqlite+aiosqlite:///{tmp_path}/incidents.db") != here


def test_a_run_refuses_another_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to do, and has neither address; without a settings file any store is taken."""
    monkeypatch.delenv(VARIABLE, raising=False)
    evil = SecretStr("postgresql+psycopg://mallory:hunter2@evil.example/incidents")
    require_own_store(evil, environment="default")
    monkeypatch.setenv(VARIABLE, "")
    give_to_runs(SecretStr(POSTGRES), os.environ)
    require_own_store(SecretStr(POSTGRES), environment="default")
    with pytest.raises(Refused) as refused:
        require_own_store(evil, environment="default")
    assert "the block of environment 'default' names a different store than this worker's settings" in str(
        refused.value
    )
    assert not any(word in str(refused.value) for word in ("evil.example", "hunter2", "db.example", "secret"))


async def test_a_run_loads_no_environment_with_another_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its own, edited, nor one that somebody has saved under another name."""
    kinds = block_types()

    async def documents(_wanted: Mapping[str, type[Block]], _name: str, _client: object) -> list[object]:
        return []

    async def loaded(_documents: object, wanted: Mapping[str, type[Block]], _name: str) -> dict[str, Block]:
        url = SecretStr("sqlite+aiosqlite:////tmp/mine.db")
        fields = {kinds["store"]: {"url": url}}
        return {system: kind.model_construct(None, **fields.get(kind, {})) for system, kind in wanted.items()}

    monkeypatch.setattr("blocks.environment.saved_documents", documents)
    monkeypatch.setattr("blocks.environment.blocks_of", loaded)
    monkeypatch.setenv(VARIABLE, digest(POSTGRES))
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:1/api"}):
        for name in ("default", "of-my-own"):
            with pytest.raises(Refused, match="names a different store"):
                await Environment.load(name)
        monkeypatch.delenv(VARIABLE)
        assert (await Environment.load("default")).name == "default"
