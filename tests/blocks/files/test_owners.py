"""What another user has planted where ours belongs: not written, not followed, not trusted, and told."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from prefect.filesystems import LocalFileSystem
from pydantic import SecretStr

from blocks.files.evidence_folder import NotWritten, write_file
from blocks.files.owners import ForeignFile
from blocks.files.private_files import close_sqlite, open_private, private_folder
from blocks.store.database.errors import StoreUnavailable
from blocks.store.journal import IncidentStore
from blocks.transport.errors import Refused
from deployments.prefect.access import PASSWORD_FILE, password_of
from tests.tasks.environments import ALERT, AT

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another user")

DAEMON = 1

Plant = Callable[[Path, Path], None]


def plant_link(path: Path, elsewhere: Path) -> None:
    """A link of another user's that leads to a file or folder of ours."""
    path.symlink_to(elsewhere)
    os.lchown(path, DAEMON, DAEMON)


def plant_own(path: Path, elsewhere: Path) -> None:
    """The same kind of thing, but the other user's own, and open."""
    if elsewhere.is_dir():
        path.mkdir()
    else:
        path.write_bytes(elsewhere.read_bytes())
    os.lchown(path, DAEMON, DAEMON)


PLANTS = pytest.mark.parametrize("plant", [plant_link, plant_own])


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder of ours with a file, to which no link of another's may lead us."""
    folder = tmp_path / "elsewhere"
    folder.mkdir(mode=0o700)
    (folder / "file").write_bytes(b"as it was\n")
    (folder / "file").chmod(0o600)
    return folder


def untouched(elsewhere: Path) -> bool:
    """Whether it has what it had, and nothing else."""
    return {path.name: path.read_bytes() for path in elsewhere.iterdir()} == {"file": b"as it was\n"}


@PLANTS
@pytest.mark.parametrize("within", ["", "logs", "drills/1"])
def test_a_state_folder_of_another_user_is_refused(
    tmp_path: Path, elsewhere: Path, plant: Plant, within: str
) -> None:
    """Whoever owns a folder can put in it what they like, whatever its mode."""
    plant(tmp_path / ".runbook", elsewhere)
    with pytest.raises(Refused, match="belongs to the user daemon") as refused:
        private_folder(tmp_path / ".runbook" / within)
    assert str(tmp_path / ".runbook") in str(refused.value)
    assert "remove it" in refused.value.next_step
    assert untouched(elsewhere)


@PLANTS
def test_a_folder_of_another_name_is_refused_too(tmp_path: Path, elsewhere: Path, plant: Plant) -> None:
    """Such as the folder of the store or of the evidence."""
    plant(tmp_path / "state", elsewhere)
    with pytest.raises(Refused, match="belongs to the user daemon"):
        private_folder(tmp_path / "state")


def test_a_link_of_ours_is_followed(tmp_path: Path, elsewhere: Path) -> None:
    """Somebody has put the state on a larger disk."""
    (tmp_path / ".runbook").symlink_to(elsewhere)
    assert private_folder(tmp_path / ".runbook", thoroughly=True) == []


def test_a_link_of_ours_to_nothing_is_told(tmp_path: Path) -> None:
    """The larger disk is not there yet."""
    (tmp_path / ".runbook").symlink_to(tmp_path / "nowhere")
    with pytest.raises(NotADirectoryError, match="leads to nothing"):
        private_folder(tmp_path / ".runbook")
    assert not (tmp_path / "nowhere").exists()


@PLANTS
def test_a_file_of_another_user_in_the_state_is_told_at_the_start(
    tmp_path: Path, elsewhere: Path, plant: Plant
) -> None:
    """It was put there while the folder was open."""
    (tmp_path / ".runbook" / "logs").mkdir(parents=True, mode=0o700)
    planted = tmp_path / ".runbook" / "logs" / "worker.log"
    plant(planted, elsewhere / "file")
    with pytest.raises(Refused, match="another user's \\(daemon\\)") as refused:
        private_folder(tmp_path / ".runbook", thoroughly=True)
    assert str(planted) in str(refused.value)
    assert untouched(elsewhere)


def test_the_state_is_closed_before_what_is_in_it_is_refused(tmp_path: Path) -> None:
    """So that nothing can be added while somebody looks."""
    state = tmp_path / ".runbook"
    state.mkdir()
    state.chmod(0o777)
    plant_link(state / "prefect.db", tmp_path)
    with pytest.raises(Refused):
        private_folder(state)
    assert state.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("mode", "told"), [(0o777, True), (0o1777, False), (0o755, False)])
def test_a_folder_above_in_which_everybody_can_replace_the_state_is_told(
    tmp_path: Path, mode: int, told: bool
) -> None:
    """A sticky one lets nobody do that."""
    above = tmp_path / "above"
    above.mkdir()
    above.chmod(mode)
    said = [f"Others can put a folder of theirs in the place of {above / '.runbook'}: close {above} to them"]
    assert private_folder(above / ".runbook" / "logs") == (said if told else [])


@PLANTS
@pytest.mark.parametrize("mode", ["ab", "wb"])
def test_a_log_is_not_written_into_it(tmp_path: Path, elsewhere: Path, plant: Plant, mode: str) -> None:
    """Neither through a link nor into another's file, which they can read."""
    planted = tmp_path / "log"
    plant(planted, elsewhere / "file")
    with pytest.raises(ForeignFile, match="belongs to the user daemon"):
        open_private(planted, mode)
    assert planted.read_bytes() == b"as it was\n"


def test_a_pipe_in_a_log_s_place_does_not_hold_the_start_up(tmp_path: Path) -> None:
    """To open one waits for a reader."""
    os.mkfifo(tmp_path / "log")
    with pytest.raises(OSError, match="it is a pipe"):
        open_private(tmp_path / "log", "ab")


@PLANTS
@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
async def test_the_store_is_not_opened_through_it(
    tmp_path: Path, elsewhere: Path, plant: Plant, suffix: str
) -> None:
    """SQLite itself follows links, and takes over the mode of what it finds."""
    if suffix:
        sqlite3.connect(tmp_path / "incidents.db").close()
    plant(tmp_path / f"incidents.db{suffix}", elsewhere / "file")
    store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path / 'incidents.db'}"))
    with pytest.raises(StoreUnavailable, match="belongs to the user daemon"):
        await store.open_incident(ALERT, incident_id="inc-1", at=AT)
    assert untouched(elsewhere)


def test_root_reads_the_store_of_a_user(tmp_path: Path) -> None:
    """As `sudo runbook incidents` does: what lies in the folder of its owner is nobody's trap."""
    folder = tmp_path / "of-daemon"
    folder.mkdir()
    sqlite3.connect(folder / "incidents.db").close()
    for path in (folder, folder / "incidents.db"):
        os.chown(path, DAEMON, DAEMON)
    close_sqlite(folder / "incidents.db")


@PLANTS
async def test_the_store_s_witness_is_not_written_into_it(
    tmp_path: Path, elsewhere: Path, plant: Plant
) -> None:
    """The store is used all the same: the witness only tells a later process which store was here."""
    planted = tmp_path / ".incidents.db.store-id"
    (elsewhere / "file").write_bytes(b"")
    plant(planted, elsewhere / "file")
    store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path / 'incidents.db'}"))
    await store.open_incident(ALERT, incident_id="inc-1", at=AT)
    assert planted.read_bytes() == b""


@PLANTS
async def test_evidence_is_not_written_into_it(tmp_path: Path, elsewhere: Path, plant: Plant) -> None:
    """That is a file which could not be written, with which a response goes on."""
    plant(tmp_path / "inc-1", elsewhere)
    folder = LocalFileSystem(basepath=str(tmp_path))
    with pytest.raises((NotWritten, Refused)):
        await write_file(folder, "inc-1/logs.txt", b"logs")
    assert untouched(elsewhere)
    assert not (tmp_path / "inc-1" / "logs.txt").exists()


@PLANTS
def test_a_planted_password_is_not_taken(tmp_path: Path, elsewhere: Path, plant: Plant) -> None:
    """Whoever planted it knows it."""
    plant(tmp_path / PASSWORD_FILE, elsewhere / "file")
    with pytest.raises(ForeignFile, match="belongs to the user daemon"):
        password_of(tmp_path)
