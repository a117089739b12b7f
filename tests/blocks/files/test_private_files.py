"""Files and folders for their owner only, whatever umask the process has."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.filesystems import LocalFileSystem
from pydantic import SecretStr

from blocks.files.evidence_folder import write_file
from blocks.files.private_files import close_sqlite, open_private, private_folder, write_private
from blocks.store.journal import IncidentStore
from blocks.transport.errors import Refused
from tests.tasks.environments import ALERT, AT


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    """A umask that lets everybody read and write, as a stock worker may have one."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    """The permissions of all that is in a folder, by its path within."""
    return {
        str(path.relative_to(folder)): f"{stat.S_IMODE(path.lstat().st_mode):o}"
        for path in sorted(folder.rglob("*"))
    }


def test_a_new_folder_and_what_is_missing_above_it_are_private(tmp_path: Path) -> None:
    """Python gives a mode to the last folder of a path only."""
    assert private_folder(tmp_path / ".runbook" / "drills" / "1") == []
    assert modes(tmp_path) == {".runbook": "700", ".runbook/drills": "700", ".runbook/drills/1": "700"}


def test_an_open_state_folder_is_closed_with_all_that_is_in_it_and_that_is_said_once(tmp_path: Path) -> None:
    """An earlier release left it open, databases and all."""
    state = tmp_path / ".runbook"
    (state / "evidence" / "inc-1").mkdir(parents=True, mode=0o755)
    (state / "evidence" / "inc-1" / "logs.txt").write_text("logs")
    (state / "prefect.db").write_text("keys")
    (tmp_path / "outside").write_text("not ours")
    (state / "link").symlink_to(tmp_path / "outside")
    state.chmod(0o755)

    [said] = private_folder(state / "evidence")
    assert said.startswith(f"{state} was readable by other users (mode 0755); now only you can read it")
    assert "the 4 files and folders" in said
    assert {path: mode for path, mode in modes(state).items() if path != "link"} == {
        "evidence": "700",
        "evidence/inc-1": "700",
        "evidence/inc-1/logs.txt": "600",
        "prefect.db": "600",
    }
    assert stat.S_IMODE((tmp_path / "outside").stat().st_mode) == 0o666
    assert private_folder(state / "evidence") == []


def test_open_files_in_a_closed_folder_are_closed_where_one_looks_thoroughly(tmp_path: Path) -> None:
    """Nobody reaches them there, until the folder is opened for some reason."""
    state = tmp_path / ".runbook"
    state.mkdir(mode=0o700)
    (state / "prefect.db").write_text("keys")
    assert private_folder(state) == []
    [said] = private_folder(state, thoroughly=True)
    assert said.startswith(f"{state} contained files that other users could read")
    assert modes(state) == {"prefect.db": "600"}
    assert private_folder(state, thoroughly=True) == []


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757, 0o1777], ids=oct)
def test_a_folder_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    """They could put a database of theirs in the place of ours. It may hold more, so it is not closed."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(Refused) as refused:
        private_folder(folder)
    assert f"other users can write to {folder} (mode {mode:04o})" in str(refused.value)
    assert f"chmod go-w {folder}" in str(refused.value)
    assert stat.S_IMODE(folder.stat().st_mode) == mode
    told = private_folder(folder / "ours")
    assert len(told) == (mode & 0o1002 == 0o2)  # there others can only put a folder in the place of ours


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o700], ids=oct)
def test_a_folder_that_others_can_only_read_is_left_as_it_is(tmp_path: Path, mode: int) -> None:
    """It is somebody's decision: our files in it are private by themselves."""
    folder = tmp_path / "readable"
    folder.mkdir()
    folder.chmod(mode)
    assert private_folder(folder) == []
    assert stat.S_IMODE(folder.stat().st_mode) == mode


def test_a_file_is_written_whole_and_private(tmp_path: Path) -> None:
    """Also where an open one is there already; nothing else is left in the folder."""
    path = tmp_path / "a" / "b" / "file"
    write_private(path, b"first")
    path.chmod(0o644)
    write_private(path, b"second")
    assert path.read_bytes() == b"second"
    assert modes(tmp_path) == {"a": "700", "a/b": "700", "a/b/file": "600"}


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    """Such as a folder in the file's place."""
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="file"):
        write_private(tmp_path / "file", b"text")
    assert list(modes(tmp_path)) == ["file"]


def test_a_log_is_private_and_goes_on(tmp_path: Path) -> None:
    """One of an earlier release is closed."""
    (tmp_path / "log").write_text("before\n")
    with open_private(tmp_path / "log", "ab") as log:
        log.write(b"after\n")
    assert (tmp_path / "log").read_text() == "before\nafter\n"
    assert modes(tmp_path) == {"log": "600"}


def test_an_open_database_is_closed_with_what_lies_beside_it(tmp_path: Path) -> None:
    """And the locks of whoever works with it are kept."""
    path = tmp_path / "incidents.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE incidents (id)")
        assert set(modes(tmp_path).values()) == {"644"}
        connection.execute("BEGIN IMMEDIATE")
        close_sqlite(path)
        assert modes(tmp_path) == {
            "incidents.db": "600",
            "incidents.db-shm": "600",
            "incidents.db-wal": "600",
        }
        with (
            sqlite3.connect(path, timeout=0) as other,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            other.execute("BEGIN IMMEDIATE")
        other.close()
    connection.close()


async def test_the_incident_store_is_private_from_its_first_moment(tmp_path: Path) -> None:
    """In a stock worker too; SQLite's other files get the mode of the database."""
    store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path / 'incidents.db'}"))
    await store.open_incident(ALERT, incident_id="inc-1", at=AT)
    found = modes(tmp_path)
    assert {"incidents.db", "incidents.db-wal"} <= found.keys()
    assert set(found.values()) == {"600"}


async def test_evidence_is_private(tmp_path: Path) -> None:
    """In a stock worker too; the folder of an incident that an earlier release left open is closed."""
    (tmp_path / "inc-1").mkdir()
    folder = LocalFileSystem(basepath=str(tmp_path))
    await write_file(folder, "inc-1/resolution/debug-bundle/pods.json", b"{}")
    await write_file(folder, "inc-2/paper-runbook.md", b"# By hand")
    assert (tmp_path / "inc-1/resolution/debug-bundle/pods.json").read_bytes() == b"{}"
    assert modes(tmp_path) == {
        "inc-1": "700",
        "inc-1/resolution": "700",
        "inc-1/resolution/debug-bundle": "700",
        "inc-1/resolution/debug-bundle/pods.json": "600",
        "inc-2": "700",
        "inc-2/paper-runbook.md": "600",
    }


@pytest.mark.parametrize(
    "path", ["../file", "inc-1/../../file", "inc-1", "inc-1/", "/file", "inc-1/../inc-2/x"]
)
async def test_evidence_stays_in_the_folder_of_its_incident(tmp_path: Path, path: str) -> None:
    """A name from outside does not lead out of it."""
    folder = LocalFileSystem(basepath=str(tmp_path / "evidence"))
    with pytest.raises(Refused):
        await write_file(folder, path, b"text")
    assert {name for name in modes(tmp_path) if name.endswith(("file", "x"))} == set()
